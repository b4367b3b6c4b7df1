//! The warehouse from outside: this test binary starts itself again as worker, writer and compactor.

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "in a test, a wrong state ends it"
)]

mod answers;
mod exports;
mod functions;
mod life;
mod limits;
mod loads;
mod parquet;
mod passes;
mod refusals;
mod stage;
mod streams;
mod tables;

/// Not a test of its own: where a child starts.
#[test]
fn child_role_entry() {
    if sandbox::is_child() {
        let entered = sandbox::enter().unwrap();
        assert!(warehouse::child::run(&entered));
    }
}
