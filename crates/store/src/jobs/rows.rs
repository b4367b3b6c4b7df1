//! The table `jobs` as it is stored.

use super::{Failure, Job, JobKind, Owner};
use crate::error::StoreError;
use domain::{JobId, JobState, LoadId, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub kind: String,
    pub target: String,
    pub state: String,
    pub actor: String,
    pub permission: String,
    pub request_id: TextUuid,
    pub idempotency_key: Option<String>,
    pub load_id: Option<String>,
    pub options: Json,
    pub attempt: i32,
    pub created_at_us: i64,
    pub started_at_us: Option<i64>,
    pub heartbeat_at_us: Option<i64>,
    pub cancel_asked_at_us: Option<i64>,
    pub ended_at_us: Option<i64>,
    pub owner_pid: Option<i64>,
    pub owner_started: Option<i64>,
    pub owner_boot: Option<String>,
    pub progress: Option<Json>,
    pub error_code: Option<String>,
    pub error_text: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Result<Job, StoreError> {
        let bad = |what| StoreError::Stored { what };
        let owner = match (self.owner_pid, self.owner_started, self.owner_boot) {
            (Some(pid), Some(started), Some(boot)) => {
                let pid = u32::try_from(pid).map_err(|_| bad("the owner of a job"))?;
                Some(Owner { pid, started, boot })
            }
            _ => None,
        };
        let Value::Object(options) = self.options else {
            return Err(bad("the options of a job"));
        };
        let failure = self.error_code.map(|code| Failure {
            code,
            text: self.error_text.unwrap_or_default(),
        });
        Ok(Job {
            id: JobId::new(self.id.0),
            kind: JobKind::from_stored(&self.kind).ok_or(bad("the kind of a job"))?,
            target: self.target,
            state: JobState::from_stored(&self.state).ok_or(bad("the state of a job"))?,
            actor: self.actor,
            permission: self.permission,
            load_id: self.load_id.map(LoadId::from_stored),
            options,
            attempt: u32::try_from(self.attempt).map_err(|_| bad("the attempt of a job"))?,
            created_at: Timestamp::from_micros(self.created_at_us),
            started_at: self.started_at_us.map(Timestamp::from_micros),
            heartbeat_at: self.heartbeat_at_us.map(Timestamp::from_micros),
            ended_at: self.ended_at_us.map(Timestamp::from_micros),
            is_cancel_asked: self.cancel_asked_at_us.is_some(),
            owner,
            progress: self.progress,
            failure,
        })
    }
}
