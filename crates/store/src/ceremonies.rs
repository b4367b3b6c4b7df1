//! What happens between asking a browser and its answer: registering a passkey, showing one, the round trip to an identity
//! provider. What was asked stays here; the browser gets a key by which the answer finds it, once.
//!
//! Neither step leaves an audit row: anybody may begin one, and how it ends is audited by whoever ends it.

mod rows;

use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Tx, who};
use domain::Timestamp;
use rows::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use security::permissions::{AccountEnrol, AccountProve, AccountSecure, SignIn};
use security::tokens::TokenHash;
use security::{Allow, Permission, Plain};
use std::time::Duration;

/// Ceremonies of one person at a time; when he begins more, his oldest is void.
pub const OF_ONE_MAX: u64 = 8;
/// Ceremonies of everybody who has not signed in; when one more begins, the oldest is void. It takes seven a second to push
/// somebody out before his ten minutes are over, which the limits of sign-in do not let through.
pub const ANONYMOUS_MAX: u64 = 4_096;
/// What is kept of one: the public keys of twenty passkeys fit.
pub const STATE_BYTES_MAX: usize = 64 << 10;

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CeremonyKind {
    /// A passkey is registered.
    PasskeyRegistration,
    /// Somebody known shows a passkey: as second factor, or again.
    PasskeyProof,
    /// Somebody signs in with a passkey alone.
    PasskeySignIn,
    /// Somebody signs in with an identity provider.
    OauthSignIn,
    /// Somebody links his login with an identity provider.
    OauthLink,
}

impl CeremonyKind {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasskeyRegistration => "passkey_registration",
            Self::PasskeyProof => "passkey_proof",
            Self::PasskeySignIn => "passkey_sign_in",
            Self::OauthSignIn => "oauth_sign_in",
            Self::OauthLink => "oauth_link",
        }
    }

    /// Returns how long an answer may take: at a provider somebody may have to sign in first.
    pub const fn lasts(self) -> Duration {
        match self {
            Self::PasskeyRegistration | Self::PasskeyProof | Self::PasskeySignIn => {
                Duration::from_mins(5)
            }
            Self::OauthSignIn | Self::OauthLink => Duration::from_mins(10),
        }
    }
}

/// By what an answer finds its question. Both are hashes: whoever reads the database can answer nothing.
#[derive(Debug, Clone, Copy)]
pub struct CeremonyKey<'a> {
    pub kind: CeremonyKind,
    /// What the browser was given to bring back: OAuth's `state`.
    pub key: &'a TokenHash,
    /// What only the same browser has: a cookie, or its session. Without it somebody else's answer could be passed off on it.
    pub browser: &'a TokenHash,
}

/// Something in the course of which a browser is asked.
pub trait HoldsCeremonies: Permission {}
impl HoldsCeremonies for SignIn {}
impl HoldsCeremonies for AccountProve {}
impl HoldsCeremonies for AccountEnrol {}
impl HoldsCeremonies for AccountSecure {}

impl Store {
    /// Keeps `state` until the answer, and returns until when. It belongs to whoever has signed in, or to nobody.
    pub async fn begin_ceremony<P: HoldsCeremonies>(
        &self,
        allow: &Allow<P>,
        key: CeremonyKey<'_>,
        state: &Plain<String>,
    ) -> Result<Timestamp, StoreError> {
        if state.expose().len() > STATE_BYTES_MAX {
            return Err(StoreError::CeremonyTooLong {
                bytes_max: STATE_BYTES_MAX,
            });
        }
        self.write(who(allow), None, async |tx: Tx<P>| {
            purge(&tx).await?;
            make_room(&tx).await?;
            let lasts = i64::try_from(key.kind.lasts().as_micros()).unwrap_or(i64::MAX);
            let expires_at = tx.at().as_micros().saturating_add(lasts);
            let row = ActiveModel {
                key_hash: Set(key.key.as_str().to_owned()),
                kind: Set(key.kind.as_str().to_owned()),
                user_id: Set(owner(&tx)),
                browser_hash: Set(key.browser.as_str().to_owned()),
                state: Set(state.expose().clone()),
                expires_at_us: Set(expires_at),
            };
            Entity::insert(row)
                .exec_without_returning(tx.link())
                .await?;
            Ok(Timestamp::from_micros(expires_at))
        })
        .await
    }

    /// Returns what was kept, once: of many answers at once one gets it. The same person must ask from the same browser; who
    /// does not learns nothing, and takes nothing away.
    pub async fn take_ceremony<P: HoldsCeremonies>(
        &self,
        allow: &Allow<P>,
        key: CeremonyKey<'_>,
    ) -> Result<Option<Plain<String>>, StoreError> {
        self.write(who(allow), None, async |tx: Tx<P>| {
            let is_owners = match owner(&tx) {
                Some(user) => Column::UserId.eq(user),
                None => Column::UserId.is_null(),
            };
            let found = Entity::find_by_id(key.key.as_str())
                .filter(Column::Kind.eq(key.kind.as_str()))
                .filter(Column::BrowserHash.eq(key.browser.as_str()))
                .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
                .filter(is_owners)
                .one(tx.link())
                .await?;
            let Some(row) = found else {
                return Ok(None);
            };
            let taken = Entity::delete_by_id(key.key.as_str())
                .exec(tx.link())
                .await?;
            Ok((taken.rows_affected == 1).then(|| Plain::new(row.state)))
        })
        .await
    }
}

/// Returns whose ceremonies these are.
fn owner<P: Permission>(tx: &Tx<P>) -> Option<String> {
    tx.actor().user().map(|user| user.id.to_string())
}

/// Deletes what is over.
async fn purge<P: Permission>(tx: &Tx<P>) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::ExpiresAtUs.lte(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    Ok(())
}

/// Deletes the oldest of the actor's, so that one more is within the limit.
async fn make_room<P: Permission>(tx: &Tx<P>) -> Result<(), StoreError> {
    let (mine, max) = match owner(tx) {
        Some(user) => (Column::UserId.eq(user), OF_ONE_MAX),
        None => (Column::UserId.is_null(), ANONYMOUS_MAX),
    };
    let mine = Entity::find().filter(mine);
    let held = mine.clone().count(tx.link()).await?;
    let over = (held + 1).saturating_sub(max);
    if over == 0 {
        return Ok(());
    }
    let oldest = mine
        .order_by_asc(Column::ExpiresAtUs)
        .limit(over)
        .all(tx.link())
        .await?;
    for row in oldest {
        Entity::delete_by_id(row.key_hash).exec(tx.link()).await?;
    }
    Ok(())
}
