//! Databases to run the conformance suite on: another one is another `Factory`.

use domain::{Clock, Timestamp};
use sea_orm::ConnectionTrait as _;
use security::permissions::AuditView;
use security::{Actor, Allow, Entropy, Permission, Plain, RequestId, authorize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use store::audit::{self, AuditFilter, AuditRow};
use store::jobs::Owner;
use store::location::Pool;
use store::{DatabaseUrl, Ids, Paging, Process, Store, StoreError};
use tempfile::TempDir;
use testkit::servers;
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
        Database::at(Place::File(folder))
    }
}

/// A database of its own on the server that all tests share.
pub(crate) struct Postgres;

impl Factory for Postgres {
    fn create() -> Database {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("store{}", COUNT.fetch_add(1, Ordering::SeqCst));
        let server = servers::Postgres::shared();
        server.sql("postgres", &format!("CREATE DATABASE {name}"));
        Database::at(Place::Server(name))
    }
}

enum Place {
    File(TempDir),
    Server(String),
}

/// A database with a clock.
pub(crate) struct Database {
    pub(crate) clock: Arc<HandClock>,
    seeds: AtomicU64,
    place: Place,
}

impl Database {
    fn at(place: Place) -> Self {
        Self {
            clock: Arc::new(HandClock(AtomicI64::new(1_763_795_000_000_000))),
            seeds: AtomicU64::new(1),
            place,
        }
    }

    /// Returns what its clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the folder of its file.
    pub(crate) fn folder(&self) -> &Path {
        match &self.place {
            Place::File(folder) => folder.path(),
            Place::Server(_) => panic!("a server's database is no file"),
        }
    }

    /// Returns the file it stands in.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder().join("metadata.db")
    }

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
        match &self.place {
            Place::File(_) => Store::open(&self.path(), process).await,
            Place::Server(name) => Store::open_server(&server_url(name), process).await,
        }
    }
}

impl Database {
    /// Does to the tables what somebody would who has the database but not us.
    pub(crate) async fn tamper(&self, sql: &str) {
        let url = match &self.place {
            Place::File(_) => format!("sqlite://{}", self.path().display()),
            Place::Server(name) => {
                let port = servers::Postgres::shared().port();
                let (user, password) = (servers::USER, servers::PASSWORD);
                format!("postgresql://{user}:{password}@127.0.0.1:{port}/{name}")
            }
        };
        let db = sea_orm::Database::connect(url).await.expect("it opens");
        db.execute_unprepared(sql).await.expect(sql);
        db.close().await.expect("it closes");
    }
}

/// Counts: salts and keys that repeat in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

/// Returns the address of a database of the shared server.
pub(crate) fn server_url(database: &str) -> DatabaseUrl {
    let port = servers::Postgres::shared().port();
    let (user, password) = (servers::USER, servers::PASSWORD);
    let url = format!("postgresql://{user}:{password}@127.0.0.1:{port}/{database}");
    DatabaseUrl::parse(&Plain::new(url), Pool::default()).expect("a URL")
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
