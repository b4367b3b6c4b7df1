//! Whether the server is well: what a load balancer asks.

use crate::{App, Result};
use domain::Timestamp;
use security::Allow;
use security::permissions::Health;

/// How the server is.
#[derive(Debug, Clone, Copy)]
pub struct Wellness {
    /// The metadata database answers.
    pub is_store_reachable: bool,
    /// What it is: `sqlite` or `postgresql`.
    pub dialect: &'static str,
    pub at: Timestamp,
}

/// Returns how the server is.
pub async fn check(app: &App, allow: &Allow<Health>) -> Wellness {
    let asked: Result<(), store::StoreError> = app.store.run_read(allow, async |_| Ok(())).await;
    if let Err(error) = &asked {
        tracing::warn!(%error, "the metadata database does not answer");
    }
    Wellness {
        is_store_reachable: asked.is_ok(),
        dialect: "sqlite",
        at: app.clock.now(),
    }
}
