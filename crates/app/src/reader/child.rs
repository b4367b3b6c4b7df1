//! The child's side: answer requests until the parent closes the channel.

use super::frames::{Answer, Ask, FileSpec, StreamRequest};
use super::parquet;
use connect::files::{
    Effort, FILENAME_COLUMN, Format, Inspection, ReadReport, RowSink, SourceFile,
};
use connect::{Failure, FailureKind, RecordBatch, arrow_types};
use domain::limits::BATCH_ROWS;
use domain::{Column, ColumnType, TableSchema};
use sandbox::{Channel, Entered, SandboxError};
use std::error::Error;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows between two progress frames.
const PROGRESS_ROWS: u64 = 50_000;

/// Runs the role `reader`.
pub fn run(entered: Entered) -> Result<(), SandboxError> {
    let Entered { cage, channel, .. } = entered;
    let directory = cage.read.into_iter().next().unwrap_or_default();
    let mut child = ReaderChild {
        directory,
        effort: Effort::default(),
        stream: None,
    };
    while let Some((ask, fds)) = channel.recv::<Ask>()? {
        let answer = child
            .answer(ask, fds, &channel)
            .unwrap_or_else(|failure| Answer::Failed(failure.into()));
        channel.send(&answer, &[])?;
    }
    Ok(())
}

struct ReaderChild {
    directory: PathBuf,
    effort: Effort,
    stream: Option<Stream>,
}

impl ReaderChild {
    fn answer(
        &mut self,
        ask: Ask,
        fds: Vec<OwnedFd>,
        channel: &Channel,
    ) -> Result<Answer, Failure> {
        Ok(match ask {
            Ask::Hash { file } => {
                let (hash, bytes) = self.file(&file).hash()?;
                Answer::Hashed { hash, bytes }
            }
            Ask::Inspect { file, table, known } => Answer::Inspected {
                inspection: inspect(self.file(&file), &table, &known)?,
            },
            Ask::Open { stream } => {
                let target = fds.into_iter().next().ok_or_else(no_target)?;
                self.stream = Some(Stream::open(stream, target)?);
                Answer::Opened
            }
            Ask::Read { file, inspection } => {
                // After a failure the stream is dropped, and so breaks off.
                let mut stream = self.stream.take().ok_or_else(no_target)?;
                let ReadReport { rows, bytes } =
                    stream.add(self.file(&file), &inspection, channel)?;
                self.stream = Some(stream);
                Answer::Read { rows, bytes }
            }
            Ask::Finish => {
                let stream = self.stream.take().ok_or_else(no_target)?;
                stream.sink.finish()?;
                Answer::Finished
            }
        })
    }

    fn file<'a>(&'a self, spec: &'a FileSpec) -> SourceFile<'a> {
        SourceFile {
            directory: Path::new(&self.directory),
            name: &spec.path,
            format: spec.format,
            options: &spec.options,
            effort: self.effort,
        }
    }
}

fn inspect(
    file: SourceFile<'_>,
    table: &str,
    known: &[TableSchema],
) -> Result<Inspection, Failure> {
    if file.format == Format::Parquet {
        parquet::inspect(file, table)
    } else {
        file.inspect(table, known)
    }
}

/// The stream that is open: rows of one table, of any number of files.
struct Stream {
    tables: Vec<TableSchema>,
    /// The table, with the columns that the stream has.
    wanted: TableSchema,
    sink: RowSink<File>,
}

impl Stream {
    fn open(request: StreamRequest, target: OwnedFd) -> Result<Self, Failure> {
        let StreamRequest {
            tables,
            table,
            columns,
        } = request;
        let known = tables.iter().find(|known| known.table.table == table);
        let mut wanted = known.ok_or_else(no_target)?.clone();
        let mut streamed = columns.clone();
        streamed.push(Column::new(FILENAME_COLUMN, ColumnType::Text));
        wanted.columns = columns;
        Ok(Self {
            sink: RowSink::open(File::from(target), &streamed)?,
            tables,
            wanted,
        })
    }

    /// Adds a file's rows, each with the file's name.
    fn add(
        &mut self,
        file: SourceFile<'_>,
        inspection: &Inspection,
        channel: &Channel,
    ) -> Result<ReadReport, Failure> {
        let Self {
            tables,
            wanted,
            sink,
        } = self;
        let before = sink.rows();
        let mut said = 0;
        let mut each = |batch: RecordBatch| {
            let named = arrow_types::with_text(&batch, FILENAME_COLUMN, file.name);
            sink.write(&named.map_err(not_built)?)?;
            if sink.rows() - before - said >= PROGRESS_ROWS {
                said = sink.rows() - before;
                // Without a parent there is nobody to tell; the next receive ends the loop.
                let _ = channel.send(&Answer::Progress { rows: said }, &[]);
            }
            Ok(())
        };
        if wanted.columns.is_empty() {
            return hollow(inspection, &wanted.table.table, each);
        }
        if file.format == Format::Parquet {
            let schema = Arc::new(arrow_types::schema(&wanted.columns));
            parquet::read(file, inspection, wanted, &schema, each)
        } else {
            file.read(inspection, tables, wanted, &mut each)
        }
    }
}

/// Hands on as many rows without a column as the file has for the table: an empty file has none, one of `{}` objects some.
fn hollow(
    inspection: &Inspection,
    table: &str,
    mut each: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<ReadReport, Failure> {
    let found = inspection.tables.iter().find(|found| found.name == table);
    let rows = found.map_or(0, |found| found.rows);
    let mut left = rows;
    while left > 0 {
        let some = usize::try_from(left).map_or(BATCH_ROWS, |left| left.min(BATCH_ROWS));
        each(arrow_types::hollow(some).map_err(not_built)?)?;
        left -= some as u64;
    }
    Ok(ReadReport {
        rows,
        bytes: inspection.bytes,
    })
}

fn not_built(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::new(FailureKind::Failed, "rows could not be put together").caused_by(error)
}

fn no_target() -> Failure {
    Failure::new(
        FailureKind::Failed,
        "the reader was asked without saying where the rows go",
    )
}
