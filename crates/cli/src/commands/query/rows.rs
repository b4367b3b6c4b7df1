//! A query's rows on stdout: as they come in the forms for programs, together in the form for people.

use crate::errors::Stop;
use crate::output::grid::{self, Heading};
use crate::output::{Output, data_writer, units};
use app::App;
use app::error::{Error, Kind};
use app::query::{QueryRequest, ResultColumn};
use app::render;
use domain::limits::QUERY_ROWS_DEFAULT;
use domain::{Code, say};
use security::permissions::QueryExecute;
use serde_json::{Map, Value};
use std::io::Write as _;

/// A result that is held whole: limited rows only.
pub(crate) struct Rows {
    headings: Vec<Heading>,
    pub(crate) objects: Vec<Map<String, Value>>,
    is_truncated: bool,
    masked: u64,
}

/// Runs a query and holds its rows.
pub(crate) async fn collect(app: &App, request: &QueryRequest) -> Result<Rows, Stop> {
    let allow = app.allow::<QueryExecute>().await?;
    let mut result = app::query::run(app, &allow, request).await?;
    let columns = result.columns().to_vec();
    let mut objects = Vec::new();
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(Error::of_query)?;
        render::json::append_objects(&batch, &columns, &mut objects);
    }
    // A part of the rows would be taken for all of them.
    let rows_max = request.rows_max.unwrap_or(QUERY_ROWS_DEFAULT);
    let is_whole = !result.truncated() || objects.len() as u64 == rows_max;
    if !is_whole {
        let say = say!(
            "the result is larger than a table may be, which is held in memory as a whole: there are more than its first ",
            objects.len(),
            " rows"
        );
        let error = Error::new(Kind::Limit, Code::OutputFailed, say);
        return Err(error
            .hint("use `--format csv`, which writes rows as they come, or a smaller `--limit`")
            .into());
    }
    let heading = |column: &ResultColumn| Heading {
        name: column.name.clone(),
        type_name: column.type_name.clone(),
    };
    Ok(Rows {
        headings: columns.iter().map(heading).collect(),
        objects,
        is_truncated: result.truncated(),
        masked: result.masked(),
    })
}

/// How much of a result was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) rows: u64,
    /// There were more.
    pub(crate) is_truncated: bool,
}

impl Rows {
    /// Prints the rows as a table.
    pub(crate) fn print(&self, output: Output) -> Result<Extent, Stop> {
        let cells: Vec<Vec<_>> = self
            .objects
            .iter()
            .map(|row| row.values().map(cell).collect())
            .collect();
        let drawn = grid::draw(
            &self.headings,
            &cells,
            output.data_palette(),
            output.list_width(),
        );
        output.print_data(&drawn.text)?;
        let rows = cells.len() as u64;
        output.warn_masked(self.masked);
        output.tell(&units::counted(rows, "row"));
        if drawn.columns_left_out > 0 {
            let columns = units::counted(drawn.columns_left_out as u64, "column");
            output.tell(&format!(
                "{columns} did not fit; name fewer, or use `--format csv`"
            ));
        } else if drawn.is_cut {
            output.tell("cells ending in … are cut; `--format csv` has them whole");
        }
        Ok(Extent {
            rows,
            is_truncated: self.is_truncated,
        })
    }
}

/// Returns a value as a cell, `None` for NULL. Numbers keep every digit they came with.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Runs a query and writes its rows as they come.
pub(crate) async fn stream(
    app: &App,
    request: &QueryRequest,
    format: render::Format,
    output: Output,
) -> Result<Extent, Stop> {
    let allow = app.allow::<QueryExecute>().await?;
    let mut result = app::query::run(app, &allow, request).await?;
    let mut writer = render::Renderer::new(data_writer(), format, result.columns())?;
    let mut rows = 0;
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(Error::of_query)?;
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.finish()?.flush()?;
    output.warn_masked(result.masked());
    Ok(Extent {
        rows,
        is_truncated: result.truncated(),
    })
}
