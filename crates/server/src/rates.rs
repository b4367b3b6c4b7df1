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

/// The limits, and who has used how much of them.
pub(crate) struct Rates {
    limits: RateLimits,
    clock: Arc<dyn Clock>,
    /// When each bucket will be full again, in microseconds.
    full_at: Mutex<HashMap<Key, i64>>,
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            full_at: Mutex::new(HashMap::new()),
        }
    }

    /// Counts a request of an address.
    pub(crate) fn address(&self, ip: Option<IpAddr>) -> Result<(), Problem> {
        self.count(Key::Address(network(ip)), self.limits.api)
    }

    /// Counts a try to sign in.
    pub(crate) fn login(&self, ip: Option<IpAddr>) -> Result<(), Problem> {
        self.count(Key::Login(network(ip)), self.limits.login)
    }

    /// Counts a request of an account, whatever address it comes from.
    pub(crate) fn person(&self, person: &SignedIn) -> Result<(), Problem> {
        let key = match &person.via {
            Via::Session(_) => Key::Person(person.id.as_uuid()),
            Via::Token { id, .. } => Key::Token(id.as_uuid()),
        };
        self.count(key, self.limits.api)
    }

    fn count(&self, key: Key, rate: RateConfig) -> Result<(), Problem> {
        if !self.limits.is_on {
            return Ok(());
        }
        let now = self.clock.now().as_micros();
        let window =
            i64::try_from(rate.window_seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        let each = window / i64::try_from(rate.requests.max(1)).unwrap_or(i64::MAX);
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() > BUCKETS_MAX {
            full_at.retain(|_, at| *at > now);
        }
        if full_at.len() > BUCKETS_MAX && !full_at.contains_key(&key) {
            // More addresses at once than any team has: whoever is new waits.
            return Err(Problem::too_many(rate.window_seconds));
        }
        let at = full_at.entry(key).or_insert(now);
        let next = (*at).max(now).saturating_add(each);
        let wait = next.saturating_sub(window).saturating_sub(now);
        if wait > 0 {
            let seconds = u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000);
            return Err(Problem::too_many(seconds));
        }
        *at = next;
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
