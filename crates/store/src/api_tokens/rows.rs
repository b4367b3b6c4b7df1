//! The table `api_tokens` as it is stored.

use super::ApiToken;
use crate::error::StoreError;
use domain::{Timestamp, TokenId, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use serde_json::Value;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub user_id: TextUuid,
    pub name: String,
    pub token_prefix: String,
    pub token_hash: String,
    pub scopes: Option<Json>,
    pub networks: Option<Json>,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Result<ApiToken, StoreError> {
        Ok(ApiToken {
            id: TokenId::new(self.id.0),
            owner: UserId::new(self.user_id.0),
            name: self.name,
            prefix: self.token_prefix,
            scopes: texts(self.scopes)?,
            networks: texts(self.networks)?,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
        })
    }
}

/// A list that cannot be read must not count as no list: the token would open more than it was made for.
fn texts(stored: Option<Value>) -> Result<Option<Vec<String>>, StoreError> {
    let what = "the limits of an API token";
    stored
        .map(|value| serde_json::from_value(value).map_err(|_| StoreError::Stored { what }))
        .transpose()
}
