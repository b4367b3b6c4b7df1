//! CSV by RFC 4180, with line feeds as `psql --csv` and DuckDB write them.

use super::text;
use crate::duck::ResultColumn;
use arrow::array::{Array, RecordBatch};

/// Returns the line of column names.
pub(super) fn header(columns: &[ResultColumn]) -> String {
    let mut line = String::new();
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        let start = line.len();
        line.push_str(&column.name);
        quote_from(start, &mut line);
    }
    line.push('\n');
    line
}

/// Appends the rows.
pub(super) fn append(batch: &RecordBatch, out: &mut String) {
    for row in 0..batch.num_rows() {
        for (index, array) in batch.columns().iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            if !is_null(array, row) {
                let start = out.len();
                text::append(array, row, out);
                quote_from(start, out);
            }
        }
        out.push('\n');
    }
}

fn is_null(array: &dyn Array, row: usize) -> bool {
    // Unions have no validity of their own, and the type of NULL has no buffer for it.
    array
        .logical_nulls()
        .is_some_and(|nulls| nulls.is_null(row))
}

/// Quotes what was appended from `start` on, where it must be: an empty text too, because nothing at all is NULL.
fn quote_from(start: usize, out: &mut String) {
    let field = out.get(start..).unwrap_or_default();
    let needs_quotes = field.is_empty()
        || field.starts_with(' ')
        || field.ends_with(' ')
        || field.contains([',', '"', '\n', '\r']);
    if needs_quotes {
        let quoted = format!("\"{}\"", field.replace('"', "\"\""));
        out.truncate(start);
        out.push_str(&quoted);
    }
}
