//! Plain lines: when a source starts, every few seconds while it is read, and when it ends.

use super::bars::title;
use crate::output::style::{Palette, Style};
use crate::output::{Output, units};
use app::sync::{Observer, SourceOutcome, SyncEvent};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines about progress: often enough to see life, rarely enough for a log.
const INTERVAL: Duration = Duration::from_secs(5);

/// Lines on stderr.
pub(super) struct Lines {
    output: Output,
    told: Mutex<Instant>,
}

impl Lines {
    /// Starts with a quiet interval.
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            told: Mutex::new(now()),
        }
    }

    /// Returns whether the interval is over, and begins the next one if so.
    fn is_due(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = told.elapsed() >= INTERVAL;
        if is_due {
            *told = now();
        }
        is_due
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pace of progress lines; nothing is decided by it"
)]
fn now() -> Instant {
    Instant::now()
}

impl Observer for Lines {
    fn event(&self, event: &SyncEvent<'_>) {
        match event {
            SyncEvent::SourceStarted {
                source,
                resumed: true,
            } => self.output.tell(&resumed(source.as_str())),
            SyncEvent::SourceStarted { source, .. } => {
                self.output.tell(&format!("{source}: started"));
            }
            SyncEvent::Progress {
                source,
                stream,
                rows,
                bytes,
            } if self.is_due() => {
                self.output.tell(&format!(
                    "{}: {}, {}",
                    title(source.as_str(), stream),
                    units::counted(*rows, "row"),
                    units::bytes(*bytes)
                ));
            }
            SyncEvent::SourceEnded { outcome } => {
                self.output
                    .tell(&ended(outcome, self.output.talk_palette()));
            }
            SyncEvent::StreamStarted { .. }
            | SyncEvent::StreamEnded { .. }
            | SyncEvent::Progress { .. } => {}
        }
    }
}

/// Returns the line about a load that goes on where another stopped.
pub(super) fn resumed(source: &str) -> String {
    format!("{source}: goes on where the interrupted sync stopped")
}

/// Returns the line about a source that ended.
pub(super) fn ended(outcome: &SourceOutcome, palette: Palette) -> String {
    let source = &outcome.source;
    let took = units::seconds(outcome.seconds);
    match &outcome.error {
        None => {
            let (inserted, updated, deleted) = outcome.report.totals();
            let changed = inserted + updated + deleted;
            let what = if changed == 0 {
                "nothing changed".into()
            } else {
                format!("{} changed", units::counted(changed, "row"))
            };
            format!(
                "{} {source}: {what} in {took}",
                palette.paint(Style::Good, "done")
            )
        }
        Some(error) => {
            format!(
                "{} {source}: {} after {took}",
                palette.paint(Style::Error, "failed"),
                error.code
            )
        }
    }
}
