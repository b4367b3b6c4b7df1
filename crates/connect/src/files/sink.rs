//! Where the rows of a file go: an Arrow IPC stream that ends with its marker only when all rows were written, so that whoever
//! reads it knows a reader that died from one that was done.

use crate::arrow_types;
use crate::failure::{Failure, FailureKind};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use domain::Column;
use std::io::{BufWriter, Write};
use std::sync::Arc;

/// Small pieces (a batch's description, its shorter columns) leave together.
const BUFFER_BYTES: usize = 256 << 10;

/// A stream of rows that is being written.
pub struct RowSink<W: Write> {
    schema: SchemaRef,
    stream: StreamWriter<BufWriter<W>>,
    rows: u64,
}

impl<W: Write> RowSink<W> {
    /// Starts the stream with its schema.
    pub fn open(target: W, columns: &[Column]) -> Result<Self, Failure> {
        let schema = Arc::new(arrow_types::schema(columns));
        let target = BufWriter::with_capacity(BUFFER_BYTES, target);
        let stream = StreamWriter::try_new(target, &schema).map_err(not_taken)?;
        Ok(Self {
            schema,
            stream,
            rows: 0,
        })
    }

    /// Returns the stream's columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns how many rows were written.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes a batch.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        self.stream.write(batch).map_err(not_taken)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// Writes the end-of-stream marker. Without it the stream counts as broken off.
    pub fn finish(mut self) -> Result<u64, Failure> {
        self.stream.finish().map_err(not_taken)?;
        self.stream
            .get_mut()
            .flush()
            .map_err(|error| not_taken(error.into()))?;
        Ok(self.rows)
    }
}

fn not_taken(error: ArrowError) -> Failure {
    Failure::new(FailureKind::Failed, "the warehouse stopped taking rows").caused_by(error)
}
