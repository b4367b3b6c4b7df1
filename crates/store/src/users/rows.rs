//! The table `users` as it is stored.

use super::User;
use crate::error::StoreError;
use domain::{Email, Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;
use security::Role;

#[derive(Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub email: String,
    pub password_hash: Option<String>,
    pub role: String,
    pub is_active: bool,
    pub is_verified: bool,
    pub must_change_password: bool,
    pub has_second_factor: bool,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub last_login_at_us: Option<i64>,
    pub password_changed_at_us: Option<i64>,
    pub deleted_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A row holds a password's hash, which no log shows.
impl std::fmt::Debug for Model {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "User({})", self.id.0)
    }
}

impl Model {
    pub(crate) fn read(self) -> Result<User, StoreError> {
        let role = Role::from_name(&self.role).ok_or(StoreError::Stored {
            what: "the role of a user",
        })?;
        Ok(User {
            id: UserId::new(self.id.0),
            email: Email::from_stored(self.email),
            role,
            is_active: self.is_active,
            is_verified: self.is_verified,
            must_change_password: self.must_change_password,
            has_second_factor: self.has_second_factor,
            has_password: self.password_hash.is_some(),
            created_at: Timestamp::from_micros(self.created_at_us),
            updated_at: Timestamp::from_micros(self.updated_at_us),
            last_login_at: self.last_login_at_us.map(Timestamp::from_micros),
            password_changed_at: self.password_changed_at_us.map(Timestamp::from_micros),
            deleted_at: self.deleted_at_us.map(Timestamp::from_micros),
        })
    }
}
