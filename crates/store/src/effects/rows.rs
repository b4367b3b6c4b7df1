//! The table `effects` as it is stored.

use super::Effect;
use crate::error::StoreError;
use crate::jobs::Owner;
use domain::Timestamp;
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use security::Event;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "effects")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub event: String,
    pub permission: String,
    pub target: Option<String>,
    pub started_at_us: i64,
    pub owner_pid: i64,
    pub owner_started: i64,
    pub owner_boot: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn owner(&self) -> Option<Owner> {
        let pid = u32::try_from(self.owner_pid).ok()?;
        Some(Owner {
            pid,
            started: self.owner_started,
            boot: self.owner_boot.clone(),
        })
    }

    pub(super) fn read(self) -> Result<Effect, StoreError> {
        let event = Event::from_stored(&self.event).ok_or(StoreError::Stored {
            what: "the event of an effect",
        })?;
        let started_at = Timestamp::from_micros(self.started_at_us);
        Ok(Effect {
            id: self.id.0,
            event,
            target: self.target,
            started_at,
        })
    }
}
