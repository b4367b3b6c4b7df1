//! What bounds a child on every system: its resources, and who may end it.

use crate::SandboxError;
use crate::cage::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets the limits for good; one that is lower already stays.
pub(super) fn set(limits: &Limits) -> Result<(), SandboxError> {
    let limits = [
        (Resource::Nofile, Some(limits.open_files)),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Data, limits.memory_bytes),
    ];
    for (resource, limit) in limits {
        let Some(limit) = limit else { continue };
        let now = getrlimit(resource).maximum;
        let limit = Some(now.map_or(limit, |now| now.min(limit)));
        setrlimit(
            resource,
            Rlimit {
                current: limit,
                maximum: limit,
            },
        )
        .map_err(SandboxError::call("setrlimit"))?;
    }
    Ok(())
}

/// Leaves the end of the child to its parent: a service manager that signals the whole group would otherwise take the
/// worker away from a parent that is just finishing its commit. And a file that meets its limit is an error, not a death.
pub(super) fn ignore_signals() {
    for signal in [
        libc::SIGINT,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGQUIT,
        libc::SIGXFSZ,
    ] {
        #[expect(unsafe_code, reason = "signal has no safe binding")]
        // SAFETY: SIG_IGN installs no handler, so no code of ours ever runs in signal context. The call cannot fail for these
        // signals.
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}
