//! Second factors: the secret of an authenticator app, and recovery codes. Passkeys are beside them, in
//! [`passkeys`].
//!
//! A code is compared outside of transactions; that it counts once is decided inside, by compare-and-set.

mod recovery_codes;
mod rows;
mod sealing;
mod totp;

pub use recovery_codes::{
    RecoveryCode, list_recovery_codes, replace_recovery_codes, take_recovery_code,
};
pub use totp::{
    NewTotp, Totp, TotpSetup, TotpSetupId, begin_totp, disable_totp, enable_totp, find_totp,
    find_totp_setup, use_step,
};

use crate::error::StoreError;
use crate::passkeys;
use crate::transactions::{Mode, Tx};
use crate::users;
use crate::ways_in::{keep_one, own};
use domain::{Timestamp, UserId};
use rows::secret;
use sea_orm::EntityTrait;
use security::Permission;
use security::permissions::{
    AccountEnrol, AccountManage, AccountProve, AccountSecure, AccountView, Authenticate, SignIn,
    UsersManage, UsersView,
};

/// Which second factors somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SecondFactors {
    /// Since when an authenticator app is in use.
    pub totp_enabled_at: Option<Timestamp>,
    pub passkeys: u64,
    pub recovery_codes_left: u64,
}

impl SecondFactors {
    /// Returns whether there is one to ask for. Recovery codes alone are none.
    pub const fn has_one(&self) -> bool {
        self.totp_enabled_at.is_some() || self.passkeys > 0
    }
}

/// Something that may know which second factors there are.
pub trait SeesFactors: Permission {}
impl SeesFactors for Authenticate {}
impl SeesFactors for SignIn {}
impl SeesFactors for AccountProve {}
impl SeesFactors for AccountView {}
impl SeesFactors for AccountManage {}
impl SeesFactors for AccountEnrol {}
impl SeesFactors for AccountSecure {}
impl SeesFactors for UsersView {}
impl SeesFactors for UsersManage {}

/// Something that shows who somebody is by a second factor.
pub trait ProvesFactors: Permission {}
impl ProvesFactors for SignIn {}
impl ProvesFactors for AccountProve {}

/// Something that gives oneself a second factor.
pub trait EnrolsFactors: Permission {}
impl EnrolsFactors for AccountEnrol {}
impl EnrolsFactors for AccountSecure {}

/// Something that takes second factors away: one's own, or anybody's.
pub trait RemovesFactors: SeesFactors {
    /// Whether it may leave somebody without a way in: an admin can make him a link, he himself could not.
    const MAY_LOCK_OUT: bool;
}
impl RemovesFactors for AccountSecure {
    const MAY_LOCK_OUT: bool = false;
}
impl RemovesFactors for UsersManage {
    const MAY_LOCK_OUT: bool = true;
}

/// Returns which second factors `user` has.
pub async fn find<P: SeesFactors, M: Mode>(
    tx: &Tx<P, M>,
    user: UserId,
) -> Result<SecondFactors, StoreError> {
    let secret = secret::Entity::find_by_id(user.as_uuid())
        .one(tx.link())
        .await?;
    Ok(SecondFactors {
        totp_enabled_at: secret.map(|row| Timestamp::from_micros(row.enabled_at_us)),
        passkeys: passkeys::count(tx, user).await?,
        recovery_codes_left: recovery_codes::count(tx, user).await?,
    })
}

/// Takes every second factor of `user` away, his passkeys too: he has lost them, or somebody else has them. Sessions are the
/// caller's business.
pub async fn remove_all<P: RemovesFactors>(
    tx: &Tx<P>,
    user: UserId,
) -> Result<SecondFactors, StoreError> {
    if !P::MAY_LOCK_OUT {
        own(tx, user)?;
    }
    let before = find(tx, user).await?;
    totp::forget(tx, user).await?;
    recovery_codes::forget(tx, user).await?;
    passkeys::forget(tx, user).await?;
    settle(tx, user).await?;
    if !P::MAY_LOCK_OUT {
        keep_one(tx, user).await?;
    }
    tx.detail("totp", before.totp_enabled_at.is_some());
    tx.detail("passkeys", before.passkeys);
    tx.detail("recovery_codes", before.recovery_codes_left);
    Ok(before)
}

/// Brings up to date what follows from the factors of `user`: whether he is asked for one, and recovery codes that would stand
/// in for none.
pub(crate) async fn settle<P: Permission>(tx: &Tx<P>, user: UserId) -> Result<(), StoreError> {
    let secret = secret::Entity::find_by_id(user.as_uuid())
        .one(tx.link())
        .await?;
    let has_one = secret.is_some() || passkeys::count(tx, user).await? > 0;
    if !has_one {
        recovery_codes::forget(tx, user).await?;
    }
    users::note_second_factor(tx, user, has_one).await
}
