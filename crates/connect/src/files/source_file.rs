//! One file of a source, and what can be done with it.

use super::format::Format;
use super::input;
use super::inspection::{Inspection, Layout};
use super::options::FileOptions;
use super::place::Place;
use super::{delimited, faults, json};
use crate::failure::Failure;
use arrow::array::RecordBatch;
use domain::TableSchema;
use std::path::{Path, PathBuf};

/// A file of a source. Parquet files are none of these: `warehouse::parquet` reads them.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// The source's directory.
    pub directory: &'a Path,
    /// The file's path beneath the directory.
    pub name: &'a str,
    pub format: Format,
    pub options: &'a FileOptions,
    pub effort: Effort,
}

/// With how much of the machine a file is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Threads that take chunks apart, besides the one that reads them.
    pub threads: usize,
    pub chunk_bytes: usize,
}

/// More threads than these wait for the one that reads the file.
const THREADS_MAX: usize = 4;
/// Some thousand rows: the size of batch that loads best, and small enough for the processor's caches.
const CHUNK_BYTES: usize = 512 << 10;

impl Default for Effort {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads: threads.min(THREADS_MAX),
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

/// What [`SourceFile::read`] read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadReport {
    pub rows: u64,
    /// Size of the file as it lies on the disk.
    pub bytes: u64,
}

impl SourceFile<'_> {
    /// Returns the file's full path; a name that leads out of the directory is refused.
    pub fn path(&self) -> Result<PathBuf, Failure> {
        Ok(Place::new(self.directory, self.name)?.full)
    }

    /// Returns the BLAKE3 hash of the file in hexadecimal, and its size.
    pub fn hash(&self) -> Result<(String, u64), Failure> {
        let digest = input::digest(&Place::new(self.directory, self.name)?)?;
        Ok((digest.hash, digest.bytes))
    }

    /// Reads the whole file and decides the types of its columns for the table `table`; `known` are the table and its
    /// child tables as the warehouse or earlier files have them.
    pub fn inspect(&self, table: &str, known: &[TableSchema]) -> Result<Inspection, Failure> {
        let place = Place::new(self.directory, self.name)?;
        if self.format == Format::Json {
            return json::inspect(&place, table, self.options, known);
        }
        let own = known.iter().find(|schema| schema.table.table == table);
        delimited::inspect(&place, table, self.format, self.options, own, self.effort)
    }

    /// Reads the file once more and hands its rows for `wanted`, one of `tables`, to `each`, in batches of exactly the
    /// columns of `wanted`; `tables` are all the file's tables with the columns that are to be filled. When the file is not
    /// the one that was inspected, that is found out at its end at the latest: the batches so far must be thrown away.
    pub fn read(
        &self,
        inspected: &Inspection,
        tables: &[TableSchema],
        wanted: &TableSchema,
        mut each: impl FnMut(RecordBatch) -> Result<(), Failure>,
    ) -> Result<ReadReport, Failure> {
        let place = Place::new(self.directory, self.name)?;
        let mut rows = 0;
        let counted = |batch: RecordBatch| {
            rows += batch.num_rows() as u64;
            each(batch)
        };
        let digest = match &inspected.layout {
            Layout::Delimited(layout) => {
                let columns = &wanted.columns;
                delimited::read(&place, layout, self.options, columns, self.effort, counted)?
            }
            Layout::Json => json::read(&place, inspected, self.options, tables, wanted, counted)?,
            Layout::Parquet { .. } => return Err(faults::changed(&place)),
        };
        if digest.hash != inspected.hash {
            return Err(faults::changed(&place));
        }
        Ok(ReadReport {
            rows,
            bytes: digest.bytes,
        })
    }
}
