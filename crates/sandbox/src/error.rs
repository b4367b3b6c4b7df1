//! What can go wrong with a child, its cage or its channel.

use crate::child::Exit;
use crate::level::Missing;
use std::error::Error;
use std::io;
use std::path::PathBuf;

/// Why a child could not be started, caged or spoken with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    #[error("this process was not started as a child: it has no channel to a parent")]
    NotAChild,
    #[error("parent and child are different versions ({ours} and {theirs})")]
    Version { ours: u32, theirs: u32 },
    #[error("the cage cannot name `{}`: the path is not UTF-8", .path.display())]
    PathNotText { path: PathBuf },
    #[error("the {role} process cannot be started")]
    Start { role: String, source: io::Error },
    #[error("the {role} process ended while starting ({exit}){}", last_line(.stderr))]
    Died {
        role: String,
        exit: Exit,
        stderr: String,
    },
    #[error("the {role} process did not answer within {seconds} s of its start")]
    Silent { role: String, seconds: u64 },
    #[error("the {role} process cannot enter its cage: {why}")]
    Refused { role: String, why: String },
    #[error("this system does not give the whole cage, and it is required: {} missing", parts(.missing))]
    Uncaged { missing: Vec<Missing> },

    #[error("`{}` cannot be opened for the cage", .path.display())]
    Path { path: PathBuf, source: io::Error },
    #[error(
        "the process already has {count} threads; a cage holds only when it is entered with one"
    )]
    Threads { count: usize },
    #[error("the system call {call} failed")]
    System {
        call: &'static str,
        source: io::Error,
    },
    #[cfg(target_os = "linux")]
    #[error("Landlock refused its rules")]
    Landlock { source: landlock::RulesetError },
    #[cfg(target_os = "linux")]
    #[error("seccomp refused its filter")]
    Seccomp { source: seccompiler::Error },

    #[error("the other process closed the channel")]
    Closed,
    #[error("the other process went away in the middle of a frame")]
    FrameTorn,
    #[error("a frame of {bytes} bytes is longer than a frame may be")]
    FrameTooLong { bytes: u64 },
    #[error("a frame is not the JSON that was expected here (line {line}, column {column})")]
    FrameMalformed { line: usize, column: usize },
    #[error("a value cannot be written as a frame")]
    FrameUnencodable,
    #[error("a frame carries too many descriptors, or there is no room for them")]
    Descriptors,
    #[error("no frame arrived in time")]
    TimedOut,
    #[error("the channel failed")]
    Channel { source: io::Error },
}

impl SandboxError {
    /// Returns a function that names the system call which failed.
    pub(crate) fn call(call: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |errno| Self::System {
            call,
            source: errno.into(),
        }
    }

    /// Returns the whole chain of causes as one line, to be told to the parent.
    pub(crate) fn with_causes(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

/// What a child said last is often the only trace of a failed start (a missing library, for instance); before its start is
/// complete it has seen nothing but its cage.
fn last_line(stderr: &str) -> String {
    stderr
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map_or_else(String::new, |line| {
            format!(": {}", line.chars().take(300).collect::<String>())
        })
}

fn parts(missing: &[Missing]) -> String {
    missing
        .iter()
        .map(|missing| missing.part.as_str())
        .collect::<Vec<_>>()
        .join(", ")
}
