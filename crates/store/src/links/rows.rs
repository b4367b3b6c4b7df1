//! The table `links` as it is stored.

use super::Link;
use crate::error::StoreError;
use domain::{Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    /// Text, because sea-orm 2.0.4 cannot read an empty `TextUuid`.
    pub user_id: Option<String>,
    pub kind: String,
    pub token_hash: String,
    pub created_at_us: i64,
    pub expires_at_us: i64,
    pub used_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Result<Link, StoreError> {
        let user = self.user_id.map(|id| Uuid::parse_str(&id)).transpose();
        let user = user.map_err(|_| StoreError::Stored {
            what: "the user of a link",
        })?;
        Ok(Link {
            user: user.map(UserId::new),
            expires_at: Timestamp::from_micros(self.expires_at_us),
        })
    }
}
