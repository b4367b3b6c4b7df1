//! Progress of a sync on stderr: moving bars at a terminal, plain lines elsewhere, nothing with `--json`.

mod bars;
mod lines;

use crate::output::Output;
use app::sync::{Observer, SyncEvent};

/// Returns whoever shows progress best on this stderr.
pub(crate) fn observer(output: Output) -> Box<dyn Observer> {
    if output.json {
        Box::new(Silent)
    } else if output.talks_to_terminal() && !output.is_dumb() {
        Box::new(bars::Bars::new(output))
    } else {
        Box::new(lines::Lines::new(output))
    }
}

struct Silent;

impl Observer for Silent {
    fn event(&self, _: &SyncEvent<'_>) {}
}
