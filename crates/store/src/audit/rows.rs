//! The table `audit_log` as it is stored.

use super::{AuditRow, Phase};
use crate::error::StoreError;
use domain::{Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_log")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub seq: Option<i64>,
    pub prev_hash: Option<String>,
    pub hash: Option<String>,
    pub created_at_us: i64,
    pub event: String,
    pub event_type: String,
    pub dango_version: String,
    /// Text, because sea-orm 2.0.4 cannot read an empty `TextUuid`.
    pub user_id: Option<String>,
    pub actor: String,
    pub permission: String,
    pub target: Option<String>,
    pub request_id: TextUuid,
    pub effect_id: Option<String>,
    pub phase: Option<String>,
    pub event_data: Option<Json>,
    pub email: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// Further personal values, by name.
    pub personal: Option<Json>,
    /// The salts of all personal values, by name.
    pub salts: Option<Json>,
    /// What stands for the personal values in the chain, by name.
    pub commitments: Option<Json>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Result<AuditRow, StoreError> {
        let erased = self.erased();
        let phase = match self.phase.as_deref() {
            None => None,
            Some("intent") => Some(Phase::Intent),
            Some("outcome") => Some(Phase::Outcome),
            Some(_) => {
                return Err(StoreError::Stored {
                    what: "the phase of an audit row",
                });
            }
        };
        let effect = self.effect_id.map(|id| Uuid::parse_str(&id)).transpose();
        let effect = effect.map_err(|_| StoreError::Stored {
            what: "the effect of an audit row",
        })?;
        let details = object(self.event_data)?;
        let personal = object(self.personal)?;
        let user = self.user_id.as_deref().map(Uuid::parse_str).transpose();
        let user = user.map_err(|_| StoreError::Stored {
            what: "the user of an audit row",
        })?;
        Ok(AuditRow {
            id: self.id.0,
            seq: self.seq,
            created_at: Timestamp::from_micros(self.created_at_us),
            event: self.event,
            event_type: self.event_type,
            actor: self.actor,
            permission: self.permission,
            target: self.target,
            request: self.request_id.0,
            effect: effect.zip(phase),
            details,
            user: user.map(UserId::new),
            email: self.email,
            ip: self.ip,
            user_agent: self.user_agent,
            personal,
            erased,
            previous: self.prev_hash,
            hash: self.hash,
            dango_version: self.dango_version,
        })
    }

    /// Returns the names of values that the chain knows and the row has no more.
    fn erased(&self) -> Vec<String> {
        let known = self.commitments.as_ref().and_then(Value::as_object);
        let values = self.personal_values();
        let names = known.into_iter().flatten().map(|(name, _)| name);
        names
            .filter(|name| !values.contains_key(*name))
            .cloned()
            .collect()
    }
}

fn object(json: Option<Value>) -> Result<Map<String, Value>, StoreError> {
    match json {
        None => Ok(Map::new()),
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(StoreError::Stored {
            what: "the details of an audit row",
        }),
    }
}
