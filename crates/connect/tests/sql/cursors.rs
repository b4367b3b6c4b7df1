//! Only what is new, by the same rules for every kind of database: what is appended comes once, what is merged may come
//! again, and nothing is passed over.

use crate::harness::*;
use connect::Start;
use domain::Timestamp;
use serde_json::{Value, json};

/// What one read gave: sorted ids, the cursor to remember, and the warnings in one text.
async fn incremental(
    kind: Kind,
    database: &str,
    table: Value,
    start: Start,
) -> (String, Option<String>, String) {
    let mut source = kind.open(database, json!({"tables": [table]})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let (pages, result) = read(&mut source, &streams[0], start).await;
    result.expect("reads");
    let mut ids = column(&pages, "id");
    ids.sort();
    let cursor = pages.last().expect("a page").cursor.clone();
    (ids.join(" "), cursor, warnings(&pages).join("\n"))
}

fn from(cursor: &str) -> Start {
    Start {
        cursor: Some(cursor.to_owned()),
        ..Start::default()
    }
}

/// Returns midnight of a day of January 2024.
fn day(day: i64) -> Timestamp {
    Timestamp::from_micros((19_722 + day) * 86_400_000_000)
}

const LOG: &str = "CREATE TABLE log(id int, at timestamp NULL); INSERT INTO log VALUES (1, '2024-01-01'), (2, '2024-01-02'),
    (3, '2024-01-03'), (4, '2024-01-04')";

#[tokio::test]
async fn an_appended_table_goes_on_where_it_ended_whatever_since_says() {
    for kind in KINDS {
        let database = kind.database("appended");
        kind.sql(database, LOG);
        let check = async |start: Start, expect: &str, told: &str| {
            let log = json!({"name": "log", "cursor": "at"});
            let (ids, _, warnings) = incremental(kind, database, log, start).await;
            assert_eq!(ids, expect, "{kind:?}");
            assert!(
                warnings.contains(told) && told.is_empty() == warnings.is_empty(),
                "{kind:?}: {warnings}"
            );
        };
        let zone = |text: &str| match kind {
            Kind::Postgres => text.to_owned(),
            Kind::Mariadb => format!("{text}+00"),
        };
        let at_2 = zone("2024-01-02 00:00:00");
        check(from(&at_2), "3 4", "").await;
        for since in [day(1), day(4)] {
            let start = Start {
                since: Some(since),
                ..from(&at_2)
            };
            check(start, "3 4", "whatever `--since`").await;
        }
        for (until, expect) in [(day(1), ""), (day(4), "3"), (day(5), "3 4")] {
            let start = Start {
                until: Some(until),
                ..from(&at_2)
            };
            check(start, expect, "").await;
        }
        let first = Start {
            since: Some(day(2)),
            until: Some(day(4)),
            ..Start::default()
        };
        check(first, "2 3", "").await;
    }
}

#[tokio::test]
async fn what_a_merged_table_remembers_does_not_move_back() {
    for kind in KINDS {
        let database = kind.database("windows");
        kind.sql(
            database,
            "CREATE TABLE m(id int PRIMARY KEY, at date); INSERT INTO m VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-03')",
        );
        let table = json!({"name": "m", "cursor": "at", "lookback": "7d"});
        let window = Start {
            since: Some(day(1)),
            until: Some(day(3)),
            ..from("2024-01-03")
        };
        let (ids, cursor, _) = incremental(kind, database, table.clone(), window).await;
        let expect = ("1 2".to_owned(), Some("2024-01-03".to_owned()));
        assert_eq!((ids, cursor), expect, "{kind:?}");
        let limited = Start {
            rows_max: Some(1),
            ..from("2024-01-03")
        };
        let (ids, cursor, _) = incremental(kind, database, table, limited).await;
        let expect = ("1".to_owned(), Some("2024-01-03".to_owned()));
        assert_eq!((ids, cursor), expect, "{kind:?}");
    }
}

#[tokio::test]
async fn rows_without_a_cursor_value_are_appended_once_and_told_of_afterwards() {
    for kind in KINDS {
        let database = kind.database("without_cursor");
        kind.sql(
            database,
            "CREATE TABLE log(id int, n int); INSERT INTO log VALUES (1, NULL), (2, NULL), (3, NULL), (4, 1), (5, 2), (6, 2), (7, 3)",
        );
        let log = json!({"name": "log", "cursor": "n"});
        let limited = |start: Start, rows| Start {
            rows_max: Some(rows),
            ..start
        };
        let check = async |start: Start, expect: &str, is_told: bool| {
            let (ids, cursor, warnings) = incremental(kind, database, log.clone(), start).await;
            assert_eq!(ids, expect, "{kind:?}");
            let told = warnings.contains("`log` has rows without a value of `n`");
            assert_eq!(told, is_told, "{kind:?}: {warnings}");
            cursor
        };
        check(Start::default(), "1 2 3 4 5 6 7", false).await;
        // A limit leaves none of them behind, for no later read finds them.
        let cursor = check(limited(Start::default(), 2), "1 2 3 4 5 6", false).await;
        assert_eq!(cursor.as_deref(), Some("2"), "{kind:?}");
        check(from("2"), "7", true).await;
        check(limited(from("1"), 1), "5 6", true).await;
        kind.sql(database, "DELETE FROM log WHERE n IS NULL");
        check(from("2"), "7", false).await;
    }
}

#[tokio::test]
async fn a_time_far_ahead_hides_nothing() {
    for kind in KINDS {
        let database = kind.database("ahead");
        kind.sql(
            database,
            "CREATE TABLE m(id int PRIMARY KEY, at timestamp NULL, day date, whole bigint);
            INSERT INTO m VALUES (1, '2024-01-01', '2024-01-01', 1), (2, '2037-12-31', '9999-12-31', 99999999999)",
        );
        kind.sql(database, "CREATE TABLE log AS SELECT * FROM m");
        for (column, last) in [("at", "2024-01-01 00:00:00"), ("day", "2024-01-01")] {
            let merged = json!({"name": "m", "cursor": column});
            let (ids, cursor, warnings) =
                incremental(kind, database, merged, Start::default()).await;
            assert_eq!(ids, "1 2", "{kind:?} {column}");
            let cursor = cursor.unwrap_or_default();
            assert_eq!(cursor.trim_end_matches("+00"), last, "{kind:?} {column}");
            assert!(warnings.contains("more than two days ahead"), "{warnings}");
            // Appended, it would come again and again, or be the last that ever comes.
            let appended = json!({"name": "log", "cursor": column});
            for start in [Start::default(), from(&cursor)] {
                let is_first = start.cursor.is_none();
                let (ids, _, warnings) = incremental(kind, database, appended.clone(), start).await;
                assert_eq!(ids, if is_first { "1" } else { "" }, "{kind:?} {column}");
                assert!(warnings.contains("until their time comes"), "{warnings}");
            }
        }
        // A number is no time.
        let numbers = json!({"name": "log", "cursor": "whole"});
        let (ids, cursor, _) = incremental(kind, database, numbers, Start::default()).await;
        assert_eq!(
            (ids.as_str(), cursor.as_deref()),
            ("1 2", Some("99999999999"))
        );
    }
}

#[tokio::test]
async fn the_end_of_a_window_is_left_out_and_the_day_it_falls_on_is_not() {
    for kind in KINDS {
        let database = kind.database("ends");
        kind.sql(
            database,
            "CREATE TABLE m(id int PRIMARY KEY, at timestamp NULL, day date); INSERT INTO m VALUES (4, '2024-01-04', '2024-01-04'),
            (5, '2024-01-05', '2024-01-05'), (6, '2024-01-06', '2024-01-06')",
        );
        let noon = Timestamp::from_micros((19_727 * 24 + 12) * 3_600_000_000);
        for (column, until, expect) in [
            ("at", day(5), "4"),
            ("at", noon, "4 5"),
            ("day", day(5), "4"),
            ("day", noon, "4 5"),
        ] {
            let start = Start {
                until: Some(until),
                ..Start::default()
            };
            let table = json!({"name": "m", "cursor": column});
            let (ids, _, _) = incremental(kind, database, table, start).await;
            assert_eq!(ids, expect, "{kind:?} {column}");
        }
    }
}
