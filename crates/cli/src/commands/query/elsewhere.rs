//! `dango query --remote`: one SELECT at a server elsewhere, whose answer comes in one piece.

use super::rows::{Extent, cell};
use super::{Format, check_extent};
use crate::context::Context;
use crate::errors::Stop;
use crate::output::grid::{self, Heading};
use crate::output::{Output, units};
use crate::remote::read;
use app::query::QueryRequest;
use app::remote::Connection;
use domain::limits::QUERY_ROWS_DEFAULT;
use domain::say;
use domain::say::Quoted;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What the server answers.
#[derive(Deserialize)]
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    truncated: bool,
    warning: Option<String>,
}

/// Runs the query.
pub(super) async fn run(
    context: &Context,
    connection: &Connection,
    request: &QueryRequest,
    format: Format,
) -> Result<(), Stop> {
    let body = json!({"sql": request.sql});
    let asked = async { read::<Answer>(connection.post("/query", &body).await?) };
    let mut answer = context.interrupts.or_drop(Box::pin(asked)).await?;
    let output = context.output;
    let rows_max = request.rows_max.unwrap_or(QUERY_ROWS_DEFAULT);
    let kept = usize::try_from(rows_max).unwrap_or(usize::MAX);
    let extent = Extent {
        rows: rows_max.min(answer.rows.len() as u64),
        is_truncated: answer.truncated || answer.rows.len() > kept,
    };
    answer.rows.truncate(kept);
    match format {
        Format::Json => output.print_json_data(&objects(&answer))?,
        Format::Jsonl => {
            let objects = objects(&answer);
            let lines: Vec<_> = objects.into_iter().map(Value::Object).collect();
            for line in lines {
                output.print_data(&line.to_string())?;
            }
        }
        Format::Table | Format::Csv | Format::Parquet => table(&answer, output)?,
    }
    if let Some(warning) = &answer.warning {
        output.warn(say!("", Quoted(warning)).as_str());
    }
    check_extent(extent, rows_max, output)
}

fn table(answer: &Answer, output: Output) -> Result<(), Stop> {
    let named = |name: &String| Heading {
        name: name.clone(),
        // The API does not tell types; numbers are known by themselves.
        type_name: String::new(),
    };
    let headings: Vec<_> = answer.columns.iter().map(named).collect();
    let cells: Vec<Vec<_>> = answer
        .rows
        .iter()
        .map(|row| row.iter().map(cell).collect())
        .collect();
    let drawn = grid::draw(
        &headings,
        &cells,
        output.data_palette(),
        output.list_width(),
    );
    output.print_data(&drawn.text)?;
    output.tell(&units::counted(cells.len() as u64, "row"));
    Ok(())
}

/// Returns each row as an object; a column whose name stands twice gets a number, so that none is lost.
fn objects(answer: &Answer) -> Vec<Map<String, Value>> {
    let mut names: Vec<String> = Vec::with_capacity(answer.columns.len());
    for column in &answer.columns {
        let mut name = column.clone();
        let mut number = 1;
        while names.contains(&name) {
            name = format!("{column}_{number}");
            number += 1;
        }
        names.push(name);
    }
    let object = |row: &Vec<Value>| names.iter().cloned().zip(row.iter().cloned()).collect();
    answer.rows.iter().map(object).collect()
}
