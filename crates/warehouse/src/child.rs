//! What the program does when it is started as one of the warehouse's children: `sandbox::enter` first, then one of these.

use crate::{compactor, worker, writer};
use sandbox::Entered;

pub use crate::client::WORKER_ROLE;
pub use crate::compactor::COMPACTOR_ROLE;
pub use crate::writer::WRITER_ROLE;

/// Holds the warehouse's file and answers the parent until it goes away.
pub fn worker(entered: &Entered) {
    worker::serve(&entered.channel);
}

/// Writes one export.
pub fn writer(entered: &Entered) {
    writer::serve(&entered.channel);
}

/// Copies the warehouse into a new file.
pub fn compactor(entered: &Entered) {
    compactor::serve(&entered.channel);
}

/// Runs the role that the parent asked for, `false` when it is none of the warehouse's.
pub fn run(entered: &Entered) -> bool {
    match entered.cage.role.as_str() {
        WORKER_ROLE => worker(entered),
        WRITER_ROLE => writer(entered),
        COMPACTOR_ROLE => compactor(entered),
        _ => return false,
    }
    true
}
