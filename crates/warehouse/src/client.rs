//! The warehouse as the rest of the program sees it: a handle that starts its worker when something is asked, and starts
//! another when that one has died.
//!
//! # Invariants
//! - Nothing reaches the worker without the witness of a permission.
//! - One load transaction at a time holds the writer's slot; user queries run beside it, so many at a time.
//! - When the worker dies, everything that waits for it fails with [`WarehouseError::WorkerDied`]; the next request starts a new
//!   one, which waits for the file's lock.

mod catalog;
mod compaction;
mod exports;
mod inserts;
mod link;
mod loads;
mod pending;
mod queries;

pub use compaction::CompactReport;
pub use exports::{ExportFormat, ExportReport, ExportTarget};
pub use inserts::{Inserter, PendingInsert};
pub use link::WORKER_ROLE;
pub use loads::LoadTx;
pub use queries::QueryResult;

use crate::error::WarehouseError;
use crate::settings::Settings;
use crate::wire::{Act, Outcome, Status};
use link::Link;
use pending::Pending;
use sandbox::Launcher;
use security::Allow;
use security::permissions::HealthView;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Mutex, OwnedRwLockReadGuard, RwLock, Semaphore};

/// How long whoever needs the file for itself waits for the others.
const ALONE_TIMEOUT: Duration = Duration::from_secs(30);

/// The warehouse of a project. Clones are the same warehouse; when the last is dropped without [`Warehouse::close`] the worker
/// is killed, which loses nothing that was committed.
#[derive(Clone)]
pub struct Warehouse(Arc<Inner>);

struct Inner {
    settings: Settings,
    launcher: Launcher,
    link: Mutex<Option<Arc<Link>>>,
    writer: Arc<Mutex<()>>,
    next_session: AtomicU64,
    queries: Arc<Semaphore>,
    /// Held for reading by everything that uses the worker; for writing by what must have the file for itself.
    open: Arc<RwLock<()>>,
}

impl Warehouse {
    /// Returns the warehouse with these settings; nothing is started and no file is touched yet.
    pub fn new(settings: Settings, launcher: Launcher) -> Self {
        let queries = Arc::new(Semaphore::new(settings.user_queries_max.max(1)));
        Self(Arc::new(Inner {
            settings,
            launcher,
            link: Mutex::new(None),
            writer: Arc::new(Mutex::new(())),
            next_session: AtomicU64::new(1),
            queries,
            open: Arc::new(RwLock::new(())),
        }))
    }

    /// Returns what the warehouse was opened with.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Returns the sizes of the warehouse's files and memory.
    pub async fn status(&self, _: &Allow<HealthView>) -> Result<Status, WarehouseError> {
        let _open = self.hold_open().await;
        match self.request(Act::Status, Vec::new()).await?.next().await? {
            Outcome::Status(status) => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    /// Returns the process id of the worker, when one runs: for the log, and for tests that kill it.
    pub async fn worker_pid(&self) -> Option<u32> {
        self.0
            .link
            .lock()
            .await
            .as_ref()
            .filter(|link| link.is_alive())
            .map(|link| link.pid())
    }

    /// Ends the worker when it runs: what was committed is moved into the file. Loads and queries that run are waited for, up
    /// to 30 seconds; then they are cut off.
    pub async fn close(self) -> Result<(), WarehouseError> {
        let alone = tokio::time::timeout(ALONE_TIMEOUT, async {
            (self.0.writer.lock().await, self.0.open.write().await)
        });
        let _alone = alone.await.ok();
        self.end_worker().await
    }

    async fn end_worker(&self) -> Result<(), WarehouseError> {
        let link = self.0.link.lock().await.take();
        match link {
            Some(link) if link.is_alive() => link.close().await,
            _ => Ok(()),
        }
    }

    async fn hold_open(&self) -> OwnedRwLockReadGuard<()> {
        Arc::clone(&self.0.open).read_owned().await
    }

    /// Sends a request to the worker, starting one when there is none.
    async fn request(&self, act: Act, fds: Vec<OwnedFd>) -> Result<Pending, WarehouseError> {
        let unsent = match self.link().await?.send(act, fds).await {
            Ok(pending) => return Ok(pending),
            Err(unsent) => unsent,
        };
        // It died while nobody was looking; the request never reached it.
        if !matches!(unsent.error, WarehouseError::WorkerDied { .. }) {
            return Err(unsent.error);
        }
        self.link()
            .await?
            .send(unsent.act, unsent.fds)
            .await
            .map_err(|unsent| unsent.error)
    }

    async fn link(&self) -> Result<Arc<Link>, WarehouseError> {
        let mut current = self.0.link.lock().await;
        if let Some(link) = current.as_ref().filter(|link| link.is_alive()) {
            return Ok(Arc::clone(link));
        }
        let (settings, launcher) = (self.0.settings.clone(), self.0.launcher.clone());
        let link = blocking(move || Link::start(&settings, &launcher)).await?;
        *current = Some(Arc::clone(&link));
        let (warehouse, of_task) = (Arc::downgrade(&self.0), Arc::downgrade(&link));
        tokio::spawn(end_when_idle(warehouse, of_task, self.0.settings.idle));
        Ok(link)
    }
}

/// Ends the worker behind `link` when nothing was asked of it for a while. Whoever waits for it holds `open`, so nothing is
/// cut off, and a request that comes meanwhile waits for the next worker.
async fn end_when_idle(warehouse: Weak<Inner>, link: Weak<Link>, idle: Duration) {
    let mut asked_before = None;
    loop {
        tokio::time::sleep(idle).await;
        let (Some(inner), Some(link)) = (warehouse.upgrade(), link.upgrade()) else {
            return;
        };
        let asked = link.requests();
        if asked_before.replace(asked) != Some(asked) {
            continue;
        }
        let Ok(alone) = Arc::clone(&inner.open).try_write_owned() else {
            continue;
        };
        drop(link);
        if let Err(error) = Warehouse(inner).end_worker().await {
            tracing::warn!(%error, "the idle worker did not end as it should");
        }
        drop(alone);
        return;
    }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WarehouseError> + Send + 'static,
) -> Result<T, WarehouseError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(WarehouseError::Bug(error.to_string())))
}

fn unexpected(outcome: &Outcome) -> WarehouseError {
    WarehouseError::Bug(format!("an answer has no place here: {outcome:?}"))
}
