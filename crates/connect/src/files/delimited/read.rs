//! The second pass: cells become Arrow columns of the types that the first pass decided.

use super::super::builders::{Builder, Cells};
use super::super::chunks::Chunks;
use super::super::faults::{Fault, Wrong, count_lines};
use super::super::input::Digest;
use super::super::inspection::Delimited;
use super::super::options::FileOptions;
use super::super::pipeline::{Taken, Work, run};
use super::super::place::Place;
use super::super::rows::{Frame, Nulls, column, each_block};
use super::super::source_file::Effort;
use super::{head, nulls};
use crate::arrow_types;
use crate::failure::Failure;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use domain::limits::BATCH_ROWS;
use domain::{Column, ColumnType};
use std::sync::Arc;

/// Reads the file and hands its rows to `each` as batches of `columns`; a column that the file has not is NULL.
pub(crate) fn read(
    place: &Place,
    layout: &Delimited,
    options: &FileOptions,
    columns: &[Column],
    effort: Effort,
    mut each: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<Digest, Failure> {
    let mut chunks = Chunks::open(place, options, effort.chunk_bytes)?;
    let first = head::skip(&mut chunks, place, layout)?;
    let source = |column: &Column| layout.columns.iter().position(|name| *name == column.name);
    let work = Reading {
        frame: Frame {
            dialect: layout.dialect(),
            width: layout.columns.len(),
            ragged: options.ragged,
        },
        nulls: nulls(options),
        targets: columns
            .iter()
            .map(|column| (source(column), column.kind))
            .collect(),
        schema: Arc::new(arrow_types::schema(columns)),
    };
    run(&mut chunks, first, &work, effort.threads, |batches| {
        batches.into_iter().try_for_each(&mut each)
    })?;
    chunks.finish()
}

struct Reading {
    frame: Frame,
    nulls: Nulls,
    /// For each column of the table: its place in the file, and its type.
    targets: Vec<(Option<usize>, ColumnType)>,
    schema: SchemaRef,
}

impl Work for Reading {
    type Output = Vec<RecordBatch>;

    fn take_apart(&self, bytes: &[u8], from: usize) -> Taken<Self::Output> {
        let width = self.frame.width;
        let cells = Cells {
            bytes,
            nulls: &self.nulls,
            dialect: self.frame.dialect,
        };
        let mut batches = Vec::new();
        // As many rows as lines at most: room for a whole batch in each of 2,000 columns would be 260 MB.
        let room = usize::try_from(count_lines(bytes) + 1)
            .map_or(BATCH_ROWS, |lines| lines.min(BATCH_ROWS));
        let mut builders = self.builders(room);
        let mut rows = 0;
        let mut taken = each_block(bytes, from, self.frame, |block| {
            for (builder, (source, _)) in builders.iter_mut().zip(&self.targets) {
                let Some(index) = *source else {
                    builder.extend_null(block.len() / width.max(1));
                    continue;
                };
                builder
                    .extend(column(block, width, index), cells)
                    .map_err(|span| Fault {
                        at: span.start as usize,
                        what: Wrong::Changed,
                    })?;
            }
            rows += block.len() / width.max(1);
            if rows >= BATCH_ROWS {
                batches.extend(self.batch(std::mem::replace(&mut builders, self.builders(room)))?);
                rows = 0;
            }
            Ok(())
        });
        if rows > 0 && taken.result.is_ok() {
            taken.result = self.batch(builders).map(|batch| batches.extend(batch));
        }
        Taken {
            result: taken.result.map(|()| batches),
            open: taken.open,
        }
    }
}

impl Reading {
    fn builders(&self, room: usize) -> Vec<Builder> {
        self.targets
            .iter()
            .map(|(_, kind)| Builder::new(*kind, room))
            .collect()
    }

    fn batch(&self, builders: Vec<Builder>) -> Result<Option<RecordBatch>, Fault> {
        let arrays: Result<Vec<_>, _> = builders.into_iter().map(Builder::finish).collect();
        let batch =
            arrays.and_then(|arrays| RecordBatch::try_new(Arc::clone(&self.schema), arrays));
        // The bytes were checked as UTF-8 and the lengths are equal, so a failure means that a cell was cut in a character.
        batch.map(Some).map_err(|_| Fault {
            at: 0,
            what: Wrong::NotUtf8,
        })
    }
}
