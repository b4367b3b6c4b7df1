//! Failures that are counted, so that guessing ends: of passwords, codes and links.
//!
//! A failure is counted *before* the guess is looked at, in a transaction of its own; a right guess clears the counter
//! afterwards. Many guesses at once therefore cannot get past the limit together.

mod rows;

use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Mode, Tx, who};
use domain::Timestamp;
use rows::{ActiveModel, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use security::permissions::{
    AccountEnrol, AccountPassword, AccountProve, AccountSecure, FollowLink, SignIn, UsersManage,
    UsersView,
};
use security::tokens::TokenHash;
use security::{Allow, Implies, Permission};
use std::time::Duration;

/// Counters of one account that a look takes in.
const ROWS_MAX: u64 = 500;
/// How long a counter is kept after its last failure; every limit forgets sooner.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// How many guesses there are, and what comes after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub failures_max: u32,
    /// How long nothing more is tried after that.
    pub locked_for: Duration,
    /// Failures are forgotten when none came for so long.
    pub forgotten_after: Duration,
}

/// What guesses are counted by.
#[derive(Debug, Clone)]
pub struct Counter {
    /// What is guessed at, and from where.
    pub key: TokenHash,
    /// What is guessed at: an admin unlocks it as a whole.
    pub account: TokenHash,
    pub limit: Limit,
}

/// What became of the wish to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may be tried; it counts as a failure until it is cleared.
    Go {
        /// Guesses that are left after this one.
        left: u32,
    },
    Locked {
        until: Timestamp,
    },
}

/// Something that lets people guess.
pub trait CountsAttempts: Permission {}
impl CountsAttempts for SignIn {}
impl CountsAttempts for FollowLink {}
impl CountsAttempts for AccountEnrol {}
impl CountsAttempts for AccountPassword {}
impl CountsAttempts for AccountProve {}
impl CountsAttempts for AccountSecure {}

/// Something that forgets failures.
pub trait ClearsAttempts: Permission {}
impl<P: CountsAttempts> ClearsAttempts for P {}
impl ClearsAttempts for UsersManage {}

impl Store {
    /// Counts a guess at each of `counters`, or at none of them when the limit of one has been met. It leaves no audit row: how
    /// the guess ends does.
    pub async fn begin_attempt<P: CountsAttempts>(
        &self,
        allow: &Allow<P>,
        counters: &[Counter],
    ) -> Result<Attempt, StoreError> {
        self.write(who(allow), None, async |tx: Tx<P>| {
            purge(&tx).await?;
            for counter in counters {
                if let Some(until) = locked_until(&tx, &counter.key).await? {
                    return Ok(Attempt::Locked { until });
                }
            }
            let mut left = u32::MAX;
            for counter in counters {
                left = left.min(count(&tx, counter).await?);
            }
            Ok(Attempt::Go { left })
        })
        .await
    }
}

/// Returns until when nothing may be tried at `key`.
async fn locked_until<P: Permission>(
    tx: &Tx<P>,
    key: &TokenHash,
) -> Result<Option<Timestamp>, StoreError> {
    let row = Entity::find_by_id(key.as_str()).one(tx.link()).await?;
    let until = row.and_then(|row| row.locked_until_us);
    Ok(until
        .filter(|until| tx.at().as_micros() < *until)
        .map(Timestamp::from_micros))
}

/// Counts a guess that is not locked; returns how many are left.
async fn count<P: Permission>(tx: &Tx<P>, counter: &Counter) -> Result<u32, StoreError> {
    let (key, limit) = (&counter.key, counter.limit);
    let now = tx.at().as_micros();
    let row = Entity::find_by_id(key.as_str()).one(tx.link()).await?;
    // What was locked is over, and what is long past is forgotten: counting starts anew.
    let forgotten = micros(limit.forgotten_after);
    let before = row
        .filter(|row| row.locked_until_us.is_none() && now < row.updated_at_us + forgotten)
        .map_or(0, |row| row.failures);
    let failures = before.saturating_add(1);
    let failures_max = i32::try_from(limit.failures_max).unwrap_or(i32::MAX);
    let locked_until = (failures >= failures_max).then(|| now + micros(limit.locked_for));
    let counted = ActiveModel {
        key: Set(key.as_str().to_owned()),
        account: Set(counter.account.as_str().to_owned()),
        failures: Set(failures),
        locked_until_us: Set(locked_until),
        updated_at_us: Set(now),
    };
    let replace = OnConflict::column(Column::Key)
        .update_columns([Column::Failures, Column::LockedUntilUs, Column::UpdatedAtUs])
        .to_owned();
    Entity::insert(counted)
        .on_conflict(replace)
        .exec_without_returning(tx.link())
        .await?;
    Ok(u32::try_from(failures_max.saturating_sub(failures)).unwrap_or(0))
}

/// Forgets the failures at `key`: the guess was right, or an admin says so.
pub async fn clear<P: ClearsAttempts>(tx: &Tx<P>, key: &TokenHash) -> Result<(), StoreError> {
    Entity::delete_by_id(key.as_str()).exec(tx.link()).await?;
    Ok(())
}

/// How things stand at an account: the most failures from anywhere, and until when it is locked for somebody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    pub count: u32,
    pub locked_until: Option<Timestamp>,
}

/// Returns how things stand at `account`.
pub async fn find<P: Implies<UsersView>, M: Mode>(
    tx: &Tx<P, M>,
    account: &TokenHash,
) -> Result<Failures, StoreError> {
    let rows = Entity::find()
        .filter(Column::Account.eq(account.as_str()))
        .order_by_desc(Column::UpdatedAtUs)
        .limit(ROWS_MAX)
        .all(tx.link())
        .await?;
    let count = rows.iter().map(|row| row.failures).max().unwrap_or(0);
    let locked = rows.iter().filter_map(|row| row.locked_until_us).max();
    Ok(Failures {
        count: u32::try_from(count).unwrap_or(0),
        locked_until: locked
            .filter(|until| tx.at().as_micros() < *until)
            .map(Timestamp::from_micros),
    })
}

/// Forgets every failure at `account`, wherever it came from; returns how many counters that were.
pub async fn unlock(tx: &Tx<UsersManage>, account: &TokenHash) -> Result<u64, StoreError> {
    let unlocked = Entity::delete_many()
        .filter(Column::Account.eq(account.as_str()))
        .exec(tx.link())
        .await?;
    Ok(unlocked.rows_affected)
}

/// Deletes the counters that count no more: whoever guesses at names nobody has cannot fill the disk.
async fn purge<P: Permission>(tx: &Tx<P>) -> Result<(), StoreError> {
    let now = tx.at().as_micros();
    let is_open = Condition::any()
        .add(Column::LockedUntilUs.is_null())
        .add(Column::LockedUntilUs.lt(now));
    Entity::delete_many()
        .filter(Column::UpdatedAtUs.lt(now - micros(KEPT_FOR)))
        .filter(is_open)
        .exec(tx.link())
        .await?;
    Ok(())
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
