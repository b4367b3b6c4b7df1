//! Loading a source of files: only files whose content changed are read, straight from the reader into the warehouse, and
//! everything becomes visible in one transaction.
//!
//! A table's types are decided over all of its files. When a changed file no longer fits, every file of the table is read
//! again, so that each value stays exactly what its file says; nothing is cast from what an earlier type had made of it.

mod delta;
mod listing;
mod reading;
mod survey;

use super::apply;
use super::context::Context;
use super::ledger::{Ledger, Tables};
use super::request::SyncEvent;
use super::staging::Writer;
use crate::reader::Reader;
use crate::{Error, REDACTOR};
use connect::files::{FilePlan, FilesConfig, plan};
use domain::{LoadReport, TableRef, TableReport, TableSchema};
use std::collections::BTreeMap;
use survey::Survey;

/// What the warehouse has of the source.
struct Stored {
    existing: BTreeMap<TableRef, TableSchema>,
    tables: Tables,
}

/// Syncs a source of files up to the last commit, which is the caller's, and returns what it will have changed.
pub(crate) async fn load(
    context: &Context<'_>,
    writer: &mut Writer<'_>,
) -> Result<LoadReport, Error> {
    let app = context.app;
    let block = context.source.block(&app.environment, &REDACTOR)?;
    let config = FilesConfig::parse(&context.source.name, &block)?;
    let plan = plan(&config, app.project.root())?;
    let ledger = Ledger::new(&context.source.name);
    let existing = context.tables(ledger.schema()).await?;
    let stored = Stored {
        tables: Tables::find(context, &ledger, &existing).await?,
        existing,
    };
    let load_id = context.new_load_id();
    context.started(&load_id, false).await?;
    let mut reader = Reader::start(&app.launcher, &plan.directory, app.cage_policy()).await?;
    let mut surveys = Vec::new();
    for table in &plan.tables {
        let name = table.table.name.as_str();
        let known = listing::loaded(context, &ledger, &stored.existing, name).await?;
        surveys.push(Survey::make(context, &mut reader, table, &config, known, &stored).await?);
    }
    // Only now, so that a source that never loads leaves nothing behind.
    ledger.create(writer.tx().await?).await?;
    let mut report = LoadReport::default();
    for survey in &surveys {
        let name = survey.table.table.name.as_str();
        context.event(&SyncEvent::StreamStarted {
            source: &context.source.name,
            stream: name,
            rows_estimated: Some(survey.rows()),
            bytes_estimated: Some(survey.bytes()),
        });
        let mut load = delta::TableLoad {
            context,
            ledger: &ledger,
            reader: &mut reader,
            load_id: &load_id,
            survey,
            stored: &stored,
        };
        let mut tables = load.run(writer).await?;
        if let Some(first) = tables.first_mut() {
            first.warnings.extend(survey.warnings.iter().cloned());
        }
        report.bytes_read += survey.bytes();
        context.event(&SyncEvent::StreamEnded {
            source: &context.source.name,
            stream: name,
            rows: survey.rows(),
        });
        report.tables.append(&mut tables);
    }
    tell_warnings(&mut report, &plan);
    let schema: BTreeMap<_, _> = surveys
        .iter()
        .flat_map(|survey| &survey.tables)
        .map(|table| (table.name.clone(), table.columns()))
        .collect();
    let (tx, at) = (writer.tx().await?, app.clock.now());
    let schema = serde_json::json!(schema);
    ledger.record(tx, &load_id, at, &schema, &report).await?;
    ledger.drop_staging(tx, |_| false).await?;
    Ok(report)
}

/// Adds the plan's warnings to the first table, or to the one that would be there if a file had matched.
fn tell_warnings(report: &mut LoadReport, plan: &FilePlan) {
    if report.tables.is_empty()
        && let Some(planned) = plan.tables.first().filter(|_| !plan.warnings.is_empty())
    {
        report.tables.push(TableReport {
            table: planned.table.name.to_string(),
            ..TableReport::default()
        });
    }
    if let Some(first) = report.tables.first_mut() {
        first.warnings.extend(plan.warnings.iter().cloned());
    }
}

/// Refuses to empty a table, or to shrink it beyond the limit; nothing has been committed yet.
fn guard(
    context: &Context<'_>,
    table: &TableRef,
    before: u64,
    after: u64,
    gone: bool,
) -> Result<(), Error> {
    if gone && after == 0 && before > 0 && !context.request.allow_empty_replace {
        return Err(Error::files_gone(table, before));
    }
    apply::guard_shrink(table, before, after, context.permits())
}
