//! What a sync is asked for, what it tells while it runs, and how it ended.

use crate::Error;
use domain::{JobId, LoadId, LoadReport, SourceName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What to sync, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SyncRequest {
    /// Empty: every enabled source.
    pub names: Vec<SourceName>,
    /// Forgets cursors and reads everything again; tables are replaced only once everything was read.
    pub full_refresh: bool,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// At most so many rows of each stream.
    pub limit: Option<u64>,
    /// Does everything but commit.
    pub dry_run: bool,
    pub allow_empty_replace: bool,
    /// Takes schema changes over even where the contract is `freeze` or `discard`.
    pub accept_schema: bool,
}

impl SyncRequest {
    /// Returns whether only a part of a stream is asked for.
    pub(crate) const fn is_partial(&self) -> bool {
        self.has_window() || self.limit.is_some()
    }

    /// Returns whether only rows of a certain time are asked for.
    pub(crate) const fn has_window(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Returns the options as history stores them.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "full_refresh": self.full_refresh,
            "since": self.since.map(Timestamp::to_rfc3339),
            "until": self.until.map(Timestamp::to_rfc3339),
            "limit": self.limit,
            "allow_empty_replace": self.allow_empty_replace,
            "accept_schema": self.accept_schema,
        })
    }
}

/// One thing that happened while a sync runs.
#[derive(Debug)]
pub enum SyncEvent<'a> {
    SourceStarted {
        source: &'a SourceName,
        /// The load goes on where an interrupted one stopped.
        resumed: bool,
    },
    StreamStarted {
        source: &'a SourceName,
        stream: &'a str,
        rows_estimated: Option<u64>,
        bytes_estimated: Option<u64>,
    },
    /// Totals of the stream so far.
    Progress {
        source: &'a SourceName,
        stream: &'a str,
        rows: u64,
        bytes: u64,
    },
    StreamEnded {
        source: &'a SourceName,
        stream: &'a str,
        rows: u64,
    },
    SourceEnded {
        outcome: &'a SourceOutcome,
    },
}

/// Whoever watches a sync: a progress bar, a log, an event stream.
pub trait Observer: Send + Sync {
    /// Takes an event; it must not block.
    fn event(&self, event: &SyncEvent<'_>);
}

/// How the sync of one source ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct SourceOutcome {
    /// The source's name; for an entry of `sources.yml` without one that can be used, what stands there or its line.
    pub source: String,
    /// `None` for a dry run, and when the source failed before a job was made.
    pub job: Option<JobId>,
    pub load_id: Option<LoadId>,
    pub report: LoadReport,
    #[serde(with = "crate::told::maybe")]
    pub error: Option<Error>,
    pub seconds: f64,
    pub resumed: bool,
    pub dry_run: bool,
}

impl SourceOutcome {
    /// Returns the documented JSON shape of `dango sync --json`.
    pub fn to_json(&self) -> Value {
        let (inserted, updated, deleted) = self.report.totals();
        json!({
            "source": self.source,
            "status": if self.error.is_none() { "succeeded" } else { "failed" },
            "dry_run": self.dry_run,
            "resumed": self.resumed,
            "job_id": self.job,
            "load_id": self.load_id,
            "rows_inserted": inserted,
            "rows_updated": updated,
            "rows_deleted": deleted,
            "bytes_read": self.report.bytes_read,
            "seconds": self.seconds,
            "tables": self.report.tables,
            "error": self.error.as_ref().map(Error::to_json),
        })
    }
}
