//! Where syncs start, and how cursors are compared.

use super::*;
use serde_json::json;

fn incremental(spec: &Value) -> Result<Incremental, Failure> {
    let spec: Spec = serde_json::from_value(spec.clone()).expect("a description");
    Incremental::new(&spec, &say!("here"), (None, None), None)
}

fn check(spec: &Value, start: &Start, expect: Option<&str>) {
    let now = Timestamp::from_micros(1_704_067_200_000_000);
    let got = incremental(spec).expect("valid").start(start, now);
    assert_eq!(got.as_deref(), expect, "{spec} {start:?}");
}

#[test]
fn a_sync_starts_where_the_last_one_ended_minus_the_look_back() {
    let at = |cursor: &str| Start {
        cursor: Some(cursor.into()),
        ..Start::default()
    };
    check(
        &json!({"cursor": "c", "format": "unix"}),
        &at("1700000000"),
        Some("1700000000"),
    );
    check(
        &json!({"cursor": "c", "format": "unix", "lookback": "1d"}),
        &at("1700000000"),
        Some("1699913600"),
    );
    check(
        &json!({"cursor": "c", "format": "unix_ms", "lookback": "1s"}),
        &at("1700000000500"),
        Some("1699999999500"),
    );
    check(
        &json!({"cursor": "c"}),
        &at("2024-01-01T00:00:00+02:00"),
        Some("2024-01-01T00:00:00+02:00"),
    );
    check(
        &json!({"cursor": "c", "lookback": "1h"}),
        &at("2024-01-01T00:00:00Z"),
        Some("2023-12-31T23:00:00.000000Z"),
    );
    check(
        &json!({"cursor": "c", "format": "date", "lookback": "1d"}),
        &at("2024-01-01"),
        Some("2023-12-31"),
    );
    check(
        &json!({"cursor": "c", "format": "number", "lookback": "5"}),
        &at("100"),
        Some("95"),
    );
    check(
        &json!({"cursor": "c", "format": "text", "lookback": "5"}),
        &at("abc"),
        Some("abc"),
    );
    check(
        &json!({"cursor": "c", "format": "unix"}),
        &at("broken"),
        None,
    );
}

#[test]
fn the_first_sync_starts_at_the_initial_value_or_with_everything() {
    let first = Start::default();
    check(&json!({"cursor": "c", "format": "unix"}), &first, None);
    check(
        &json!({"cursor": "c", "format": "unix", "initial": "2024-01-01"}),
        &first,
        Some("1704067200"),
    );
    check(
        &json!({"cursor": "c", "format": "unix", "initial": 5}),
        &first,
        Some("5"),
    );
    check(
        &json!({"cursor": "c", "format": "unix", "initial": "1daysAgo"}),
        &first,
        Some("1703980800"),
    );
    check(
        &json!({"cursor": "c", "initial_value": "2024-01-01"}),
        &first,
        Some("2024-01-01T00:00:00.000000Z"),
    );
    let since = Start {
        since: Some(Timestamp::from_micros(5_000_000)),
        cursor: Some("9".into()),
        ..first
    };
    check(&json!({"cursor": "c", "format": "unix"}), &since, Some("5"));
    assert!(incremental(&json!({"cursor": "c", "initial": "yesterday"})).is_err());
    assert!(incremental(&json!({"cursor": "c", "lookback": "soon"})).is_err());
}

#[test]
fn an_end_is_asked_for_rounded_up_and_kept_exactly() {
    let check =
        |format: &str, until_micros: i64, expect: &str, (last, first_out): (Value, Value)| {
            let incremental =
                incremental(&json!({"cursor": "c", "format": format})).expect("valid");
            let start = Start {
                until: Some(Timestamp::from_micros(until_micros)),
                ..Start::default()
            };
            let now = Timestamp::from_micros(0);
            assert_eq!(incremental.end(&start, now).as_deref(), Some(expect));
            let window = incremental.window(&start, now);
            let is_wanted = |value: &Value| {
                let mark = incremental.mark(&json!({"c": value})).expect("a time");
                window.contains(mark.as_ref())
            };
            assert_eq!(
                (is_wanted(&last), is_wanted(&first_out)),
                (true, false),
                "{format}"
            );
        };
    let whole = 1_704_067_200_000_000;
    check(
        "unix",
        whole,
        "1704067200",
        (json!(1_704_067_199), json!(1_704_067_200)),
    );
    check(
        "unix",
        whole + 1,
        "1704067201",
        (json!(1_704_067_200), json!(1_704_067_201)),
    );
    check(
        "unix_ms",
        whole + 1,
        "1704067200001",
        (json!(1_704_067_200_000_i64), json!(1_704_067_200_001_i64)),
    );
    check(
        "date",
        whole,
        "2024-01-01",
        (json!("2023-12-31"), json!("2024-01-01")),
    );
    check(
        "date",
        whole + 1,
        "2024-01-02",
        (json!("2024-01-01"), json!("2024-01-02")),
    );
    let exact = ("2024-01-01T00:59:59+01:00", "2024-01-01T01:00:00+01:00");
    check(
        "iso8601",
        whole,
        "2024-01-01T00:00:00.000000Z",
        (json!(exact.0), json!(exact.1)),
    );
}

#[test]
fn marks_are_compared_as_times_not_as_text() {
    let incremental = incremental(&json!({"cursor": "a.at"})).expect("valid");
    let mark = |text: &str| {
        incremental
            .mark(&json!({"a": {"at": text}}))
            .expect("a time")
            .expect("there")
    };
    assert!(mark("2024-01-01T00:00:00Z") > mark("2024-01-01T01:00:00+02:00"));
    assert!(mark("2024-01-01T00:00:00.1234567Z") >= mark("2024-01-01T00:00:00.123456Z"));
    assert_eq!(incremental.mark(&json!({"a": {}})).expect("absent"), None);
    assert!(incremental.mark(&json!({"a": {"at": "x"}})).is_err());
    assert_eq!(incremental.column, "a__at");
}
