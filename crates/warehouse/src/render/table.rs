//! A result as a table on a terminal.

use super::csv::is_null;
use super::text;
use crate::duck::ResultColumn;
use arrow::array::RecordBatch;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment};

/// A cell that is longer is cut and marked: a screen is for looking, the other formats are for the data.
const CELL_CHARS_MAX: usize = 80;

pub(super) struct Table {
    table: comfy_table::Table,
    /// Whether each column's values are numbers, which stand at the right.
    numeric: Vec<bool>,
}

impl Table {
    pub(super) fn new(columns: &[ResultColumn]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(columns.iter().map(|column| shown(&column.name)));
        Self {
            table,
            numeric: columns
                .iter()
                .map(|column| is_numeric(&column.type_name))
                .collect(),
        }
    }

    pub(super) fn append(&mut self, batch: &RecordBatch) {
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .zip(&self.numeric)
                .map(|(array, numeric)| {
                    let mut cell = String::from("NULL");
                    if !is_null(array, row) {
                        cell.clear();
                        text::append(array, row, &mut cell);
                        cell = shown(&cell);
                    }
                    let side = if *numeric {
                        CellAlignment::Right
                    } else {
                        CellAlignment::Left
                    };
                    Cell::new(cell).set_alignment(side)
                });
            self.table.add_row(cells);
        }
    }

    pub(super) fn to_text(&self) -> String {
        format!("{}\n", self.table)
    }
}

fn is_numeric(type_name: &str) -> bool {
    type_name.starts_with("DECIMAL")
        || matches!(
            type_name,
            "TINYINT"
                | "SMALLINT"
                | "INTEGER"
                | "BIGINT"
                | "HUGEINT"
                | "UTINYINT"
                | "USMALLINT"
                | "UINTEGER"
                | "UBIGINT"
                | "UHUGEINT"
                | "FLOAT"
                | "DOUBLE"
                | "BIGNUM"
        )
}

/// Returns the text without what would move the cursor or colour the screen: data must not talk to the terminal.
fn shown(text: &str) -> String {
    let mut cell = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == CELL_CHARS_MAX {
            cell.push('…');
            break;
        }
        if character.is_control() {
            cell.extend(character.escape_default());
        } else {
            cell.push(character);
        }
    }
    cell
}
