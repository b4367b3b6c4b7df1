//! A server as a child process that cannot outlive the test.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// A server that is not ready by then will not be: the first start builds its files.
const READY_TIMEOUT: Duration = Duration::from_mins(2);

/// Waits for a line, then runs the server, and waits for its own standard input to close, which the kernel does when the test
/// process ends, however it ends; then ends the server at once and removes its folder. Nothing in there is worth a clean
/// shutdown. It begins before there is anything in the folder, and in a process group of its own: whoever kills the tests as
/// a group does not reach it.
///
/// The shell's own words about a killed server would go to a pipe that nobody reads any more, which would end the shell. A
/// program that still fills the folder is done when it is removed for the second time.
const GUARD: &str = r#"trap '' HUP INT TERM PIPE; dir=$1; signal=$2
if read -r line; then
  /bin/sh "$dir/serve" </dev/null & server=$!
  read -r line; exec 2>/dev/null; kill -"$signal" "$server" 2>/dev/null; wait "$server"
fi
exec 2>/dev/null; cd /; rm -rf "$dir" || { sleep 1; rm -rf "$dir"; }"#;

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
    fn folder(self) -> PathBuf {
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

/// A server and its folder. Dropping it ends the one and removes the other.
pub(super) struct Guarded {
    guard: Child,
    dir: PathBuf,
}

impl Guarded {
    /// Makes the folder of a server that `signal` will end at once.
    pub(super) fn new(account: Account, signal: &str) -> Self {
        let dir = account.folder();
        let mut command = account.command(Path::new("/bin/sh"), &dir);
        command
            .args(["-c", GUARD, "sh"])
            .arg(&dir)
            .arg(signal)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let guard = command.spawn().expect("a shell");
        Self { guard, dir }
    }

    /// Returns the folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts `server` and waits until it prints `ready`.
    pub(super) fn serve(&mut self, server: &[String], ready: &'static str) {
        let quoted = server
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
        let script = format!("exec {}", quoted.collect::<Vec<_>>().join(" "));
        fs_err::write(self.dir.join("serve"), script).expect("written");
        let log = self.guard.stderr.take().expect("piped, and taken once");
        let stdin = self.guard.stdin.as_mut().expect("piped");
        stdin.write_all(b"serve\n").expect("the guard waits for it");
        let (tell, told) = sync_channel(1);
        std::thread::spawn(move || follow(BufReader::new(log), ready, &tell));
        match told.recv_timeout(READY_TIMEOUT) {
            Ok(Ok(())) => {}
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
        // Nobody reads any more what the guard would say.
        drop((self.guard.stdin.take(), self.guard.stderr.take()));
        // The guard ends when the server has.
        let _ = self.guard.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_guard_whether_a_server_runs_or_not() {
        let idle = Guarded::new(Account(None), "KILL");
        let mut busy = Guarded::new(Account(None), "KILL");
        busy.serve(
            &["/bin/sh", "-c", "echo it\\'s ready >&2; exec sleep 60"].map(str::to_owned),
            "it's ready",
        );
        for guarded in [idle, busy] {
            let dir = guarded.dir().to_owned();
            fs_err::write(dir.join("file"), "x").expect("written");
            drop(guarded);
            assert!(!dir.exists());
        }
    }
}
