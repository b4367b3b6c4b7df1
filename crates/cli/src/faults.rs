//! Deaths on demand, for the crash campaign alone: in a release, where no fault points are compiled in, nothing of this happens.

use app::Environment;
use std::io::{self, Write as _};

/// The number of the effect at which the process aborts.
const AT: &str = "DANGO_FAULT_AT";
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
            domain::fault::abort_at(n);
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
