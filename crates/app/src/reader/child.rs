//! The child's side: answer requests until the parent closes the channel.

use super::frames::{Answer, Ask, FileSpec, ReadRequest};
use super::parquet;
use connect::files::{Effort, Format, Inspection, ReadReport, RowSink, SourceFile};
use connect::{Failure, FailureKind};
use domain::TableSchema;
use sandbox::{Channel, Entered, SandboxError};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Rows between two progress frames.
const PROGRESS_ROWS: u64 = 50_000;

/// Runs the role `reader`.
pub fn run(entered: Entered) -> Result<(), SandboxError> {
    let Entered { cage, channel, .. } = entered;
    let directory = cage.read.into_iter().next().unwrap_or_default();
    let child = ReaderChild {
        directory,
        effort: Effort::default(),
    };
    while let Some((ask, fds)) = channel.recv::<Ask>()? {
        let answer = child
            .answer(&ask, fds, &channel)
            .unwrap_or_else(|failure| Answer::Failed(failure.into()));
        channel.send(&answer, &[])?;
    }
    Ok(())
}

struct ReaderChild {
    directory: PathBuf,
    effort: Effort,
}

impl ReaderChild {
    fn answer(&self, ask: &Ask, fds: Vec<OwnedFd>, channel: &Channel) -> Result<Answer, Failure> {
        let file = self.file(ask.file());
        Ok(match ask {
            Ask::Hash { .. } => {
                let (hash, bytes) = file.hash()?;
                Answer::Hashed { hash, bytes }
            }
            Ask::Inspect { table, known, .. } => Answer::Inspected {
                inspection: inspect(file, table, known)?,
            },
            Ask::Read { read, .. } => {
                let target = fds.into_iter().next().ok_or_else(no_target)?;
                let ReadReport { rows, bytes } = stream(file, read, target, channel)?;
                Answer::Read { rows, bytes }
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

/// Streams the rows of the wanted table into `target`.
fn stream(
    file: SourceFile<'_>,
    request: &ReadRequest,
    target: OwnedFd,
    channel: &Channel,
) -> Result<ReadReport, Failure> {
    let wanted = request.tables.get(request.wanted).ok_or_else(no_target)?;
    let mut sink = RowSink::open(File::from(target), &wanted.columns)?;
    let schema = sink.schema();
    let mut said = 0;
    let each = |batch| {
        sink.write(&batch)?;
        if sink.rows() - said >= PROGRESS_ROWS {
            said = sink.rows();
            // Without a parent there is nobody to tell; the next receive ends the loop.
            let _ = channel.send(&Answer::Progress { rows: said }, &[]);
        }
        Ok(())
    };
    let report = if file.format == Format::Parquet {
        parquet::read(file, &request.inspection, wanted, &schema, each)?
    } else {
        file.read(&request.inspection, &request.tables, wanted, each)?
    };
    sink.finish()?;
    Ok(report)
}

fn no_target() -> Failure {
    Failure::new(
        FailureKind::Failed,
        "the reader was asked without saying where the rows go",
    )
}
