//! A query's rows on stdout: as they come in the forms for programs, together in the form for people.

use crate::errors::{Stop, usage};
use crate::output::grid::{self, Heading};
use crate::output::{Output, data_writer, units};
use app::App;
use app::query::QueryRequest;
use app::render;
use security::permissions::QueryExecute;
use serde_json::{Map, Value};
use std::io::Write as _;

/// A result that is held whole: limited rows only.
pub(crate) struct Rows {
    headings: Vec<Heading>,
    pub(crate) objects: Vec<Map<String, Value>>,
    is_truncated: bool,
}

/// Runs a query and holds its rows.
pub(crate) async fn collect(app: &App, request: &QueryRequest) -> Result<Rows, Stop> {
    let mut result = app::query::run(app, &app.allow::<QueryExecute>()?, request).await?;
    let mut headings = Vec::new();
    for column in result.columns() {
        headings.push(Heading {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
        });
    }
    let mut writer =
        render::Renderer::new(Vec::new(), render::Format::JsonLines, result.columns())?;
    while let Some(batch) = result.next().await {
        writer.write(&batch.map_err(app::Error::from)?)?;
    }
    let text = writer.finish()?;
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let objects = lines.map(serde_json::from_slice).collect::<Result<_, _>>();
    let objects = objects.map_err(|_| {
        // Only lists in lists in lists, a hundred deep, are no JSON for us.
        usage(
            "a value is nested too deeply for a table",
            "use `--format json`",
        )
    })?;
    Ok(Rows {
        headings,
        objects,
        is_truncated: result.truncated(),
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
) -> Result<Extent, Stop> {
    let mut result = app::query::run(app, &app.allow::<QueryExecute>()?, request).await?;
    let mut writer = render::Renderer::new(data_writer(), format, result.columns())?;
    let mut rows = 0;
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(app::Error::from)?;
        rows += batch.num_rows() as u64;
        writer.write(&batch)?;
    }
    writer.finish()?.flush()?;
    Ok(Extent {
        rows,
        is_truncated: result.truncated(),
    })
}
