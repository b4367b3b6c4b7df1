//! Streams over several syncs: incremental, resumed, and children of other streams.

use super::*;
use domain::Disposition;

/// 40 records, one a minute, filtered by `since` and `until`, in pages of 10 after a cursor.
async fn growing() -> Server {
    Server::start(|request| {
        let at = |id: i64| NOW_MICROS / 1_000_000 + id * 60;
        let within = |id: &i64| {
            request.number("since").is_none_or(|since| at(*id) >= since)
                && request.number("until").is_none_or(|until| at(*id) <= until)
        };
        let after = request.number("after").unwrap_or(0);
        let ids: Vec<i64> = (1..=40).filter(within).filter(|id| *id > after).collect();
        let page: Vec<_> = ids
            .iter()
            .take(10)
            .map(|id| json!({"id": id, "at": at(*id)}))
            .collect();
        Reply::json(&json!({"data": page, "more": ids.len() > 10}))
    })
    .await
}

fn incremental(server: &Server, lookback: &str) -> Value {
    incremental_block(
        server,
        &json!({"cursor": "at", "param": "since", "end_param": "until", "format": "unix", "lookback": lookback}),
    )
}

fn incremental_block(server: &Server, incremental: &Value) -> Value {
    block(
        server,
        json!({
            "data_selector": "data",
            "paginator": {"type": "last_record", "cursor_param": "after", "has_more_path": "more"},
            "incremental": incremental,
        }),
    )
}

#[tokio::test]
async fn the_second_sync_asks_only_for_what_is_new() {
    let server = growing().await;
    let mut bench = open(&incremental(&server, "2m"), &[]).expect("opened");
    let stream = bench.rest.streams().remove(0);
    assert_eq!(
        (
            stream.disposition,
            stream.cursor.as_deref(),
            stream.resumable
        ),
        (Disposition::Merge, Some("at"), true)
    );
    let first = bench.read("items").await.expect("read");
    assert_eq!(integers(&first, "items", "id").len(), 40);
    let cursor = first.last().and_then(|page| page.cursor.clone());
    assert_eq!(cursor.as_deref(), Some("1704069600"));
    let (second, result) = bench
        .read_from(
            "items",
            Start {
                cursor,
                ..Start::default()
            },
        )
        .await;
    result.expect("read");
    assert_eq!(integers(&second, "items", "id"), [38, 39, 40]);
}

#[tokio::test]
async fn since_and_until_bound_a_sync_even_when_the_api_does_not() {
    let server = growing().await;
    let minutes = |count: i64| Some(Timestamp::from_micros(NOW_MICROS).plus_seconds(count * 60));
    let start = || Start {
        since: minutes(5),
        until: minutes(7),
        ..Start::default()
    };
    let mut bench = open(&incremental(&server, "0s"), &[]).expect("opened");
    let (pages, _) = bench.read_from("items", start()).await;
    assert_eq!(integers(&pages, "items", "id"), [5, 6]);
    let mut described = incremental(&server, "0s");
    described["endpoints"][0]["incremental"] = json!({"cursor": "at", "format": "unix"});
    let mut bench = open(&described, &[]).expect("opened");
    let (pages, _) = bench.read_from("items", start()).await;
    assert_eq!(integers(&pages, "items", "id"), [5, 6]);
}

#[tokio::test]
async fn the_dates_of_a_source_bound_it_even_when_the_api_does_not() {
    let server = growing().await;
    let check = async |incremental: Value, expect: &[i64]| {
        let mut described = incremental_block(&server, &incremental);
        described["start_date"] = "2024-01-01T00:05:00Z".into();
        described["end_date"] = "2024-01-01T00:08:00Z".into();
        let mut bench = open(&described, &[]).expect("opened");
        for cursor in [None, Some("1704067560".to_owned())] {
            let start = Start {
                cursor,
                ..Start::default()
            };
            let (pages, result) = bench.read_from("items", start).await;
            result.expect("read");
            assert_eq!(integers(&pages, "items", "id"), expect, "{incremental}");
        }
    };
    let unix = |extra: Value| {
        let mut incremental = json!({"cursor": "at", "format": "unix", "lookback": "1w"});
        for (key, value) in extra.as_object().expect("a map") {
            incremental[key] = value.clone();
        }
        incremental
    };
    check(unix(json!({})), &[5, 6, 7]).await;
    check(unix(json!({"end_param": "until"})), &[5, 6, 7]).await;
}

