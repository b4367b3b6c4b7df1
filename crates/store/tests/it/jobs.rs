//! The life of a job.

use crate::databases::{Database, allow, audit_rows, gone};
use domain::{Code, JobId, JobState, LoadId, Timestamp};
use security::Event;
use security::permissions::{SourceManage, SourceSync, SourceView};
use serde_json::json;
use store::jobs::{
    self, Cancelled, Created, Failure, Job, JobEnd, JobFilter, JobKind, Lease, NewJob,
};
use store::{Paging, Store, StoreError};

const EVENT: Event = Event::SyncTriggered;

pub(crate) async fn create(store: &Store, job: NewJob) -> Created {
    store
        .run_tx(&allow::<SourceSync>(), EVENT, async |tx| {
            jobs::create(&tx, job.clone()).await
        })
        .await
        .map_err(|error: StoreError| error.to_string())
        .expect("it commits")
}

async fn start(store: &Store, id: JobId) -> Result<Lease, StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), EVENT, async |tx| {
            jobs::start(&tx, id).await
        })
        .await
}

async fn finish(store: &Store, lease: &Lease, end: JobEnd) -> Result<(), StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), EVENT, async |tx| {
            jobs::finish(&tx, lease, end.clone()).await
        })
        .await
}

async fn cancel(store: &Store, id: JobId) -> Result<Cancelled, StoreError> {
    store
        .run_tx(&allow::<SourceSync>(), Event::JobCancelled, async |tx| {
            jobs::cancel(&tx, id).await
        })
        .await
}

async fn find(store: &Store, id: JobId) -> Job {
    store
        .run_read(&allow::<SourceView>(), async |tx| jobs::find(&tx, id).await)
        .await
        .map_err(|error: StoreError| error.to_string())
        .expect("it reads")
        .expect("it is there")
}

/// Creates and starts a job on `target`.
pub(crate) async fn running(store: &Store, target: &str) -> Lease {
    let created = create(store, NewJob::new(JobKind::Sync, target)).await;
    start(store, created.id).await.expect("it starts")
}

pub(crate) async fn a_job_runs_and_succeeds(database: &Database) {
    let store = database.open().await;
    let load_id = LoadId::from_stored("1763795000.1234567");
    let mut job = NewJob::new(JobKind::Sync, "shop");
    job.load_id = Some(load_id.clone());
    job.options.insert("full_refresh".into(), json!(true));
    let created = create(&store, job.clone()).await;
    assert!(created.is_new);
    let queued = find(&store, created.id).await;
    assert_eq!(
        (queued.state, queued.attempt, queued.owner),
        (JobState::Queued, 0, None)
    );
    assert_eq!(
        (queued.actor.as_str(), queued.permission.as_str()),
        ("operator:ada", "source.sync")
    );
    assert_eq!(
        (queued.load_id, queued.options),
        (Some(load_id), job.options)
    );
    database.clock.forward(1);
    let lease = start(&store, created.id).await.expect("it starts");
    let started = find(&store, created.id).await;
    assert_eq!((started.state, started.attempt), (JobState::Running, 1));
    assert_eq!(
        (started.lease(), started.owner.as_ref()),
        (lease.clone(), Some(store.owner()))
    );
    assert_eq!(started.started_at, Some(queued.created_at.plus_seconds(1)));
    database.clock.forward(1);
    finish(&store, &lease, JobEnd::Succeeded)
        .await
        .expect("it ends");
    let ended = find(&store, created.id).await;
    assert_eq!((ended.state, ended.failure), (JobState::Succeeded, None));
    assert_eq!(ended.ended_at, Some(queued.created_at.plus_seconds(2)));
}

pub(crate) async fn a_job_fails_with_its_reason(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let failure = Failure::new(Code::SourceUnreachable, &"é".repeat(5_000));
    finish(&store, &lease, JobEnd::Failed(failure))
        .await
        .expect("it ends");
    let failed = find(&store, lease.job).await;
    let failure = failed.failure.expect("a reason");
    assert_eq!(
        (failed.state, failure.code.as_str()),
        (JobState::Failed, "source_unreachable")
    );
    assert_eq!(failure.text, "é".repeat(4_000));
}

