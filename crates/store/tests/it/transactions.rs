//! Transactions: all or nothing, with their audit row.

use crate::databases::{Database, allow, audit_rows, request};
use security::Event;
use security::permissions::{SourceSync, SourceView};
use store::jobs::{self, JobFilter, JobKind, NewJob};
use store::transactions::DETAILS_BYTES_MAX;
use store::{Act, Paging, Store, StoreError};
use tokio::sync::Notify;

async fn jobs_count(store: &Store) -> u64 {
    let filter = JobFilter::default();
    store
        .run_read(&allow::<SourceView>(), async |tx| {
            jobs::list(&tx, &filter, Paging::default()).await
        })
        .await
        .expect("it reads")
        .total
}

pub(crate) async fn a_commit_writes_the_change_and_its_audit_row(database: &Database) {
    let store = database.open().await;
    let act = Act::new(Event::SyncTriggered)
        .target("shop")
        .detail("full_refresh", true);
    let created = store
        .run_tx(&allow::<SourceSync>(), act, async |tx| {
            let created = jobs::create(&tx, NewJob::new(JobKind::Sync, "shop")).await?;
            tx.detail("job", created.id.to_string());
            Ok::<_, StoreError>(created)
        })
        .await
        .expect("it commits");
    assert_eq!(jobs_count(&store).await, 1);
    let rows = audit_rows(&store).await;
    let [row] = rows.as_slice() else {
        panic!("{rows:?}")
    };
    assert_eq!(
        (row.event.as_str(), row.event_type.as_str()),
        ("sync_triggered", "sync.triggered")
    );
    assert_eq!(
        (row.actor.as_str(), row.permission.as_str()),
        ("operator:ada", "source.sync")
    );
    assert_eq!(row.target.as_deref(), Some("shop"));
    assert_eq!(
        (row.request, row.seq, row.effect),
        (request().as_uuid(), None, None)
    );
    assert_eq!(row.details.get("job"), Some(&created.id.to_string().into()));
    assert_eq!(row.details.get("full_refresh"), Some(&true.into()));
}

pub(crate) async fn a_failure_writes_nothing(database: &Database) {
    let store = database.open().await;
    let failed = store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            jobs::create(&tx, NewJob::new(JobKind::Sync, "shop")).await?;
            Err::<(), _>(StoreError::EffectFinished)
        })
        .await;
    assert!(
        matches!(failed, Err(StoreError::EffectFinished)),
        "{failed:?}"
    );
    assert_eq!(
        (jobs_count(&store).await, audit_rows(&store).await.len()),
        (0, 0)
    );
}

pub(crate) async fn an_error_that_is_swallowed_cannot_commit(database: &Database) {
    let store = database.open().await;
    let swallowed = store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            for _ in 0..2 {
                let job = jobs::create(&tx, NewJob::new(JobKind::Sync, "shop")).await?;
                let _ = jobs::start(&tx, job.id).await;
            }
            Ok::<_, StoreError>(())
        })
        .await;
    assert!(
        matches!(swallowed, Err(StoreError::StatementIgnored)),
        "{swallowed:?}"
    );
    assert_eq!(
        (jobs_count(&store).await, audit_rows(&store).await.len()),
        (0, 0)
    );
}

pub(crate) async fn a_transaction_is_of_no_use_after_its_end(database: &Database) {
    let store = database.open().await;
    let kept = store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            Ok::<_, StoreError>(tx)
        })
        .await
        .expect("it commits");
    let late = jobs::create(&kept, NewJob::new(JobKind::Sync, "shop")).await;
    assert!(matches!(late, Err(StoreError::Database(_))), "{late:?}");
    assert_eq!(jobs_count(&store).await, 0);
}

pub(crate) async fn a_transaction_that_is_given_up_is_undone(database: &Database) {
    let store = database.open().await;
    let created = Notify::new();
    let allow = allow::<SourceSync>();
    let endless = store.run_tx(&allow, Event::SyncTriggered, async |tx| {
        jobs::create(&tx, NewJob::new(JobKind::Sync, "shop")).await?;
        created.notify_one();
        std::future::pending::<Result<(), StoreError>>().await
    });
    tokio::select! {
        ended = endless => panic!("{ended:?}"),
        () = created.notified() => {}
    }
    assert_eq!(jobs_count(&store).await, 0);
    store
        .record(&allow, Event::SyncTriggered)
        .await
        .expect("the lock is free");
}

pub(crate) async fn a_borrowing_transaction_can_be_spawned(database: &Database) {
    let store = database.open().await;
    let task = tokio::spawn(async move {
        let target = String::from("shop");
        let allow = allow::<SourceSync>();
        let created = store
            .run_tx(&allow, Event::SyncTriggered, async |tx| {
                jobs::create(&tx, NewJob::new(JobKind::Sync, &*target)).await
            })
            .await?;
        let found = store
            .run_read(&allow.narrow::<SourceView>(), async |tx| {
                jobs::find(&tx, created.id).await
            })
            .await?;
        Ok::<_, StoreError>(found.map(|job| job.target) == Some(target))
    });
    assert!(task.await.expect("no panic").expect("no error"));
}

pub(crate) async fn details_have_a_limit(database: &Database) {
    let store = database.open().await;
    let act = Act::new(Event::QueryExecuted).detail("text", "x".repeat(DETAILS_BYTES_MAX));
    let refused = store.record(&allow::<SourceSync>(), act).await;
    assert!(
        matches!(refused, Err(StoreError::DetailsTooLong { .. })),
        "{refused:?}"
    );
    assert_eq!(audit_rows(&store).await.len(), 0);
}
