//! The child's side: take the cage from the parent, lock it from inside, answer.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod limits;
#[cfg(target_os = "linux")]
mod privileges;

use crate::cage::{Cage, Policy};
use crate::channel::Channel;
use crate::error::SandboxError;
use crate::harden::harden_self;
use crate::launcher::CHILD_NAME;
use crate::level::{Level, Missing};
use rustix::fs::Mode;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd};
use rustix::net::{AddressFamily, SocketType};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;

/// Version of the frames of this file and, by that, of the build.
const VERSION: u32 = 1;

/// A child inside its cage.
#[derive(Debug)]
pub struct Entered {
    pub cage: Cage,
    /// The connection to the parent.
    pub channel: Channel,
    /// What the kernel gave.
    pub level: Level,
}

/// The first frame, from the parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    version: u32,
    threads_max: usize,
    cage: Cage,
}

/// The second frame, from the child.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Caged(Level),
    Uncaged(Vec<Missing>),
    Refused(String),
}

impl Hello {
    pub(crate) fn new(cage: Cage, threads_max: usize) -> Self {
        Self {
            version: VERSION,
            threads_max,
            cage,
        }
    }
}

/// Returns whether this process was started by a [`crate::Launcher`] and has not entered its cage yet.
pub fn is_child() -> bool {
    let named = std::env::args_os()
        .next()
        .is_some_and(|name| name == CHILD_NAME);
    let stdin = rustix::stdio::stdin();
    named
        // Only descriptors that were inherited lack the flag.
        && fcntl_getfd(stdin).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
        && rustix::net::sockopt::socket_type(stdin).is_ok_and(|kind| kind == SocketType::STREAM)
        && rustix::net::getsockname(stdin)
            .is_ok_and(|address| address.address_family() == AddressFamily::UNIX)
}

/// Enters the cage that the parent sends. The first thing a child does; what it does before runs uncaged.
pub fn enter() -> Result<Entered, SandboxError> {
    if !is_child() {
        return Err(SandboxError::NotAChild);
    }
    let channel = Channel::from_socket(take_socket()?);
    let Some((hello, _)) = channel.recv::<Hello>()? else {
        return Err(SandboxError::Closed);
    };
    match accept(&hello) {
        Ok(level) => {
            channel.send(&Answer::Caged(level.clone()), &[])?;
            Ok(Entered {
                cage: hello.cage,
                channel,
                level,
            })
        }
        Err(error) => {
            let answer = match &error {
                SandboxError::Uncaged { missing } => Answer::Uncaged(missing.clone()),
                other => Answer::Refused(other.with_causes()),
            };
            // The error itself says why this child ends; the parent may be gone.
            let _ = channel.send(&answer, &[]);
            Err(error)
        }
    }
}

/// Moves the channel from descriptor 0 to one of its own and puts `/dev/null` there.
fn take_socket() -> Result<OwnedFd, SandboxError> {
    let socket =
        fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).map_err(SandboxError::call("fcntl"))?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| SandboxError::Path {
        path: "/dev/null".into(),
        source: errno.into(),
    })?;
    rustix::stdio::dup2_stdin(&null).map_err(SandboxError::call("dup2"))?;
    Ok(socket)
}

fn accept(hello: &Hello) -> Result<Level, SandboxError> {
    if hello.version != VERSION {
        return Err(SandboxError::Version {
            ours: VERSION,
            theirs: hello.version,
        });
    }
    harden_self()?;
    // What a child makes is its owner's alone: the warehouse holds everything that was ever synced.
    rustix::process::umask(Mode::from_raw_mode(0o077));
    limits::set(&hello.cage.limits)?;
    limits::ignore_signals();
    let level = match hello.cage.policy {
        Policy::Off => Level::switched_off(),
        Policy::Required | Policy::WherePossible => lock(hello)?,
    };
    if hello.cage.policy == Policy::Required && !level.is_caged() {
        return Err(SandboxError::Uncaged {
            missing: level.missing,
        });
    }
    Ok(level)
}

/// Locks the cage: privileges, then files, and system calls last, because the others need some.
#[cfg(target_os = "linux")]
fn lock(hello: &Hello) -> Result<Level, SandboxError> {
    let cage = &hello.cage;
    privileges::check_threads(hello.threads_max)?;
    privileges::drop_all()?;
    let level = crate::level::kernel();
    if level.landlock_abi > 0 {
        files::restrict(&cage.read, &cage.write)?;
    }
    if level.seccomp {
        calls::restrict(cage.profile)?;
    }
    Ok(level)
}

/// Other systems have no such walls.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "the signature is that of Linux")]
fn lock(hello: &Hello) -> Result<Level, SandboxError> {
    let _ = hello.threads_max;
    Ok(crate::level())
}
