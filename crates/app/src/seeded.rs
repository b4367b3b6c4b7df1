//! Property tests that try the same cases in every run.

use proptest::test_runner::{Config, RngSeed};

/// Returns the configuration every property test uses: a fixed seed, and no files left behind.
pub(crate) fn cases() -> Config {
    Config {
        rng_seed: RngSeed::Fixed(42),
        failure_persistence: None,
        ..Config::default()
    }
}
