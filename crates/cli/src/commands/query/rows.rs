//! A query's rows on stdout: as they come in the forms for programs, together in the form for people.

use crate::door::{Door, Line};
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
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::io::Write as _;

/// A result that is held whole: limited rows only.
pub(crate) struct Rows {
    headings: Vec<Heading>,
    pub(crate) objects: Vec<Map<String, Value>>,
    is_truncated: bool,
    masked: u64,
}

/// What a query says after its last row.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Last {
    rows: u64,
    truncated: bool,
    masked: u64,
}

/// Runs a query and holds its rows.
pub(crate) async fn collect(door: &Door, request: &QueryRequest) -> Result<Rows, Stop> {
    let mut columns = Vec::new();
    let mut objects = Vec::new();
    let last = match door {
        Door::Here(app) => collect_here(app, request, &mut columns, &mut objects).await?,
        Door::There(client) => {
            let on_line = |line: Line| {
                match line {
                    Line::Columns(named) => columns = named,
                    Line::Rows(mut rows) => objects.append(&mut rows),
                    Line::Started(_) | Line::News(_) | Line::Text(_) => {}
                }
                Ok(())
            };
            let body = json!({ "request": request });
            client.post_lines("/operator/query", &body, on_line).await?
        }
    };
    // A part of the rows would be taken for all of them.
    let rows_max = request.rows_max.unwrap_or(QUERY_ROWS_DEFAULT);
    let is_whole = !last.truncated || objects.len() as u64 == rows_max;
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
        is_truncated: last.truncated,
        masked: last.masked,
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
pub(super) fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

async fn collect_here(
    app: &App,
    request: &QueryRequest,
    columns: &mut Vec<ResultColumn>,
    objects: &mut Vec<Map<String, Value>>,
) -> Result<Last, Stop> {
    let allow = app.allow::<QueryExecute>().await?;
    let mut result = app::query::run(app, &allow, request).await?;
    *columns = result.columns().to_vec();
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(Error::of_query)?;
        render::json::append_objects(&batch, columns, objects);
    }
    Ok(Last {
        rows: objects.len() as u64,
        truncated: result.truncated(),
        masked: result.masked(),
    })
}

/// Runs a query and writes its rows as they come.
pub(crate) async fn stream(
    door: &Door,
    request: &QueryRequest,
    format: render::Format,
    output: Output,
) -> Result<Extent, Stop> {
    let last = match door {
        Door::Here(app) => stream_here(app, request, format).await?,
        Door::There(client) => {
            let mut writer = data_writer();
            let on_line = |line: Line| {
                if let Line::Text(text) = line {
                    writer.write_all(text.as_bytes())?;
                }
                Ok(())
            };
            let body = json!({"request": request, "format": format});
            let last = client.post_lines("/operator/query", &body, on_line).await?;
            writer.flush()?;
            last
        }
    };
    output.warn_masked(last.masked);
    Ok(Extent {
        rows: last.rows,
        is_truncated: last.truncated,
    })
}

async fn stream_here(
    app: &App,
    request: &QueryRequest,
    format: render::Format,
) -> Result<Last, Stop> {
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
    Ok(Last {
        rows,
        truncated: result.truncated(),
        masked: result.masked(),
    })
}
