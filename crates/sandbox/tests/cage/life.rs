//! How a child starts and ends.

use crate::child::{Description, Reply, Task};
use crate::{CHILD_ARGS, ask, cage, launcher, spawn};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use sandbox::{Child, Exit, Launcher, Policy, SandboxError};
use std::time::Duration;

const SECONDS_10: Duration = Duration::from_secs(10);

#[test]
fn a_child_starts_with_nothing() {
    // A descriptor that would be inherited.
    let _careless = rustix::io::dup(std::io::stderr()).unwrap();
    for policy in [Policy::Required, Policy::Off] {
        let mut cage = cage();
        cage.policy = policy;
        let child = spawn(&cage);
        let found = describe(&child);
        assert!(found.variables.is_empty(), "{:?}", found.variables);
        assert_eq!(found.last_arg, "probe");
        assert_eq!(found.fds, ["0=socket", "1=/dev/null", "2=pipe"]);
        assert_eq!(found.open_files, 1024);
        assert_eq!(
            status(&child, child.pid(), "NSpgid"),
            child.pid().to_string()
        );
        // A caged child may not even ask.
        assert!(policy != Policy::Off || !found.dumpable);
    }
}

#[test]
fn a_caged_child_has_given_up_its_privileges() {
    let child = spawn(&cage());
    let thread = describe(&child).thread;
    for set in ["CapPrm", "CapEff", "CapInh", "CapAmb"] {
        let capabilities = u64::from_str_radix(&status(&child, thread, set), 16).unwrap();
        // Bit 1 is CAP_DAC_OVERRIDE.
        assert_eq!(capabilities & !0b10, 0, "{set}");
    }
    assert_eq!(status(&child, thread, "NoNewPrivs"), "1");
    assert_eq!(status(&child, thread, "Seccomp_filters"), "2");
}

fn describe(child: &Child) -> Description {
    let Reply::Description(found) = ask(child, &Task::Describe) else {
        panic!("no description")
    };
    found
}

/// What the kernel says about a thread of the child, as its parent sees it.
fn status(child: &Child, thread: impl std::fmt::Display, key: &str) -> String {
    let path = format!("/proc/{}/task/{thread}/status", child.pid());
    let text = fs_err::read_to_string(path).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.unwrap().trim().to_owned()
}

#[test]
fn a_child_that_is_done_tells_how_it_ended() {
    for status in [0, 7] {
        let child = spawn(&cage());
        assert_eq!(child.try_wait(), None);
        child.channel.send(&Task::Exit(status), &[]).unwrap();
        assert_eq!(child.wait(), Exit::Status(status));
        assert_eq!(child.wait().is_success(), status == 0);
        assert!(child.channel.recv::<Reply>().unwrap().is_none());
        child.kill();
    }
}

#[test]
fn a_child_ends_when_its_channel_closes() {
    let child = spawn(&cage());
    child.channel.close();
    assert_eq!(child.wait_timeout(SECONDS_10), Some(Exit::Status(0)));
}

#[test]
fn a_child_that_is_killed_or_crashes_gives_a_clean_end() {
    let check = |task, signal| {
        let child = spawn(&cage());
        child.channel.send(&task, &[]).unwrap();
        if signal == libc::SIGKILL {
            child.kill();
        }
        assert!(child.channel.recv::<Reply>().unwrap().is_none());
        assert_eq!(child.wait(), Exit::Signal(signal));
        assert!(matches!(
            child.channel.send(&Task::Hang, &[]),
            Err(SandboxError::Closed)
        ));
    };
    check(Task::Hang, libc::SIGKILL);
    check(Task::Abort, libc::SIGABRT);
    check(Task::Overflow, libc::SIGABRT);
}

#[test]
fn a_dropped_child_is_gone() {
    let child = spawn(&cage());
    child.channel.send(&Task::Hang, &[]).unwrap();
    let pid = pid(u64::from(child.pid()));
    drop(child);
    assert!(rustix::process::test_kill_process(pid).is_err());
}

#[test]
fn a_child_dies_when_its_parent_is_killed() {
    let mut open = cage();
    open.policy = Policy::Off;
    let middle = spawn(&open);
    let Reply::Number(grandchild) = ask(&middle, &Task::StartAnother) else {
        panic!("no number")
    };
    let grandchild = pidfd_open(pid(grandchild), PidfdFlags::empty()).unwrap();
    middle.kill();
    let mut ended = [PollFd::new(&grandchild, PollFlags::IN)];
    let timeout = SECONDS_10.try_into().unwrap();
    assert_eq!(poll(&mut ended, Some(&timeout)).unwrap(), 1);
}

#[test]
fn a_child_outlives_the_thread_that_asked_for_it() {
    let child = std::thread::spawn(|| spawn(&cage())).join().unwrap();
    assert_eq!(ask(&child, &Task::Thread), Reply::Number(55));
}

#[test]
fn only_the_parent_ends_a_child() {
    let child = spawn(&cage());
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT] {
        kill_process(pid(u64::from(child.pid())), signal).unwrap();
    }
    assert_eq!(ask(&child, &Task::Thread), Reply::Number(55));
}

