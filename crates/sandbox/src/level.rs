//! What this host's kernel gives for a cage, and what to do about the rest.

#[cfg(target_os = "linux")]
mod probe;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The walls a host offers, or a child stands behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Level {
    /// Version of Landlock's rules; 0 when there is none.
    pub landlock_abi: u32,
    /// Whether system calls are filtered.
    pub seccomp: bool,
    /// Whether an ordinary user may make namespaces; `None` where nobody asked.
    pub user_namespaces: Option<bool>,
    /// What is not there.
    pub missing: Vec<Missing>,
}

/// Something that a host does not give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What: `landlock`, `seccomp` …
    pub part: String,
    /// Why it is not there.
    pub why: String,
    /// What changes that.
    pub fix: String,
}

impl Level {
    /// Returns whether both walls of the kernel stand: files and system calls.
    pub fn is_caged(&self) -> bool {
        self.landlock_abi > 0 && self.seccomp
    }

    pub(crate) fn switched_off() -> Self {
        let why = "the settings switch the cage off";
        Self {
            missing: vec![Missing::new("cage", why, "remove that setting")],
            ..Self::default()
        }
    }
}

impl Missing {
    pub(crate) fn new(part: &str, why: &str, fix: &str) -> Self {
        Self {
            part: part.to_owned(),
            why: why.to_owned(),
            fix: fix.to_owned(),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.landlock_abi, self.seccomp) {
            (0, false) => out.write_str("none"),
            (0, true) => out.write_str("seccomp only"),
            (abi, false) => write!(out, "landlock {abi} only"),
            (abi, true) => write!(out, "landlock {abi}, seccomp"),
        }
    }
}

/// Returns what this host gives, asking it everything.
#[cfg(target_os = "linux")]
pub fn level() -> Level {
    let mut level = kernel();
    let usable = probe::user_namespaces();
    level.user_namespaces = Some(usable);
    if !usable {
        level.missing.push(Missing::new(
            "user namespaces",
            "the kernel does not let ordinary users make them",
            "set the sysctl `user.max_user_namespaces` above 0, and `kernel.unprivileged_userns_clone=1` or \
             `kernel.apparmor_restrict_unprivileged_userns=0` where they exist; the warehouse does not need them",
        ));
    }
    level
}

/// Returns that there is nothing: only Linux has these walls.
#[cfg(not(target_os = "linux"))]
pub fn level() -> Level {
    let why = "this system is not Linux";
    let fix = "run Dango on Linux 5.13 or newer, or in a virtual machine with one";
    Level {
        missing: vec![Missing::new("kernel cage", why, fix)],
        ..Level::default()
    }
}

/// Returns what the kernel gives for a cage: the part of [`level`] that every child asks at its start.
#[cfg(target_os = "linux")]
pub(crate) fn kernel() -> Level {
    let mut level = Level::default();
    match probe::landlock_abi() {
        Ok(abi) => {
            level.landlock_abi = abi;
            if abi < probe::LANDLOCK_NET_ABI {
                level.missing.push(probe::landlock_old(abi));
            }
        }
        Err(missing) => level.missing.push(missing),
    }
    match probe::seccomp() {
        Ok(()) => level.seccomp = true,
        Err(missing) => level.missing.push(missing),
    }
    level
}
