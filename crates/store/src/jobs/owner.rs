//! Which process owns something, in a way that survives the reuse of process ids.

use std::io;

/// A process: its id, when it started and the boot it started in. A later process with the same id started later, or in
/// another boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    /// In the kernel's ticks since boot; 0 where the kernel does not tell.
    pub started: i64,
    /// The kernel's id of this boot; empty where the kernel does not tell.
    pub boot: String,
}

impl Owner {
    /// Returns this process.
    pub fn of_this_process() -> io::Result<Self> {
        let pid = std::process::id();
        if !cfg!(target_os = "linux") {
            return Ok(Self {
                pid,
                started: 0,
                boot: String::new(),
            });
        }
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id")?
            .trim()
            .to_owned();
        let stat = fs_err::read_to_string("/proc/self/stat")?;
        let (_, started) =
            parse(&stat).ok_or_else(|| io::Error::other("/proc/self/stat has an unknown form"))?;
        Ok(Self { pid, started, boot })
    }

    /// Returns whether the process has ended, seen from the process `here` on the same machine. Where the kernel does not
    /// tell, every other process counts as gone: the project's lock lets only one live.
    pub fn is_gone(&self, here: &Self) -> bool {
        if self == here {
            return false;
        }
        if !cfg!(target_os = "linux") || self.boot != here.boot {
            return true;
        }
        match fs_err::read_to_string(format!("/proc/{}/stat", self.pid)) {
            Ok(stat) => {
                parse(&stat).is_some_and(|(is_dead, started)| is_dead || started != self.started)
            }
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// Returns whether the process of this `/proc/<pid>/stat` is dead, and when it started (proc(5), fields 3 and 22).
fn parse(stat: &str) -> Option<(bool, i64)> {
    // The second field is the program's name in parentheses, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    Some((matches!(state, "Z" | "X" | "x"), started))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_start_are_read_behind_any_program_name() {
        let fields = "1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8812345 1000 2 3";
        assert_eq!(
            parse(&format!("17 (a) b) S {fields}")),
            Some((false, 8_812_345))
        );
        assert_eq!(
            parse(&format!("17 (sh) Z {fields}")),
            Some((true, 8_812_345))
        );
        assert_eq!(parse("17 (sh) S 1"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_gone_when_its_id_its_start_or_its_boot_is() {
        let here = Owner::of_this_process().expect("procfs");
        let check = |owner: Owner, gone: bool| assert_eq!(owner.is_gone(&here), gone, "{owner:?}");
        check(here.clone(), false);
        check(
            Owner {
                started: here.started - 1,
                ..here.clone()
            },
            true,
        );
        check(
            Owner {
                boot: "another".into(),
                ..here.clone()
            },
            true,
        );
        check(
            Owner {
                pid: u32::MAX,
                ..here.clone()
            },
            true,
        );
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep");
        let stat = fs_err::read_to_string(format!("/proc/{}/stat", child.id())).expect("it runs");
        let started = parse(&stat).expect("a known form").1;
        let child_owner = Owner {
            pid: child.id(),
            started,
            ..here.clone()
        };
        check(child_owner.clone(), false);
        child.kill().expect("it is ours");
        child.wait().expect("it is ours");
        check(child_owner, true);
    }
}
