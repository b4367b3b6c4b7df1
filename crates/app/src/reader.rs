//! The reader: the caged child that alone opens a source's files, and the client through which its parent uses it.
//!
//! It may read one directory, has no network, no secret and no other file, and streams the rows of any number of files straight
//! to the warehouse's worker over a descriptor that its parent passes on. What a foreign file can do to a parser ends at its cage.

mod child;
mod frames;
mod parquet;

#[cfg(test)]
mod tests;

pub use child::run;
pub use frames::StreamRequest;

use connect::files::{FileOptions, Format, Inspection, PlannedFile, ReadReport};
use connect::{Failure, FailureKind};
use domain::TableSchema;
use domain::say;
use domain::say::Quoted;
use frames::{Answer, Ask, FileSpec};
use sandbox::{Cage, Channel, Child, Launcher, Policy, Profile, SandboxError};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// The role's name: the last argument of the child's command line.
pub const ROLE: &str = "reader";

/// Private memory beyond which a file is a bomb: Parquet's engine takes half of it at most.
const MEMORY_BYTES_MAX: u64 = 2 << 30;

/// A running reader. Dropping it ends the child, also in the middle of a file.
pub struct Reader {
    child: Arc<Child>,
    /// A request that was given up leaves its answer in the channel; nothing more can be asked then.
    is_asking: bool,
}

/// A file to be read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderFile {
    /// The path beneath the source's directory.
    pub path: String,
    pub format: Format,
    pub options: FileOptions,
}

impl ReaderFile {
    /// Returns a planned file with the options of its table.
    pub fn new(file: &PlannedFile, options: &FileOptions) -> Self {
        Self {
            path: file.path.clone(),
            format: file.format,
            options: options.clone(),
        }
    }
}

impl Reader {
    /// Starts a reader that may read `directory` (absolute, as planned) and nothing else.
    pub async fn start(
        launcher: &Launcher,
        directory: &Path,
        policy: Policy,
    ) -> Result<Self, Failure> {
        let mut cage = Cage::new(ROLE, Profile::Engine);
        cage.read = vec![directory.to_path_buf()];
        cage.limits.memory_bytes = Some(MEMORY_BYTES_MAX);
        cage.policy = policy;
        let launcher = launcher.clone();
        let child = off_thread(move || launcher.spawn(&cage))
            .await?
            .map_err(|error| {
                Failure::new(
                    FailureKind::Failed,
                    "the process that reads files cannot be started",
                )
                .hint("`dango doctor` says what is missing")
                .caused_by(error)
            })?;
        Ok(Self {
            child: Arc::new(child),
            is_asking: false,
        })
    }

    /// Returns the process id of the child.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Returns the BLAKE3 hash of a file in hexadecimal, and its size.
    pub async fn hash(&mut self, file: &ReaderFile) -> Result<(String, u64), Failure> {
        match self
            .ask(
                Ask::Hash {
                    file: FileSpec::new(file),
                },
                Vec::new(),
                |_| {},
            )
            .await?
        {
            Answer::Hashed { hash, bytes } => Ok((hash, bytes)),
            _ => Err(out_of_turn()),
        }
    }

    /// Reads a whole file and decides the types of its columns for the table `table`; `known` are the table and its children
    /// as the warehouse has them, together with what earlier files of this load decided.
    pub async fn inspect(
        &mut self,
        file: &ReaderFile,
        table: &str,
        known: &[TableSchema],
    ) -> Result<Inspection, Failure> {
        let (file, table, known) = (FileSpec::new(file), table.to_owned(), known.to_vec());
        match self
            .ask(Ask::Inspect { file, table, known }, Vec::new(), |_| {})
            .await?
        {
            Answer::Inspected { inspection } => Ok(inspection),
            _ => Err(out_of_turn()),
        }
    }

    /// Starts the stream that goes into `target`: the rows of every file that is read until it is finished.
    pub async fn open(&mut self, stream: StreamRequest, target: OwnedFd) -> Result<(), Failure> {
        match self.ask(Ask::Open { stream }, vec![target], |_| {}).await? {
            Answer::Opened => Ok(()),
            _ => Err(out_of_turn()),
        }
    }

    /// Adds a file's rows to the open stream; `progress` hears the file's rows so far.
    pub async fn read(
        &mut self,
        file: &ReaderFile,
        inspection: &Inspection,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<ReadReport, Failure> {
        let (file, inspection) = (FileSpec::new(file), inspection.clone());
        match self
            .ask(Ask::Read { file, inspection }, Vec::new(), progress)
            .await?
        {
            Answer::Read { rows, bytes } => Ok(ReadReport { rows, bytes }),
            _ => Err(out_of_turn()),
        }
    }

    /// Ends the open stream. Without this it counts as broken off.
    pub async fn finish(&mut self) -> Result<(), Failure> {
        match self.ask(Ask::Finish, Vec::new(), |_| {}).await? {
            Answer::Finished => Ok(()),
            _ => Err(out_of_turn()),
        }
    }

    /// Ends the child, and with it a stream that is not whole.
    pub fn stop(&self) {
        self.child.kill();
    }

    async fn ask(
        &mut self,
        ask: Ask,
        fds: Vec<OwnedFd>,
        progress: impl FnMut(u64) + Send + 'static,
    ) -> Result<Answer, Failure> {
        if std::mem::replace(&mut self.is_asking, true) {
            return Err(out_of_turn());
        }
        let channel = self.child.channel.clone();
        let path = ask.path().map(str::to_owned);
        let answered = off_thread(move || exchange(&channel, &ask, fds, progress)).await?;
        self.is_asking = false;
        match answered {
            Ok(Some(Answer::Failed(failure))) => Err(failure.into()),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(SandboxError::Closed | SandboxError::FrameTorn) => {
                Err(self.died(path.as_deref()))
            }
            Err(error) => Err(out_of_turn().caused_by(error)),
        }
    }

    fn died(&self, path: Option<&str>) -> Failure {
        let say = match path {
            Some(path) => {
                say!("the process that reads files ended while it read ", name Quoted(path))
            }
            None => "the process that reads files ended between two files".into(),
        };
        Failure::new(FailureKind::FileInvalid, say)
        .hint("the file may be damaged, or need more memory than a reader may have; `.dango/logs/dango.jsonl` has its last words")
        .caused_by(self.child.stderr_tail())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // A thread that still waits for an answer holds the child too, so its own drop would come too late.
        self.stop();
    }
}

/// Sends a request and returns its final answer, `None` when the child is gone.
fn exchange(
    channel: &Channel,
    ask: &Ask,
    fds: Vec<OwnedFd>,
    mut progress: impl FnMut(u64),
) -> Result<Option<Answer>, SandboxError> {
    let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
    channel.send(ask, &borrowed)?;
    drop(borrowed);
    // The child has its own; as long as ours is open, the worker would wait for more rows after the child's death.
    drop(fds);
    loop {
        match channel.recv::<Answer>()? {
            Some((Answer::Progress { rows }, _)) => progress(rows),
            other => return Ok(other.map(|(answer, _)| answer)),
        }
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| out_of_turn().caused_by(error))
}

fn out_of_turn() -> Failure {
    Failure::new(
        FailureKind::Failed,
        "the process that reads files answered out of turn",
    )
    .hint("run the sync again")
}
