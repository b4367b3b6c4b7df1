//! What a child may do, as its parent describes it.

use crate::SandboxError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The description of a child: who it is and everything it may touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cage {
    /// What the child is for; the last argument of its command line.
    pub role: String,
    /// Files, or directories with everything beneath, that may be read. A path that does not exist is an error.
    pub read: Vec<PathBuf>,
    /// Files, or directories with everything beneath, that may be read and written. In a directory, files and directories
    /// may also be created, removed, and renamed without leaving their directory; nothing in it may be executed, linked or be
    /// a device. A directory may be named by a symbolic link, a file may not.
    pub write: Vec<PathBuf>,
    pub limits: Limits,
    pub profile: Profile,
    pub policy: Policy,
}

/// Resource limits of a child.
///
/// There is none on processes: the kernel counts them per user, not per child, and a caged child cannot start any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Descriptors open at once.
    pub open_files: u64,
    /// Size of any file it writes; a write beyond fails with "file too large".
    pub file_bytes: Option<u64>,
    /// Private writable memory; an allocation beyond fails.
    pub memory_bytes: Option<u64>,
}

/// Which kind of work the child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// A database engine: may start threads.
    Engine,
    /// One thread that reads, computes and writes.
    Plain,
}

/// What happens when the kernel cannot give the whole cage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The child refuses to run.
    Required,
    /// The child runs with what there is and says what is missing: for work that has limits of its own, such as SQL.
    #[default]
    WherePossible,
    /// The child runs without Landlock and seccomp. Its empty start, its limits and its end with its parent remain.
    Off,
}

impl Default for Limits {
    fn default() -> Self {
        // 1024 is the usual soft limit; a load of many files opens them one after another.
        Self {
            open_files: 1024,
            file_bytes: None,
            memory_bytes: None,
        }
    }
}

impl Cage {
    /// Returns a cage without any path.
    pub fn new(role: impl Into<String>, profile: Profile) -> Self {
        Self {
            role: role.into(),
            read: Vec::new(),
            write: Vec::new(),
            limits: Limits::default(),
            profile,
            policy: Policy::default(),
        }
    }

    /// Checks what a frame cannot carry, before a process is started for it.
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let odd = self
            .read
            .iter()
            .chain(&self.write)
            .find(|path| path.to_str().is_none());
        odd.map_or(Ok(()), |path| {
            Err(SandboxError::PathNotText { path: path.clone() })
        })
    }
}
