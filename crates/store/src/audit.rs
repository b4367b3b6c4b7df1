//! The audit log: who did what, with which permission, in which request. A row is written by the commit of the transaction
//! it tells of, and never changed; `seq` and the hashes are filled in later, in commit order, by one sequencer. Only its
//! personal values may be erased.

mod chain;
mod checkpoints;
mod entry;
mod erase;
mod recorder;
mod rows;

pub use chain::{Head, list_chained};
pub use checkpoints::list_checkpoints;
pub use erase::erase_person;
pub(crate) use recorder::Recorder;

use crate::error::StoreError;
use crate::paging::{Listed, Paging};
use crate::transactions::{Act, Mode, Tx};
use crate::users;
use domain::{Email, Timestamp, UserId};
use entry::Entry;
use sea_orm::sea_query::{Condition, Expr, ExprTrait as _, Func};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
};
use security::permissions::AuditView;
use security::{Event, Implies, Permission, RequestId};
use serde_json::{Map, Value};
use uuid::Uuid;

/// Which end of an effect outside the database a row tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It is about to happen.
    Intent,
    /// It happened, or did not.
    Outcome,
}

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
        }
    }
}

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    pub id: Uuid,
    /// The place in the order of commits; empty until the row is sequenced.
    pub seq: Option<i64>,
    pub previous: Option<String>,
    pub hash: Option<String>,
    pub created_at: Timestamp,
    pub event: String,
    pub event_type: String,
    pub dango_version: String,
    pub actor: String,
    pub permission: String,
    pub target: Option<String>,
    pub request: Uuid,
    /// The effect outside the database that the row begins or ends.
    pub effect: Option<(Uuid, Phase)>,
    pub details: Map<String, Value>,
    pub user: Option<UserId>,
    pub email: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub personal: Map<String, Value>,
    /// The names of personal values that were erased.
    pub erased: Vec<String>,
}

/// Which rows of the audit log are wanted; an empty filter takes all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub event: Option<Event>,
    /// The event's other name.
    pub event_type: Option<String>,
    /// What the event's other name begins with.
    pub event_type_prefix: Option<String>,
    /// Rows of this instant and later.
    pub since: Option<Timestamp>,
    /// Rows of this instant and earlier.
    pub until: Option<Timestamp>,
    pub request: Option<RequestId>,
    pub user: Option<UserId>,
    /// Rows that name this address, or are of the user who has it now.
    pub email: Option<Email>,
}

/// Returns the rows that have their place, after `seq` and in order; at most `limit`.
pub async fn list_sequenced<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    seq: i64,
    limit: u64,
) -> Result<Vec<AuditRow>, StoreError> {
    let found = chain::after(tx, seq, limit).await?;
    found.into_iter().map(rows::Model::read).collect()
}

impl AuditFilter {
    fn condition(&self) -> Condition {
        use rows::Column;
        let text = |column: Column, value: Option<&str>| value.map(|value| column.eq(value));
        Condition::all()
            .add_option(text(Column::Event, self.event.map(Event::as_str)))
            .add_option(text(Column::EventType, self.event_type.as_deref()))
            .add_option(self.event_type_prefix.as_deref().map(|prefix| {
                // Not `starts_with`: `%` and `_` in a prefix are themselves.
                Expr::expr(Func::cust("substr").args([
                    Expr::col(Column::EventType),
                    Expr::val(1),
                    Expr::val(i32::try_from(prefix.chars().count()).unwrap_or(i32::MAX)),
                ]))
                .eq(prefix)
            }))
            .add_option(
                self.since
                    .map(|since| Column::CreatedAtUs.gte(since.as_micros())),
            )
            .add_option(
                self.until
                    .map(|until| Column::CreatedAtUs.lte(until.as_micros())),
            )
            .add_option(
                self.request
                    .map(|request| Column::RequestId.eq(request.to_string())),
            )
            .add_option(self.user.map(|user| Column::UserId.eq(user.to_string())))
            .add_option(self.email.as_ref().map(|email| {
                let has_it = users::Entity::find()
                    .select_only()
                    .column(users::Column::Id)
                    .filter(users::Column::Email.eq(email.as_str()))
                    .into_query();
                Condition::any()
                    .add(Column::Email.eq(email.as_str()))
                    .add(Column::UserId.in_subquery(has_it))
            }))
    }
}

/// Returns the rows that `filter` takes, newest first.
pub async fn list<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    filter: &AuditFilter,
    paging: Paging,
) -> Result<Listed<AuditRow>, StoreError> {
    let rows = rows::Entity::find().filter(filter.condition());
    let total = rows.clone().count(tx.link()).await?;
    let found = rows
        .order_by_desc(rows::Column::CreatedAtUs)
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

/// Adds the row of `act` to the transaction that did it.
pub(crate) async fn append<P: Permission>(tx: &Tx<P>, act: Act) -> Result<(), StoreError> {
    let entry = Entry {
        id: tx.next_id(),
        at: tx.at(),
        who: tx.who().clone(),
        permission: P::NAME,
        act,
    };
    entry.check()?;
    rows::Entity::insert(entry.into_row())
        .exec_without_returning(tx.link())
        .await?;
    Ok(())
}
