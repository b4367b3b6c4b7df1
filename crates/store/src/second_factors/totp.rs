//! Authenticator apps: set up, shown to work, used, taken away.

use super::rows::{secret, setup};
use super::{EnrolsFactors, ProvesFactors, recovery_codes, sealing, settle};
use crate::error::StoreError;
use crate::transactions::{Mode, Tx};
use crate::ways_in::own;
use domain::{Timestamp, UserId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use security::Permission;
use security::passwords::PasswordHash;
use security::permissions::AccountSecure;
use security::totp::TotpSecret;
use std::time::Duration;
use uuid::Uuid;

/// An authenticator app in use.
pub struct Totp {
    pub secret: TotpSecret,
    pub enabled_at: Timestamp,
    /// The step of the last code that was taken: a code is good after it.
    pub last_step: u64,
}

/// Which set-up it is: another one of the same user has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TotpSetupId(Uuid);

/// A secret that an app was shown, and has not shown yet to have.
pub struct TotpSetup {
    pub id: TotpSetupId,
    pub secret: TotpSecret,
    pub expires_at: Timestamp,
}

/// A new secret, with the recovery codes that are shown beside it.
pub struct NewTotp<'a> {
    pub secret: &'a TotpSecret,
    pub codes: &'a [PasswordHash],
}

/// Keeps `new` for `lasts`, until the user shows that his app has it; an earlier set-up is void. What is in use stays so until
/// then: an app, and recovery codes.
pub async fn begin_totp<P: EnrolsFactors>(
    tx: &Tx<P>,
    user: UserId,
    new: NewTotp<'_>,
    lasts: Duration,
) -> Result<Timestamp, StoreError> {
    own(tx, user)?;
    let lasts = i64::try_from(lasts.as_micros()).unwrap_or(i64::MAX);
    let expires_at_us = tx.at().as_micros().saturating_add(lasts);
    let row = setup::ActiveModel {
        user_id: Set(user.as_uuid().into()),
        setup_id: Set(tx.next_id().into()),
        secret: Set(sealing::seal(new.secret).expose().clone()),
        expires_at_us: Set(expires_at_us),
        code_hashes: Set(Some(joined(new.codes))),
    };
    let replace = OnConflict::column(setup::Column::UserId)
        .update_columns([
            setup::Column::SetupId,
            setup::Column::Secret,
            setup::Column::ExpiresAtUs,
            setup::Column::CodeHashes,
        ])
        .to_owned();
    setup::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(tx.link())
        .await?;
    Ok(Timestamp::from_micros(expires_at_us))
}

/// Returns the set-up that `user` has begun, while it lasts.
pub async fn find_totp_setup<P: EnrolsFactors, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<Option<TotpSetup>, StoreError> {
    own(tx, user)?;
    let row = setup::Entity::find_by_id(user.as_uuid())
        .filter(setup::Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .one(tx.link())
        .await?;
    row.map(|row| {
        Ok(TotpSetup {
            id: TotpSetupId(row.setup_id.0),
            secret: sealing::open(row.secret)?,
            expires_at: Timestamp::from_micros(row.expires_at_us),
        })
    })
    .transpose()
}

/// Puts the app of this set-up to use, whose code of `step` was right; that code is used up with it. The recovery codes that
/// were shown with the app take the place of those before. Returns whether the set-up was still there: of many at once one is.
pub async fn enable_totp<P: EnrolsFactors>(
    tx: &Tx<P>,
    user: UserId,
    id: TotpSetupId,
    step: u64,
) -> Result<bool, StoreError> {
    own(tx, user)?;
    let mine = setup::Entity::find_by_id(user.as_uuid())
        .filter(setup::Column::SetupId.eq(id.0.to_string()))
        .filter(setup::Column::ExpiresAtUs.gt(tx.at().as_micros()));
    let Some(row) = mine.one(tx.link()).await? else {
        return Ok(false);
    };
    let taken = setup::Entity::delete_many()
        .filter(setup::Column::UserId.eq(user.to_string()))
        .filter(setup::Column::SetupId.eq(id.0.to_string()))
        .exec(tx.link())
        .await?;
    if taken.rows_affected != 1 {
        return Ok(false);
    }
    if let Some(codes) = &row.code_hashes {
        recovery_codes::replace_recovery_codes(tx, user, &split(codes)).await?;
    }
    let enabled = secret::ActiveModel {
        user_id: Set(user.as_uuid().into()),
        secret: Set(row.secret),
        enabled_at_us: Set(tx.at().as_micros()),
        last_step: Set(stored(step)),
    };
    let replace = OnConflict::column(secret::Column::UserId)
        .update_columns([
            secret::Column::Secret,
            secret::Column::EnabledAtUs,
            secret::Column::LastStep,
        ])
        .to_owned();
    secret::Entity::insert(enabled)
        .on_conflict(replace)
        .exec_without_returning(tx.link())
        .await?;
    settle(tx, user).await?;
    Ok(true)
}

/// Returns the app that `user` has in use.
pub async fn find_totp<P: ProvesFactors, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<Option<Totp>, StoreError> {
    own(tx, user)?;
    let row = secret::Entity::find_by_id(user.as_uuid())
        .one(tx.link())
        .await?;
    row.map(|row| {
        Ok(Totp {
            secret: sealing::open(row.secret)?,
            enabled_at: Timestamp::from_micros(row.enabled_at_us),
            last_step: u64::try_from(row.last_step).unwrap_or(0),
        })
    })
    .transpose()
}

/// Uses the code of `step` up, which was right. Returns whether it was the first of this step or a later one: of many at once
/// one is.
pub async fn use_step<P: ProvesFactors>(
    tx: &Tx<P>,
    user: UserId,
    step: u64,
) -> Result<bool, StoreError> {
    own(tx, user)?;
    let used = secret::Entity::update_many()
        .filter(secret::Column::UserId.eq(user.to_string()))
        .filter(secret::Column::LastStep.lt(stored(step)))
        .col_expr(secret::Column::LastStep, Expr::val(stored(step)))
        .exec(tx.link())
        .await?;
    Ok(used.rows_affected == 1)
}

/// Takes the app of `user` out of use; returns whether there was one. Recovery codes go with the last factor.
pub async fn disable_totp(tx: &Tx<AccountSecure>, user: UserId) -> Result<bool, StoreError> {
    own(tx, user)?;
    let had_one = forget(tx, user).await?;
    settle(tx, user).await?;
    Ok(had_one)
}

/// Deletes the app and the set-up of `user`.
pub(super) async fn forget<P: Permission>(tx: &Tx<P>, user: UserId) -> Result<bool, StoreError> {
    setup::Entity::delete_by_id(user.as_uuid())
        .exec(tx.link())
        .await?;
    let deleted = secret::Entity::delete_by_id(user.as_uuid())
        .exec(tx.link())
        .await?;
    Ok(deleted.rows_affected == 1)
}

/// A hash has no space in it.
fn joined(codes: &[PasswordHash]) -> String {
    let codes: Vec<_> = codes.iter().map(PasswordHash::as_str).collect();
    codes.join(" ")
}

fn split(codes: &str) -> Vec<PasswordHash> {
    let codes = codes.split_whitespace().map(str::to_owned);
    codes.map(PasswordHash::from_stored).collect()
}

/// Steps are counted since 1970 and do not reach the end of `i64`.
fn stored(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