#[test]
fn the_end_of_what_a_child_complains_about_is_kept() {
    let child = spawn(&cage());
    let long = "x".repeat(20_000);
    assert_eq!(ask(&child, &Task::Complain(long)), Reply::Done);
    assert_eq!(
        ask(&child, &Task::Complain("the last word".to_owned())),
        Reply::Done
    );
    child.channel.close();
    child.wait();
    let tail = child.stderr_tail();
    assert!(
        tail.ends_with("the last word") && tail.len() == 16 << 10,
        "{}",
        tail.len()
    );
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    let mut cage = cage();
    cage.limits.memory_bytes = Some(256 << 20);
    let child = spawn(&cage);
    assert_eq!(ask(&child, &Task::Allocate(16 << 20)), Reply::Done);
    assert!(matches!(
        ask(&child, &Task::Allocate(512 << 20)),
        Reply::Denied(_)
    ));
    assert_eq!(ask(&child, &Task::Allocate(16 << 20)), Reply::Done);
}

#[test]
fn a_program_that_is_no_child_of_ours_is_reported() {
    let check = |program: &str, args: &[&str], expect: &str| {
        let error = Launcher::new(program, args.iter().copied())
            .spawn(&cage())
            .unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        assert_eq!(format!("{error}{}", source.unwrap_or_default()), expect);
    };
    check(
        "/nonexistent",
        &[],
        "the probe process cannot be started: No such file or directory (os error 2)",
    );
    check(
        "/bin/sh",
        &[
            "-c",
            "echo 'libduckdb.so: cannot open' >&2; echo >&2; exit 3",
        ],
        "the probe process ended while starting (exit status 3): libduckdb.so: cannot open",
    );
    check(
        "/bin/true",
        &[],
        "the probe process ended while starting (exit status 0)",
    );
}

#[test]
fn the_program_itself_is_started_and_must_be_alone_in_its_process() {
    // What the main process does first must not keep it from starting children.
    sandbox::harden_self().unwrap();
    let error = Launcher::current(CHILD_ARGS).spawn(&cage()).unwrap_err();
    let expect = "the probe process cannot enter its cage: the process already has 2 threads; \
                  a cage holds only when it is entered with one";
    assert_eq!(error.to_string(), expect);
}

#[test]
fn a_process_that_was_not_started_as_a_child_cannot_enter() {
    assert!(!sandbox::is_child());
    assert!(matches!(sandbox::enter(), Err(SandboxError::NotAChild)));
}

#[test]
fn many_children_start_at_once() {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(|| {
                launcher()
                    .spawn(&cage())
                    .map(|child| ask(&child, &Task::Thread))
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), Reply::Number(55));
    }
}

#[test]
fn the_host_is_described() {
    let level = sandbox::level();
    assert!(
        level.is_caged(),
        "these tests need Landlock and seccomp: {level:?}"
    );
    assert_eq!(
        level.to_string(),
        format!("landlock {}, seccomp", level.landlock_abi)
    );
    assert_eq!(
        level.user_namespaces,
        Some(
            !level
                .missing
                .iter()
                .any(|part| part.part == "user namespaces")
        )
    );
}

#[test]
fn a_host_without_a_wall_is_reported_or_refused() {
    let check = |call, errno, shown: &str, part: &str, fix: &str| {
        let mut open = cage();
        open.policy = Policy::Off;
        let poor = |policy| ask(&spawn(&open), &Task::StartWithout(call, errno, policy));

        let Reply::Level(level) = poor(Policy::WherePossible) else {
            panic!("no level")
        };
        assert_eq!(level.to_string(), shown);
        assert!(!level.is_caged());
        assert_eq!(level.missing.len(), 1);
        assert_eq!(level.missing[0].part, part);
        assert!(level.missing[0].fix.contains(fix), "{:?}", level.missing);

        let Reply::Text(refusal) = poor(Policy::Required) else {
            panic!("not refused")
        };
        let expect = "this system does not give the whole cage, and it is required: ";
        assert_eq!(refusal, format!("{expect}{part} missing"));
    };
    let landlock = libc::SYS_landlock_create_ruleset;
    check(
        landlock,
        libc::ENOSYS,
        "seccomp only",
        "landlock",
        "Linux 5.13",
    );
    check(
        landlock,
        libc::EOPNOTSUPP,
        "seccomp only",
        "landlock",
        "`lsm=`",
    );
    check(
        landlock,
        libc::EPERM,
        "seccomp only",
        "landlock",
        "container engines",
    );
    let only = format!("landlock {} only", sandbox::level().landlock_abi);
    check(
        libc::SYS_seccomp,
        libc::EINVAL,
        &only,
        "seccomp",
        "CONFIG_SECCOMP_FILTER",
    );
}

fn pid(raw: u64) -> Pid {
    Pid::from_raw(i32::try_from(raw).unwrap()).unwrap()
}
