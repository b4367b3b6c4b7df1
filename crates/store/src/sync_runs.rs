//! The history of syncs: one row for each sync that ended, whatever its end.

mod rows;

use crate::error::StoreError;
use crate::jobs::{Failure, JobEnd};
use crate::paging::{Listed, Paging};
use crate::transactions::{Mode, Tx};
use domain::{JobId, JobState, LoadId, LoadReport, SourceName, Timestamp};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use security::Implies;
use security::permissions::{SourceSync, SourceView};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Sources whose latest sync one call returns; a project has tens.
const SOURCES_MAX: u64 = 10_000;

/// A sync that ended, to be remembered.
#[derive(Debug, Clone)]
pub struct NewSyncRun {
    pub job: JobId,
    pub source: SourceName,
    pub load_id: Option<LoadId>,
    pub started_at: Timestamp,
    pub end: JobEnd,
    /// What was changed; empty when nothing was.
    pub report: LoadReport,
    /// What the user should know beyond the tables' own warnings.
    pub warnings: Vec<String>,
    /// What it was asked to do, in words that hold no secret.
    pub options: Map<String, Value>,
}

/// A sync that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRun {
    pub job: JobId,
    pub source: SourceName,
    pub load_id: Option<LoadId>,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: JobState,
    pub rows_inserted: u64,
    pub rows_updated: u64,
    pub rows_deleted: u64,
    pub report: LoadReport,
    /// One line for each change of a column, with its table before it.
    pub schema_changes: Vec<String>,
    /// The tables' warnings, each with its table before it, and the run's own.
    pub warnings: Vec<String>,
    pub failure: Option<Failure>,
    pub options: Map<String, Value>,
}

/// Remembers a sync; the transaction's time is its end. It belongs into the transaction that finishes its job.
pub async fn create<P: Implies<SourceSync>>(tx: &Tx<P>, run: NewSyncRun) -> Result<(), StoreError> {
    let row = rows::write(tx.next_id(), tx.at(), run)?;
    rows::Entity::insert(row)
        .exec_without_returning(tx.link())
        .await?;
    Ok(())
}

/// Returns the syncs of `source`, or of all sources, newest first.
pub async fn list<P: Implies<SourceView>, M: Mode>(
    tx: &Tx<P, M>,
    source: Option<&SourceName>,
    paging: Paging,
) -> Result<Listed<SyncRun>, StoreError> {
    let mut rows = rows::Entity::find();
    if let Some(source) = source {
        rows = rows.filter(rows::Column::Source.eq(source.as_str()));
    }
    let total = rows.clone().count(tx.link()).await?;
    let found = rows
        .order_by_desc(rows::Column::StartedAtUs)
        .order_by_desc(rows::Column::Id)
        .limit(paging.limit)
        .offset(paging.offset)
        .all(tx.link())
        .await?;
    let items = found
        .into_iter()
        .map(rows::Model::read)
        .collect::<Result<_, _>>()?;
    Ok(Listed { items, total })
}

/// Returns the latest sync of each source.
pub async fn list_latest<P: Implies<SourceView>, M: Mode>(
    tx: &Tx<P, M>,
) -> Result<BTreeMap<SourceName, SyncRun>, StoreError> {
    let newest = Query::select()
        .column(rows::Column::Source)
        .expr_as(
            Expr::col(rows::Column::StartedAtUs).max(),
            Alias::new("newest"),
        )
        .from(rows::Entity)
        .group_by_col(rows::Column::Source)
        .take();
    let key = Expr::tuple([
        Expr::col(rows::Column::Source),
        Expr::col(rows::Column::StartedAtUs),
    ]);
    let found = rows::Entity::find()
        .filter(key.in_subquery(newest))
        .order_by_asc(rows::Column::Id)
        .limit(SOURCES_MAX)
        .all(tx.link())
        .await?;
    // Of two that started in the same microsecond the later id wins.
    found
        .into_iter()
        .map(|row| row.read().map(|run| (run.source.clone(), run)))
        .collect()
}
