//! What every process of ours does for itself before it holds anything worth stealing.

use crate::SandboxError;
use rustix::process::{Resource, Rlimit, setrlimit};

/// Makes this process undumpable and untraceable by others of the same user. Call it before the first secret is read.
pub fn harden_self() -> Result<(), SandboxError> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(SandboxError::call("setrlimit"))?;
    // The limit above does not hold where the kernel pipes cores into a collector; this does.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(SandboxError::call("prctl"))?;
    Ok(())
}
