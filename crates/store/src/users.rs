//! The people of the team.
//!
//! There is always an admin who can sign in, once there was one: whatever would take the last one away is refused, in the
//! transaction that would do it.

mod rows;
mod steps;

pub(crate) use rows::{Column, Entity};
pub(crate) use steps::note_second_factor;
pub use steps::{
    accept_invite, clear_password, create, create_viewer, deactivate, delete, erase, promote,
    reactivate, register, reset_hash, restore, set_email, set_password, set_role, signed_in,
};

use crate::error::StoreError;
use crate::paging::{Listed, Paging};
use crate::transactions::{Mode, Tx};
use domain::{Email, Timestamp, UserId};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use security::passwords::PasswordHash;
use security::permissions::{
    AccountEnrol, AccountPassword, AccountProve, AccountSecure, AccountView, FollowLink, SignIn,
    UsersView,
};
use security::{Implies, Permission, Role};

/// A person of the team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub role: Role,
    pub is_active: bool,
    /// Whether somebody has shown that mail to the address reaches him.
    pub is_verified: bool,
    pub must_change_password: bool,
    /// Whether he shows something beside his password. The transactions that change his factors keep it.
    pub has_second_factor: bool,
    /// Whether he has a password; an invited user has none yet.
    pub has_password: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    pub password_changed_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

impl User {
    /// Returns whether he may sign in.
    pub const fn may_sign_in(&self) -> bool {
        self.is_active && self.deleted_at.is_none()
    }
}

/// A user to create.
pub struct NewUser {
    pub email: Email,
    pub role: Role,
    pub password: Option<PasswordHash>,
    pub must_change_password: bool,
    pub is_verified: bool,
}

/// Which users are wanted; the empty filter leaves the deleted ones out.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserFilter {
    pub include_deleted: bool,
}

/// Something that finds a user by his address before it is known who asks.
pub trait FindsByEmail: Permission {}
impl FindsByEmail for SignIn {}
impl FindsByEmail for FollowLink {}
impl FindsByEmail for security::permissions::UsersManage {}
impl FindsByEmail for AccountView {}
impl FindsByEmail for security::permissions::AccountManage {}
impl FindsByEmail for AccountSecure {}

/// Returns the user of this id, deleted or not.
pub async fn find<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    id: UserId,
) -> Result<Option<User>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid()).one(tx.link()).await?;
    row.map(rows::Model::read).transpose()
}

/// Returns the user of this address with his password's hash, deleted or not.
pub async fn find_by_email<P: FindsByEmail, M: Mode>(
    tx: &Tx<P, M>,
    email: &Email,
) -> Result<Option<(User, Option<PasswordHash>)>, StoreError> {
    let row = Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .one(tx.link())
        .await?;
    row.map(|row| {
        let hash = row.password_hash.clone().map(PasswordHash::from_stored);
        Ok((row.read()?, hash))
    })
    .transpose()
}

/// Returns the user a link belongs to.
pub async fn find_by_link<M: Mode>(
    tx: &Tx<FollowLink, M>,
    id: UserId,
) -> Result<Option<User>, StoreError> {
    let row = Entity::find_by_id(id.as_uuid()).one(tx.link()).await?;
    row.map(rows::Model::read).transpose()
}

/// Returns whether somebody's password is still kept as getdango kept it.
pub async fn has_bcrypt<M: Mode>(tx: &Tx<SignIn, M>) -> Result<bool, StoreError> {
    let old = Entity::find().filter(Column::PasswordHash.starts_with("$2"));
    Ok(old.limit(1).count(tx.link()).await? > 0)
}

/// Something that compares a password with one's own.
pub trait ChecksPassword: Permission {}
impl ChecksPassword for AccountEnrol {}
impl ChecksPassword for AccountPassword {}
impl ChecksPassword for AccountProve {}
impl ChecksPassword for AccountSecure {}

/// Returns the hash of one's own password; without one there is none to compare with.
pub async fn find_own_hash<P: ChecksPassword, M: Mode>(
    tx: &Tx<P, M>,
    me: UserId,
) -> Result<Option<PasswordHash>, StoreError> {
    let row = Entity::find_by_id(me.as_uuid()).one(tx.link()).await?;
    let hash = row.and_then(|row| row.password_hash);
    Ok(hash.map(PasswordHash::from_stored))
}

/// Something that sees one's own row.
pub trait SeesOneself: Permission {}
impl SeesOneself for AccountView {}
impl SeesOneself for AccountProve {}
impl SeesOneself for AccountSecure {}

/// Returns one's own row.
pub async fn find_own<P: SeesOneself, M: Mode>(
    tx: &Tx<P, M>,
    me: UserId,
) -> Result<Option<User>, StoreError> {
    let row = Entity::find_by_id(me.as_uuid()).one(tx.link()).await?;
    row.map(rows::Model::read).transpose()
}

/// Returns whether there is an admin who may sign in.
pub async fn has_admin<P: Permission, M: Mode>(tx: &Tx<P, M>) -> Result<bool, StoreError> {
    Ok(steps::admins().count(tx.link()).await? > 0)
}

/// Returns whether there is an admin, also one who may not sign in any more.
pub async fn had_admin<P: Permission, M: Mode>(tx: &Tx<P, M>) -> Result<bool, StoreError> {
    let admins = Entity::find().filter(Column::Role.eq(Role::Admin.as_str()));
    Ok(admins.count(tx.link()).await? > 0)
}

/// Returns the admin who may sign in, when there is exactly one.
pub async fn find_only_admin<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
) -> Result<Option<User>, StoreError> {
    let admins = steps::admins().limit(2).all(tx.link()).await?;
    match admins.as_slice() {
        [only] => only.clone().read().map(Some),
        _ => Ok(None),
    }
}

/// Returns the users that `filter` takes, newest first.
pub async fn list<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    filter: UserFilter,
    paging: Paging,
) -> Result<Listed<User>, StoreError> {
    let mut users = Entity::find();
    if !filter.include_deleted {
        users = users.filter(Column::DeletedAtUs.is_null());
    }
    let total = users.clone().count(tx.link()).await?;
    let found = users
        .order_by_desc(Column::CreatedAtUs)
        .order_by_desc(Column::Id)
        .limit(paging.limit)
        .offset(paging.offset)
        .all(tx.link())
        .await?;
    let items = found
        .into_iter()
        .map(rows::Model::read)
        .collect::<Result<_, _>>()?;
    Ok(Listed { items, total })
}
