//! Programs that ask to be let in: each waits with a long code of its own, and with a short one that somebody types who is
//! signed in. Both are stored as hashes; the token is made only when the program comes for it.
//!
//! Asking and coming back leave no audit row: anybody may ask, and what is decided, and the token, are audited.

mod rows;

use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Mode, Tx, who};
use crate::users::{self, User};
use domain::{Timestamp, UserId};
use rows::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use security::Allow;
use security::permissions::{AccountSecure, DeviceSignIn};
use security::tokens::TokenHash;
use serde_json::Value;
use std::time::Duration;

/// Programs that wait at a time; when one more asks, the oldest is void. It takes seven a second to push one out before its
/// ten minutes are over, which the limits of sign-in do not let through.
pub const WAITING_MAX: u64 = 4_096;

/// How far a program has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Approved,
    Denied,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Denied => "denied",
        }
    }

    fn from_stored(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Approved, Self::Denied]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// A program that asks.
pub struct NewDevice<'a> {
    /// The long code's.
    pub device: &'a TokenHash,
    /// The short code's.
    pub code: &'a TokenHash,
    /// What it calls itself: anybody's words.
    pub name: String,
    /// Permissions it asks for.
    pub scopes: Vec<String>,
    /// Days its token is good.
    pub days: u32,
    pub lasts: Duration,
}

/// A program that waits, as whoever decides sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub name: String,
    pub scopes: Vec<String>,
    pub days: u32,
    /// Where it asked from.
    pub ip: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a program learns that comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    Waiting,
    /// It came back sooner than it was told.
    TooFast,
    Denied,
    /// The token can be made.
    Approved(Box<User>),
    /// Over, taken, or never asked.
    Unknown,
}

/// What becomes of a program that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A token of this user, narrowed to these permissions.
    Approve(UserId, Vec<String>),
    Deny,
}

impl Store {
    /// Lets a program wait; returns until when, or `None` when its short code is taken.
    pub async fn begin_device(
        &self,
        allow: &Allow<DeviceSignIn>,
        new: NewDevice<'_>,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.write(who(allow), None, async |tx: Tx<DeviceSignIn>| {
            purge(&tx).await?;
            let taken = Entity::find().filter(Column::CodeHash.eq(new.code.as_str()));
            if taken.one(tx.link()).await?.is_some() {
                return Ok(None);
            }
            let lasts = i64::try_from(new.lasts.as_micros()).unwrap_or(i64::MAX);
            let expires_at = tx.at().as_micros().saturating_add(lasts);
            let ip = tx.actor().client().and_then(|client| client.ip);
            let row = ActiveModel {
                device_hash: Set(new.device.as_str().to_owned()),
                code_hash: Set(new.code.as_str().to_owned()),
                name: Set(new.name.clone()),
                scopes: Set(Value::from(new.scopes.clone())),
                days: Set(i32::try_from(new.days).unwrap_or(i32::MAX)),
                ip: Set(ip.map(|ip| ip.to_string())),
                state: Set(State::Waiting.as_str().to_owned()),
                user_id: Set(None),
                created_at_us: Set(tx.at().as_micros()),
                expires_at_us: Set(expires_at),
                polled_at_us: Set(None),
            };
            Entity::insert(row)
                .exec_without_returning(tx.link())
                .await?;
            Ok(Some(Timestamp::from_micros(expires_at)))
        })
        .await
    }

    /// Looks how far a program has come that was told to come back after `interval`. A sign of life: it leaves no audit row.
    pub async fn poll_device(
        &self,
        allow: &Allow<DeviceSignIn>,
        device: &TokenHash,
        interval: Duration,
    ) -> Result<Polled, StoreError> {
        let interval = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        self.write(who(allow), None, async |tx: Tx<DeviceSignIn>| {
            let Some(row) = find_device(&tx, device).await? else {
                return Ok(Polled::Unknown);
            };
            let now = tx.at().as_micros();
            let is_soon = row.polled_at_us.is_some_and(|at| now < at + interval);
            Entity::update_many()
                .filter(Column::DeviceHash.eq(device.as_str()))
                .col_expr(Column::PolledAtUs, Expr::val(now))
                .exec(tx.link())
                .await?;
            if is_soon {
                return Ok(Polled::TooFast);
            }
            Ok(match row.state()? {
                State::Waiting => Polled::Waiting,
                State::Denied => Polled::Denied,
                State::Approved => match approver(&tx, &row).await? {
                    Some(user) => Polled::Approved(Box::new(user)),
                    None => Polled::Unknown,
                },
            })
        })
        .await
    }
}

