//! Loading a source that gives pages: a database or an API.
//!
//! Each stream's pages go into staging tables, committed in chunks; then one transaction brings all streams of the source
//! to where users see them. A stream that can resume leaves its position with each chunk, so the sync after a crash goes
//! on from the last one; the others start again, and what they had staged is dropped.

use super::apply::{self, StagedStream};
use super::context::Context;
use super::intake::Intake;
use super::ledger::{Ledger, Progress, hash_text, is_bookkeeping, target_of};
use super::request::SyncEvent;
use super::staging::{Staging, Writer};
use super::statements::LOAD_ID;
use crate::Error;
use connect::source::Source;
use connect::{Start, Stream, StreamTable};
use domain::{Code, Disposition, LoadId, LoadReport, TableRef, TableSchema};
use std::collections::BTreeMap;
use tokio::sync::mpsc;

/// Pages between a source and the writer: one being written, one ready.
const PAGES_QUEUED: usize = 2;

/// What is known of a source before its streams are read.
struct Before {
    load_id: LoadId,
    resumed: bool,
    existing: BTreeMap<TableRef, TableSchema>,
    cursors: BTreeMap<String, String>,
    progress: Vec<Progress>,
}

impl Before {
    fn has_progress(&self, stream: &Stream) -> bool {
        self.progress
            .iter()
            .any(|entry| entry.stream == stream.name)
    }
}

/// Syncs a source of pages and returns what changed.
pub(crate) async fn load(context: &Context<'_>, mut source: Source) -> Result<LoadReport, Error> {
    let ledger = Ledger::new(&context.source.name);
    let mut writer = Writer::new(
        &context.app.warehouse,
        context.allow,
        context.request.dry_run,
    );
    let streams = source.streams().await?;
    let before = look(context, &ledger, &mut writer, &streams).await?;
    context.started(&before.load_id, before.resumed).await?;
    let mut report = LoadReport::default();
    let mut staged = Vec::new();
    let mut cursors = BTreeMap::new();
    for stream in &streams {
        let read = match read(
            context,
            &ledger,
            &mut writer,
            &mut source,
            stream,
            &before,
            true,
        )
        .await
        {
            // The source no longer knows where the interrupted load stopped: the stream starts again.
            Err(error) if error.code == Code::SourceChanged && before.has_progress(stream) => {
                writer.rollback().await;
                ledger
                    .forget_progress(writer.tx().await?, Some(&stream.name))
                    .await?;
                writer.commit().await?;
                read(
                    context,
                    &ledger,
                    &mut writer,
                    &mut source,
                    stream,
                    &before,
                    false,
                )
                .await?
            }
            read => read?,
        };
        report.bytes_read += read.bytes;
        let cursor = read
            .cursor
            .or_else(|| before.cursors.get(&stream.name).cloned());
        if let (Some(column), Some(value)) = (&stream.cursor, cursor) {
            cursors.insert(stream.name.clone(), (column.clone(), value));
        }
        staged.push((read.stream, read.warnings));
    }
    source.close().await;
    let tx = writer.tx().await?;
    ledger.create(tx).await?;
    for (stream, warnings) in &staged {
        let mut tables = apply::apply(tx, &before.existing, stream, context.permits()).await?;
        if let Some(first) = tables.first_mut() {
            first.warnings.extend(warnings.iter().cloned());
        }
        report.tables.append(&mut tables);
    }
    let at = context.app.clock.now();
    ledger
        .set_cursors(tx, &cursors, &before.load_id, at)
        .await?;
    let schema = serde_json::json!(
        staged
            .iter()
            .flat_map(|(s, _)| &s.tables)
            .map(|t| (t.target.table.clone(), &t.columns))
            .collect::<BTreeMap<_, _>>()
    );
    ledger
        .record(tx, &before.load_id, at, &schema, &report)
        .await?;
    ledger.forget_progress(tx, None).await?;
    ledger.drop_staging(tx, |_| false).await?;
    if context.request.dry_run {
        writer.rollback().await;
    } else {
        writer.commit().await?;
    }
    Ok(report)
}

