//! How often one address, and one account, may ask: a bucket each that refills steadily (GCRA), getdango's numbers.

use crate::problem::Problem;
use app::config::project::{RateConfig, RateLimits};
use domain::Clock;
use security::{SignedIn, Via};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Whoever has not asked for a while is forgotten when there are more than this; memory stays bounded.
const BUCKETS_MAX: usize = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Login(IpAddr),
    Person(Uuid),
    Token(Uuid),
}

/// A request that is too much.
pub(crate) struct Limited {
    pub(crate) problem: Problem,
    /// Whether it is the first of its window: one of them is written down, the others are not.
    pub(crate) is_news: bool,
}

/// What somebody may still ask.
struct Bucket {
    /// When it will be full again, in microseconds.
    full_at: i64,
    /// When somebody was last told that it is empty.
    told_at: Option<i64>,
}

/// The limits, and who has used how much of them.
pub(crate) struct Rates {
    limits: RateLimits,
    clock: Arc<dyn Clock>,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a request of an address.
    pub(crate) fn address(&self, ip: Option<IpAddr>) -> Result<(), Limited> {
        self.count(Key::Address(network(ip)), self.limits.api)
    }

    /// Counts a try to sign in.
    pub(crate) fn login(&self, ip: Option<IpAddr>) -> Result<(), Limited> {
        self.count(Key::Login(network(ip)), self.limits.login)
    }

    /// Counts a request of an account, whatever address it comes from.
    pub(crate) fn person(&self, person: &SignedIn) -> Result<(), Limited> {
        let key = match &person.via {
            Via::Session(_) => Key::Person(person.id.as_uuid()),
            Via::Token { id, .. } => Key::Token(id.as_uuid()),
        };
        self.count(key, self.limits.api)
    }

    fn count(&self, key: Key, rate: RateConfig) -> Result<(), Limited> {
        if !self.limits.is_on {
            return Ok(());
        }
        let now = self.clock.now().as_micros();
        let window =
            i64::try_from(rate.window_seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let each = window / i64::try_from(rate.requests.max(1)).unwrap_or(i64::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > BUCKETS_MAX {
            buckets.retain(|_, bucket| bucket.full_at > now);
        }
        if buckets.len() > BUCKETS_MAX && !buckets.contains_key(&key) {
            // More addresses at once than any team has: whoever is new waits.
            return Err(Limited {
                problem: Problem::too_many(rate.window_seconds),
                is_news: false,
            });
        }
        let bucket = buckets.entry(key).or_insert(Bucket {
            full_at: now,
            told_at: None,
        });
        let next = bucket.full_at.max(now).saturating_add(each);
        let wait = next.saturating_sub(window).saturating_sub(now);
        if wait > 0 {
            let seconds = u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000);
            let told_at = bucket
                .told_at
                .filter(|at| now.abs_diff(*at) < window.unsigned_abs());
            let is_news = told_at.is_none();
            bucket.told_at = told_at.or(Some(now));
            return Err(Limited {
                problem: Problem::too_many(seconds),
                is_news,
            });
        }
        bucket.full_at = next;
        Ok(())
    }
}

/// One customer of a provider has a whole /64 of IPv6 to ask from.
fn network(ip: Option<IpAddr>) -> IpAddr {
    match ip.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use std::sync::atomic::{AtomicI64, Ordering};

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn a_bucket_empties_and_refills_for_each_address_alone() {
        let clock = Arc::new(Hand(AtomicI64::new(1_000_000)));
        let rates = Rates::new(RateLimits::default(), Arc::clone(&clock) as Arc<dyn Clock>);
        let (one, other) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
        let good = |ip| (0..100).take_while(|_| rates.login(ip).is_ok()).count();
        assert_eq!(good(one), 10);
        assert_eq!(good(other), 10);
        clock.0.fetch_add(6_000_000, Ordering::Relaxed);
        assert_eq!(good(one), 1);
        clock.0.fetch_add(60_000_000, Ordering::Relaxed);
        assert_eq!(good(one), 10);
        let (a, b) = ("2001:db8::1".parse().ok(), "2001:db8::ffff:1".parse().ok());
        assert_eq!((good(a), good(b)), (10, 0));
    }
}
