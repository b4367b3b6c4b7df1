//! Ids of rows: UUIDs of version 7, so that they sort by time, from a seeded source, so that tests repeat.

use domain::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Makes ids. They are unique, not secret: a token is never made here.
#[derive(Debug)]
pub struct Ids {
    streams: [AtomicU64; 2],
}

impl Ids {
    /// Returns a source whose ids depend on `seed` alone; processes that share a database need random seeds.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each stream takes its half of the seed"
    )]
    pub const fn seeded(seed: u128) -> Self {
        Self {
            streams: [
                AtomicU64::new(seed as u64),
                AtomicU64::new((seed >> 64) as u64),
            ],
        }
    }

    /// Returns the next id of a row made at `at` (RFC 9562 §5.7: milliseconds, then 74 random bits).
    pub fn next(&self, at: Timestamp) -> Uuid {
        let millis = u64::try_from(at.as_micros() / 1_000).unwrap_or(0);
        let [first, second] = self.streams.each_ref().map(step);
        let mut random = [0; 10];
        for (to, from) in random
            .iter_mut()
            .zip(first.to_le_bytes().into_iter().chain(second.to_le_bytes()))
        {
            *to = from;
        }
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// Advances one `SplitMix64` stream (Steele, Lea, Flood 2014).
fn step(state: &AtomicU64) -> u64 {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = state
        .fetch_add(GAMMA, Ordering::Relaxed)
        .wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_repeat_with_their_seed_differ_and_sort_by_time() {
        let (early, late) = (Timestamp::from_micros(5_000), Timestamp::from_micros(6_000));
        let (one, same, other) = (Ids::seeded(1 << 70), Ids::seeded(1 << 70), Ids::seeded(1));
        let first = one.next(early);
        assert_eq!(first, same.next(early));
        assert_ne!(first, other.next(early));
        assert_eq!(first.get_version_num(), 7);
        let many: HashSet<_> = (0..10_000).map(|_| one.next(early)).collect();
        assert_eq!(many.len(), 10_000);
        assert!(many.iter().all(|id| *id < one.next(late)));
    }
}
