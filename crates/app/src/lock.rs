//! The project's lock: one process at a time works in a project, and whoever waits is told for whom.

use crate::error::Error;
use crate::files::{self, Reach};
use crate::project::Project;
use domain::say::Quoted;
use domain::{Code, Say, say};
use fs_err as fs;
use std::fs::TryLockError;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

/// How often a waiting process tries again.
const POLL: Duration = Duration::from_millis(50);
/// What a holder may write about itself.
const HOLDER_BYTES_MAX: u64 = 1_024;

/// Who holds the lock, as far as it has said so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    pub pid: Option<u32>,
    /// The command, without its arguments' values: `dango sync`.
    pub command: Option<String>,
}

impl Holder {
    /// Returns the holder as messages name it: `dango sync` (pid 4711).
    pub fn say(&self) -> Say {
        let said = match &self.command {
            Some(command) => say!("", name Quoted(command)),
            None => Say::new("another dango process"),
        };
        match self.pid {
            Some(pid) => said.text(" (pid ").value(&pid).text(")"),
            None => said,
        }
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim);
        let pid = lines.next().and_then(|line| line.parse().ok());
        let command = lines
            .next()
            .filter(|line| !line.is_empty())
            .map(str::to_owned);
        Self { pid, command }
    }
}

/// Why the lock was not got.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("the project is locked by another process")]
    Held(Holder),
    #[error("the lock file cannot be used")]
    File(#[source] Box<Error>),
}

impl From<LockError> for Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(holder) => Self::conflict(
                Code::ProjectLocked,
                holder.say().text(" is working in this project"),
            )
            .hint(
                "run the command again when it has ended, or wait longer for it: `--wait SECONDS`",
            ),
            LockError::File(error) => *error,
        }
    }
}

/// The lock, held until it is dropped or its process ends, however it ends.
#[derive(Debug)]
pub struct ProjectLock {
    file: fs::File,
}

impl ProjectLock {
    /// Takes the lock for `command`. While somebody else has it, waits up to `patience` and calls `waiting` whenever the
    /// holder is another than before.
    pub async fn acquire(
        project: &Project,
        command: &str,
        patience: Duration,
        mut waiting: impl FnMut(&Holder),
    ) -> Result<Self, LockError> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut told: Option<Holder> = None;
        loop {
            let holder = match Self::try_acquire(project, command) {
                Err(LockError::Held(holder)) => holder,
                settled => return settled,
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(LockError::Held(holder));
            }
            if told.as_ref() != Some(&holder) {
                waiting(&holder);
                told = Some(holder);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Returns who has the lock, `None` when nobody has.
    pub fn find_holder(project: &Project) -> Result<Option<Holder>, LockError> {
        match Self::try_acquire(project, "dango") {
            Ok(_) => Ok(None),
            Err(LockError::Held(holder)) => Ok(Some(holder)),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock for `command` if nobody has it.
    pub fn try_acquire(project: &Project, command: &str) -> Result<Self, LockError> {
        let path = project.lock_file();
        let broken = |error| LockError::File(Box::new(Error::file("locked", &path, error)));
        files::create_folder(&project.run_dir(), Reach::Owner)
            .map_err(|error| LockError::File(Box::new(error)))?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.options_mut().mode(0o600);
        let mut file = options.open(&path).map_err(broken)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(read_holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(broken(error)),
        }
        // The file itself stays for ever: removing a locked file lets two processes hold "the" lock.
        let write = |file: &mut fs::File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}\n{command}", std::process::id())
        };
        write(&mut file).map_err(broken)?;
        Ok(Self { file })
    }
}

impl Drop for ProjectLock {
    fn drop(&mut self) {
        // Only a courtesy to whoever looks; the lock itself goes with the descriptor.
        let _ = self.file.set_len(0);
    }
}

fn read_holder(file: &mut fs::File) -> Holder {
    let mut text = String::new();
    match file.take(HOLDER_BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => Holder::parse(&text),
        Err(_) => Holder::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::bare_project;
    use std::os::unix::fs::PermissionsExt as _;

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_is_told_for_whom_once_and_gives_up_in_time() {
        let (_folder, project) = bare_project();
        let held = ProjectLock::try_acquire(&project, "dango sync").expect("free");
        let mut told = Vec::new();
        let waiting = |holder: &Holder| told.push(holder.say().to_string());
        let patience = Duration::from_secs(5);
        let error = ProjectLock::acquire(&project, "dango db", patience, waiting)
            .await
            .expect_err("held");
        let expect = format!("`dango sync` (pid {})", std::process::id());
        assert_eq!(told, std::slice::from_ref(&expect));
        let error = Error::from(error);
        assert_eq!(error.code, Code::ProjectLocked);
        assert_eq!(
            error.say.as_str(),
            format!("{expect} is working in this project")
        );
        drop(held);
        ProjectLock::try_acquire(&project, "dango db").expect("free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_released_is_taken_by_whoever_waits() {
        let (_folder, project) = bare_project();
        let mut held = Some(ProjectLock::try_acquire(&project, "dango sync").expect("free"));
        let release = |_: &Holder| drop(held.take());
        let patience = Duration::from_secs(5);
        ProjectLock::acquire(&project, "dango db", patience, release)
            .await
            .expect("released meanwhile");
    }

    #[test]
    fn the_lock_file_is_private_and_odd_content_does_no_harm() {
        let (_folder, project) = bare_project();
        drop(ProjectLock::try_acquire(&project, "dango sync").expect("free"));
        let mode = fs::metadata(project.lock_file())
            .expect("kept")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        for (text, expect) in [
            ("", "another dango process"),
            ("x\ny\n", "`y`"),
            ("12\n\n", "another dango process (pid 12)"),
        ] {
            assert_eq!(Holder::parse(text).say().as_str(), expect);
        }
    }
}
