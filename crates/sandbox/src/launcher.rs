//! How this program executes itself again.
//!
//! The child starts with nothing: no environment, no descriptors but three. Its channel comes in as descriptor 0, because
//! the standard library moves descriptors 0 to 2 into place without ever hitting one that it needs itself; any other fixed
//! number could be the pipe on which it reports a failed start. [`crate::enter()`] moves the channel away and puts
//! `/dev/null` there, as it stands on descriptor 1 from the start.

mod forker;

use crate::cage::Cage;
use crate::channel::Channel;
use crate::child::{Child, Watch};
use crate::enter::{Answer, Hello};
use crate::error::SandboxError;
use crate::level::Level;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Name of every child in the process list. [`crate::is_child`] looks for it too.
pub(crate) const CHILD_NAME: &str = "dango-child";

/// A child that has not answered by then never will; a cold start from a slow disk takes a second.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Starts children: this program again, with other arguments.
#[derive(Debug, Clone)]
pub struct Launcher {
    program: Program,
    args: Vec<OsString>,
    /// Threads that may exist when the child enters its cage.
    threads_max: usize,
}

#[derive(Debug, Clone)]
enum Program {
    Current,
    Path(PathBuf),
}

impl Launcher {
    /// Starts children as `<this program> ARGS… <role>`. A child is the very same build, even when the file was replaced by
    /// an upgrade meanwhile.
    pub fn current(args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            program: Program::Current,
            args: collect(args),
            threads_max: 1,
        }
    }

    /// Starts children as `PROGRAM ARGS… <role>`, for tests: there the test harness' own thread, which only waits, may stand
    /// beside the one that enters the cage.
    pub fn new(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: Program::Path(program.into()),
            args: collect(args),
            threads_max: 2,
        }
    }

    /// Starts a child and waits until it is in its cage.
    pub fn spawn(&self, cage: &Cage) -> Result<Child, SandboxError> {
        cage.check()?;
        let start = |source| SandboxError::Start {
            role: cage.role.clone(),
            source,
        };
        let (ours, theirs) = UnixStream::pair().map_err(start)?;
        let command = self.command(&cage.role, theirs.into());
        let process = forker::fork(command).map_err(start)?;
        let mut child = Child {
            channel: Channel::from_stream(ours),
            role: cage.role.clone(),
            level: Level::default(),
            watch: Watch::start(process).map_err(start)?,
        };
        child.level = self.greet(&child, cage)?;
        Ok(child)
    }

    fn command(&self, role: &str, channel: OwnedFd) -> Command {
        let program = match &self.program {
            Program::Path(path) => path.clone(),
            #[cfg(target_os = "linux")]
            Program::Current => PathBuf::from("/proc/self/exe"),
            // Without an answer the path stays empty, and the start fails saying so.
            #[cfg(not(target_os = "linux"))]
            Program::Current => std::env::current_exe().unwrap_or_default(),
        };
        let mut command = Command::new(program);
        command
            .arg0(CHILD_NAME)
            .args(&self.args)
            .arg(role)
            .env_clear()
            .stdin(Stdio::from(channel))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C goes to the terminal's foreground group: the parent hears it and decides.
            .process_group(0);
        forker::prepare(&mut command);
        command
    }

    /// Tells the child its cage and waits for its answer.
    fn greet(&self, child: &Child, cage: &Cage) -> Result<Level, SandboxError> {
        child.channel.set_recv_timeout(Some(START_TIMEOUT))?;
        let hello = Hello::new(cage.clone(), self.threads_max);
        // A child that died at once has closed its end already; the missing answer tells so.
        match child.channel.send(&hello, &[]) {
            Ok(()) | Err(SandboxError::Closed) => {}
            Err(error) => return Err(error),
        }
        let role = || child.role.clone();
        let answer = match child.channel.recv::<Answer>() {
            Ok(answer) => answer.map(|(answer, _)| answer),
            Err(SandboxError::TimedOut) => {
                return Err(SandboxError::Silent {
                    role: role(),
                    seconds: START_TIMEOUT.as_secs(),
                });
            }
            Err(error) => return Err(error),
        };
        child.channel.set_recv_timeout(None)?;
        match answer {
            Some(Answer::Caged(level)) => Ok(level),
            Some(Answer::Refused(why)) => Err(SandboxError::Refused { role: role(), why }),
            Some(Answer::Uncaged(missing)) => Err(SandboxError::Uncaged { missing }),
            None => Err(SandboxError::Died {
                role: role(),
                exit: child.end(),
                stderr: child.stderr_tail(),
            }),
        }
    }
}

fn collect(args: impl IntoIterator<Item = impl Into<OsString>>) -> Vec<OsString> {
    args.into_iter().map(Into::into).collect()
}