/// Takes what was approved, once: of many that come at once one gets it. Whoever approved must still be one who may sign in.
pub async fn take(
    tx: &Tx<DeviceSignIn>,
    device: &TokenHash,
) -> Result<Option<(Waiting, User)>, StoreError> {
    let Some(row) = find_device(tx, device).await? else {
        return Ok(None);
    };
    if row.state()? != State::Approved {
        return Ok(None);
    }
    let owner = approver(tx, &row).await?;
    let taken = Entity::delete_by_id(device.as_str())
        .exec(tx.link())
        .await?;
    let owner = owner.filter(|_| taken.rows_affected == 1);
    owner.map(|owner| Ok((row.read()?, owner))).transpose()
}

/// Returns the program that waits with this short code, and that nobody has decided about.
pub async fn find_by_code<M: Mode>(
    tx: &Tx<AccountSecure, M>,
    code: &TokenHash,
) -> Result<Option<Waiting>, StoreError> {
    let found = Entity::find()
        .filter(Column::CodeHash.eq(code.as_str()))
        .filter(Column::State.eq(State::Waiting.as_str()))
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .one(tx.link())
        .await?;
    found.map(Model::read).transpose()
}

/// Decides about the program that waits with this short code; of many that decide at once one does. Returns whether it did.
pub async fn decide(
    tx: &Tx<AccountSecure>,
    code: &TokenHash,
    decision: Decision,
) -> Result<bool, StoreError> {
    let mut change = Entity::update_many()
        .filter(Column::CodeHash.eq(code.as_str()))
        .filter(Column::State.eq(State::Waiting.as_str()))
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()));
    change = match decision {
        Decision::Approve(user, scopes) => change
            .col_expr(Column::State, Expr::val(State::Approved.as_str()))
            .col_expr(Column::UserId, Expr::val(user.to_string()))
            .col_expr(Column::Scopes, Expr::val(Value::from(scopes))),
        Decision::Deny => change.col_expr(Column::State, Expr::val(State::Denied.as_str())),
    };
    Ok(change.exec(tx.link()).await?.rows_affected == 1)
}

async fn find_device(
    tx: &Tx<DeviceSignIn>,
    device: &TokenHash,
) -> Result<Option<Model>, StoreError> {
    Ok(Entity::find_by_id(device.as_str())
        .filter(Column::ExpiresAtUs.gt(tx.at().as_micros()))
        .one(tx.link())
        .await?)
}

/// Returns who approved, when he may still sign in.
async fn approver(tx: &Tx<DeviceSignIn>, row: &Model) -> Result<Option<User>, StoreError> {
    let Some(id) = row.approver()? else {
        return Ok(None);
    };
    let row = users::Entity::find_by_id(id.as_uuid())
        .one(tx.link())
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(row.read()?).filter(User::may_sign_in))
}

/// Deletes what is over, and the oldest when there are too many.
async fn purge(tx: &Tx<DeviceSignIn>) -> Result<(), StoreError> {
    Entity::delete_many()
        .filter(Column::ExpiresAtUs.lte(tx.at().as_micros()))
        .exec(tx.link())
        .await?;
    let held = Entity::find().count(tx.link()).await?;
    let over = (held + 1).saturating_sub(WAITING_MAX);
    if over == 0 {
        return Ok(());
    }
    let oldest = Entity::find()
        .order_by_asc(Column::ExpiresAtUs)
        .limit(over)
        .all(tx.link())
        .await?;
    for row in oldest {
        Entity::delete_by_id(row.device_hash)
            .exec(tx.link())
            .await?;
    }
    Ok(())
}
