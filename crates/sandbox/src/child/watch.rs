//! One thread per child that keeps the end of its standard error and reaps it.
//!
//! Reaping and killing take the same lock, so a signal can never reach a stranger that was given the dead child's id.

use super::Exit;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child as Process, ChildStderr, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How much of a child's standard error is kept: enough for a panic with its backtrace.
const TAIL_BYTES_MAX: usize = 16 << 10;

/// What is known about a child's process.
#[derive(Debug)]
pub(crate) struct Watch {
    pid: u32,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    /// Reaped exactly when `exit` is set.
    process: Process,
    exit: Option<Exit>,
    tail: Vec<u8>,
}

impl Watch {
    /// Takes charge of a process.
    pub(crate) fn start(mut process: Process) -> io::Result<Arc<Self>> {
        let stderr = process.stderr.take();
        let pid = process.id();
        let state = Mutex::new(State {
            process,
            exit: None,
            tail: Vec::new(),
        });
        let watch = Arc::new(Self {
            pid,
            state,
            ended: Condvar::new(),
        });
        let watching = Arc::clone(&watch);
        let thread = std::thread::Builder::new()
            .name("child-watch".into())
            .spawn(move || {
                if let Some(stderr) = stderr {
                    watching.keep_tail(stderr);
                }
                watching.reap();
            });
        if let Err(error) = thread {
            watch.kill();
            watch.reap();
            return Err(error);
        }
        Ok(watch)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn kill(&self) {
        let mut state = self.state();
        if state.exit.is_none() {
            // It fails only for a process that is gone, which the watching thread will find.
            let _ = state.process.kill();
        }
    }

    pub(crate) fn wait(&self) -> Exit {
        let mut state = self.state();
        loop {
            if let Some(exit) = state.exit {
                return exit;
            }
            state = self
                .ended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn wait_timeout(&self, timeout: Duration) -> Option<Exit> {
        let (state, _) = self
            .ended
            .wait_timeout_while(self.state(), timeout, |state| state.exit.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.exit
    }

    pub(crate) fn stderr_tail(&self) -> String {
        String::from_utf8_lossy(&self.state().tail).into_owned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_tail(&self, mut stderr: ChildStderr) {
        let mut buffer = [0; 4096];
        loop {
            match stderr.read(&mut buffer) {
                Ok(0) => return,
                Ok(read) => self.state().push(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }

    fn reap(&self) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // Waits without reaping, hence without the lock.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), options), Err(Errno::INTR)) {}
        }
        let mut state = self.state();
        state.exit = Some(state.process.wait().map_or(Exit::Unknown, exit));
        self.ended.notify_all();
    }
}

impl State {
    fn push(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        let over = self.tail.len().saturating_sub(TAIL_BYTES_MAX);
        self.tail.drain(..over);
    }
}

fn exit(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Status(code),
        (None, Some(signal)) => Exit::Signal(signal),
        (None, None) => Exit::Unknown,
    }
}
