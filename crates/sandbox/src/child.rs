//! A running child, seen from its parent.

mod watch;

use crate::channel::Channel;
use crate::level::Level;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use watch::Watch;

/// How long dropping a [`Child`] waits until the kernel has taken it down; only a child stuck in a dead network file system
/// needs longer, and that one is reaped in the background.
const REAP_TIMEOUT: Duration = Duration::from_secs(2);

/// A running child. Dropping it kills and reaps it; that waits, usually for a millisecond.
#[derive(Debug)]
pub struct Child {
    /// The connection to the child.
    pub channel: Channel,
    pub(crate) role: String,
    pub(crate) level: Level,
    pub(crate) watch: Arc<Watch>,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself, with this status.
    Status(i32),
    /// A signal ended it.
    Signal(i32),
    /// Nobody kept its status: this process runs with SIGCHLD ignored.
    Unknown,
}

impl Child {
    /// Returns the child's role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// Returns the child's process id. It is the id of its process group too.
    pub fn pid(&self) -> u32 {
        self.watch.pid()
    }

    /// Returns what the kernel gave for the child's cage.
    pub fn level(&self) -> &Level {
        &self.level
    }

    /// Returns how the child ended, or `None` while it runs.
    pub fn try_wait(&self) -> Option<Exit> {
        self.watch.wait_timeout(Duration::ZERO)
    }

    /// Waits until the child has ended.
    pub fn wait(&self) -> Exit {
        self.watch.wait()
    }

    /// Waits until the child has ended, but not longer than `timeout`.
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Exit> {
        self.watch.wait_timeout(timeout)
    }

    /// Kills the child, whatever it is doing. Killing one that has ended does nothing.
    pub fn kill(&self) {
        self.watch.kill();
    }

    /// Ends a child that closed its channel, but lets it say why first.
    pub(crate) fn end(&self) -> Exit {
        let by_itself = self.wait_timeout(REAP_TIMEOUT);
        let killed = || {
            self.kill();
            self.wait_timeout(REAP_TIMEOUT)
        };
        by_itself.or_else(killed).unwrap_or(Exit::Unknown)
    }

    /// Returns the end of what the child wrote to its standard error, for the log.
    pub fn stderr_tail(&self) -> String {
        self.watch.stderr_tail()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.watch.kill();
        self.watch.wait_timeout(REAP_TIMEOUT);
    }
}

impl Exit {
    /// Returns whether the child ended by itself with status 0.
    pub fn is_success(self) -> bool {
        self == Self::Status(0)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(out, "exit status {status}"),
            Self::Signal(signal) => write!(out, "killed by signal {signal}"),
            Self::Unknown => out.write_str("exit status unknown"),
        }
    }
}
