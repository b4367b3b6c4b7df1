//! Fault points: places where the test kit may end the process, as a crash would, or make it panic, as a fault of ours would.
//!
//! With the feature `fault-points` (tests only) [`point`] counts the effects of a process and aborts or panics at the n-th;
//! without it [`point`] is empty. The count is set once, by the process's `main`, because the environment is read nowhere else.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Whether fault points are compiled in; never in a release.
pub const COMPILED_IN: bool = cfg!(feature = "fault-points");

static REMAINING: AtomicI64 = AtomicI64::new(i64::MAX);
/// What the panic says, when it is not an abort.
static PANIC: OnceLock<String> = OnceLock::new();
/// What is done instead of either.
static ACT: OnceLock<fn()> = OnceLock::new();

/// Makes the `n`-th [`point`] from now (counted from 1) abort the process.
pub fn abort_at(n: i64) {
    REMAINING.store(n, Ordering::SeqCst);
}

/// Makes the `n`-th [`point`] from now (counted from 1) panic with `text`.
pub fn panic_at(n: i64, text: impl Into<String>) {
    // The first text holds; nobody sets a second.
    let _ = PANIC.set(text.into());
    abort_at(n);
}

/// Makes the `n`-th [`point`] from now (counted from 1) run `act`, and go on.
pub fn act_at(n: i64, act: fn()) {
    // The first act holds; nobody sets a second.
    let _ = ACT.set(act);
    abort_at(n);
}

/// Returns how many points were passed since [`abort_at`] was given `n`, or since the start when `n` is `i64::MAX`.
pub fn passed(n: i64) -> i64 {
    n - REMAINING.load(Ordering::SeqCst)
}

/// Marks an effect: call it before and after whatever a crash must not tear apart.
#[inline]
pub fn point(_name: &'static str) {
    if COMPILED_IN && REMAINING.fetch_sub(1, Ordering::SeqCst) == 1 {
        end();
    }
}

#[expect(clippy::panic, reason = "it is what was asked for, and only in tests")]
fn end() {
    match (ACT.get(), PANIC.get()) {
        (Some(act), _) => act(),
        (None, Some(text)) => panic!("{text}"),
        (None, None) => std::process::abort(),
    }
}