pub(crate) async fn a_known_key_finds_the_first_job(database: &Database) {
    let store = database.open().await;
    let with_key = |key: &str| {
        let mut job = NewJob::new(JobKind::Sync, "shop");
        job.idempotency_key = Some(key.into());
        job
    };
    let first = create(&store, with_key("a")).await;
    let again = create(&store, with_key("a")).await;
    let other = create(&store, with_key("b")).await;
    assert_eq!(
        (first.is_new, again.is_new, other.is_new),
        (true, false, true)
    );
    assert_eq!(first.id, again.id);
    assert_ne!(first.id, other.id);
}

pub(crate) async fn two_jobs_do_not_run_on_one_target(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let second = create(&store, NewJob::new(JobKind::Sync, "shop")).await;
    let refused = start(&store, second.id).await;
    assert!(
        matches!(&refused, Err(StoreError::JobRunning { target }) if target == "shop"),
        "{refused:?}"
    );
    running(&store, "bank").await;
    finish(&store, &lease, JobEnd::Cancelled)
        .await
        .expect("it ends");
    start(&store, second.id).await.expect("the target is free");
}

pub(crate) async fn under_another_permission_a_job_is_missing(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let id = lease.job;
    let other = allow::<SourceManage>();
    let started = store
        .run_tx(&other, EVENT, async |tx| {
            jobs::start(&tx, id).await.map(drop)
        })
        .await;
    let ended = store
        .run_tx(&other, EVENT, async |tx| {
            jobs::finish(&tx, &lease, JobEnd::Succeeded).await
        })
        .await;
    let cancelled = store
        .run_tx(&other, EVENT, async |tx| {
            jobs::cancel(&tx, id).await.map(drop)
        })
        .await;
    let beat = store.heartbeat(&other, &lease, None).await.map(drop);
    for result in [started, ended, cancelled, beat] {
        assert!(
            matches!(result, Err(StoreError::JobMissing { .. })),
            "{result:?}"
        );
    }
    assert_eq!(find(&store, id).await.state, JobState::Running);
}

pub(crate) async fn a_final_job_is_left_alone(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let earlier = Lease {
        attempt: lease.attempt - 1,
        ..lease.clone()
    };
    let late = finish(&store, &earlier, JobEnd::Succeeded).await;
    assert!(matches!(late, Err(StoreError::JobLost { .. })), "{late:?}");
    finish(&store, &lease, JobEnd::Succeeded)
        .await
        .expect("it ends");
    let before = audit_rows(&store).await.len();
    let again = finish(&store, &lease, JobEnd::Interrupted).await;
    assert!(
        matches!(again, Err(StoreError::JobLost { .. })),
        "{again:?}"
    );
    let beat = store.heartbeat(&allow::<SourceSync>(), &lease, None).await;
    assert!(matches!(beat, Err(StoreError::JobLost { .. })), "{beat:?}");
    for result in [
        start(&store, lease.job).await.map(drop),
        cancel(&store, lease.job).await.map(drop),
    ] {
        assert!(matches!(result, Err(StoreError::JobStep(_))), "{result:?}");
    }
    assert_eq!(find(&store, lease.job).await.state, JobState::Succeeded);
    assert_eq!(audit_rows(&store).await.len(), before);
}

pub(crate) async fn a_heartbeat_tells_of_progress_and_of_the_wish_to_stop(database: &Database) {
    let store = database.open().await;
    let lease = running(&store, "shop").await;
    let before = audit_rows(&store).await.len();
    database.clock.forward(5);
    let progress = json!({"rows": 12});
    let beat = async |progress| {
        store
            .heartbeat(&allow::<SourceSync>(), &lease, progress)
            .await
            .expect("it runs")
    };
    assert!(!beat(Some(&progress)).await.is_cancel_asked);
    let job = find(&store, lease.job).await;
    assert_eq!(job.progress, Some(progress.clone()));
    assert_eq!(
        job.heartbeat_at,
        job.started_at.map(|at| at.plus_seconds(5))
    );
    assert_eq!(
        audit_rows(&store).await.len(),
        before,
        "a sign of life is not an act"
    );
    assert_eq!(
        cancel(&store, lease.job).await.expect("it is asked"),
        Cancelled::Asked
    );
    assert!(beat(None).await.is_cancel_asked);
    let job = find(&store, lease.job).await;
    assert_eq!((job.state, job.is_cancel_asked), (JobState::Running, true));
    assert_eq!(job.progress, Some(progress), "no news keeps the old");
}

