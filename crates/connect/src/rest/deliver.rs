//! From records to pages: normalised, counted, with the position after each.

use super::incremental::{Mark, Window};
use super::plan::StreamPlan;
use crate::failure::{Failure, FailureKind};
use crate::http::Time;
use crate::normalise::{IdSeed, Normaliser};
use crate::page::{Page, Start};
use domain::limits::BATCH_ROWS;
use domain::say::Quoted;
use domain::{Disposition, Timestamp, say};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

/// A page is handed on at least this often, so that progress is seen and little is lost by a crash.
const FLUSH_MICROS: i64 = 2_000_000;

/// Whether reading makes sense any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Continue,
    /// The limit is reached, or nobody listens.
    Stop,
}

/// Takes the records of one stream and hands pages on.
pub(super) struct Delivery<'a> {
    stream: &'a StreamPlan,
    start: &'a Start,
    window: Window,
    normaliser: Normaliser,
    pages: Sender<Page>,
    time: Time,
    cursor: Option<Mark>,
    bytes: u64,
    warnings: Vec<String>,
    rows_left: Option<u64>,
    flushed_at: Timestamp,
    /// The last page was handed on in parts, and the rest of it waits.
    is_split: bool,
}

impl<'a> Delivery<'a> {
    /// Returns a delivery of `stream` into the warehouse schema `schema`. `cursor` is the highest value of an earlier
    /// attempt.
    pub(super) fn new(
        stream: &'a StreamPlan,
        start: &'a Start,
        schema: &str,
        pages: Sender<Page>,
        time: Time,
        cursor: Option<Mark>,
    ) -> Self {
        let seed = match stream.disposition {
            // Unchanged data keeps its ids, because nothing of the last load stays.
            Disposition::Replace => IdSeed::new(&stream.name),
            Disposition::Append | Disposition::Merge => IdSeed::new(time.now().to_rfc3339()),
        };
        let mut normaliser = Normaliser::new(&stream.name, &stream.primary_key, &start.known, seed)
            .in_schema(schema)
            .keep_json(&stream.json_columns);
        if stream.disposition != Disposition::Append {
            // A record that comes twice replaces itself, with the rows of its lists.
            normaliser = normaliser.keep_key_whole().number_records(start.records);
        }
        let incremental = stream.incremental.as_ref();
        let window = incremental.map(|incremental| incremental.window(start, time.now()));
        Self {
            stream,
            start,
            window: window.unwrap_or_default(),
            normaliser,
            pages,
            flushed_at: time.now(),
            time,
            cursor,
            bytes: 0,
            warnings: Vec::new(),
            rows_left: start.rows_max,
            is_split: false,
        }
    }

    /// Takes the records of a page that stands at `position`.
    pub(super) async fn take(
        &mut self,
        position: String,
        records: &[Value],
        bytes: u64,
    ) -> Result<Flow, Failure> {
        self.bytes += bytes;
        self.normaliser.set_position(position);
        for record in records {
            if self.rows_left == Some(0) {
                return Ok(Flow::Stop);
            }
            if !self.observe(record)? {
                continue;
            }
            self.check_key(record)?;
            self.normaliser.push(record)?;
            self.rows_left = self.rows_left.map(|left| left - 1);
            // In the middle of a page there is no place to resume.
            if self.normaliser.is_full() {
                self.is_split = true;
                if self.flush(None).await? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
        }
        Ok(Flow::Continue)
    }

    /// Says what the user should know.
    pub(super) fn warn(&mut self, warnings: Vec<String>) {
        self.warnings.extend(warnings);
    }

    /// Hands on what was collected, at the end of a page of `count` records, if another such page would be too much or it
    /// was long ago; `resume` is the position after it.
    pub(super) async fn flush_if_due(
        &mut self,
        count: usize,
        resume: impl FnOnce(Option<&Mark>) -> Option<String>,
    ) -> Result<Flow, Failure> {
        let is_due = self.is_split
            || self.normaliser.rows() + count > BATCH_ROWS
            || self.time.now().micros_since(self.flushed_at) >= FLUSH_MICROS;
        if !is_due {
            return Ok(Flow::Continue);
        }
        self.is_split = false;
        let resume = resume(self.cursor.as_ref());
        self.flush(resume).await
    }

    /// Hands on whatever was collected.
    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        self.flush(None).await.map(|_| ())
    }

    async fn flush(&mut self, resume: Option<String>) -> Result<Flow, Failure> {
        let batches = self.normaliser.take_batches()?;
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.normaliser.warnings());
        // A load with a limit must not make the next one skip what the limit left out.
        let cursor = self
            .cursor
            .as_ref()
            .filter(|_| self.start.rows_max.is_none());
        let page = Page {
            batches,
            resume,
            cursor: cursor.map(|mark| mark.raw().to_owned()),
            bytes: std::mem::take(&mut self.bytes),
            warnings,
        };
        self.flushed_at = self.time.now();
        // Nobody listens any more when the load was given up; that is not the source's failure.
        Ok(if self.pages.send(page).await.is_ok() {
            Flow::Continue
        } else {
            Flow::Stop
        })
    }

    /// Remembers how far the cursor came; returns whether the record is wanted.
    fn observe(&mut self, record: &Value) -> Result<bool, Failure> {
        let Some(incremental) = &self.stream.incremental else {
            return Ok(true);
        };
        let mark = incremental.mark(record)?;
        if !self.window.contains(mark.as_ref()) {
            return Ok(false);
        }
        if mark > self.cursor {
            self.cursor = mark;
        }
        Ok(true)
    }

    /// Without one value in each part of its key a record cannot be told from others.
    fn check_key(&mut self, record: &Value) -> Result<(), Failure> {
        if self.stream.disposition == Disposition::Append {
            return Ok(());
        }
        let key = self.normaliser.key(record);
        let parts = key.iter().zip(&self.stream.primary_key);
        for (value, name) in parts {
            let problem = match value {
                None | Some(Value::Null) => "has no ",
                Some(Value::Object(_) | Value::Array(_)) => "has more than one value in ",
                Some(_) => continue,
            };
            let stream = Quoted(&self.stream.name);
            return Err(Failure::new(
                FailureKind::Protocol,
                say!("a record of stream ", name stream, " ").text(problem).name(&Quoted(name)).text(", its primary key"),
            )
            .hint("set the endpoint's `primary_key` to what identifies a record; without one, write `primary_key: []` and `disposition: replace`"));
        }
        Ok(())
    }
}
