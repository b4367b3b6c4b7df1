//! Many at once, through two handles on one database: nobody's change is lost, and nobody is told that it was busy.

use crate::databases::{Database, allow, audit_rows, here};
use domain::{JobId, JobState};
use security::Event;
use security::permissions::SourceSync;
use std::future::Future;
use std::sync::Arc;
use store::jobs::{self, JobFilter, JobKind, NewJob};
use store::{Paging, Store, StoreError};

const MANY: usize = 64;

/// Runs `work` 64 times at once, on two handles in turn.
async fn at_once<T, F, W>(database: &Database, work: F) -> Vec<Result<T, StoreError>>
where
    T: Send + 'static,
    F: Fn(Store, usize) -> W,
    W: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let handles = [database.open().await, database.open().await];
    let tasks: Vec<_> = (0..MANY)
        .map(|index| tokio::spawn(work(handles[index % 2].clone(), index)))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no panic"));
    }
    results
}

async fn create(store: &Store, job: NewJob) -> Result<jobs::Created, StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            jobs::create(&tx, job.clone()).await
        })
        .await
}

pub(crate) async fn sixty_four_increments_over_two_handles_are_all_counted(database: &Database) {
    let counted = at_once(database, async |store, _| {
        let filter = JobFilter::default();
        store
            .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
                let count = jobs::list(&tx, &filter, Paging::new(1, 0)).await?.total;
                jobs::create(&tx, NewJob::new(JobKind::Sync, count.to_string())).await?;
                Ok(count)
            })
            .await
    })
    .await;
    let mut counted: Vec<u64> = counted
        .into_iter()
        .map(|count| count.expect("not busy"))
        .collect();
    counted.sort_unstable();
    assert_eq!(counted, (0..64).collect::<Vec<_>>());
    assert_eq!(audit_rows(&database.open().await).await.len(), MANY);
}

pub(crate) async fn of_sixty_four_starts_one_succeeds(database: &Database) {
    let store = database.open().await;
    let id: JobId = create(&store, NewJob::new(JobKind::Sync, "shop"))
        .await
        .expect("it commits")
        .id;
    let started = at_once(database, move |store: Store, _| async move {
        store
            .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
                jobs::start(&tx, id).await
            })
            .await
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = started.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, MANY - 1));
    for lost in lost {
        assert!(
            matches!(&lost, Err(StoreError::JobStep(step)) if step.from == JobState::Running),
            "{lost:?}"
        );
    }
}

pub(crate) async fn of_sixty_four_equal_keys_one_creates(database: &Database) {
    let created = at_once(database, async |store, _| {
        let mut job = NewJob::new(JobKind::Sync, "shop");
        job.idempotency_key = Some("the same".into());
        create(&store, job).await
    })
    .await;
    let created: Vec<_> = created
        .into_iter()
        .map(|created| created.expect("not busy"))
        .collect();
    assert_eq!(created.iter().filter(|created| created.is_new).count(), 1);
    assert!(created.iter().all(|other| other.id == created[0].id));
}

pub(crate) async fn many_may_open_a_new_database_at_once(database: &Database) {
    let opening: Vec<_> = (0..8).map(|_| database.try_open_as(here())).collect();
    let mut stores = Vec::new();
    for opened in futures_join(opening).await {
        stores.push(Arc::new(opened.expect("it opens")));
    }
    for store in stores {
        store
            .record(&allow::<SourceSync>(), Event::SyncTriggered)
            .await
            .expect("not busy");
    }
}

/// Waits for all of `futures` at once.
async fn futures_join<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut pinned: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<T>> = pinned.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in pinned.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}
