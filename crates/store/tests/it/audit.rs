//! The audit log.

use crate::databases::{Counting, Database, ada, allow, audit_rows, request};
use domain::Email;
use security::permissions::{AuditView, NotebooksView, QueryExecute, SignIn};
use security::{Actor, Client, Event, RequestId, admit, authorize};
use store::audit::{self, AuditFilter, AuditRow};
use store::{Act, Paging, Store, StoreError};
use uuid::Uuid;

pub(crate) async fn an_act_without_a_change_is_recorded(database: &Database) {
    let store = database.open().await;
    let act = Act::new(Event::QueryExecuted).detail("row_count", 3);
    store
        .record(&allow::<QueryExecute>(), act)
        .await
        .expect("it commits");
    let rows = audit_rows(&store).await;
    assert_eq!(
        (rows[0].event.as_str(), rows[0].target.as_deref()),
        ("query_executed", None)
    );
    assert_eq!(rows[0].details.get("row_count"), Some(&3.into()));
}

pub(crate) async fn a_denial_is_recorded(database: &Database) {
    let store = database.open().await;
    authorize::<NotebooksView>(&ada(), request()).expect_err("not the operator's");
    store
        .record_denial::<NotebooksView>(&ada(), request(), Some("the notebook"))
        .await
        .expect("it commits");
    let rows = audit_rows(&store).await;
    let row = &rows[0];
    assert_eq!(
        (row.event.as_str(), row.event_type.as_str()),
        ("permission_denied", "permission.denied")
    );
    assert_eq!(
        (row.actor.as_str(), row.permission.as_str()),
        ("operator:ada", "notebooks.view")
    );
    assert_eq!(row.target.as_deref(), Some("the notebook"));
}

pub(crate) async fn the_log_is_filtered_and_paged_newest_first(database: &Database) {
    let store = database.open().await;
    for number in 0..5 {
        let event = if number % 2 == 0 {
            Event::QueryExecuted
        } else {
            Event::QueryFailed
        };
        let allow = authorize::<QueryExecute>(&ada(), RequestId::new(Uuid::from_u128(number)));
        let act = Act::new(event).target(number.to_string());
        store
            .record(&allow.expect("the operator's"), act)
            .await
            .expect("it commits");
        database.clock.forward(10);
    }
    let check = async |filter: AuditFilter, paging, expect: (&[&str], u64)| {
        let rows = store
            .run_read(&allow::<AuditView>(), async |tx| {
                audit::list(&tx, &filter, paging).await
            })
            .await
            .map_err(|error: StoreError| error.to_string())
            .expect("it reads");
        let targets: Vec<_> = rows
            .items
            .iter()
            .filter_map(|row| row.target.as_deref())
            .collect();
        assert_eq!((targets.as_slice(), rows.total), expect, "{filter:?}");
    };
    let all = AuditFilter::default;
    check(all(), Paging::default(), (&["4", "3", "2", "1", "0"], 5)).await;
    check(all(), Paging::new(2, 1), (&["3", "2"], 5)).await;
    check(all(), Paging::new(0, u64::MAX), (&[], 5)).await;
    let failed = AuditFilter {
        event: Some(Event::QueryFailed),
        ..all()
    };
    check(failed, Paging::default(), (&["3", "1"], 2)).await;
    let rows = audit_rows(&store).await;
    let late = AuditFilter {
        since: Some(rows[3].created_at),
        ..all()
    };
    check(late, Paging::default(), (&["4", "3"], 2)).await;
    let one = AuditFilter {
        request: Some(RequestId::new(Uuid::from_u128(2))),
        ..all()
    };
    check(one, Paging::default(), (&["2"], 1)).await;
}

pub(crate) async fn personal_values_stand_apart_and_rows_are_found_by_them(database: &Database) {
    let store = database.open().await;
    let act = |address| Act::new(Event::LoginFailure).personal("email", address);
    for address in ["ada@example.com", "bob@example.com"] {
        let allow = admit::<SignIn>(client("192.0.2.7"), request());
        store
            .record(&allow, act(address))
            .await
            .expect("it commits");
    }
    let rows = audit_rows(&store).await;
    assert_eq!(rows[0].email.as_deref(), Some("ada@example.com"));
    assert_eq!(rows[0].ip.as_deref(), Some("192.0.2.7"));
    assert!(rows[0].details.is_empty() && rows[0].personal.is_empty());
    let count = async |filter: AuditFilter| {
        let listed: Result<_, StoreError> = store
            .run_read(&allow::<AuditView>(), async |tx| {
                audit::list(&tx, &filter, Paging::default()).await
            })
            .await;
        listed.expect("it reads").total
    };
    let all = AuditFilter::default;
    let email = Email::parse("bob@example.com").ok();
    assert_eq!(count(AuditFilter { email, ..all() }).await, 1);
    for (prefix, expect) in [("user.", 2), ("user.log", 2), ("user_", 0), ("%", 0)] {
        let event_type_prefix = Some(prefix.to_owned());
        assert_eq!(
            count(AuditFilter {
                event_type_prefix,
                ..all()
            })
            .await,
            expect,
            "{prefix}"
        );
    }
    let event_type = Some("user.login_failed".to_owned());
    assert_eq!(
        count(AuditFilter {
            event_type,
            ..all()
        })
        .await,
        2
    );
    let until = Some(database.now().plus_seconds(-1));
    assert_eq!(count(AuditFilter { until, ..all() }).await, 0);
}

