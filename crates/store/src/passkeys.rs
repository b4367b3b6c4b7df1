//! Passkeys: public keys whose private halves stay in people's devices. What they prove is checked in `security::passkeys`;
//! here is whose they are, and that a copied one is noticed.

mod rows;

use crate::dialect;
use crate::error::StoreError;
use crate::second_factors::{EnrolsFactors, ProvesFactors, RemovesFactors, settle};
use crate::transactions::{Mode, Tx};
use crate::users::{self, User};
use crate::ways_in::{keep_one, own};
use domain::{PasskeyId, Timestamp, UserId};
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use security::permissions::{AccountEnrol, AccountManage, AccountSecure, AccountView};
use security::{Implies, Permission};

/// Passkeys of one user; a person has a handful of devices.
pub const PASSKEYS_MAX: u64 = 20;
/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 100;

/// A passkey as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    pub id: PasskeyId,
    pub owner: UserId,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// A passkey with what is needed to check an answer of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPasskey {
    pub id: PasskeyId,
    pub owner: UserId,
    /// Its public key, as `security::passkeys` wrote it.
    pub credential: String,
}

/// A passkey to keep.
#[derive(Debug, Clone)]
pub struct NewPasskey {
    pub name: String,
    /// Its id, in base64.
    pub credential_id: String,
    pub credential: String,
    pub counter: u32,
}

/// What became of the use of a passkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    Noted,
    /// Its counter did not grow: somebody may have copied the device, and it is not to be believed.
    Replayed,
    /// It was removed meanwhile.
    Missing,
}

/// Something that reads passkeys to check an answer, or not to register one twice.
pub trait ReadsPasskeys: Permission {}
impl<P: ProvesFactors> ReadsPasskeys for P {}
impl ReadsPasskeys for AccountEnrol {}
impl ReadsPasskeys for AccountSecure {}

/// Keeps a passkey of `owner`.
pub async fn create<P: EnrolsFactors>(
    tx: &Tx<P>,
    owner: UserId,
    new: NewPasskey,
) -> Result<Passkey, StoreError> {
    own(tx, owner)?;
    if count(tx, owner).await? >= PASSKEYS_MAX {
        return Err(StoreError::PasskeysTooMany { max: PASSKEYS_MAX });
    }
    // Looked up first: on Postgres a failed statement ends the transaction, and nothing could be said about it.
    let same = Entity::find().filter(Column::CredentialId.eq(new.credential_id.as_str()));
    if same.count(tx.link()).await? > 0 {
        return Err(StoreError::PasskeyTaken);
    }
    let row = ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(owner.as_uuid().into()),
        name: Set(cut(&new.name)),
        credential_id: Set(new.credential_id),
        credential: Set(new.credential),
        counter: Set(new.counter.into()),
        created_at_us: Set(tx.at().as_micros()),
        last_used_at_us: Set(None),
    };
    let made = Entity::insert(row).exec_with_returning(tx.link()).await;
    let made = made.map_err(|error| {
        if dialect::is_duplicate(&error) {
            StoreError::PasskeyTaken
        } else {
            error.into()
        }
    })?;
    settle(tx, owner).await?;
    tx.detail("passkey_id", made.id.0.to_string());
    Ok(made.read())
}

/// Returns the passkeys of `owner`, newest first.
pub async fn list<P: Implies<AccountView>, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<Vec<Passkey>, StoreError> {
    own(tx, owner)?;
    let rows = of(owner).all(tx.link()).await?;
    Ok(rows.into_iter().map(rows::Model::read).collect())
}

/// Returns the passkeys of `owner` with their public keys, newest first.
pub async fn list_stored<P: ReadsPasskeys, M: Mode>(
    tx: &Tx<P, M>,
    owner: UserId,
) -> Result<Vec<StoredPasskey>, StoreError> {
    own(tx, owner)?;
    let rows = of(owner).all(tx.link()).await?;
    Ok(rows.into_iter().map(rows::Model::read_stored).collect())
}

