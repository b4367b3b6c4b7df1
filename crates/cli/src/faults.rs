//! Deaths on demand, for tests alone: in a release, where no fault points are compiled in, nothing of this happens.

use app::Environment;
use std::io::{self, Write as _};
use std::process::Command;

/// The number of the effect at which the process aborts.
const AT: &str = "DANGO_FAULT_AT";
/// What the process says when it shall panic there, and not abort.
const PANIC: &str = "DANGO_FAULT_PANIC";
/// The number of the effect at which the process gets a Ctrl-C.
const INTERRUPT: &str = "DANGO_FAULT_INTERRUPT";
/// Whether to tell at the end how many effects there were.
const COUNT: &str = "DANGO_FAULT_COUNT";

/// What the campaign asked for.
pub(crate) struct Faults {
    counts: bool,
}

impl Faults {
    /// Arms the fault point that the environment names.
    pub(crate) fn arm(environment: &Environment) -> Self {
        if domain::fault::COMPILED_IN
            && let Some(n) = environment.setting(AT).and_then(|n| n.parse().ok())
        {
            match environment.setting(PANIC) {
                Some(text) => domain::fault::panic_at(n, text),
                None => domain::fault::abort_at(n),
            }
        }
        if domain::fault::COMPILED_IN
            && let Some(n) = environment.setting(INTERRUPT).and_then(|n| n.parse().ok())
        {
            domain::fault::act_at(n, interrupt);
        }
        Self {
            counts: environment.setting(COUNT).is_some(),
        }
    }

    /// Tells how many effects there were, when that was asked for.
    pub(crate) fn tell(&self) {
        if domain::fault::COMPILED_IN && self.counts {
            // A closed stderr leaves nobody to tell.
            let _ = writeln!(
                io::stderr(),
                "fault points: {}",
                domain::fault::passed(i64::MAX)
            );
        }
    }
}

/// Sends this process the signal of a Ctrl-C.
fn interrupt() {
    let id = std::process::id().to_string();
    // Without `kill` nothing is disturbed, and the test that asked for it says so.
    let _ = Command::new("kill").args(["-INT", &id]).status();
}
