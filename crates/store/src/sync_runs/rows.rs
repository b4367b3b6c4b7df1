//! The table `sync_runs` as it is stored.

use super::{NewSyncRun, SyncRun};
use crate::error::StoreError;
use crate::jobs::{Failure, JobEnd};
use domain::{JobId, JobState, LoadId, LoadReport, SourceName, TableReport, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_runs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub job_id: TextUuid,
    pub source: String,
    pub load_id: Option<String>,
    pub started_at_us: i64,
    pub ended_at_us: i64,
    pub outcome: String,
    pub rows_inserted: i64,
    pub rows_updated: i64,
    pub rows_deleted: i64,
    pub bytes_read: i64,
    pub tables: Json,
    pub schema_changes: Json,
    pub warnings: Json,
    pub error_code: Option<String>,
    pub error_text: Option<String>,
    pub options: Json,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Returns the row of a sync that ended at `at`.
pub(super) fn write(id: Uuid, at: Timestamp, run: NewSyncRun) -> Result<ActiveModel, StoreError> {
    let (inserted, updated, deleted) = run.report.totals();
    let outcome = run.end.state();
    let failure = match run.end {
        JobEnd::Failed(failure) => Some(failure),
        _ => None,
    };
    let mut warnings = lines(&run.report, |table| &table.warnings);
    warnings.extend(run.warnings);
    Ok(ActiveModel {
        id: Set(id.into()),
        job_id: Set(run.job.as_uuid().into()),
        source: Set(run.source.as_str().to_owned()),
        load_id: Set(run.load_id.map(|id| id.as_str().to_owned())),
        started_at_us: Set(run.started_at.as_micros()),
        ended_at_us: Set(at.as_micros()),
        outcome: Set(outcome.as_str().to_owned()),
        rows_inserted: Set(signed(inserted)),
        rows_updated: Set(signed(updated)),
        rows_deleted: Set(signed(deleted)),
        bytes_read: Set(signed(run.report.bytes_read)),
        tables: Set(json(&run.report.tables)?),
        schema_changes: Set(json(&lines(&run.report, |table| &table.schema_changes))?),
        warnings: Set(json(&warnings)?),
        error_code: Set(failure.as_ref().map(|failure| failure.code.clone())),
        error_text: Set(failure.map(|failure| failure.text)),
        options: Set(Value::Object(run.options)),
    })
}

impl Model {
    pub(super) fn read(self) -> Result<SyncRun, StoreError> {
        let bad = |what| StoreError::Stored { what };
        let tables: Vec<TableReport> = read(self.tables, "the tables of a sync")?;
        let failure = self.error_code.map(|code| Failure {
            code,
            text: self.error_text.unwrap_or_default(),
        });
        Ok(SyncRun {
            job: JobId::new(self.job_id.0),
            source: SourceName::parse(&self.source).map_err(|_| bad("the source of a sync"))?,
            load_id: self.load_id.map(LoadId::from_stored),
            started_at: Timestamp::from_micros(self.started_at_us),
            ended_at: Timestamp::from_micros(self.ended_at_us),
            outcome: JobState::from_stored(&self.outcome).ok_or(bad("the outcome of a sync"))?,
            rows_inserted: self.rows_inserted.unsigned_abs(),
            rows_updated: self.rows_updated.unsigned_abs(),
            rows_deleted: self.rows_deleted.unsigned_abs(),
            report: LoadReport {
                tables,
                bytes_read: self.bytes_read.unsigned_abs(),
            },
            schema_changes: read(self.schema_changes, "the schema changes of a sync")?,
            warnings: read(self.warnings, "the warnings of a sync")?,
            failure,
            options: read(self.options, "the options of a sync")?,
        })
    }
}

/// Returns the lines of every table, each with its table before it.
fn lines(report: &LoadReport, of: impl Fn(&TableReport) -> &Vec<String>) -> Vec<String> {
    let line = |table: &TableReport, line: &String| format!("{}: {line}", table.table);
    report
        .tables
        .iter()
        .flat_map(|table| of(table).iter().map(move |text| line(table, text)))
        .collect()
}

/// Both databases count in i64; no sync has more rows.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|_| StoreError::Stored { what: "a report" })
}

fn read<T: DeserializeOwned>(value: Value, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|_| StoreError::Stored { what })
}
