//! The process is ended at each fault point in turn, and beside another writer: what was acknowledged is there, and each
//! change has its audit row.

use crate::audit_chain::verify;
use crate::databases::{Counting, Database, Factory as _, Sqlite, allow, audit_rows};
use domain::{Clock, Timestamp};
use security::Event;
use security::permissions::SourceSync;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use store::jobs::{self, JobFilter, JobKind, NewJob, Owner};
use store::{Ids, Paging, Process, Store, StoreError};

/// Makes this test binary a writer when it is set: the database and the fault point to end at.
const WRITER: &str = "DANGO_STORE_TEST_WRITER";
const CHANGES: usize = 4;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_763_795_000_000_000)
    }
}

/// The writer: creates jobs one by one, and prints a line when each is committed. Started without the variable, as part of
/// the suite, it has nothing to do.
#[tokio::test]
async fn writer() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how a test tells its own copy what to do"
    )]
    let Ok(task) = std::env::var(WRITER) else {
        return;
    };
    let (path, point) = task.split_once('\n').expect("two lines");
    domain::fault::abort_at(point.parse().expect("a number"));
    let owner = Owner::of_this_process().expect("procfs");
    let process = Process {
        clock: Arc::new(Noon),
        ids: Ids::seeded(owner.pid.into()),
        owner,
    };
    let store = Store::open(&PathBuf::from(path), process)
        .await
        .expect("it opens");
    for number in 0..CHANGES {
        change(&store, number).await.expect("not busy");
        println!("committed");
        let sequenced = store.sequence(&Counting::default()).await;
        sequenced.expect("not busy");
    }
}

async fn change(store: &Store, number: usize) -> Result<(), StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            jobs::create(&tx, NewJob::new(JobKind::Sync, number.to_string()))
                .await
                .map(drop)
        })
        .await
}

fn start_writer(database: &Database, point: i64) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "crash::writer", "--nocapture"])
        .env(WRITER, format!("{}\n{point}", database.path().display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
}

/// Returns how many changes the writer was told are committed.
fn acknowledged(output: &Output) -> u64 {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter(|line| line.ends_with("committed"))
        .count() as u64
}

async fn changes(store: &Store) -> u64 {
    let filter = JobFilter::default();
    let listed: Result<_, StoreError> = store
        .run_read(&allow::<SourceSync>(), async |tx| {
            jobs::list(&tx, &filter, Paging::default()).await
        })
        .await;
    listed.expect("it reads").total
}

#[tokio::test]
async fn a_process_ended_at_any_point_leaves_whole_changes() {
    for point in 1.. {
        let database = Sqlite::create();
        let output = start_writer(&database, point)
            .wait_with_output()
            .expect("it ends");
        let store = database.open().await;
        let (told, found) = (acknowledged(&output), changes(&store).await);
        assert_eq!(
            audit_rows(&store).await.len() as u64,
            found,
            "point {point}"
        );
        assert!(
            found == told || found == told + 1,
            "point {point}: {told} told, {found} found"
        );
        store
            .record(&allow::<SourceSync>(), Event::SyncTriggered)
            .await
            .expect("it goes on");
        store
            .sequence(&Counting::default())
            .await
            .expect("it goes on");
        let proof = verify(&store, &[], None).await;
        assert_eq!(proof.faults, [], "point {point}");
        assert_eq!(proof.records, found + 1, "point {point}");
        if output.status.success() {
            assert_eq!(told, CHANGES as u64);
            assert!(
                point > 4 * told.cast_signed(),
                "four fault points for each change"
            );
            return;
        }
    }
}

#[tokio::test]
async fn several_processes_write_at_once_and_none_is_busy() {
    let database = Sqlite::create();
    let writers: Vec<_> = (0..4).map(|_| start_writer(&database, i64::MAX)).collect();
    let store = database.open().await;
    for number in 0..CHANGES {
        change(&store, number).await.expect("not busy");
    }
    for writer in writers {
        let output = writer.wait_with_output().expect("it ends");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(changes(&store).await, 5 * CHANGES as u64);
    assert_eq!(audit_rows(&store).await.len(), 5 * CHANGES);
    let sequenced = store.sequence(&Counting::default()).await;
    sequenced.expect("not busy");
    let proof = verify(&store, &[], None).await;
    assert_eq!((proof.faults.len(), proof.records), (0, 5 * CHANGES as u64));
}
