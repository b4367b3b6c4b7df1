//! Queries of users: one SELECT, limited, read only.

use crate::{App, Error, Result};
use domain::limits::{QUERY_ROWS_DEFAULT, SQL_BYTES_MAX};
use domain::{Code, say};
use security::permissions::QueryExecute;
use security::{Allow, Event};
use std::path::Path;
use std::time::Duration;
use store::Act;
pub use warehouse::{ExportFormat, ExportReport};
use warehouse::{QueryLimits, QueryResult, WarehouseError};

/// A query as it was asked.
#[derive(Debug, Clone)]
pub struct QueryRequest {
    pub sql: String,
    /// At most so many rows; `None` means the default for a screen, and no limit but time for an export.
    pub rows_max: Option<u64>,
    /// `None` means `api.query_timeout_seconds` of the project.
    pub timeout_seconds: Option<u64>,
}

/// Runs a query; its rows come as the result is read.
pub async fn run(
    app: &App,
    allow: &Allow<QueryExecute>,
    request: &QueryRequest,
) -> Result<QueryResult> {
    let limits = limits(app, request, request.rows_max.unwrap_or(QUERY_ROWS_DEFAULT))?;
    let begun = app.warehouse.query(allow, &request.sql, limits).await;
    record(
        app,
        allow,
        request,
        Event::QueryExecuted,
        begun.as_ref().err(),
    )
    .await?;
    Ok(begun?)
}

/// Writes down that somebody asked, and whether the query was let through; the SQL itself may hold personal data and stays out.
async fn record(
    app: &App,
    allow: &Allow<QueryExecute>,
    request: &QueryRequest,
    event: Event,
    error: Option<&WarehouseError>,
) -> Result<()> {
    let event = match error {
        None => event,
        Some(WarehouseError::Refused { .. }) => Event::QueryRefused,
        Some(_) => Event::QueryFailed,
    };
    let act = Act::new(event).detail("sql_length", request.sql.len());
    Ok(app.store.record(allow, act).await?)
}

/// Runs a query into a file. A caged process of its own writes it, and `output` is there whole or not at all.
pub async fn export(
    app: &App,
    allow: &Allow<QueryExecute>,
    request: &QueryRequest,
    format: ExportFormat,
    output: &Path,
    force: bool,
) -> Result<ExportReport> {
    if output.exists() && !force {
        return Err(
            Error::conflict(Code::OutputExists, say!("", name output, " exists already"))
                .hint("choose another name, or overwrite it with `--force`"),
        );
    }
    let limits = limits(app, request, request.rows_max.unwrap_or(u64::MAX))?;
    let path =
        std::path::absolute(output).map_err(|error| Error::file("written", output, error))?;
    let report = app
        .warehouse
        .export_file(allow, &request.sql, limits, &path, format)
        .await;
    record(
        app,
        allow,
        request,
        Event::QueryExported,
        report.as_ref().err(),
    )
    .await?;
    report.map_err(|error| match error {
        WarehouseError::Io(text) => Error::invalid(
            Code::OutputFailed,
            say!("", name output, " could not be written"),
        )
        .hint("check that its folder exists and may be written")
        .caused_by(text),
        other => other.into(),
    })
}

fn limits(app: &App, request: &QueryRequest, rows_max: u64) -> Result<QueryLimits> {
    if request.sql.len() > SQL_BYTES_MAX {
        return Err(Error::limit(
            Code::QueryRefused,
            say!(
                "the query has ",
                request.sql.len(),
                " bytes; at most ",
                SQL_BYTES_MAX,
                " are allowed"
            ),
        ));
    }
    let seconds = request
        .timeout_seconds
        .unwrap_or(app.settings.api.query_timeout_seconds);
    Ok(QueryLimits {
        rows_max,
        // Whoever names a number of rows, or a file, wants all of them; the default guards a screen.
        bytes_max: if rows_max == QUERY_ROWS_DEFAULT {
            QueryLimits::default().bytes_max
        } else {
            u64::MAX
        },
        timeout: Duration::from_secs(seconds),
    })
}
