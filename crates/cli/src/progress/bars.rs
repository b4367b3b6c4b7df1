//! Moving bars: one line for each stream that is being read.

use crate::output::style::{Palette, Style};
use crate::output::{Output, units};
use app::REDACTOR;
use app::sync::{Observer, SourceOutcome, SyncEvent};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// More bars than this would scroll; further streams are counted with their source's end.
const BARS_MAX: usize = 16;
const TICK: Duration = Duration::from_millis(120);

/// Bars on stderr.
pub(super) struct Bars {
    all: MultiProgress,
    palette: Palette,
    open: Mutex<HashMap<Key, Bar>>,
}

/// Source and stream.
type Key = (String, String);

struct Bar {
    bar: ProgressBar,
    counts_bytes: bool,
}

impl Bars {
    /// Starts without a bar.
    pub(super) fn new(output: Output) -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            palette: output.talk_palette(),
            open: Mutex::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Key, Bar>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, source: &str, stream: &str, rows: Option<u64>, bytes: Option<u64>) {
        let mut open = self.open();
        if open.len() >= BARS_MAX {
            return;
        }
        // Rows tell more; bytes are what files know beforehand.
        let (length, style) = match (rows, bytes) {
            (Some(rows), _) => (Some(rows), rows_style()),
            (None, Some(bytes)) => (Some(bytes), bytes_style()),
            (None, None) => (None, open_style()),
        };
        let bar = self
            .all
            .add(ProgressBar::new(length.unwrap_or(0)).with_style(style));
        bar.set_prefix(
            self.palette
                .paint(Style::Heading, &REDACTOR.redact(&title(source, stream))),
        );
        bar.set_message("starting");
        bar.enable_steady_tick(TICK);
        let counts_bytes = rows.is_none() && bytes.is_some();
        open.insert(
            (source.to_owned(), stream.to_owned()),
            Bar { bar, counts_bytes },
        );
    }

    fn advance(&self, source: &str, stream: &str, rows: u64, bytes: u64) {
        let open = self.open();
        let Some(Bar { bar, counts_bytes }) = open.get(&(source.to_owned(), stream.to_owned()))
        else {
            return;
        };
        bar.set_message(format!(
            "{}, {}",
            units::counted(rows, "row"),
            units::bytes(bytes)
        ));
        bar.set_position(if *counts_bytes { bytes } else { rows });
    }

    fn end_source(&self, outcome: &SourceOutcome) {
        let source = outcome.source.as_str();
        self.open().retain(|(of, _), Bar { bar, .. }| {
            if of == source {
                bar.finish_and_clear();
                self.all.remove(bar);
            }
            of != source
        });
        self.line(&super::lines::ended(outcome, self.palette));
    }

    /// Writes a line above the bars.
    fn line(&self, text: &str) {
        // A closed stderr leaves nobody to tell.
        let _ = self.all.println(REDACTOR.redact_talk(text));
    }
}

impl Observer for Bars {
    fn event(&self, event: &SyncEvent<'_>) {
        match event {
            SyncEvent::SourceStarted { source, resumed } => {
                if *resumed {
                    self.line(&super::lines::resumed(source.as_str()));
                }
            }
            SyncEvent::StreamStarted {
                source,
                stream,
                rows_estimated,
                bytes_estimated,
            } => {
                self.start(source.as_str(), stream, *rows_estimated, *bytes_estimated);
            }
            SyncEvent::Progress {
                source,
                stream,
                rows,
                bytes,
            } => {
                self.advance(source.as_str(), stream, *rows, *bytes);
            }
            SyncEvent::StreamEnded { source, stream, .. } => {
                let ended = self
                    .open()
                    .remove(&(source.as_str().to_owned(), (*stream).to_owned()));
                if let Some(Bar { bar, .. }) = ended {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
            SyncEvent::SourceEnded { outcome } => self.end_source(outcome),
        }
    }
}

/// Returns what a bar is called: the source, and the stream where it adds something.
pub(super) fn title(source: &str, stream: &str) -> String {
    if stream.is_empty() || stream == source {
        source.to_owned()
    } else {
        format!("{source}.{stream}")
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants; a broken one would show the default bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
        .with_key("rows_per_sec", rate)
}

fn rows_style() -> ProgressStyle {
    style("{spinner} {prefix:24!} {bar:24} {percent:>3}%  {msg}, {rows_per_sec}, {eta} left")
}

fn bytes_style() -> ProgressStyle {
    style("{spinner} {prefix:24!} {bar:24} {percent:>3}%  {msg}, {bytes_per_sec}, {eta} left")
}

fn open_style() -> ProgressStyle {
    style("{spinner} {prefix:24!} {msg}, {rows_per_sec}, {elapsed}")
}

fn rate(state: &ProgressState, out: &mut dyn Write) {
    // A rate is shown, not computed with.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and shown only"
    )]
    let per_second = state.per_sec() as u64;
    let _ = write!(out, "{}/s", units::counted(per_second, "row"));
}
