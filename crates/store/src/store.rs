//! The open database.

use crate::audit::Recorder;
use crate::dialect::{self, Access};
use crate::error::StoreError;
use crate::file;
use crate::ids::Ids;
use crate::jobs::Owner;
use crate::location::DatabaseUrl;
use crate::migrations;
use domain::Clock;
use sea_orm::DatabaseConnection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, watch};

/// What the store takes from the process it runs in.
pub struct Process {
    pub clock: Arc<dyn Clock>,
    pub ids: Ids,
    /// Who this process is; its jobs and effects are signed with it.
    pub owner: Owner,
}

/// The metadata database. Clones share one pool.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) db: DatabaseConnection,
    pub(crate) process: Process,
    /// Held while a transaction writes: neither database has a fair queue for writers, and one that always loses would starve.
    pub(crate) turn: Mutex<()>,
    /// Events that wait to be written together.
    pub(crate) recorder: Recorder,
    /// Transactions of this process that may have changed something.
    pub(crate) writes: AtomicU64,
    /// Told of every commit of this process after which somebody may do less.
    pub(crate) access_ended: watch::Sender<()>,
}

impl Store {
    /// Opens the `SQLite` file at `path`, creating it in an existing folder, and brings its schema up to date; an older
    /// schema is backed up first, a newer one is refused.
    pub async fn open(path: &Path, process: Process) -> Result<Self, StoreError> {
        // Whatever else opening does would change the file: its mode, its journal, its schema.
        if file::is_filled(path)? {
            match look(path).await {
                // A process that was killed left something to undo, which takes the right to write: it is ours then, or
                // refused below.
                Err(StoreError::Access(_)) => {}
                looked => looked?,
            }
        }
        file::prepare(path)?;
        let db = connect(path, Access::Write).await?;
        migrations::apply(&db, Some(path)).await?;
        Ok(Self::of(db, process))
    }

    /// Opens the database at `url` on a Postgres server and brings its schema up to date; a newer one is refused. A server
    /// that does not answer is a failure: nothing else takes its place.
    pub async fn open_server(url: &DatabaseUrl, process: Process) -> Result<Self, StoreError> {
        let db = dialect::connect_postgres(url).await.map_err(|error| {
            let at = url.place().to_owned();
            StoreError::Unreachable { at, source: error }
        })?;
        migrations::apply(&db, None).await?;
        Ok(Self::of(db, process))
    }

    fn of(db: DatabaseConnection, process: Process) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                process,
                turn: Mutex::new(()),
                recorder: Recorder::default(),
                writes: AtomicU64::new(0),
                access_ended: watch::Sender::default(),
            }),
        }
    }

    /// Writes what was only counted so far and closes every connection; what was committed stays.
    pub async fn close(self) -> Result<(), StoreError> {
        self.write_floods(None).await;
        Ok(self.inner.db.close_by_ref().await?)
    }

    /// Returns how often the tables were written to, the audit log aside. `None` where other processes write to them as well:
    /// on a server. While the number is the same, so is whatever is read.
    pub fn writes(&self) -> Option<u64> {
        dialect::has_one_process(self.backend()).then(|| self.inner.writes.load(Ordering::Acquire))
    }

    /// Returns what changes at each commit of this process after which somebody may do less than before.
    pub fn access_ended(&self) -> watch::Receiver<()> {
        self.inner.access_ended.subscribe()
    }

    /// Returns who this process is to the store.
    pub fn owner(&self) -> &Owner {
        &self.inner.process.owner
    }
}

/// Refuses a file that is not ours, or too new for us, without changing it.
async fn look(path: &Path) -> Result<(), StoreError> {
    let db = connect(path, Access::Look).await?;
    let checked = migrations::check(&db).await;
    db.close().await?;
    checked
}

/// Several processes may open a new file at once; turning the write-ahead log on needs a lock that `SQLite` does not wait for.
async fn connect(path: &Path, access: Access) -> Result<DatabaseConnection, StoreError> {
    let mut attempt = 1;
    loop {
        match dialect::connect_sqlite(path, access).await {
            Err(error)
                if dialect::is_conflict(&error) && attempt < crate::transactions::ATTEMPTS_MAX =>
            {
                crate::transactions::pause(attempt).await;
                attempt += 1;
            }
            done => return Ok(done?),
        }
    }
}