pub(crate) async fn a_queued_job_is_cancelled_at_once(database: &Database) {
    let store = database.open().await;
    let created = create(&store, NewJob::new(JobKind::Sync, "shop")).await;
    assert_eq!(
        cancel(&store, created.id).await.expect("it ends"),
        Cancelled::AtOnce
    );
    let job = find(&store, created.id).await;
    assert_eq!(
        (job.state, job.ended_at.is_some()),
        (JobState::Cancelled, true)
    );
}

pub(crate) async fn jobs_are_filtered_and_paged_newest_first(database: &Database) {
    let store = database.open().await;
    for target in ["a", "b", "c", "a"] {
        create(&store, NewJob::new(JobKind::Sync, target)).await;
        database.clock.forward(1);
    }
    running(&store, "c").await;
    let check = async |filter: JobFilter, paging, expect: (&[&str], u64)| {
        let listed = store
            .run_read(&allow::<SourceSync>(), async |tx| {
                jobs::list(&tx, &filter, paging).await
            })
            .await
            .map_err(|error: StoreError| error.to_string())
            .expect("it reads");
        let targets: Vec<_> = listed.items.iter().map(|job| job.target.as_str()).collect();
        assert_eq!((targets.as_slice(), listed.total), expect, "{filter:?}");
    };
    let all = JobFilter::default;
    check(all(), Paging::default(), (&["c", "a", "c", "b", "a"], 5)).await;
    check(all(), Paging::new(2, 3), (&["b", "a"], 5)).await;
    let of_a = JobFilter {
        target: Some("a".into()),
        ..all()
    };
    check(of_a, Paging::default(), (&["a", "a"], 2)).await;
    let runs = JobFilter {
        state: Some(JobState::Running),
        ..all()
    };
    check(runs, Paging::default(), (&["c"], 1)).await;
}

pub(crate) async fn a_job_whose_process_is_gone_is_found_and_settled(database: &Database) {
    let dead = database.open_as(gone()).await;
    let shop = running(&dead, "shop").await;
    database.clock.forward(1);
    let lost = [shop, running(&dead, "bank").await];
    create(&dead, NewJob::new(JobKind::Sync, "queued")).await;
    let store = database.open().await;
    running(&store, "mine").await;
    let list_lost = async || {
        let jobs: Result<_, StoreError> = store
            .run_read(&allow::<SourceView>(), async |tx| {
                jobs::list_lost(&tx).await
            })
            .await;
        jobs.expect("it reads")
    };
    let found = list_lost().await;
    let targets: Vec<_> = found.iter().map(|job| job.target.as_str()).collect();
    assert_eq!(targets, ["shop", "bank"]);
    assert_eq!(found[0].lease(), lost[0]);
    finish(&store, &found[0].lease(), JobEnd::Succeeded)
        .await
        .expect("it was done");
    finish(&store, &found[1].lease(), JobEnd::Interrupted)
        .await
        .expect("it was not");
    assert_eq!(list_lost().await, []);
    let beat = dead.heartbeat(&allow::<SourceSync>(), &lost[0], None).await;
    assert!(
        matches!(beat, Err(StoreError::JobLost { .. })),
        "the dead may not come back: {beat:?}"
    );
    assert_eq!(find(&store, lost[1].job).await.state, JobState::Interrupted);
    assert!(find(&store, lost[1].job).await.ended_at > Some(Timestamp::from_micros(0)));
}