/// Looks at what the warehouse has: tables, cursors, and how far an interrupted load came. Leftovers that nothing will
/// continue are dropped.
async fn look(
    context: &Context<'_>,
    ledger: &Ledger,
    writer: &mut Writer<'_>,
    streams: &[Stream],
) -> Result<Before, Error> {
    let tx = writer.tx().await?;
    ledger.create(tx).await?;
    let mut progress = ledger.progress(tx).await?;
    let may_resume =
        !context.request.full_refresh && !context.request.dry_run && !context.request.is_partial();
    progress.retain(|entry| {
        may_resume
            && streams.iter().any(|stream| {
                stream.resumable
                    && stream.name == entry.stream
                    && schema_hash(stream) == entry.schema_hash
            })
    });
    let cursors = if context.request.full_refresh {
        BTreeMap::new()
    } else {
        ledger.cursors(tx).await?
    };
    let goes_on = |table: &str| progress.iter().any(|entry| belongs(table, &entry.stream));
    ledger.drop_staging(tx, goes_on).await?;
    if progress.is_empty() {
        ledger.forget_progress(tx, None).await?;
    }
    writer.commit().await?;
    let existing = context.tables(ledger.schema()).await?;
    Ok(Before {
        load_id: progress
            .first()
            .map_or_else(|| context.new_load_id(), |entry| entry.load_id.clone()),
        resumed: !progress.is_empty(),
        existing,
        cursors,
        progress,
    })
}

fn schema_hash(stream: &Stream) -> String {
    let columns = stream.schema.as_ref().map(|schema| &schema.columns);
    hash_text(
        &serde_json::json!([stream.origin, stream.primary_key, stream.cursor, columns]).to_string(),
    )
}

struct Read {
    stream: StagedStream,
    cursor: Option<String>,
    bytes: u64,
    warnings: Vec<String>,
}

/// Reads one stream into its staging tables.
async fn read(
    context: &Context<'_>,
    ledger: &Ledger,
    writer: &mut Writer<'_>,
    source: &mut Source,
    stream: &Stream,
    before: &Before,
    may_resume: bool,
) -> Result<Read, Error> {
    let own = TableRef::new(ledger.schema(), &stream.name);
    let disposition = disposition(context, stream, before.existing.contains_key(&own))?;
    let resumed = before
        .progress
        .iter()
        .find(|entry| may_resume && entry.stream == stream.name);
    let mut staging = Staging::new(ledger, &before.load_id);
    if let Some(progress) = resumed {
        staging.rows = progress.rows;
        for table in staged_before(&before.existing, &own) {
            staging.adopt(table);
        }
    }
    let start = start(context, stream, disposition, before, resumed);
    context.event(&SyncEvent::StreamStarted {
        source: &context.source.name,
        stream: &stream.name,
        rows_estimated: stream.rows_estimated,
        bytes_estimated: None,
    });
    let mut progress = Progress {
        load_id: before.load_id.clone(),
        stream: stream.name.clone(),
        resume: String::new(),
        cursor: resumed.and_then(|entry| entry.cursor.clone()),
        schema_hash: schema_hash(stream),
        rows: staging.rows,
    };
    let (pages, received) = mpsc::channel(PAGES_QUEUED);
    let mut intake = Intake {
        context,
        staging: &mut staging,
        progress: &mut progress,
        pages: received,
        peeked: None,
        must_resume: stream.resumable,
        resume: None,
        chunk_rows: 0,
        bytes: 0,
        warnings: Vec::new(),
    };
    let write = async {
        let written = if stream.schema.is_some() {
            intake.stream(writer).await
        } else {
            intake.collect(writer).await
        };
        // Closing the channel tells the source to stop.
        intake.pages.close();
        written
    };
    let (read, written) = tokio::join!(source.read(stream, start, pages), write);
    written?;
    read?;
    let (bytes, warnings) = (intake.bytes, std::mem::take(&mut intake.warnings));
    staging.end_chunk(writer, None).await?;
    context.event(&SyncEvent::StreamEnded {
        source: &context.source.name,
        stream: &stream.name,
        rows: staging.rows,
    });
    let tables = staging.into_staged(&stream.primary_key, &own, &children(&before.existing, &own));
    let stream = StagedStream {
        disposition,
        cursor: stream.cursor.clone(),
        // Pages of an API may overlap, and a resumed stream reads changed rows again; one snapshot has no row twice.
        may_repeat: stream.schema.is_none() || resumed.is_some(),
        tables,
    };
    Ok(Read {
        stream,
        cursor: progress.cursor,
        bytes,
        warnings,
    })
}

