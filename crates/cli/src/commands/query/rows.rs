//! A query's rows on stdout: as they come in the forms for programs, together in the form for people.

use crate::errors::Stop;
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
        headings.push(Heading { name: column.name.clone(), type_name: column.type_name.clone() });
    }
    let mut writer =
        render::Renderer::new(Vec::new(), render::Format::JsonLines, result.columns())?;
    while let Some(batch) = result.next().await {
        writer.write(&batch.map_err(app::Error::from)?)?;
    }
    let text = writer.finish()?;
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    // Each line is an object that was just made.
    let objects = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok(Rows { headings, objects, is_truncated: result.truncated() })
}

impl Rows {
    /// Prints the rows as a table and returns whether rows were left out.
    pub(crate) fn print(&self, output: Output) -> Result<bool, Stop> {
        let cells: Vec<Vec<_>> =
            self.objects.iter().map(|row| row.values().map(cell).collect()).collect();
        let drawn =
            grid::draw(&self.headings, &cells, output.data_palette(), output.list_width());
        output.print(&drawn.text)?;
        output.tell(&units::counted(cells.len() as u64, "row"));
        if drawn.columns_left_out > 0 {
            let columns = units::counted(drawn.columns_left_out as u64, "column");
            output.tell(&format!("{columns} did not fit; name fewer, or use `--format csv`"));
        } else if drawn.is_cut {
            output.tell("cells ending in … are cut; `--format csv` has them whole");
        }
        Ok(self.is_truncated)
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

/// Runs a query and writes its rows as they come; returns whether rows were left out.
pub(crate) async fn stream(
    app: &App,
    request: &QueryRequest,
    format: render::Format,
) -> Result<bool, Stop> {
    let mut result = app::query::run(app, &app.allow::<QueryExecute>()?, request).await?;
    let mut writer = render::Renderer::new(data_writer(), format, result.columns())?;
    while let Some(batch) = result.next().await {
        writer.write(&batch.map_err(app::Error::from)?)?;
    }
    writer.finish()?.flush()?;
    Ok(result.truncated())
}