/// Returns the passkey of this credential id with its owner, who may be deactivated or deleted.
pub async fn find_by_credential<P: ProvesFactors, M: Mode>(
    tx: &Tx<P, M>,
    credential_id: &str,
) -> Result<Option<(StoredPasskey, User)>, StoreError> {
    let row = Entity::find()
        .filter(Column::CredentialId.eq(credential_id))
        .one(tx.link())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    own(tx, UserId::new(row.user_id.0))?;
    let owner = users::Entity::find_by_id(row.user_id.0)
        .one(tx.link())
        .await?;
    owner
        .map(|owner| Ok((row.read_stored(), owner.read()?)))
        .transpose()
}

/// Notes that a passkey was used: its counter is now `counter`, and `credential` what is known of it. A key that counts must
/// have counted on (`WebAuthn` §7.2, step 22); one that does not count says 0 each time.
pub async fn used<P: ProvesFactors>(
    tx: &Tx<P>,
    id: PasskeyId,
    counter: u32,
    credential: &str,
) -> Result<Used, StoreError> {
    let Some(row) = Entity::find_by_id(id.as_uuid()).one(tx.link()).await? else {
        return Ok(Used::Missing);
    };
    own(tx, UserId::new(row.user_id.0))?;
    let counter = i64::from(counter);
    let has_grown = match counter {
        0 => Column::Counter.eq(0),
        _ => Column::Counter.lt(counter),
    };
    let noted = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(has_grown)
        .col_expr(Column::Counter, Expr::val(counter))
        .col_expr(Column::Credential, Expr::val(credential))
        .col_expr(Column::LastUsedAtUs, Expr::val(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    tx.detail("passkey_id", id.to_string());
    if noted.rows_affected == 1 {
        return Ok(Used::Noted);
    }
    tx.detail("counter_stored", row.counter);
    tx.detail("counter_shown", counter);
    Ok(Used::Replayed)
}

/// Gives a passkey of `owner` another name; `None` when he has none of this id.
pub async fn rename<P: Implies<AccountManage>>(
    tx: &Tx<P>,
    owner: UserId,
    id: PasskeyId,
    name: &str,
) -> Result<Option<Passkey>, StoreError> {
    own(tx, owner)?;
    let renamed = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::UserId.eq(owner.to_string()))
        .col_expr(Column::Name, Expr::val(cut(name)))
        .exec_with_returning(tx.link())
        .await?;
    tx.detail("passkey_id", id.to_string());
    Ok(renamed.into_iter().next().map(rows::Model::read))
}

/// Removes a passkey of `owner`; `None` when he has none of this id. Recovery codes go with the last factor.
pub async fn remove(
    tx: &Tx<AccountSecure>,
    owner: UserId,
    id: PasskeyId,
) -> Result<Option<Passkey>, StoreError> {
    own(tx, owner)?;
    let mine = Entity::find_by_id(id.as_uuid()).filter(Column::UserId.eq(owner.to_string()));
    let Some(row) = mine.one(tx.link()).await? else {
        return Ok(None);
    };
    Entity::delete_by_id(id.as_uuid()).exec(tx.link()).await?;
    keep_one(tx, owner).await?;
    settle(tx, owner).await?;
    tx.detail("passkey_id", id.to_string());
    Ok(Some(row.read()))
}

/// Removes every passkey of `user`; returns how many that were.
pub async fn remove_all<P: RemovesFactors>(tx: &Tx<P>, user: UserId) -> Result<u64, StoreError> {
    let removed = if P::MAY_LOCK_OUT {
        forget(tx, user).await?
    } else {
        own(tx, user)?;
        let removed = forget(tx, user).await?;
        keep_one(tx, user).await?;
        removed
    };
    settle(tx, user).await?;
    tx.detail("passkeys", removed);
    Ok(removed)
}

/// Returns how many passkeys `user` has.
pub(crate) async fn count<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<u64, StoreError> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .count(tx.link())
        .await?)
}

pub(crate) async fn forget<P: Permission>(tx: &Tx<P>, user: UserId) -> Result<u64, StoreError> {
    let deleted = Entity::delete_many()
        .filter(Column::UserId.eq(user.to_string()))
        .exec(tx.link())
        .await?;
    Ok(deleted.rows_affected)
}

fn of(owner: UserId) -> sea_orm::Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(owner.to_string()))
        .order_by_desc(Column::CreatedAtUs)
        .order_by_desc(Column::Id)
        .limit(PASSKEYS_MAX)
}

fn cut(name: &str) -> String {
    name.trim().chars().take(NAME_CHARS_MAX).collect()
}
