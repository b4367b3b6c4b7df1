//! The child's side: does what it is asked and reports what the kernel said.

use crate::probes::{PROBES, raw_probe};
use sandbox::{Channel, Level, Policy};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Try the forbidden call of that name.
    Probe(String),
    Read(PathBuf),
    List(PathBuf),
    Write(PathBuf, String),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    /// Open for reading and truncate at once.
    Truncate(PathBuf),
    /// Names of environment variables, command line, open descriptors, state of the process.
    Describe,
    /// Copy the stream that comes along back in upper case, then pass a descriptor of our own.
    Shout,
    /// Start a thread and report what it computed.
    Thread,
    Allocate(usize),
    Complain(String),
    Exit(i32),
    Abort,
    Overflow,
    /// Never answer again, not even to the end of the channel.
    Hang,
    /// Start a child of its own that hangs.
    StartAnother,
    /// Start a child of its own where a system call fails with an error.
    StartWithout(i64, i32, Policy),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    Text(String),
    Number(u64),
    Level(Level),
    /// EPERM, which is seccomp's answer, or the kind of another error.
    Denied(String),
    Description(Description),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) variables: Vec<String>,
    pub(crate) last_arg: String,
    pub(crate) fds: Vec<String>,
    pub(crate) dumpable: bool,
    pub(crate) thread: i32,
    pub(crate) open_files: u64,
}

/// Enters the cage and does tasks until the parent closes the channel. Never returns.
pub(crate) fn run() -> ! {
    // What only the uncaged part of the process can see, for the description.
    let fds = fds();
    // On a refusal the parent was told why.
    let Ok(entered) = sandbox::enter() else {
        std::process::exit(70)
    };
    let mut status = 0;
    while let Ok(Some((task, passed))) = entered.channel.recv::<Task>() {
        let reply = match task {
            Task::Exit(code) => {
                status = code;
                break;
            }
            task => act(task, passed, &entered.channel, &fds),
        };
        if entered.channel.send(&reply, &[]).is_err() {
            break;
        }
    }
    std::process::exit(status);
}

fn act(task: Task, passed: Vec<OwnedFd>, channel: &Channel, fds: &[String]) -> Reply {
    let outcome = match task {
        Task::Probe(name) => PROBES.iter().find(|probe| probe.0 == name).unwrap().1(),
        Task::Read(path) => return text(fs_err::read_to_string(path)),
        Task::List(path) => return text(list(&path)),
        Task::Write(path, text) => fs_err::write(path, text),
        Task::Rename(from, to) => fs_err::rename(from, to),
        Task::Remove(path) => fs_err::remove_file(path),
        Task::Truncate(path) => raw_probe::truncate(&path),
        Task::Describe => return Reply::Description(describe(fds)),
        Task::Shout => shout(passed, channel),
        Task::Thread => return thread(),
        Task::Allocate(bytes) => allocate(bytes),
        Task::Complain(text) => std::io::stderr().write_all(text.as_bytes()),
        Task::Abort => std::process::abort(),
        Task::Overflow => {
            raw_probe::overflow();
            Ok(())
        }
        Task::Hang => loop {
            std::thread::park();
        },
        Task::StartAnother => return start_another(),
        Task::StartWithout(call, errno, policy) => return start_without(call, errno, policy),
        Task::Exit(_) => Ok(()),
    };
    match outcome {
        Ok(()) => Reply::Done,
        Err(error) => denied(&error),
    }
}

pub(crate) fn denied(error: &std::io::Error) -> Reply {
    Reply::Denied(match error.raw_os_error() {
        Some(libc::EPERM) => "EPERM".to_owned(),
        // fs_err keeps only the kind, and names the path.
        _ => format!("{:?}", error.kind()),
    })
}

fn text(result: std::io::Result<String>) -> Reply {
    result.map_or_else(|error| denied(&error), Reply::Text)
}

fn list(path: &Path) -> std::io::Result<String> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names.join(" "))
}

fn fds() -> Vec<String> {
    let mut fds: Vec<_> = fs_err::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let target = fs_err::read_link(entry.path()).ok()?;
            let kind = target
                .to_string_lossy()
                .split(':')
                .next()
                .unwrap()
                .to_owned();
            // The listing itself needs a descriptor.
            (!kind.starts_with("/proc/")).then(|| format!("{}={kind}", entry.file_name().display()))
        })
        .collect();
    fds.sort();
    fds
}

fn describe(fds: &[String]) -> Description {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is that there is nothing to read"
    )]
    let variables = std::env::vars().map(|(name, _)| name).collect();
    Description {
        variables,
        last_arg: std::env::args().next_back().unwrap(),
        fds: fds.to_vec(),
        dumpable: raw_probe::is_dumpable(),
        thread: rustix::thread::gettid().as_raw_nonzero().get(),
        open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile)
            .maximum
            .unwrap(),
    }
}

fn shout(passed: Vec<OwnedFd>, channel: &Channel) -> std::io::Result<()> {
    let mut passed = passed.into_iter();
    let mut stream = UnixStream::from(passed.next().unwrap());
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    stream.write_all(text.to_uppercase().as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    channel
        .send(&Reply::Done, &[stream.as_fd()])
        .map_err(std::io::Error::other)
}

fn thread() -> Reply {
    match std::thread::Builder::new().spawn(|| (1..=10_u64).sum()) {
        Ok(thread) => Reply::Number(thread.join().unwrap()),
        Err(error) => denied(&error),
    }
}

fn allocate(bytes: usize) -> std::io::Result<()> {
    let mut memory = Vec::<u8>::new();
    memory
        .try_reserve_exact(bytes)
        .map_err(std::io::Error::other)
}

fn start_another() -> Reply {
    let another = crate::spawn(&crate::cage());
    another.channel.send(&Task::Hang, &[]).unwrap();
    let pid = another.pid();
    // Keeps it running: only this process's own end may take it down.
    std::mem::forget(another);
    Reply::Number(u64::from(pid))
}

/// Makes this process a poorer system, where a call is answered with an error, and starts a child there.
fn start_without(call: i64, errno: i32, policy: Policy) -> Reply {
    let rules = [(call, Vec::new())].into_iter().collect();
    let missing = SeccompAction::Errno(errno.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, arch).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter_all_threads(&filter).unwrap();
    let mut cage = crate::cage();
    cage.policy = policy;
    match crate::launcher().spawn(&cage) {
        Ok(child) => Reply::Level(child.level().clone()),
        Err(error) => Reply::Text(error.to_string()),
    }
}
