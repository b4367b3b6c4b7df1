//! The cage, tried from inside: this test binary starts itself again as a child and asks the child to misbehave.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "in a test, a wrong state ends it"
)]

mod child;
mod files;
mod life;
mod probes;
mod streams;

use child::{Reply, Task};
use sandbox::{Cage, Child, Launcher, Profile};
use std::os::fd::BorrowedFd;

/// Starts this test binary again.
fn launcher() -> Launcher {
    let program = std::env::current_exe().unwrap();
    Launcher::new(program, CHILD_ARGS)
}

/// Has the test harness run nothing but the test below.
const CHILD_ARGS: [&str; 4] = [
    "child_role_entry",
    "--exact",
    "--test-threads=1",
    "--nocapture",
];

/// Not a test of its own: where a child starts.
#[test]
fn child_role_entry() {
    if sandbox::is_child() {
        child::run();
    }
}

fn cage() -> Cage {
    Cage::new("probe", Profile::Engine)
}

fn spawn(cage: &Cage) -> Child {
    launcher().spawn(cage).unwrap()
}

/// Has the child do something and returns its answer.
fn ask(child: &Child, task: &Task) -> Reply {
    ask_with(child, task, &[])
}

fn ask_with(child: &Child, task: &Task, fds: &[BorrowedFd<'_>]) -> Reply {
    child.channel.send(task, fds).unwrap();
    let Some((reply, _)) = child.channel.recv().unwrap() else {
        panic!("the child ended: {} {}", child.wait(), child.stderr_tail());
    };
    reply
}
