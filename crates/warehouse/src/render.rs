//! Results as text: CSV, JSON and JSON lines.
//!
//! | engine's type | text |
//! |---|---|
//! | integers, DECIMAL, HUGEINT | all digits, never rounded, never an exponent |
//! | FLOAT, DOUBLE | the shortest text that reads back as the same number; `NaN`, `Infinity`, `-Infinity` (text in JSON) |
//! | DATE, TIME | `2026-11-22`, `07:03:00.123456`; years beyond 9999 and before 0 with their sign |
//! | TIMESTAMP, … WITH TIME ZONE | `2026-11-22T07:03:00.123456`, and `…Z` |
//! | the ends of time | `infinity`, `-infinity` |
//! | INTERVAL | ISO 8601: `P1Y2M3DT4H5M6.7S` |
//! | BLOB, GEOMETRY | hexadecimal, lower case |
//! | BIT | zeros and ones |
//! | lists, structures, maps, unions | JSON; a map is an object when its keys are text, else a list of `{key, value}`; a structure without names is a list |
//! | JSON | in JSON output the value itself, elsewhere its text |
//! | NULL | JSON `null`; CSV: nothing between the commas (an empty text is `""`) |
//!
//! CSV is RFC 4180 with line feeds. In JSON, columns of the same name are told apart: `a`, `a_1`.

pub mod json;
mod text;

mod csv;
mod moment;

use crate::duck::ResultColumn;
use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// A form of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    /// One array of objects.
    Json,
    /// One object per line.
    JsonLines,
}

/// Writes batches of rows as text.
pub struct Renderer<W> {
    out: W,
    form: Form,
    /// Filled and written per batch.
    buffer: String,
}

enum Form {
    Csv,
    Json {
        columns: Vec<ResultColumn>,
        lines: bool,
        is_first: bool,
    },
}

impl<W: Write> Renderer<W> {
    /// Starts the text of a result with these columns.
    pub fn new(mut out: W, format: Format, columns: &[ResultColumn]) -> io::Result<Self> {
        let form = match format {
            Format::Csv => {
                out.write_all(csv::header(columns).as_bytes())?;
                Form::Csv
            }
            Format::Json | Format::JsonLines => {
                let lines = format == Format::JsonLines;
                if !lines {
                    out.write_all(b"[")?;
                }
                Form::Json {
                    columns: with_unique_names(columns),
                    lines,
                    is_first: true,
                }
            }
        };
        Ok(Self {
            out,
            form,
            buffer: String::new(),
        })
    }

    /// Writes rows.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.buffer.clear();
        match &mut self.form {
            Form::Csv => csv::append(batch, &mut self.buffer),
            Form::Json {
                columns,
                lines,
                is_first,
            } => {
                json::append_rows(batch, columns, *lines, is_first, &mut self.buffer);
            }
        }
        self.out.write_all(self.buffer.as_bytes())
    }

    /// Returns what is written to.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Ends the text and returns what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        match &self.form {
            Form::Csv | Form::Json { lines: true, .. } => {}
            Form::Json { is_first: true, .. } => self.out.write_all(b"]\n")?,
            Form::Json { .. } => self.out.write_all(b"\n]\n")?,
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Returns the columns with names that stand once: an object would lose the others.
pub(crate) fn with_unique_names(columns: &[ResultColumn]) -> Vec<ResultColumn> {
    let mut taken = BTreeSet::new();
    let mut unique = Vec::with_capacity(columns.len());
    for column in columns {
        let mut name = column.name.clone();
        let mut number = 0;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{}_{number}", column.name);
        }
        unique.push(ResultColumn {
            name,
            type_name: column.type_name.clone(),
        });
    }
    unique
}

#[cfg(test)]
mod tests;
