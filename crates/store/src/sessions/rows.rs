//! The table `sessions` as it is stored.

use super::{Session, Stage};
use crate::error::StoreError;
use domain::{SessionId, Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub user_id: TextUuid,
    pub stage: String,
    pub generation: i64,
    pub created_at_us: i64,
    pub renewed_at_us: i64,
    pub seen_at_us: i64,
    pub proven_at_us: i64,
    pub expires_at_us: i64,
    pub ended_at_us: Option<i64>,
    pub ended_because: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Result<Session, StoreError> {
        let bad = |what| StoreError::Stored { what };
        Ok(Session {
            id: SessionId::new(self.id.0),
            user: UserId::new(self.user_id.0),
            stage: Stage::from_stored(&self.stage).ok_or(bad("the stage of a session"))?,
            generation: u64::try_from(self.generation)
                .map_err(|_| bad("the generation of a session"))?,
            created_at: Timestamp::from_micros(self.created_at_us),
            renewed_at: Timestamp::from_micros(self.renewed_at_us),
            seen_at: Timestamp::from_micros(self.seen_at_us),
            proven_at: Timestamp::from_micros(self.proven_at_us),
            expires_at: Timestamp::from_micros(self.expires_at_us),
            ended_at: self.ended_at_us.map(Timestamp::from_micros),
            ip: self.ip,
            user_agent: self.user_agent,
        })
    }
}
