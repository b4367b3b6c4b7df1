//! The table `device_sign_ins` as it is stored.

use super::{State, Waiting};
use crate::error::StoreError;
use domain::{Timestamp, UserId};
use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "device_sign_ins")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_hash: String,
    pub code_hash: String,
    pub name: String,
    pub scopes: Json,
    pub days: i32,
    pub ip: Option<String>,
    pub state: String,
    /// Text, because sea-orm 2.0.4 cannot read an empty `TextUuid`.
    pub user_id: Option<String>,
    pub created_at_us: i64,
    pub expires_at_us: i64,
    pub polled_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let what = "the state of a program's sign-in";
        State::from_stored(&self.state).ok_or(StoreError::Stored { what })
    }

    pub(super) fn approver(&self) -> Result<Option<UserId>, StoreError> {
        let id = self.user_id.as_deref().map(Uuid::parse_str).transpose();
        let id = id.map_err(|_| StoreError::Stored {
            what: "who let a program in",
        })?;
        Ok(id.map(UserId::new))
    }

    /// A list that cannot be read must not count as no list: the token would open more than was asked.
    pub(super) fn read(self) -> Result<Waiting, StoreError> {
        let what = "what a program asks for";
        Ok(Waiting {
            name: self.name,
            scopes: serde_json::from_value(self.scopes).map_err(|_| StoreError::Stored { what })?,
            days: u32::try_from(self.days).map_err(|_| StoreError::Stored { what })?,
            ip: self.ip,
            created_at: Timestamp::from_micros(self.created_at_us),
            expires_at: Timestamp::from_micros(self.expires_at_us),
        })
    }
}
