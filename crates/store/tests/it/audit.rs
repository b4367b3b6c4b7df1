//! The audit log.

use crate::databases::{Database, ada, allow, audit_rows, request};
use security::permissions::{AuditView, NotebooksView, QueryExecute};
use security::{Event, RequestId, authorize};
use store::audit::{self, AuditFilter};
use store::{Act, Paging, StoreError};
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
