//! The history of syncs.

use crate::databases::{Database, allow};
use crate::jobs::running;
use domain::{Code, JobId, JobState, LoadId, LoadReport, SourceName, TableReport};
use security::Event;
use security::permissions::{SourceSync, SourceView};
use serde_json::{Map, json};
use store::jobs::{self, Failure, JobEnd};
use store::sync_runs::{self, NewSyncRun};
use store::{Paging, Store, StoreError};

fn source(name: &str) -> SourceName {
    SourceName::parse(name).expect("a name")
}

fn run(job: JobId, name: &str, database: &Database) -> NewSyncRun {
    use domain::Clock as _;
    NewSyncRun {
        job,
        source: source(name),
        load_id: Some(LoadId::from_stored("1763795000.1234567")),
        started_at: database.clock.now(),
        end: JobEnd::Succeeded,
        report: LoadReport::default(),
        warnings: Vec::new(),
        options: Map::new(),
    }
}

async fn create(store: &Store, run: NewSyncRun) -> Result<(), StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), Event::SyncCompleted, async |tx| {
            sync_runs::create(&tx, run.clone()).await
        })
        .await
}

/// Syncs `name` once, from job to history.
async fn sync(store: &Store, name: &str, database: &Database) -> JobId {
    let lease = running(store, name).await;
    let run = run(lease.job, name, database);
    let ended: Result<_, StoreError> = store
        .run_tx(&allow::<SourceSync>(), Event::SyncCompleted, async |tx| {
            jobs::finish(&tx, &lease, run.end.clone()).await?;
            sync_runs::create(&tx, run.clone()).await
        })
        .await;
    ended.expect("it commits");
    database.clock.forward(60);
    lease.job
}

pub(crate) async fn a_sync_is_remembered_whole(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let mut new = run(lease.job, "shop", database);
    let table = |name: &str| TableReport {
        table: name.into(),
        rows_inserted: 3,
        rows_updated: 2,
        rows_deleted: 1,
        rows_total: 40,
        schema_changes: vec!["`vip` added as BOOLEAN".into()],
        warnings: vec!["1 value moved to `amount__v_text`".into()],
    };
    new.report = LoadReport {
        tables: vec![table("orders"), table("items")],
        bytes_read: u64::MAX,
    };
    new.end = JobEnd::Failed(Failure::new(
        Code::SourceUnreachable,
        "the host did not answer",
    ));
    new.warnings = vec!["stopped early".into()];
    new.options.insert("limit".into(), json!(5));
    database.clock.forward(9);
    create(&store, new.clone()).await.expect("it commits");
    let listed: Result<_, StoreError> = store
        .run_read(&allow::<SourceView>(), async |tx| {
            sync_runs::list(&tx, None, Paging::default()).await
        })
        .await;
    let found = &listed.expect("it reads").items[0];
    assert_eq!(
        (found.job, &found.source, &found.load_id),
        (new.job, &new.source, &new.load_id)
    );
    assert_eq!(
        (found.started_at, found.ended_at),
        (new.started_at, new.started_at.plus_seconds(9))
    );
    assert_eq!(
        (found.rows_inserted, found.rows_updated, found.rows_deleted),
        (6, 4, 2)
    );
    assert_eq!(found.report.tables, new.report.tables);
    assert_eq!(
        found.report.bytes_read,
        i64::MAX.unsigned_abs(),
        "cut at what a database can count"
    );
    assert_eq!(found.outcome, JobState::Failed);
    assert_eq!(
        found.failure,
        Some(Failure::new(
            Code::SourceUnreachable,
            "the host did not answer"
        ))
    );
    assert_eq!(
        found.schema_changes,
        [
            "orders: `vip` added as BOOLEAN",
            "items: `vip` added as BOOLEAN"
        ]
    );
    assert_eq!(found.warnings.len(), 3);
    assert_eq!(found.warnings[2], "stopped early");
    assert_eq!(found.options, new.options);
}

pub(crate) async fn a_sync_belongs_to_one_job(database: &Database) {
    let store = database.open().await;
    let job = sync(&store, "shop", database).await;
    create(&store, run(job, "shop", database))
        .await
        .expect_err("the job has one");
    let nobody = JobId::new(uuid::Uuid::from_u128(1));
    create(&store, run(nobody, "shop", database))
        .await
        .expect_err("there is no such job");
}

pub(crate) async fn the_history_is_paged_newest_first(database: &Database) {
    let store = database.open().await;
    let mut ids = Vec::new();
    for name in ["shop", "bank", "shop", "shop"] {
        ids.push(sync(&store, name, database).await);
    }
    let check = async |name: Option<&str>, paging, expect: (&[usize], u64)| {
        let name = name.map(source);
        let listed: Result<_, StoreError> = store
            .run_read(&allow::<SourceSync>(), async |tx| {
                sync_runs::list(&tx, name.as_ref(), paging).await
            })
            .await;
        let listed = listed.expect("it reads");
        let found: Vec<_> = listed.items.iter().map(|run| run.job).collect();
        let expected: Vec<_> = expect.0.iter().map(|index| ids[*index]).collect();
        assert_eq!((found, listed.total), (expected, expect.1), "{name:?}");
    };
    check(None, Paging::default(), (&[3, 2, 1, 0], 4)).await;
    check(Some("shop"), Paging::new(2, 1), (&[2, 0], 3)).await;
    check(Some("nowhere"), Paging::default(), (&[], 0)).await;
}

pub(crate) async fn the_latest_sync_of_each_source_is_found(database: &Database) {
    let store = database.open().await;
    let mut last = JobId::new(uuid::Uuid::nil());
    for name in ["shop", "bank", "shop"] {
        last = sync(&store, name, database).await;
    }
    let latest: Result<_, StoreError> = store
        .run_read(&allow::<SourceView>(), async |tx| {
            sync_runs::list_latest(&tx).await
        })
        .await;
    let latest = latest.expect("it reads");
    assert_eq!(
        latest.keys().map(SourceName::as_str).collect::<Vec<_>>(),
        ["bank", "shop"]
    );
    assert_eq!(latest[&source("shop")].job, last);
}
