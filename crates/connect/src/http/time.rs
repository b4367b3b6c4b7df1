//! Time for whoever waits: the clock and a sleeper, both parameters, so that a test of an hour's back-off takes no time.

use domain::{Clock, Timestamp};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The future of a [`Sleeper`].
pub type Sleeping<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Waits.
pub trait Sleeper: Send + Sync {
    /// Returns after `duration`.
    fn sleep(&self, duration: Duration) -> Sleeping<'_>;
}

/// Really waits.
struct TokioSleeper;

impl Sleeper for TokioSleeper {
    fn sleep(&self, duration: Duration) -> Sleeping<'_> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The clock and the sleeper that belong together.
#[derive(Clone)]
pub struct Time {
    clock: Arc<dyn Clock>,
    sleeper: Arc<dyn Sleeper>,
}

impl Time {
    /// Returns the time of `clock`, in which waiting really waits.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_sleeper(clock, Arc::new(TokioSleeper))
    }

    /// Returns the time of `clock`, in which waiting is `sleeper`'s business.
    pub fn with_sleeper(clock: Arc<dyn Clock>, sleeper: Arc<dyn Sleeper>) -> Self {
        Self { clock, sleeper }
    }

    /// Returns the current instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        if !duration.is_zero() {
            self.sleeper.sleep(duration).await;
        }
    }
}

impl From<Arc<dyn Clock>> for Time {
    fn from(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock)
    }
}
