//! Loading a source that gives pages: a database or an API.
//!
//! Each stream's pages go into staging tables, committed in chunks; then one transaction brings all streams of the source
//! to where users see them. A stream that can resume leaves its position with each chunk, so the sync after a crash goes
//! on from the last one, if it asks for the same; the others start again, and what they had staged is dropped.

use super::apply::{Apply, StagedStream};
use super::before::{Before, Plan};
use super::context::Context;
use super::intake::{Chunks, Intake};
use super::ledger::{Ledger, Progress};
use super::request::SyncEvent;
use super::staging::{Staging, Writer};
use crate::Error;
use crate::error::Kind;
use connect::source::Source;
use connect::{Start, Stream};
use domain::{Code, Disposition, LoadReport};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Pages between a source and the writer: one being written, one ready.
const PAGES_QUEUED: usize = 2;

/// Syncs a source of pages up to the last commit, which is the caller's, and returns what it will have changed.
pub(crate) async fn load(
    context: &Context<'_>,
    mut source: Source,
    writer: &mut Writer<'_>,
) -> Result<LoadReport, Error> {
    let ledger = Ledger::new(&context.source.name);
    let existing = context.tables(ledger.schema()).await?;
    let known: Vec<_> = existing.values().cloned().collect();
    let streams = source.streams(&known).await?;
    let mut before = Before::look(context, &ledger, writer, existing).await?;
    let plans = streams.iter().map(|s| before.plan(context, &ledger, s));
    let plans = plans.collect::<Result<Vec<_>, _>>()?;
    before.resume(context, &ledger, writer, &plans).await?;
    context
        .started(&before.load_id, before.is_resumed())
        .await?;
    let mut reading = Reading {
        context,
        ledger: &ledger,
        before: &before,
        source: &mut source,
        writer,
    };
    let mut loaded = Vec::new();
    for plan in &plans {
        loaded.push(reading.stream(plan).await?);
    }
    source.close().await;
    let finished = finish(context, &ledger, &before, writer, &loaded).await;
    if let Err(error) = &finished
        && matches!(error.kind, Kind::Invalid | Kind::Conflict)
        && !context.request.dry_run
    {
        // What was refused is not gone on with: the source may be right again, and the next sync has to see that.
        if let Err(failed) = give_up(&ledger, writer).await {
            tracing::warn!(source.name = %context.source.name, error.chain = %failed.chain(), "staged rows of a refused load stay");
        }
    }
    finished
}

/// A stream whose rows are staged.
struct Loaded<'a> {
    stream: &'a Stream,
    staged: StagedStream,
    /// The value of its cursor that the next sync starts from.
    cursor: Option<String>,
    bytes: u64,
    warnings: Vec<String>,
}

/// The reading of a source, stream by stream.
struct Reading<'a, 'w> {
    context: &'a Context<'a>,
    ledger: &'a Ledger,
    before: &'a Before,
    source: &'a mut Source,
    writer: &'a mut Writer<'w>,
}

