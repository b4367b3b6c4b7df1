//! Queries of users: one SELECT, limited, read only, and with the project's secrets masked in its rows.

use crate::credentials::{CredentialStore, SECRET_FILES_DIR};
use crate::{App, Error, REDACTOR, Result};
use domain::limits::{QUERY_ROWS_DEFAULT, SQL_BYTES_MAX};
use domain::{Code, say};
use security::permissions::QueryExecute;
use security::{Allow, Event, Redactor};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Act;
pub use warehouse::{ExportFormat, ExportReport, ResultColumn};
use warehouse::{ExportTarget, QueryLimits, QueryResult, WarehouseError};

/// A query as it was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct QueryRequest {
    pub sql: String,
    /// At most so many rows; `None` means the default for a screen, and no limit but time for an export.
    pub rows_max: Option<u64>,
    /// Whether the rows are held in memory until the last has come; then their size is limited too.
    pub is_held: bool,
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
    let result = begun.map_err(Error::of_query)?;
    Ok(result.with_masking(redactor(app)))
}

/// Returns who knows the secrets that rows may not show: also those of sources that have no part in the query.
fn redactor(app: &App) -> Arc<Redactor> {
    // A file that cannot be read gives no secret away; whoever needs it says what is wrong with it.
    let store = CredentialStore::open(&app.project, &app.environment, Path::new(SECRET_FILES_DIR));
    if let Ok(store) = store {
        store.teach(&REDACTOR);
    }
    Arc::clone(&REDACTOR)
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

/// A file to write rows into.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputFile {
    /// As it was typed, for messages.
    shown: PathBuf,
    /// From wherever it is looked at.
    path: PathBuf,
    force: bool,
}

impl OutputFile {
    /// Returns the file called `typed` from here; one that is there is overwritten with `force` alone.
    pub fn new(typed: &Path, force: bool) -> Result<Self> {
        let path =
            std::path::absolute(typed).map_err(|error| Error::file("written", typed, error))?;
        Ok(Self {
            shown: typed.to_path_buf(),
            path,
            force,
        })
    }
}

/// Runs a query into a file. A caged process of its own writes it, and `output` is there whole or not at all.
pub async fn export(
    app: &App,
    allow: &Allow<QueryExecute>,
    request: &QueryRequest,
    format: ExportFormat,
    file: &OutputFile,
) -> Result<ExportReport> {
    let output = file.shown.as_path();
    // A link to nothing is something, too.
    if fs_err::symlink_metadata(&file.path).is_ok() && !file.force {
        return Err(
            Error::conflict(Code::OutputExists, say!("", name output, " exists already"))
                .hint("choose another name, or overwrite it with `--force`"),
        );
    }
    let limits = limits(app, request, request.rows_max.unwrap_or(u64::MAX))?;
    let target = ExportTarget {
        path: &file.path,
        format,
        redactor: redactor(app),
    };
    let report = app
        .warehouse
        .export_file(allow, &request.sql, limits, target)
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
        WarehouseError::Output(text) => Error::invalid(
            Code::OutputFailed,
            say!("", name output, " could not be written"),
        )
        .hint("check that its folder exists and may be written")
        .caused_by(text),
        WarehouseError::NotAFile => Error::invalid(
            Code::OutputFailed,
            say!("", name output, " is not a file, and only files are replaced"),
        )
        .hint("name a file, or leave out `--output` to write to stdout"),
        other => Error::of_query(other),
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
        )
        .hint("split it into several queries, or let a view hold a part of it"));
    }
    let seconds = request
        .timeout_seconds
        .unwrap_or(app.settings.api.query_timeout_seconds);
    Ok(QueryLimits {
        rows_max,
        bytes_max: if request.is_held {
            QueryLimits::default().bytes_max
        } else {
            u64::MAX
        },
        timeout: Duration::from_secs(seconds),
    })
}
