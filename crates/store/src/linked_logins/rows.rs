//! The table `oauth_accounts` as it is stored.

use super::LinkedLogin;
use domain::{Email, LinkedLoginId, Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_accounts")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub user_id: TextUuid,
    pub oauth_name: String,
    pub issuer: String,
    pub account_id: String,
    pub account_email: Option<String>,
    pub linked_at_us: i64,
    pub last_used_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> LinkedLogin {
        LinkedLogin {
            id: LinkedLoginId::new(self.id.0),
            owner: UserId::new(self.user_id.0),
            provider: self.oauth_name,
            issuer: self.issuer,
            subject: self.account_id,
            email: self.account_email.map(Email::from_stored),
            linked_at: Timestamp::from_micros(self.linked_at_us),
            last_used_at: self.last_used_at_us.map(Timestamp::from_micros),
        }
    }
}
