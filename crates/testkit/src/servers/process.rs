//! A server as a child process that cannot outlive the test.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// A server that is not ready by then will not be: the first start builds its files.
const READY_TIMEOUT: Duration = Duration::from_mins(2);

/// Runs the server and waits for its own standard input to close, which the kernel does when the test process ends, however
/// it ends; then ends the server at once and removes its folder. Nothing in there is worth a clean shutdown.
///
/// The shell's own words about a killed server would go to a pipe that nobody reads any more, which would end the shell.
const GUARD: &str = r#"trap '' INT TERM PIPE; dir=$1; signal=$2; shift 2; "$@" </dev/null & server=$!
read -r line; exec 2>/dev/null; kill -"$signal" "$server" 2>/dev/null; wait "$server"; cd /; rm -rf "$dir""#;

/// Who a server runs as.
#[derive(Clone, Copy)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    /// Returns the account `name` when we are root, else our own.
    pub(super) fn find(name: &str, install: &str) -> Self {
        if id("-u", None) != Some(0) {
            return Self(None);
        }
        match id("-u", Some(name)).zip(id("-g", Some(name))) {
            Some(ids) => Self(Some(ids)),
            None => panic!("there is no account `{name}` to run the server as: {install}"),
        }
    }

    /// Returns `command`, run as this account in `dir`.
    pub(super) fn command(self, program: &Path, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(dir)
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            // MariaDB removes the temporary tables it finds where it starts: also those of another server.
            .env("TMPDIR", dir);
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command
    }

    /// Returns a fresh folder of this account's.
    pub(super) fn folder(self) -> PathBuf {
        let dir = tempfile::Builder::new()
            .prefix("dango-server-")
            .tempdir()
            .expect("a folder")
            .keep();
        if let Some((user, group)) = self.0 {
            chown(&dir, Some(user), Some(group)).expect("root may give a folder away");
        }
        dir
    }
}

fn id(what: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(what).args(name).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Returns the program `name` from one of `places`, or panics with how to get it.
pub(super) fn program(name: &str, places: &[PathBuf], install: &str) -> PathBuf {
    let found = places
        .iter()
        .map(|place| place.join(name))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("the tests need `{name}`: {install}"))
}

/// Runs a command to its end, or panics with what it printed.
pub(super) fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "`{}` failed: {printed}{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// Returns a port that is free now.
pub(super) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("bound").port()
}

/// A running server. Dropping it ends it.
pub(super) struct Guarded {
    guard: Child,
}

impl Guarded {
    /// Starts `server` in `dir` and waits until it prints `ready`; `signal` ends it at once.
    pub(super) fn start(
        account: Account,
        dir: &Path,
        signal: &str,
        server: &[String],
        ready: &'static str,
    ) -> Self {
        let mut command = account.command(Path::new("/bin/sh"), dir);
        command
            .arg("-c")
            .arg(GUARD)
            .arg("sh")
            .arg(dir)
            .arg(signal)
            .args(server);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut guard = command.spawn().expect("a shell");
        let log = guard.stderr.take().expect("piped");
        let (tell, told) = sync_channel(1);
        std::thread::spawn(move || follow(BufReader::new(log), ready, &tell));
        match told.recv_timeout(READY_TIMEOUT) {
            Ok(Ok(())) => Self { guard },
            Ok(Err(log)) => panic!("{server:?} ended: {log}"),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("{server:?} did not get ready")
            }
        }
    }
}

/// Reads the server's log to its end, so that the server never waits for us, and tells when `ready` appears.
fn follow(log: impl BufRead, ready: &str, tell: &SyncSender<Result<(), String>>) {
    let mut seen = String::new();
    let mut is_ready = false;
    for line in log.lines().map_while(Result::ok) {
        if !is_ready {
            seen.push_str(&line);
            seen.push('\n');
        }
        if !is_ready && line.contains(ready) {
            is_ready = true;
            // Whoever asked may have given up.
            let _ = tell.try_send(Ok(()));
        }
    }
    if !is_ready {
        let _ = tell.try_send(Err(seen));
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // The guard ends when the server has.
        let _ = self.guard.wait();
    }
}
