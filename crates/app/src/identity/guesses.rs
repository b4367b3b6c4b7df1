//! Guesses at secrets that people choose: counted before they are looked at, so that however many arrive at once no more than
//! the limit are tried. What is counted is the same whether or not the account exists.

use super::Identity;
use crate::{App, Error, Result};
use domain::{Code, Timestamp, say};
use security::tokens::TokenHash;
use security::{Allow, Client};
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::time::Duration;
use store::attempts::{self, Attempt, ClearsAttempts, Counter, CountsAttempts, Limit};
use store::{StoreError, Tx};
use tokio::sync::{Mutex, MutexGuard};

/// How many networks may use up their guesses at one account before everybody waits: whoever guesses from many addresses is
/// slowed down. A device that has signed in before is not held up by it, so that strangers cannot lock a person out.
const NETWORKS_MAX: u32 = 20;
/// Failures are forgotten when none came for so long.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Accounts that guess beside each other; others now and then wait for a stranger.
const TURNS: usize = 256;

/// Who guesses at an account waits for whoever guesses there: a guess counts as a failure until it proved right, and right ones at the
/// same time would lock each other out. The same for accounts that do not exist.
pub(crate) struct Turns {
    hasher: RandomState,
    turns: Vec<Mutex<()>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            turns: (0..TURNS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Turns {
    /// Waits for the turn of `account`; it lasts until what is returned is dropped.
    pub(crate) async fn wait(&self, account: &str) -> Option<MutexGuard<'_, ()>> {
        let hash = self.hasher.hash_one(account) % TURNS as u64;
        let turn = self.turns.get(usize::try_from(hash).ok()?)?;
        Some(turn.lock().await)
    }
}

/// A series of guesses at one account.
pub(crate) struct Guesses {
    counters: Vec<Counter>,
    locked_for: Duration,
}

impl Guesses {
    /// Returns the series at the sign-in of `email`. A device the account knows is counted by its network alone.
    pub(crate) fn at_account(
        identity: &Identity,
        email: &str,
        client: &Client,
        is_known_device: bool,
    ) -> Self {
        Self::at(identity, "account", email, client, is_known_device)
    }

    /// Returns the series at links of the kind `what`.
    pub(crate) fn at(
        identity: &Identity,
        what: &str,
        whose: &str,
        client: &Client,
        is_known_device: bool,
    ) -> Self {
        let config = &identity.config;
        let limit = |failures_max| Limit {
            failures_max,
            locked_for: config.locked_for,
            forgotten_after: FORGOTTEN_AFTER,
        };
        let network = client.ip.map_or_else(|| "nowhere".to_owned(), network);
        let account = account_hash(whose);
        let mut counters = vec![Counter {
            key: TokenHash::of(&format!("{what}\0{whose}\0{network}")),
            account: account.clone(),
            limit: limit(config.failures_max),
        }];
        if !is_known_device {
            counters.push(Counter {
                key: TokenHash::of(&format!("{what}\0{whose}")),
                account,
                limit: limit(config.failures_max.saturating_mul(NETWORKS_MAX)),
            });
        }
        Self {
            counters,
            locked_for: config.locked_for,
        }
    }

    /// Counts a guess as a failure until it is cleared; returns how many are left after it. An account that is locked is an
    /// error, the same for one that does not exist.
    pub(crate) async fn begin<P: CountsAttempts>(
        &self,
        app: &App,
        allow: &Allow<P>,
    ) -> Result<u32> {
        match app.store.begin_attempt(allow, &self.counters).await? {
            Attempt::Go { left } => Ok(left),
            Attempt::Locked { until } => Err(locked(app, until)),
        }
    }

    /// Forgets the failures: the guess was right.
    pub(crate) async fn clear<P: ClearsAttempts>(&self, tx: &Tx<P>) -> Result<(), StoreError> {
        for counter in &self.counters {
            attempts::clear(tx, &counter.key).await?;
        }
        Ok(())
    }

    /// Returns the error of the last failure that was allowed.
    pub(crate) fn now_locked(&self, app: &App) -> Error {
        let locked_for = i64::try_from(self.locked_for.as_micros()).unwrap_or(i64::MAX);
        let until = app.clock.now().as_micros().saturating_add(locked_for);
        locked(app, Timestamp::from_micros(until))
    }
}

/// Returns what an admin unlocks.
pub(crate) fn account_hash(email: &str) -> TokenHash {
    TokenHash::of(&format!("account\0{email}"))
}

fn locked(app: &App, until: Timestamp) -> Error {
    let left = until
        .as_micros()
        .saturating_sub(app.clock.now().as_micros());
    let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1_000_000).max(1);
    let say = say!(
        "too many failures: the account is locked for ",
        seconds,
        " seconds"
    );
    Error::locked(Code::AccountLocked, say)
        .hint("wait, or ask an admin to unlock it")
        .retry_after(seconds)
}

/// Returns the network an address belongs to: one host by IPv4, a customer's /64 by IPv6.
pub(crate) fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
