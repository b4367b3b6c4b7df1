//! What somebody can sign in with, and whose business it is.

use crate::error::StoreError;
use crate::transactions::{Mode, Tx};
use crate::{linked_logins, passkeys, users};
use domain::UserId;
use sea_orm::EntityTrait;
use security::Permission;

/// Refuses when a person acts on an account that is not his own: it is missing, as anybody else's is. The operator, and
/// whoever has not signed in yet, name the account they mean.
pub(crate) fn own<P: Permission, M: Mode>(tx: &Tx<P, M>, user: UserId) -> Result<(), StoreError> {
    match tx.actor().user() {
        Some(me) if me.id != user => Err(StoreError::UserMissing { id: user }),
        _ => Ok(()),
    }
}

/// Refuses when `user` has neither a password nor a passkey nor a linked login any more.
pub(crate) async fn keep_one<P: Permission>(tx: &Tx<P>, user: UserId) -> Result<(), StoreError> {
    let row = users::Entity::find_by_id(user.as_uuid())
        .one(tx.link())
        .await?;
    let row = row.ok_or(StoreError::UserMissing { id: user })?;
    if row.password_hash.is_some()
        || passkeys::count(tx, user).await? > 0
        || linked_logins::count(tx, user).await? > 0
    {
        return Ok(());
    }
    Err(StoreError::LastWayIn)
}