#[tokio::test]
async fn a_limit_is_kept_and_moves_no_cursor() {
    let server = growing().await;
    let mut bench = open(&incremental(&server, "0s"), &[]).expect("opened");
    let (pages, result) = bench
        .read_from(
            "items",
            Start {
                rows_max: Some(13),
                ..Start::default()
            },
        )
        .await;
    result.expect("read");
    assert_eq!(integers(&pages, "items", "id").len(), 13);
    assert!(pages.iter().all(|page| page.cursor.is_none()));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_load_that_was_cut_off_goes_on_at_its_last_page() {
    let server = Server::start(|request| {
        let after = request.number("after").unwrap_or(0);
        if request.index == 20 {
            return Reply::status(404, "");
        }
        let page: Vec<_> = (after + 1..=after + 1000)
            .map(|id| json!({"id": id, "at": id}))
            .collect();
        Reply::json(&json!({"data": page, "more": after < 29_000}))
    })
    .await;
    let mut described = incremental(&server, "0s");
    described["endpoints"][0]["incremental"] =
        json!({"cursor": "at", "param": "since", "format": "number"});
    let mut bench = open(&described, &[]).expect("opened");
    let start = Start {
        cursor: Some("5".into()),
        ..Start::default()
    };
    let (pages, result) = bench.read_from("items", start.clone()).await;
    assert_eq!(result.expect_err("cut off").kind, FailureKind::Missing);
    let at = pages
        .iter()
        .rposition(|page| page.resume.is_some())
        .expect("a resumable page");
    let committed = &pages[..=at];
    let mut ids = integers(committed, "items", "id");
    let resume = committed[at].resume.clone();
    let (rest, result) = bench.read_from("items", Start { resume, ..start }).await;
    result.expect("the rest");
    ids.extend(integers(&rest, "items", "id"));
    assert_eq!(ids, (1..=30_000).collect::<Vec<_>>());
    assert_eq!(
        rest.last().and_then(|page| page.cursor.as_deref()),
        Some("30000")
    );
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.param("since") == Some("5"))
    );
}

#[tokio::test]
async fn a_position_that_the_api_forgot_says_so() {
    let server = Server::start(|_| Reply::status(400, r#"{"message": "no such cursor"}"#)).await;
    let mut bench = open(&incremental(&server, "0s"), &[]).expect("opened");
    let check = async |bench: &mut Bench, resume: &str| {
        let (_, result) = bench
            .read_from(
                "items",
                Start {
                    resume: Some(resume.into()),
                    ..Start::default()
                },
            )
            .await;
        assert_eq!(result.expect_err("stale").kind, FailureKind::Changed);
    };
    check(
        &mut bench,
        r#"{"step": {"cursor": {"param": "after", "value": "x"}}}"#,
    )
    .await;
    check(&mut bench, "not a position").await;
}

#[tokio::test]
async fn children_are_read_for_every_parent() {
    let server = Server::start(|request| match request.path.as_str() {
        "/orders" => Reply::json(&match request.number("page") {
            Some(1) => {
                json!([{"id": 1, "shop": {"key": "a/b"}}, {"id": 2, "shop": {"key": "é.x"}}])
            }
            Some(2) => json!([{"id": 3, "shop": {"key": "a/b"}}]),
            _ => json!([]),
        }),
        "/shops/a%2Fb/orders/1/lines" => Reply::json(&json!([{"id": 10, "sub": 5}, {"id": 11}])),
        "/shops/%C3%A9.x/orders/2/lines" => Reply::json(&json!([])),
        "/shops/a%2Fb/orders/3/lines" => Reply::json(&json!([{"id": 30}])),
        "/notes" => Reply::json(&json!([{"id": request.index, "text": request.param("line")}])),
        other => Reply::status(404, other.to_owned()),
    })
    .await;
    let described = json!({"base_url": server.url(), "endpoints": [
        {"path": "orders", "paginator": {"type": "page_number", "first_page": 1}},
        {"name": "lines", "path": "shops/{orders.shop.key}/orders/{orders.id}/lines", "include_from_parent": ["id"]},
        {"name": "notes", "path": "notes", "params": {"line": "{resources.lines.id}"}, "paginator": "single_page"},
    ]});
    let mut bench = open(&described, &[]).expect("opened");
    let pages = bench.read("lines").await.expect("read");
    assert_eq!(integers(&pages, "lines", "id"), [10, 11, 30]);
    assert_eq!(integers(&pages, "lines", "_orders_id"), [1, 1, 3]);
    assert!(pages.iter().all(|page| page.resume.is_none()));
    let pages = bench.read("notes").await.expect("read");
    assert_eq!(texts(&pages, "notes", "text"), ["10", "11", "30"]);
}

#[tokio::test]
async fn parents_that_go_in_a_circle_are_refused() {
    let described = json!({"base_url": "https://a.example", "endpoints": [
        {"name": "a", "path": "{b.id}/a"}, {"name": "b", "path": "{a.id}/b"},
    ]});
    let mut bench = open(&described, &[]).expect("opened");
    let failure = bench.read("a").await.expect_err("a circle");
    assert_eq!(failure.kind, FailureKind::ConfigInvalid, "{failure}");
}

#[tokio::test]
async fn half_characters_are_kept_and_reported() {
    let server = Server::start(|_| Reply::status(200, r#"[{"id": 1, "text": "a\ud83d"}]"#)).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    let pages = bench.read("items").await.expect("read");
    assert_eq!(texts(&pages, "items", "text"), [r"a\ud83d"]);
    assert!(
        pages[0]
            .warnings
            .iter()
            .any(|warning| warning.contains("half of a character"))
    );
}

#[tokio::test]
async fn a_test_names_what_answered() {
    let server = Server::start(|_| Reply::json(&records(1..=3))).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    assert_eq!(
        bench.rest.test().await.expect("answered"),
        "127.0.0.1 answered: items has 3 records on its first page"
    );
    assert_eq!(server.seen().len(), 1);
}
