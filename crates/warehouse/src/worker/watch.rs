//! The watch over running statements: it interrupts what is late or no longer wanted, and ends the process when that does
//! not help.

use crate::duck::Interrupter;
use crate::wire::{Fault, Outcome, Reply};
use sandbox::Channel;
use std::collections::BTreeMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an interrupted statement may go on. One scalar call cannot be interrupted (measured: 12 s for one levenshtein).
pub(super) const GRACE: Duration = Duration::from_secs(2);
/// An interrupt between two statements of one request is lost, so it is repeated.
const AGAIN: Duration = Duration::from_millis(50);

/// Cancelled requests that are remembered in case they have not begun.
const EARLY_MAX: usize = 64;
/// How long the watch sleeps when nothing runs; every new statement wakes it.
const IDLE: Duration = Duration::from_hours(1);

/// Why a statement is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Timeout,
    Cancelled,
}

impl Stop {
    pub(super) const fn fault(self) -> Fault {
        match self {
            Self::Timeout => Fault::Timeout,
            Self::Cancelled => Fault::Cancelled,
        }
    }
}

struct Entry {
    interrupter: Interrupter,
    /// A thread may also wait for the stream's other end.
    stream: Option<UnixStream>,
    deadline: Option<Instant>,
    stopped: Option<(Stop, Instant)>,
}

#[derive(Default)]
struct State {
    entries: BTreeMap<u64, Entry>,
    /// Requests that were cancelled before they were entered.
    early: Vec<u64>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    channel: Channel,
}

/// The running statements.
#[derive(Clone)]
pub(super) struct Watch(Arc<Shared>);

/// A statement under watch; dropping it ends the watch.
pub(super) struct Watched {
    watch: Watch,
    id: u64,
}

impl Watch {
    /// Starts the watching thread. It ends with the process.
    pub(super) fn start(channel: Channel) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            channel,
        });
        let watch = Self(shared);
        let of_thread = watch.clone();
        let started = thread::Builder::new()
            .name("watch".into())
            .spawn(move || of_thread.run());
        if started.is_err() {
            // Without it no limit holds.
            end_process();
        }
        watch
    }

    /// Watches request `id`.
    pub(super) fn enter(
        &self,
        id: u64,
        interrupter: Interrupter,
        stream: Option<&UnixStream>,
        timeout: Option<Duration>,
    ) -> Watched {
        let deadline = timeout.and_then(|timeout| now().checked_add(timeout));
        let stream = stream.and_then(|stream| stream.try_clone().ok());
        let mut state = self.lock();
        let early = state.early.iter().position(|early| *early == id);
        let stopped = early.map(|at| {
            state.early.swap_remove(at);
            (Stop::Cancelled, now())
        });
        state.entries.insert(
            id,
            Entry {
                interrupter,
                stream,
                deadline,
                stopped,
            },
        );
        drop(state);
        self.0.changed.notify_all();
        Watched {
            watch: self.clone(),
            id,
        }
    }

    /// Stops request `id`; when it has not begun yet it will not.
    pub(super) fn cancel(&self, id: u64) {
        let mut state = self.lock();
        if let Some(entry) = state.entries.get_mut(&id) {
            stop(entry, Stop::Cancelled);
        } else {
            // Most are requests that have just ended; the list only serves those that are about to begin.
            state.early.push(id);
            if state.early.len() > EARLY_MAX {
                state.early.remove(0);
            }
        }
        drop(state);
        self.0.changed.notify_all();
    }

    /// Stops everything.
    pub(super) fn cancel_all(&self) {
        for entry in self.lock().entries.values_mut() {
            stop(entry, Stop::Cancelled);
        }
        self.0.changed.notify_all();
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let at = now();
            let mut next: Option<Instant> = None;
            for (id, entry) in &mut state.entries {
                if entry.stopped.is_none() && entry.deadline.is_some_and(|deadline| deadline <= at)
                {
                    stop(entry, Stop::Timeout);
                }
                let wake = match entry.stopped {
                    Some((why, since)) if at.duration_since(since) >= GRACE => {
                        self.give_up(*id, why);
                    }
                    Some(_) => {
                        entry.interrupter.interrupt();
                        at.checked_add(AGAIN)
                    }
                    None => entry.deadline,
                };
                next = [next, wake].into_iter().flatten().min();
            }
            let pause = next.map_or(IDLE, |next| next.saturating_duration_since(at));
            state = self
                .0
                .changed
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Tells the client why, and ends the process: nothing else stops the statement.
    fn give_up(&self, id: u64, why: Stop) -> ! {
        let reply = Reply {
            id,
            outcome: Outcome::Failed(why.fault()),
        };
        let _ = self.0.channel.send(&reply, &[]);
        end_process()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watched {
    /// Returns why the statement is being stopped, when it is.
    pub(super) fn stopped(&self) -> Option<Stop> {
        self.watch
            .lock()
            .entries
            .get(&self.id)
            .and_then(|entry| entry.stopped)
            .map(|(why, _)| why)
    }

    /// Ends the watch; the fault of a statement that was stopped is that it was stopped, unless it had not begun.
    pub(super) fn end<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        outcome.map_err(|fault| match fault {
            Fault::Loading => fault,
            _ => self.stopped().map_or(fault, Stop::fault),
        })
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.lock().entries.remove(&self.id);
    }
}

fn stop(entry: &mut Entry, why: Stop) {
    if entry.stopped.is_none() {
        entry.stopped = Some((why, now()));
    }
    entry.interrupter.interrupt();
    if let Some(stream) = &entry.stream {
        // It can only fail because the other end is gone.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long a statement runs"
)]
fn now() -> Instant {
    Instant::now()
}

/// Ends the process at once: its threads are inside the engine, so nothing may be torn down under them.
#[expect(
    unsafe_code,
    reason = "only _exit skips the destructors that would run under the engine's threads"
)]
pub(super) fn end_process() -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(70) }
}
