//! Only what is new: from where and to where, with PostgreSQL's types.

use crate::harness::*;
use connect::Start;
use domain::Timestamp;
use serde_json::json;

async fn incremental(
    database: &'static str,
    table: serde_json::Value,
    start: Start,
) -> (Vec<String>, Option<String>, Vec<String>) {
    let mut source = postgres(database, json!({"tables": [table]})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let (pages, result) = read(&mut source, &streams[0], start).await;
    result.expect("reads");
    let mut ids = column(&pages, "id");
    ids.sort();
    (
        ids,
        pages.last().expect("a page").cursor.clone(),
        warnings(&pages),
    )
}

#[tokio::test]
async fn an_incremental_read_starts_at_the_remembered_cursor() {
    let database = postgres_database("incremental");
    psql(database, "CREATE TABLE m(id int PRIMARY KEY, at timestamptz, n int, s text);
        INSERT INTO m VALUES (1, '2024-01-01', 1, 'A'), (2, '2024-01-02', 2, 'a'), (3, '2024-01-03 00:00:00.5', 3, 'b'), (4, NULL, NULL, NULL), (5, 'infinity', 5, 'B');
        CREATE TABLE log(id int, n int); INSERT INTO log VALUES (1, 1), (2, 2), (3, 2)");
    let from = |cursor: &str| Start {
        cursor: Some(cursor.into()),
        ..Start::default()
    };
    let at = json!({"name": "m", "cursor": "at"});
    // An infinite time is no place to go on from, and rows without a time come every time.
    let (ids, cursor, _) = incremental(database, at.clone(), Start::default()).await;
    assert_eq!(
        (ids.join(" ").as_str(), cursor.as_deref()),
        ("1 2 3 4 5", Some("2024-01-03 00:00:00.500000+00"))
    );
    let check =
        async |table: &serde_json::Value, start: Start, expect: &str, expect_cursor: &str| {
            let (ids, cursor, warnings) = incremental(database, table.clone(), start).await;
            assert_eq!(
                (ids.join(" ").as_str(), cursor.unwrap_or_default().as_str()),
                (expect, expect_cursor),
                "{table}"
            );
            assert!(warnings.is_empty(), "{warnings:?}");
        };
    let at_3 = "2024-01-03 00:00:00.500000+00";
    check(&at, from(at_3), "3 4 5", at_3).await;
    check(
        &json!({"name": "m", "cursor": "at", "lookback": "36h"}),
        from(at_3),
        "2 3 4 5",
        at_3,
    )
    .await;
    check(
        &json!({"name": "m", "cursor": "n"}),
        from("3"),
        "3 4 5",
        "5",
    )
    .await;
    check(
        &json!({"name": "m", "cursor": "n", "lookback": 1}),
        from("3"),
        "2 3 4 5",
        "5",
    )
    .await;
    // Texts go by their bytes, capitals first.
    check(
        &json!({"name": "m", "cursor": "s"}),
        from("B"),
        "2 3 4 5",
        "b",
    )
    .await;
    // Appended rows come once: what equals the remembered value was there before.
    check(
        &json!({"name": "log", "cursor": "n"}),
        from("1"),
        "2 3",
        "2",
    )
    .await;
    check(&json!({"name": "log", "cursor": "n"}), from("2"), "", "").await;
    let day = |day: i64| Some(Timestamp::from_micros((19_723 + day) * 86_400_000_000));
    let between = Start {
        since: day(1),
        until: day(2),
        cursor: Some(at_3.into()),
        ..Start::default()
    };
    // What is remembered does not move back to where the window lies.
    check(&at, between, "2", at_3).await;
    // A replaced table is read whole whatever is remembered.
    let replaced = json!({"name": "m", "cursor": "at", "disposition": "replace"});
    check(&replaced, from(at_3), "1 2 3 4 5", at_3).await;
    let (ids, _, warnings) = incremental(
        database,
        replaced,
        Start {
            since: day(1),
            ..Start::default()
        },
    )
    .await;
    assert_eq!((ids.len(), warnings.len()), (5, 1), "{warnings:?}");
}

#[tokio::test]
async fn a_limited_read_can_be_followed_by_the_rest() {
    let database = postgres_database("limits");
    psql(database, "CREATE TABLE m(id int PRIMARY KEY, n int); INSERT INTO m SELECT i, 100 - i / 2 FROM generate_series(0, 99) i;
        CREATE TABLE log AS SELECT * FROM m");
    let limited = Start {
        rows_max: Some(5),
        ..Start::default()
    };
    for (table, expect) in [("m", 5), ("log", 6)] {
        let table = json!({"name": table, "cursor": "n"});
        let (mut ids, cursor, _) = incremental(database, table.clone(), limited.clone()).await;
        // Rows that share the last cursor value come together where the next read starts above it.
        assert_eq!(ids.len(), expect, "{table}");
        let (rest, _, _) = incremental(
            database,
            table,
            Start {
                cursor,
                ..Start::default()
            },
        )
        .await;
        ids.extend(rest);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100);
    }
}
