//! One process at a time keeps the audit log's file and keys; commands that share a project take turns.

use crate::error::{Error, Result};
use crate::files::{self, Reach};
use crate::project::Project;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::fs::TryLockError;
use std::time::Duration;

const POLL: Duration = Duration::from_millis(5);
/// Whoever has it needs milliseconds; after this its work is left to it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The turn, until it is dropped.
pub(super) struct Turn {
    _file: fs::File,
}

/// Waits for the turn; `None` when somebody else keeps the log for longer than that takes.
pub(super) async fn take_turn(project: &Project) -> Result<Option<Turn>> {
    files::create_folder(&project.run_dir(), Reach::Owner)?;
    let path = project.run_dir().join("audit.lock");
    let broken = |error| Error::file("locked", &path, error);
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(broken)?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        match file.file().try_lock() {
            Ok(()) => return Ok(Some(Turn { _file: file })),
            Err(TryLockError::Error(error)) => return Err(broken(error)),
            Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                return Ok(None);
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL).await,
        }
    }
}
