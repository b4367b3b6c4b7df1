//! Fault points: places where the test kit may end the process, as a crash would.
//!
//! With the feature `fault-points` (tests only) [`point`] counts the effects of a process and aborts at the n-th; without it
//! [`point`] is empty. The count is set once, by the process's `main`, because the environment is read nowhere else.

use std::sync::atomic::{AtomicI64, Ordering};

/// Whether fault points are compiled in; never in a release.
pub const COMPILED_IN: bool = cfg!(feature = "fault-points");

static REMAINING: AtomicI64 = AtomicI64::new(i64::MAX);

/// Makes the `n`-th [`point`] from now (counted from 1) abort the process.
pub fn abort_at(n: i64) {
    REMAINING.store(n, Ordering::SeqCst);
}

/// Returns how many points were passed since [`abort_at`] was given `n`, or since the start when `n` is `i64::MAX`.
pub fn passed(n: i64) -> i64 {
    n - REMAINING.load(Ordering::SeqCst)
}

/// Marks an effect: call it before and after whatever a crash must not tear apart.
#[inline]
pub fn point(_name: &'static str) {
    if COMPILED_IN && REMAINING.fetch_sub(1, Ordering::SeqCst) == 1 {
        std::process::abort();
    }
}
