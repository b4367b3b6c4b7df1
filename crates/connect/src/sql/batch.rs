//! Rows of one table, gathered column by column until they make a batch.

use super::cells::{Cells, Room};
use crate::arrow_types;
use crate::failure::{Failure, FailureKind};
use crate::page::{StreamTable, TableBatch};
use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use domain::limits::{BATCH_BYTES, BATCH_ROWS};
use domain::say::Quoted;
use domain::{Column, ColumnType, say};
use std::sync::Arc;

/// The values of one column that its type cannot hold: they become NULL there and text in a variant column.
#[derive(Default)]
struct Variant {
    /// Row of the batch and value.
    waiting: Vec<(usize, String)>,
    moved: u64,
}

/// Why a value could not be taken.
pub(super) enum Bad {
    TooLarge,
    /// It is not one of the column's type.
    Unfit,
}

/// Returns the failure of a value that the column `index` of `batch` cannot take.
#[cold]
pub(super) fn bad_cell(bad: &Bad, batch: &Batch, index: usize) -> Failure {
    let column = batch.columns.get(index);
    let name = Quoted(column.map_or("", |column| &column.name));
    match bad {
        Bad::TooLarge => Failure::new(
            FailureKind::FileTooLarge,
            say!("a value of column ", name name, " is larger than 64 MiB"),
        )
        .hint("leave the column out by reading a view without it"),
        // Types and values come from one snapshot, so this is a table that was altered after it was looked at.
        Bad::Unfit => Failure::new(
            FailureKind::Changed,
            say!("a value of column ", name name, " does not have the type the column had when the sync began"),
        )
        .hint("sync again"),
    }
}

/// One column that is being filled.
pub(super) struct Slot {
    pub(super) cells: Cells,
    kind: ColumnType,
    variant: Variant,
}

impl Slot {
    /// Writes NULL here and `text` into the variant column of the row `row` of the batch.
    #[cold]
    pub(super) fn push_variant(&mut self, row: usize, text: String) {
        self.cells.push_null();
        self.variant.waiting.push((row, text));
    }

    pub(super) const fn kind(&self) -> ColumnType {
        self.kind
    }
}

/// A batch that is being filled. Rows are written through [`Batch::slots`], one cell to each slot, then counted.
pub(super) struct Batch {
    pub(super) slots: Vec<Slot>,
    pub(super) rows: usize,
    bytes: usize,
    /// The table as it came from the catalog, without variant columns.
    columns: Vec<Column>,
    table: Arc<StreamTable>,
    schema: SchemaRef,
}

impl Batch {
    /// Returns an empty batch for `table`.
    pub(super) fn new(table: StreamTable) -> Self {
        let slot = |column: &Column| Slot {
            cells: Cells::new(column.kind, Room::default()),
            kind: column.kind,
            variant: Variant::default(),
        };
        let columns = table.schema.columns.clone();
        Self {
            slots: columns.iter().map(slot).collect(),
            rows: 0,
            bytes: 0,
            schema: Arc::new(arrow_types::schema(&columns)),
            columns,
            table: Arc::new(table),
        }
    }

    /// Ends a row that took `bytes` at the source.
    #[inline]
    pub(super) fn end_row(&mut self, bytes: usize) {
        self.rows += 1;
        self.bytes += bytes;
    }

    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// Returns the rows so far, and the bytes they took at the source, and starts anew.
    pub(super) fn finish(&mut self) -> Result<(TableBatch, u64), Failure> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (slot, column) in self.slots.iter_mut().zip(&self.columns) {
            let finished = slot.cells.finish(slot.kind);
            arrays.push(finished.map_err(|error| {
                bad_column(error, &column.name, &self.table.schema.table.table)
            })?);
        }
        self.grow_variants();
        for slot in self.slots.iter_mut().filter(|slot| slot.variant.moved > 0) {
            arrays.push(variant_array(&mut slot.variant, self.rows));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| {
            Failure::new(FailureKind::Protocol, "the rows do not fit their table").caused_by(error)
        })?;
        let bytes = u64::try_from(self.bytes).unwrap_or(u64::MAX);
        (self.rows, self.bytes) = (0, 0);
        Ok((
            TableBatch {
                table: Arc::clone(&self.table),
                batch,
            },
            bytes,
        ))
    }

    /// Gives the table a variant column for each column that needs one by now.
    fn grow_variants(&mut self) {
        if self
            .slots
            .iter()
            .all(|slot| slot.variant.waiting.is_empty())
        {
            return;
        }
        let mut table = StreamTable::clone(&self.table);
        table.schema.columns.clone_from(&self.columns);
        for (slot, column) in self.slots.iter_mut().zip(&self.columns) {
            slot.variant.moved += u64::try_from(slot.variant.waiting.len()).unwrap_or(0);
            if slot.variant.moved > 0 {
                table
                    .schema
                    .columns
                    .push(Column::new(variant_name(column), ColumnType::Text));
            }
        }
        self.schema = Arc::new(arrow_types::schema(&table.schema.columns));
        self.table = Arc::new(table);
    }

    /// Returns one line for each column whose values were moved to a variant column.
    pub(super) fn warnings(&self) -> Vec<String> {
        let moved = self
            .slots
            .iter()
            .zip(&self.columns)
            .filter(|(slot, _)| slot.variant.moved > 0);
        moved
            .map(|(slot, column)| {
                format!(
                    "`{}`: {} values of `{}` do not fit {} and are in `{}` as text",
                    self.table.schema.table.table,
                    slot.variant.moved,
                    column.name,
                    column.kind,
                    variant_name(column)
                )
            })
            .collect()
    }
}

/// Returns the failure of a column that is no Arrow array.
fn bad_column(error: ArrowError, column: &str, table: &str) -> Failure {
    let place = say!("column ", name Quoted(column), " of table ", name Quoted(table));
    let failure = if matches!(error, ArrowError::OffsetOverflowError(_)) {
        let say = say!("", place, " has more than 2 GiB in few rows");
        Failure::new(FailureKind::FileTooLarge, say)
            .hint("leave the column out by reading a view without it")
    } else {
        let say = say!("", place, " holds text that is not UTF-8");
        Failure::new(FailureKind::Protocol, say).hint(
            "the database says its text is UTF-8 or ASCII, and it is not; mend the rows there",
        )
    };
    failure.caused_by(error)
}

fn variant_name(column: &Column) -> String {
    format!("{}__{}", column.name, ColumnType::Text.variant_suffix())
}

fn variant_array(variant: &mut Variant, rows: usize) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for (row, text) in variant.waiting.drain(..) {
        builder.append_nulls(row.saturating_sub(builder_len(&builder)));
        builder.append_value(text);
    }
    builder.append_nulls(rows.saturating_sub(builder_len(&builder)));
    Arc::new(builder.finish())
}

fn builder_len(builder: &StringBuilder) -> usize {
    arrow::array::ArrayBuilder::len(builder)
}
