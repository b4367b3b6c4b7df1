//! What every request works with: the project, who knows people, the limits, what runs in the background.

use crate::clients::Proxies;
use crate::hosts::Hosts;
use crate::local::Local;
use crate::rates::Rates;
use crate::syncs::Syncs;
use app::{App, Cancel};
use domain::Timestamp;
use std::sync::Arc;

/// The state of the server. Clones are the same server.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

/// What a [`Server`] holds.
pub struct Inner {
    pub(crate) app: Arc<App>,
    pub(crate) hosts: Hosts,
    pub(crate) proxies: Proxies,
    pub(crate) rates: Rates,
    /// Set when it was started while sign-in was off.
    pub(crate) local: Option<Local>,
    /// Origins of DAP's clients that may read answers.
    pub(crate) origins: crate::cors::Origins,
    pub(crate) syncs: Syncs,
    /// Set once the server stops: streams end, syncs reach their next safe point.
    pub(crate) stopping: Cancel,
    /// Held for reading by work that is done to its end, and for writing by whoever stops the server.
    pub(crate) busy: Arc<tokio::sync::RwLock<()>>,
    pub(crate) started_at: Timestamp,
    /// Where it listens, for people and for `dango status`.
    pub(crate) addresses: Vec<String>,
}

impl Server {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Does what nobody waits for, such as sending mail; a server that stops lets it come to its end.
    pub(crate) fn do_later(&self, work: impl Future<Output = ()> + Send + 'static) {
        // While the server stops it may be had no more: the work is done as far as there is time.
        let busy = Arc::clone(&self.0.busy).try_read_owned().ok();
        tokio::spawn(async move {
            work.await;
            drop(busy);
        });
    }

    /// Returns the project.
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.0.app
    }

    /// Returns how people at the machine are known, as long as sign-in is off.
    pub(crate) fn local(&self) -> Option<&Local> {
        let local = self.0.local.as_ref();
        local.filter(|_| Local::is_on(&self.0.app.project))
    }
}

impl std::ops::Deref for Server {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
