//! The audit log: who did what, with which permission, in which request. A row is written by the commit of the transaction
//! it tells of, and never changed; `seq` and the hashes are filled in later, in commit order, by one sequencer.

mod rows;

use crate::error::StoreError;
use crate::paging::{Listed, Paging};
use crate::store::Store;
use crate::transactions::{Act, DETAILS_BYTES_MAX, Mode, Tx, Who};
use domain::Timestamp;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use security::permissions::AuditView;
use security::{Actor, Event, Implies, Permission, RequestId};
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
    pub created_at: Timestamp,
    pub event: String,
    pub event_type: String,
    pub actor: String,
    pub permission: String,
    pub target: Option<String>,
    pub request: Uuid,
    /// The effect outside the database that the row begins or ends.
    pub effect: Option<(Uuid, Phase)>,
    pub details: Map<String, Value>,
}

/// Which rows of the audit log are wanted; an empty filter takes all.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub event: Option<Event>,
    /// Rows of this instant and later.
    pub since: Option<Timestamp>,
    pub request: Option<RequestId>,
}

/// Returns the rows that `filter` takes, newest first.
pub async fn list<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    filter: &AuditFilter,
    paging: Paging,
) -> Result<Listed<AuditRow>, StoreError> {
    let mut rows = rows::Entity::find();
    if let Some(event) = filter.event {
        rows = rows.filter(rows::Column::Event.eq(event.as_str()));
    }
    if let Some(since) = filter.since {
        rows = rows.filter(rows::Column::CreatedAtUs.gte(since.as_micros()));
    }
    if let Some(request) = filter.request {
        rows = rows.filter(rows::Column::RequestId.eq(request.to_string()));
    }
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

impl Store {
    /// Writes down that `actor` was refused the permission `P`.
    pub async fn record_denial<P: Permission>(
        &self,
        actor: &Actor,
        request: RequestId,
        target: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut act = Act::new(Event::PermissionDenied);
        act.target = target.map(str::to_owned);
        // Nobody was allowed in: the transaction is never handed out.
        self.write(
            Who {
                actor: actor.clone(),
                request,
            },
            Some(act),
            async |_: Tx<P>| Ok(()),
        )
        .await
    }
}

/// Adds the row of `act` to the transaction that did it.
pub(crate) async fn append<P: Permission>(tx: &Tx<P>, act: &Act) -> Result<(), StoreError> {
    let details = Value::Object(act.details.clone());
    if details.to_string().len() > DETAILS_BYTES_MAX {
        return Err(StoreError::DetailsTooLong {
            bytes_max: DETAILS_BYTES_MAX,
        });
    }
    let (user, client) = (tx.actor().user(), tx.actor().client());
    let row = rows::ActiveModel {
        id: Set(tx.next_id().into()),
        created_at_us: Set(tx.at().as_micros()),
        event: Set(act.event.as_str().to_owned()),
        event_type: Set(act.event.kind().to_owned()),
        dango_version: Set(env!("CARGO_PKG_VERSION").to_owned()),
        actor: Set(tx.actor().audit_name()),
        permission: Set(P::NAME.to_owned()),
        target: Set(act.target.clone()),
        request_id: Set(tx.request().as_uuid().into()),
        effect_id: Set(act.effect.map(|(id, _)| id.to_string())),
        phase: Set(act.effect.map(|(_, phase)| phase.as_str().to_owned())),
        event_data: Set((!act.details.is_empty()).then_some(details)),
        user_id: Set(user.map(|user| user.id.to_string())),
        email: Set(user.map(|user| user.email.as_str().to_owned())),
        ip: Set(client.and_then(|client| client.ip).map(|ip| ip.to_string())),
        user_agent: Set(client.and_then(|client| client.user_agent.clone())),
        ..Default::default()
    };
    rows::Entity::insert(row)
        .exec_without_returning(tx.link())
        .await?;
    Ok(())
}
