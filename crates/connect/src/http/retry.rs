//! How long to wait before asking again.

use chrono::DateTime;
use domain::Timestamp;
use std::time::Duration;

/// The first wait; each further one is twice as long.
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// No wait of our own choice is longer.
const BACKOFF_MAX: Duration = Duration::from_mins(1);

/// Seeded randomness, so that clients that failed together do not come back together, and a test knows what comes.
#[derive(Debug, Clone)]
pub(crate) struct Jitter(u64);

impl Jitter {
    /// Returns the sequence of `seed`.
    pub(crate) fn new(seed: &str) -> Self {
        let digest = blake3::hash(seed.as_bytes());
        Self(
            digest
                .as_bytes()
                .iter()
                .take(8)
                .fold(0, |seed, byte| (seed << 8) | u64::from(*byte)),
        )
    }

    /// Returns the next number below `limit` (splitmix64).
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit.max(1)
    }
}

/// Returns the wait before retry number `retry` (from 0): half of it fixed, half drawn.
pub(crate) fn backoff(retry: u32, jitter: &mut Jitter) -> Duration {
    let full = BACKOFF_FIRST
        .saturating_mul(2_u32.saturating_pow(retry))
        .min(BACKOFF_MAX);
    let half = u64::try_from(full.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half + jitter.below(half + 1))
}

/// Returns the wait that a `Retry-After` header asks for (RFC 9110 §10.2.3): seconds, or a date.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    let micros = date.timestamp_micros() - now.as_micros();
    Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_below_the_cap() {
        let mut jitter = Jitter::new("x");
        for (retry, full) in [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (60, 60)] {
            for _ in 0..50 {
                let wait = backoff(retry, &mut jitter).as_millis();
                assert!(
                    (full * 500..=full * 1000).contains(&wait),
                    "{retry}: {wait}"
                );
            }
        }
        let draw = || backoff(3, &mut Jitter::new("y"));
        assert_eq!(draw(), draw());
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let now = Timestamp::from_micros(1_445_412_480_000_000);
        let check = |value: &str, expect: Option<u64>| {
            assert_eq!(
                retry_after(value, now).map(|wait| wait.as_secs()),
                expect,
                "{value}"
            );
        };
        check("7", Some(7));
        check(" 0 ", Some(0));
        check("Wed, 21 Oct 2015 07:29:00 GMT", Some(60));
        check("Wed, 21 Oct 2015 07:27:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }
}
