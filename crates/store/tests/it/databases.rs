//! Databases to run the conformance suite on: another one is another `Factory`.

use domain::{Clock, Timestamp};
use security::permissions::AuditView;
use security::{Actor, Allow, Permission, RequestId, authorize};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use store::audit::{self, AuditFilter, AuditRow};
use store::jobs::Owner;
use store::{Ids, Paging, Process, Store, StoreError};
use tempfile::TempDir;
use uuid::Uuid;

/// A clock that the test turns by hand.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Makes an empty database of one kind.
pub(crate) trait Factory {
    fn create() -> Database;
}

/// A file in a folder of its own.
pub(crate) struct Sqlite;

impl Factory for Sqlite {
    fn create() -> Database {
        let folder = tempfile::tempdir().expect("a folder");
        Database {
            path: folder.path().join("metadata.db"),
            clock: Arc::new(HandClock(AtomicI64::new(1_763_795_000_000_000))),
            seeds: AtomicU64::new(1),
            _folder: folder,
        }
    }
}

/// A database with a clock.
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) clock: Arc<HandClock>,
    seeds: AtomicU64,
    _folder: TempDir,
}

impl Database {
    /// Opens it in the name of this process; each call is a handle of its own, as another process would have.
    pub(crate) async fn open(&self) -> Store {
        self.open_as(here()).await
    }

    /// Opens it in the name of another process.
    pub(crate) async fn open_as(&self, owner: Owner) -> Store {
        self.try_open_as(owner).await.expect("it opens")
    }

    pub(crate) async fn try_open_as(&self, owner: Owner) -> Result<Store, StoreError> {
        let seed = self.seeds.fetch_add(1, Ordering::SeqCst);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let process = Process {
            clock,
            ids: Ids::seeded(seed.into()),
            owner,
        };
        Store::open(&self.path, process).await
    }
}

/// Returns this process.
pub(crate) fn here() -> Owner {
    Owner::of_this_process().expect("procfs")
}

/// Returns a process that ended with an earlier boot.
pub(crate) fn gone() -> Owner {
    Owner {
        boot: "an earlier boot".into(),
        ..here()
    }
}

/// Returns the operator's witness of `P`.
pub(crate) fn allow<P: Permission>() -> Allow<P> {
    authorize(&ada(), request()).expect("the operator has it")
}

pub(crate) fn ada() -> Actor {
    Actor::Operator {
        os_user: "ada".into(),
    }
}

pub(crate) fn request() -> RequestId {
    RequestId::new(Uuid::from_u128(7))
}

/// Returns the audit log, oldest row first.
pub(crate) async fn audit_rows(store: &Store) -> Vec<AuditRow> {
    let filter = AuditFilter::default();
    let mut rows = store
        .run_read(&allow::<AuditView>(), async |tx| {
            audit::list(&tx, &filter, Paging::new(500, 0)).await
        })
        .await
        .expect("it reads")
        .items;
    rows.reverse();
    rows
}