impl Reading<'_, '_> {
    /// Reads a stream into its staging tables, from where it was cut off if it was.
    async fn stream<'s>(&mut self, plan: &Plan<'s>) -> Result<Loaded<'s>, Error> {
        let stream = plan.stream;
        let resumed = self.before.progress(&stream.name);
        self.context.event(&SyncEvent::StreamStarted {
            source: &self.context.source.name,
            stream: &stream.name,
            rows_estimated: stream.rows_estimated,
            bytes_estimated: None,
        });
        let loaded = match self.read(plan, resumed).await {
            Err(error) if error.code == Code::SourceChanged && resumed.is_some() => {
                // The source no longer knows where the interrupted load stopped: the stream starts again.
                self.writer.rollback().await;
                let tx = self.writer.tx().await?;
                self.ledger.forget_progress(tx, Some(&stream.name)).await?;
                let family = self.before.tables.family(&stream.name);
                let is_another = |table: &str| !family.contains(&table);
                self.ledger.drop_staging(tx, is_another).await?;
                self.writer.commit().await?;
                self.read(plan, None).await?
            }
            read => read?,
        };
        Ok(loaded)
    }

    async fn read<'s>(
        &mut self,
        plan: &Plan<'s>,
        resumed: Option<&Progress>,
    ) -> Result<Loaded<'s>, Error> {
        let stream = plan.stream;
        let mut staging = Staging::new(self.ledger, self.before);
        if let Some(progress) = resumed {
            staging.rows = progress.rows;
            for table in self.before.staged(&plan.own) {
                staging.adopt(table);
            }
        }
        let taken = self.take(plan, resumed, &mut staging).await?;
        self.context.event(&SyncEvent::StreamEnded {
            source: &self.context.source.name,
            stream: &stream.name,
            rows: staging.rows,
        });
        let mut warnings = taken.warnings;
        if self.before.gave_up(&stream.name) {
            warnings.push(format!(
                "an earlier load of {} was cut off and is not continued: it was asked for otherwise, or the stream has changed",
                stream.name
            ));
        }
        Ok(Loaded {
            stream,
            staged: StagedStream {
                disposition: plan.disposition,
                cursor: stream.cursor.clone(),
                // Pages of an API may overlap, and a resumed stream reads changed rows again; one snapshot has no row twice.
                may_repeat: stream.schema.is_none() || resumed.is_some(),
                is_described: is_database(self.source),
                tables: staging.into_staged(&stream.primary_key, &plan.own),
            },
            cursor: self.cursor(plan, taken.progress.cursor),
            bytes: taken.bytes,
            warnings,
        })
    }

    /// Takes the stream's pages into `staging`; one that was read to its end before has none.
    async fn take(
        &mut self,
        plan: &Plan<'_>,
        resumed: Option<&Progress>,
        staging: &mut Staging<'_>,
    ) -> Result<Taken, Error> {
        let progress = resumed.cloned().unwrap_or_else(|| Progress {
            load_id: self.before.load_id.clone(),
            stream: plan.stream.name.clone(),
            resume: None,
            cursor: None,
            identity: plan.identity.clone(),
            rows: 0,
        });
        if resumed.is_some_and(|resumed| resumed.resume.is_none()) {
            return Ok(Taken {
                progress,
                bytes: 0,
                warnings: Vec::new(),
            });
        }
        let start = self.start(plan, resumed);
        // Where a limit ends, the stream has more: no place to go on from.
        let is_resumable = plan.stream.resumable && self.context.request.limit.is_none();
        let chunks = Chunks::of(is_database(self.source), is_resumable);
        let (pages, received) = mpsc::channel(PAGES_QUEUED);
        let mut intake = Intake::new(self.context, staging, progress, chunks, received);
        let writer = &mut *self.writer;
        let write = async {
            let written = if plan.stream.schema.is_some() {
                intake.stream(writer).await
            } else {
                intake.collect(writer).await
            };
            // Closing the channel tells the source to stop.
            intake.close();
            written
        };
        let (read, written) = tokio::join!(self.source.read(plan.stream, start, pages), write);
        written?;
        read?;
        intake.end_chunk(self.writer).await?;
        Ok(Taken {
            progress: intake.progress,
            bytes: intake.bytes,
            warnings: intake.warnings,
        })
    }

    fn start(&self, plan: &Plan<'_>, resumed: Option<&Progress>) -> Start {
        let request = self.context.request;
        Start {
            resume: resumed.and_then(|entry| entry.resume.clone()),
            cursor: match plan.disposition {
                Disposition::Replace => None,
                Disposition::Append | Disposition::Merge => self.before.cursor(plan.stream),
            },
            since: request.since,
            until: request.until,
            rows_max: request.limit,
            known: match resumed {
                Some(_) => self.before.known_and_staged(&plan.own),
                None => self.before.known(&plan.own),
            },
            records: resumed.map_or(0, |entry| entry.rows),
        }
    }

    /// Returns from which value of its cursor the next sync of a stream starts, of which this one read up to `highest`.
    fn cursor(&self, plan: &Plan<'_>, highest: Option<String>) -> Option<String> {
        let last = self.before.cursor(plan.stream);
        // What lies beside a window was not read. Appended streams have none: they go on where they ended.
        if self.context.request.has_window() && plan.disposition == Disposition::Merge {
            last.or(highest)
        } else {
            highest.or(last)
        }
    }
}

/// What was taken of a stream.
struct Taken {
    progress: Progress,
    bytes: u64,
    warnings: Vec<String>,
}

/// Brings all staged streams to where users see them, with the bookkeeping; the commit is still to come.
async fn finish(
    context: &Context<'_>,
    ledger: &Ledger,
    before: &Before,
    writer: &mut Writer<'_>,
    loaded: &[Loaded<'_>],
) -> Result<LoadReport, Error> {
    let tx = writer.tx().await?;
    ledger.create(tx).await?;
    let mut report = LoadReport::default();
    let mut cursors = before.cursors.clone();
    let mut apply = Apply {
        tx,
        ledger,
        existing: &before.existing,
        tables: &before.tables,
        permits: context.permits(),
    };
    for loaded in loaded {
        let mut tables = apply.stream(&loaded.staged).await?;
        if let Some(first) = tables.first_mut() {
            first.warnings.extend(loaded.warnings.iter().cloned());
        }
        report.tables.append(&mut tables);
        report.bytes_read += loaded.bytes;
        cursors.set(loaded.stream, loaded.cursor.clone());
    }
    let at = context.app.clock.now();
    let load_id = &before.load_id;
    ledger.set_cursors(tx, &cursors, load_id, at).await?;
    let tables = loaded.iter().flat_map(|loaded| &loaded.staged.tables);
    let schema: BTreeMap<_, _> = tables.map(|t| (&t.target.table, &t.columns)).collect();
    let schema = serde_json::json!(schema);
    ledger.record(tx, load_id, at, &schema, &report).await?;
    ledger.forget_progress(tx, None).await?;
    ledger.drop_staging(tx, |_| false).await?;
    Ok(report)
}

/// Drops what is staged, so that the next sync starts again.
async fn give_up(ledger: &Ledger, writer: &mut Writer<'_>) -> Result<(), Error> {
    writer.rollback().await;
    let tx = writer.tx().await?;
    ledger.forget_progress(tx, None).await?;
    ledger.drop_staging(tx, |_| false).await?;
    writer.commit().await
}

/// Returns whether the source says of each stream which columns there are, and is fast enough to hold the one writer.
const fn is_database(source: &Source) -> bool {
    match source {
        Source::Postgres(_) | Source::Mysql(_) => true,
        Source::Rest(_) => false,
    }
}