fn client(ip: &str) -> Client {
    Client {
        ip: Some(ip.parse().expect("an address")),
        user_agent: None,
        ..Client::default()
    }
}

pub(crate) async fn many_events_at_once_are_all_written_and_answered(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let tasks: Vec<_> = (0..400)
        .map(|number| {
            let store = handles[number % 2].clone();
            tokio::spawn(async move {
                let act = Act::new(Event::QueryExecuted).target(number.to_string());
                store.record(&allow::<QueryExecute>(), act).await
            })
        })
        .collect();
    // Some callers go away before their answer: their rows may be there or not, and nobody else's is missing.
    let gone: Vec<_> = (0..50)
        .map(|_| {
            let store = handles[0].clone();
            tokio::spawn(async move {
                let act = Act::new(Event::QueryFailed);
                store.record(&allow::<QueryExecute>(), act).await
            })
        })
        .collect();
    for task in gone {
        task.abort();
    }
    for task in tasks {
        task.await.expect("no panic").expect("not busy");
    }
    let executed = AuditFilter {
        event: Some(Event::QueryExecuted),
        ..AuditFilter::default()
    };
    let listed: Result<_, StoreError> = handles[0]
        .run_read(&allow::<AuditView>(), async |tx| {
            audit::list(&tx, &executed, Paging::new(500, 0)).await
        })
        .await;
    let mut targets: Vec<usize> = listed
        .expect("it reads")
        .items
        .iter()
        .filter_map(|row| row.target.as_deref()?.parse().ok())
        .collect();
    targets.sort_unstable();
    assert_eq!(targets, (0..400).collect::<Vec<_>>());
}

pub(crate) async fn one_event_that_does_not_fit_takes_no_other_along(database: &Database) {
    let store = database.open().await;
    // Neither database stores an event whose identity is taken: as a process with the same seed would try.
    let twin = database.open().await;
    database
        .tamper("CREATE UNIQUE INDEX one_target ON audit_log (target)")
        .await;
    let record = |store: &Store, target: &'static str| {
        let store = store.clone();
        tokio::spawn(async move {
            let act = Act::new(Event::QueryExecuted).target(target);
            store.record(&allow::<QueryExecute>(), act).await
        })
    };
    record(&twin, "taken")
        .await
        .expect("no panic")
        .expect("it commits");
    let tasks = ["a", "taken", "b", "c"].map(|target| record(&store, target));
    let mut refused = 0;
    for task in tasks {
        refused += usize::from(task.await.expect("no panic").is_err());
    }
    assert_eq!((refused, audit_rows(&store).await.len()), (1, 4));
}

pub(crate) async fn failures_of_nobody_are_counted_beyond_twenty_a_minute(database: &Database) {
    let store = database.open().await;
    let fail = async |ip: &str, count: usize| {
        for _ in 0..count {
            let allow = admit::<SignIn>(client(ip), request());
            let recorded = store.record(&allow, Event::LoginFailure).await;
            recorded.expect("answered");
        }
    };
    fail("192.0.2.7", 70).await;
    fail("192.0.2.8", 5).await;
    let anonymous = Actor::Anonymous(client("192.0.2.7"));
    let denied = store.record_denial::<QueryExecute>(&anonymous, request(), None);
    denied.await.expect("answered");
    assert_eq!(audit_rows(&store).await.len(), 25);
    database.clock.forward(61);
    store
        .sequence(&Counting::default())
        .await
        .expect("it commits");
    let rows = audit_rows(&store).await;
    assert_eq!(rows.len(), 26);
    let counted = |rows: Vec<AuditRow>| {
        let mut rows = rows.into_iter();
        rows.rfind(|row| row.event == "failures_counted")
            .expect("a row")
    };
    let last = counted(rows);
    assert_eq!(last.ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(last.details["count"], 51);
    assert_eq!(last.details["events"]["login_failure"], 50);
    assert_eq!(last.details["events"]["permission_denied"], 1);
    database.clock.forward(1);
    fail("192.0.2.9", 21).await;
    store.close().await.expect("closed");
    let last = counted(audit_rows(&database.open().await).await);
    assert_eq!(last.details["count"], 1, "told at the end");
}
