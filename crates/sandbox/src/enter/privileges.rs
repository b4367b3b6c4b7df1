//! What a process may give up by itself: capabilities, and the way to new ones.

use crate::SandboxError;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs,
};

/// Checks that no other thread exists: Landlock holds for the thread that asks and those it starts.
pub(super) fn check_threads(threads_max: usize) -> Result<(), SandboxError> {
    let tasks = fs_err::read_dir("/proc/self/task").map_err(|source| SandboxError::Path {
        path: "/proc/self/task".into(),
        source,
    })?;
    let count = tasks.count();
    if count > threads_max {
        Err(SandboxError::Threads { count })
    } else {
        Ok(())
    }
}

/// Drops every capability but one, and the way to new ones. Root inside a container keeps overriding file permissions, as it
/// may have to work in a directory that belongs to the user outside; Landlock decides which directory.
pub(super) fn drop_all() -> Result<(), SandboxError> {
    set_no_new_privs(true).map_err(SandboxError::call("prctl"))?;
    let now = capabilities(None).map_err(SandboxError::call("capget"))?;
    let kept = now.permitted & CapabilitySet::DAC_OVERRIDE;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(SandboxError::call("capset"))
}