/// Returns how the stream's rows change its table in this sync.
fn disposition(context: &Context<'_>, stream: &Stream, exists: bool) -> Result<Disposition, Error> {
    let partial = context.request.is_partial();
    match stream.disposition {
        // A part of a table must not take the place of the whole.
        Disposition::Replace if partial && exists && stream.primary_key.is_empty() => {
            Err(Error::partial_replace(&stream.name))
        }
        Disposition::Replace if partial && exists => Ok(Disposition::Merge),
        _ if context.request.full_refresh && !partial => Ok(Disposition::Replace),
        other => Ok(other),
    }
}

fn start(
    context: &Context<'_>,
    stream: &Stream,
    disposition: Disposition,
    before: &Before,
    resumed: Option<&Progress>,
) -> Start {
    let mut known: Vec<_> = before
        .existing
        .values()
        .filter(|table| belongs(&table.table.table, &stream.name))
        .cloned()
        .collect();
    known.sort_by(|a, b| a.table.cmp(&b.table));
    Start {
        resume: resumed.map(|entry| entry.resume.clone()),
        cursor: match disposition {
            Disposition::Replace => None,
            Disposition::Append | Disposition::Merge => before.cursors.get(&stream.name).cloned(),
        },
        since: context.request.since,
        until: context.request.until,
        rows_max: context.request.limit,
        known,
    }
}

fn belongs(table: &str, stream: &str) -> bool {
    table == stream
        || (table.starts_with(stream) && table.get(stream.len()..stream.len() + 2) == Some("__"))
}

/// Returns the tables of a stream that an interrupted load has staged rows for, parents first.
fn staged_before(existing: &BTreeMap<TableRef, TableSchema>, own: &TableRef) -> Vec<StreamTable> {
    let mut staged: Vec<(&str, &TableSchema)> = existing
        .values()
        .filter_map(|schema| Some((target_of(&schema.table.table)?, schema)))
        .filter(|(target, _)| belongs(target, &own.table))
        .collect();
    staged.sort_by_key(|(target, _)| target.len());
    let names: Vec<&str> = staged.iter().map(|(target, _)| *target).collect();
    staged
        .iter()
        .map(|(target, schema)| StreamTable {
            schema: TableSchema {
                table: TableRef::new(&own.schema, *target),
                columns: schema
                    .columns
                    .iter()
                    .filter(|c| c.name != LOAD_ID)
                    .cloned()
                    .collect(),
                primary_key: schema.primary_key.clone(),
            },
            parent: names
                .iter()
                .filter(|other| *other != target && belongs(target, other))
                .max_by_key(|other| other.len())
                .map(|parent| (*parent).to_owned()),
        })
        .collect()
}

/// Returns the child tables of a stream that exist, each with the table it hangs from, parents first.
fn children(
    existing: &BTreeMap<TableRef, TableSchema>,
    own: &TableRef,
) -> Vec<(TableRef, TableRef)> {
    existing
        .keys()
        .filter(|table| {
            **table != *own && !is_bookkeeping(&table.table) && belongs(&table.table, &own.table)
        })
        .map(|table| {
            let parent = existing
                .keys()
                .filter(|other| *other != table && belongs(&table.table, &other.table))
                .max_by_key(|other| other.table.len())
                .unwrap_or(own);
            (table.clone(), parent.clone())
        })
        .collect()
}
