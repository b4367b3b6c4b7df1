//! Recovery codes: hashes, each good once.

use super::rows::code::{ActiveModel, Column, Entity};
use super::{EnrolsFactors, ProvesFactors};
use crate::error::StoreError;
use crate::transactions::{Mode, Tx};
use crate::ways_in::own;
use domain::{RecoveryCodeId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use security::Permission;
use security::passwords::PasswordHash;
use security::recovery_codes::COUNT;

/// A code that is not used yet.
#[derive(Debug, Clone)]
pub struct RecoveryCode {
    pub id: RecoveryCodeId,
    pub hash: PasswordHash,
}

/// Gives `user` these codes instead of those he had.
pub async fn replace_recovery_codes<P: EnrolsFactors>(
    tx: &Tx<P>,
    user: UserId,
    hashes: &[PasswordHash],
) -> Result<(), StoreError> {
    own(tx, user)?;
    forget(tx, user).await?;
    let rows = hashes.iter().map(|hash| ActiveModel {
        id: Set(tx.next_id().into()),
        user_id: Set(user.as_uuid().into()),
        code_hash: Set(hash.as_str().to_owned()),
        created_at_us: Set(tx.at().as_micros()),
        used_at_us: Set(None),
    });
    for row in rows {
        Entity::insert(row)
            .exec_without_returning(tx.link())
            .await?;
    }
    tx.detail("codes", hashes.len());
    Ok(())
}

/// Returns the codes that `user` has left. They are compared outside of any transaction: each takes as long as a password.
pub async fn list_recovery_codes<P: ProvesFactors, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<Vec<RecoveryCode>, StoreError> {
    own(tx, user)?;
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::UsedAtUs.is_null())
        .limit(u64::try_from(COUNT).unwrap_or(u64::MAX))
        .all(tx.link())
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| RecoveryCode {
            id: RecoveryCodeId::new(row.id.0),
            hash: PasswordHash::from_stored(row.code_hash),
        })
        .collect())
}

/// Uses a code up; returns whether it was still good: of many at once one is.
pub async fn take_recovery_code<P: ProvesFactors>(
    tx: &Tx<P>,
    user: UserId,
    id: RecoveryCodeId,
) -> Result<bool, StoreError> {
    own(tx, user)?;
    let taken = Entity::update_many()
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::UsedAtUs.is_null())
        .col_expr(Column::UsedAtUs, Expr::val(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    tx.detail("codes_left", count(tx, user).await?);
    Ok(taken.rows_affected == 1)
}

/// Returns how many codes `user` has left.
pub(super) async fn count<P: Permission, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<u64, StoreError> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user.to_string()))
        .filter(Column::UsedAtUs.is_null())
        .count(tx.link())
        .await?)
}

pub(super) async fn forget<P: Permission>(tx: &Tx<P>, user: UserId) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user.to_string()))
        .exec(tx.link())
        .await?;
    Ok(())
}
