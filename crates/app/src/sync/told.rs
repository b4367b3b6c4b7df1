//! The events of a sync as another process hears them: the server tells, the command line shows.

use super::request::{Observer, SourceOutcome, SyncEvent};
use domain::SourceName;
use serde::{Deserialize, Serialize};

/// A [`SyncEvent`] that owns what it says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncNews {
    SourceStarted {
        source: SourceName,
        resumed: bool,
    },
    StreamStarted {
        source: SourceName,
        stream: String,
        rows_estimated: Option<u64>,
        bytes_estimated: Option<u64>,
    },
    Progress {
        source: SourceName,
        stream: String,
        rows: u64,
        bytes: u64,
    },
    StreamEnded {
        source: SourceName,
        stream: String,
        rows: u64,
    },
    SourceEnded(SourceOutcome),
}

impl SyncNews {
    /// Returns what `event` says. How a source ended is told in the text that its own user would read.
    pub fn of(event: &SyncEvent<'_>) -> Self {
        match *event {
            SyncEvent::SourceStarted { source, resumed } => Self::SourceStarted {
                source: source.clone(),
                resumed,
            },
            SyncEvent::StreamStarted {
                source,
                stream,
                rows_estimated,
                bytes_estimated,
            } => Self::StreamStarted {
                source: source.clone(),
                stream: stream.to_owned(),
                rows_estimated,
                bytes_estimated,
            },
            SyncEvent::Progress {
                source,
                stream,
                rows,
                bytes,
            } => Self::Progress {
                source: source.clone(),
                stream: stream.to_owned(),
                rows,
                bytes,
            },
            SyncEvent::StreamEnded {
                source,
                stream,
                rows,
            } => Self::StreamEnded {
                source: source.clone(),
                stream: stream.to_owned(),
                rows,
            },
            SyncEvent::SourceEnded { outcome } => Self::SourceEnded(outcome.retold()),
        }
    }

    /// Tells it to whoever watches here.
    pub fn tell(&self, observer: &dyn Observer) {
        observer.event(&match self {
            Self::SourceStarted { source, resumed } => SyncEvent::SourceStarted {
                source,
                resumed: *resumed,
            },
            Self::StreamStarted {
                source,
                stream,
                rows_estimated,
                bytes_estimated,
            } => SyncEvent::StreamStarted {
                source,
                stream,
                rows_estimated: *rows_estimated,
                bytes_estimated: *bytes_estimated,
            },
            Self::Progress {
                source,
                stream,
                rows,
                bytes,
            } => SyncEvent::Progress {
                source,
                stream,
                rows: *rows,
                bytes: *bytes,
            },
            Self::StreamEnded {
                source,
                stream,
                rows,
            } => SyncEvent::StreamEnded {
                source,
                stream,
                rows: *rows,
            },
            Self::SourceEnded(outcome) => SyncEvent::SourceEnded { outcome },
        });
    }

    /// Returns the name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SourceStarted { .. } => "source_started",
            Self::StreamStarted { .. } => "stream_started",
            Self::Progress { .. } => "progress",
            Self::StreamEnded { .. } => "stream_ended",
            Self::SourceEnded(_) => "source_ended",
        }
    }

    /// Returns whether `later` says all that this says, and more: progress of the same stream.
    pub fn is_outdated_by(&self, later: &Self) -> bool {
        match (self, later) {
            (
                Self::Progress { source, stream, .. },
                Self::Progress {
                    source: later_source,
                    stream: later_stream,
                    ..
                },
            ) => source == later_source && stream == later_stream,
            _ => false,
        }
    }
}

impl SourceOutcome {
    /// Returns the same outcome for somebody else: without the causes of its error, which are for the log alone.
    pub fn retold(&self) -> Self {
        Self {
            source: self.source.clone(),
            job: self.job,
            load_id: self.load_id.clone(),
            report: self.report.clone(),
            error: self.error.as_ref().map(crate::Error::retold),
            seconds: self.seconds,
            resumed: self.resumed,
            dry_run: self.dry_run,
        }
    }
}
