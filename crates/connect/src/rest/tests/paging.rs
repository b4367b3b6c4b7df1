//! Every way to page gives every record once, and pages that never end are refused.

use super::*;

/// Serves 25 records in pages of 10, in every way at once.
async fn paged() -> Server {
    Server::start(|request| {
        let size = request
            .number("limit")
            .or(request.number("per_page"))
            .unwrap_or(10);
        let start = match (
            request.number("offset"),
            request.number("cursor"),
            request.number("page"),
        ) {
            (Some(offset), ..) => offset,
            (_, Some(cursor), _) => cursor,
            (.., Some(page)) => (page - request.number("first").unwrap_or(1)).max(0) * size,
            _ => request.number("after").unwrap_or(0),
        };
        let ids: Vec<i64> = (start + 1..=(start + size).min(25)).collect();
        let next = start + size;
        let more = next < 25;
        let body = json!({
            "data": records(ids), "total": 25, "pages": 3, "has_more": more,
            "meta": {"cursor": more.then(|| next.to_string())},
            "links": {"later": more.then(|| format!("/items?after={next}"))},
        });
        let reply = Reply::json(&body);
        if more && request.param("link").is_some() {
            return reply.header(
                "link",
                format!("</items?link=1&after={next}>; rel=\"next\""),
            );
        }
        reply
    })
    .await
}

async fn check(paginator: Value, params: Value, requests: usize) {
    let server = paged().await;
    let endpoint = json!({"data_selector": "data", "params": params, "paginator": paginator});
    let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
    let ids = bench.ids().await.expect("read");
    assert_eq!(ids, (1..=25).collect::<Vec<_>>(), "{paginator}");
    assert_eq!(server.seen().len(), requests, "{paginator}");
}

#[tokio::test]
async fn every_kind_of_paging_gives_every_record_once() {
    let none = || json!({});
    check(json!({"type": "page_number", "first_page": 1}), none(), 4).await;
    check(
        json!({"type": "page_number", "first_page": 1, "total_path": "pages"}),
        none(),
        3,
    )
    .await;
    check(
        json!({"type": "page_number", "first_page": 0, "has_more_path": "has_more"}),
        json!({"first": 0}),
        3,
    )
    .await;
    check(json!({"type": "offset", "limit": 10}), none(), 4).await;
    check(
        json!({"type": "offset", "limit": 10, "total_path": "total"}),
        none(),
        3,
    )
    .await;
    check(
        json!({"type": "cursor", "cursor_path": "meta.cursor", "cursor_param": "cursor"}),
        none(),
        3,
    )
    .await;
    check(
        json!({"type": "last_record", "cursor_param": "after", "has_more_path": "has_more"}),
        none(),
        3,
    )
    .await;
    check(json!("header_link"), json!({"link": 1}), 3).await;
    check(json!("auto"), json!({"link": 1}), 3).await;
    check(
        json!({"type": "json_link", "next_url_path": "links.later"}),
        none(),
        3,
    )
    .await;
    check(json!("single_page"), json!({"limit": 25}), 1).await;
}

#[tokio::test]
async fn an_unnamed_first_page_is_found_whether_the_api_counts_from_0_or_1() {
    // From 0; from 1, taking 0 for 1; and below, from 1 and refusing 0.
    check(json!("page_number"), json!({"first": 0}), 4).await;
    check(json!("page_number"), json!({}), 5).await;
    let server = Server::start(|request| match request.number("page") {
        Some(1) => Reply::json(&records([1, 2])),
        Some(2) => Reply::json(&records([])),
        _ => Reply::status(400, r#"{"error": "page must be positive"}"#),
    })
    .await;
    let mut bench =
        open(&block(&server, json!({"paginator": "page_number"})), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1, 2]);
}

#[tokio::test]
async fn an_api_that_has_nothing_on_page_0_is_asked_for_page_1() {
    // An empty list, nothing at all, a rule that says there is nothing: none of them is the end.
    let nothing: [fn() -> Reply; 4] = [
        || Reply::json(&json!({"data": [], "more": false, "pages": 0})),
        || Reply::status(204, ""),
        || Reply::json(&json!({"data": null, "more": true})),
        || Reply::status(404, ""),
    ];
    for nothing in nothing {
        let server = Server::start(move |request| match request.number("page") {
            Some(page @ 1..=2) => {
                Reply::json(&json!({"data": [{"id": page}], "more": page < 2, "pages": 2}))
            }
            _ => nothing(),
        })
        .await;
        for end in [
            json!({}),
            json!({"has_more_path": "more"}),
            json!({"total_path": "pages"}),
        ] {
            let mut paginator = end;
            paginator["type"] = "page_number".into();
            let endpoint = json!({
                "data_selector": "data", "paginator": paginator,
                "errors": [{"status": 404, "then": "skip"}],
            });
            let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
            let tested = bench.rest.test().await.expect("answered");
            assert!(
                tested.ends_with("items has 1 records on its first page"),
                "{tested}"
            );
            assert_eq!(bench.ids().await.expect("read"), [1, 2], "{paginator}");
        }
    }
}

#[tokio::test]
async fn a_server_that_gives_less_than_the_limit_makes_no_holes() {
    let server = Server::start(|request| {
        let offset = request.number("offset").expect("asked by offset");
        Reply::json(&records(offset + 1..=(offset + 7).min(20)))
    })
    .await;
    let endpoint = json!({"paginator": {"type": "offset", "limit": 100}});
    let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read").len(), 20);
}

#[tokio::test]
async fn a_post_pages_in_its_body() {
    let server = Server::start(|request| {
        let body: Value = serde_json::from_str(&request.body).expect("json");
        assert_eq!(
            (request.method.as_str(), body["query"].as_str()),
            ("POST", Some("all"))
        );
        Reply::json(&match body["page"].as_i64() {
            Some(1) => records([1, 2]),
            _ => records([]),
        })
    })
    .await;
    let endpoint = json!({"method": "POST", "json": {"query": "all"}, "paginator": {"type": "page_number", "first_page": 1}});
    let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1, 2]);
}

#[tokio::test]
async fn a_post_asks_with_the_types_the_api_uses() {
    let server = Server::start(|request| {
        let body: Value = serde_json::from_str(&request.body).expect("json");
        let next = match &body["after"] {
            Value::Null => json!("007"),
            cursor if *cursor == json!("007") => json!(8),
            cursor if *cursor == json!(8) => Value::Null,
            other => panic!("not a cursor of this API: {other}"),
        };
        assert_eq!(
            (&body["since"], &body["until"]),
            (&json!(5), &json!(9)),
            "{body}"
        );
        assert_eq!((&body["limit"], request.param("since")), (&json!(2), None));
        Reply::json(
            &json!({"data": [{"id": request.index, "at": 5 + request.index}], "next": next}),
        )
    })
    .await;
    let endpoint = json!({
        "method": "POST", "data_selector": "data",
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "after", "limit": 2},
        "incremental": {"cursor": "at", "param": "since", "end_param": "until", "format": "number", "initial": 5},
    });
    let described = {
        let mut described = block(&server, endpoint);
        described["end_date"] = "9".into();
        described
    };
    let mut bench = open(&described, &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [0, 1, 2]);
}

async fn check_endless(
    paginator: Value,
    reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) {
    let server = Server::start(reply).await;
    let mut described = block(
        &server,
        json!({"paginator": paginator, "data_selector": "data"}),
    );
    described["pages_max"] = 50.into();
    let mut bench = open(&described, &[]).expect("opened");
    let failure = bench.ids().await.expect_err("endless");
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure}");
    let said = failure.say.as_str();
    assert!(
        said.contains("never end") || said.contains("more than 50 pages"),
        "{said}"
    );
    assert!(server.seen().len() <= 50, "{said}");
}

#[tokio::test]
async fn pages_that_never_end_are_refused() {
    let same = |_: &Request| {
        Reply::json(&json!({"data": [{"id": 1}], "next": "x", "link": "/items?page=1"}))
    };
    check_endless(json!({"type": "page_number", "first_page": 1}), same).await;
    check_endless(json!({"type": "page_number"}), same).await;
    check_endless(json!({"type": "offset", "limit": 1}), same).await;
    check_endless(json!({"type": "cursor", "cursor_path": "next"}), same).await;
    check_endless(json!({"type": "json_link", "next_url_path": "link"}), same).await;
    check_endless(json!({"type": "last_record"}), same).await;
    let growing = |request: &Request| {
        let id = i64::try_from(request.index).expect("small");
        Reply::json(&json!({"data": [{"id": id}], "next": id.to_string()}))
    };
    check_endless(json!({"type": "cursor", "cursor_path": "next"}), growing).await;
    check_endless(json!({"type": "page_number"}), growing).await;
}

async fn check_promise(answer: Value, expect: Result<&[i64], &str>) {
    let server = Server::start(move |request| {
        Reply::json(&match request.number("page") {
            None => answer.clone(),
            Some(2) => json!({"data": [{"id": 2}], "next_page": 3, "has_more": true}),
            _ => {
                json!({"data": [{"id": 3}], "next_page": null, "has_more": false, "total_pages": 3})
            }
        })
    })
    .await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    match (bench.ids().await, expect) {
        (Ok(ids), Ok(expect)) => assert_eq!(ids, expect),
        (Err(failure), Err(word)) => {
            let said = failure.say.as_str();
            assert_eq!(failure.kind, FailureKind::Protocol, "{said}");
            assert!(said.contains(word) && said.contains("`items`"), "{said}");
            assert!(
                failure.hint.as_str().contains("`paginator`"),
                "{}",
                failure.hint
            );
        }
        (got, expect) => panic!("{got:?} is not {expect:?}"),
    }
}

#[tokio::test]
async fn without_a_paginator_a_promise_of_more_is_kept_or_reported() {
    let with = |key: &str, value: Value| json!({"data": [{"id": 1}], key: value});
    let all: Result<&[i64], _> = Ok(&[1, 2, 3]);
    check_promise(with("next_page", json!(2)), all).await;
    check_promise(with("next_page", json!("2")), all).await;
    check_promise(with("meta", json!({"nextPage": 2, "total_pages": 3})), all).await;
    check_promise(with("next_page", json!("/items?page=2")), all).await;
    check_promise(with("has_more", json!(true)), Err("`has_more`")).await;
    check_promise(
        with("pagination", json!({"hasMore": true})),
        Err("`pagination.hasMore`"),
    )
    .await;
    check_promise(
        with("pageInfo", json!({"hasNextPage": true})),
        Err("`pageInfo.hasNextPage`"),
    )
    .await;
    check_promise(with("last", json!(false)), Err("`last`")).await;
    check_promise(with("next_page", json!("abc")), Err("`next_page`")).await;
    check_promise(with("total_pages", json!(2)), Err("`total_pages`")).await;
    check_promise(
        with("meta", json!({"last_page": "2"})),
        Err("`meta.last_page`"),
    )
    .await;
    let one: Result<&[i64], _> = Ok(&[1]);
    check_promise(with("has_more", json!(false)), one).await;
    check_promise(with("total_pages", json!(1)), one).await;
    check_promise(with("last", json!(true)), one).await;
    check_promise(json!({"id": 1, "pages": 320, "has_more": true}), one).await;
}

#[tokio::test]
async fn a_full_single_page_without_a_next_one_is_suspected() {
    let server = Server::start(|_| Reply::json(&records(1..=100))).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    let pages = bench.read("items").await.expect("read");
    assert!(
        pages[0].warnings[0].contains("paginator"),
        "{:?}",
        pages[0].warnings
    );
    let mut bench =
        open(&block(&server, json!({"paginator": "single_page"})), &[]).expect("opened");
    assert!(
        bench.read("items").await.expect("read")[0]
            .warnings
            .is_empty()
    );
}

#[tokio::test]
async fn pages_that_repeat_themselves_are_noticed_under_every_parent() {
    let server = Server::start(|request| match request.path.as_str() {
        "/orders" => Reply::json(&records([1])),
        _ => Reply::json(&json!([{"id": 5}])),
    })
    .await;
    let described = json!({"base_url": server.url(), "pages_max": 20, "endpoints": [
        {"path": "orders", "paginator": "single_page"},
        {"name": "items", "path": "orders/{orders.id}/items", "include_from_parent": ["id"],
         "paginator": {"type": "page_number", "first_page": 1}},
    ]});
    let mut bench = open(&described, &[]).expect("opened");
    let failure = bench.ids().await.expect_err("endless");
    assert!(failure.say.as_str().contains("never end"), "{failure}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn large_streams_come_in_batches_of_bounded_size() {
    let server = Server::start(|request| {
        let page = request.number("page").expect("a page");
        Reply::json(&if page <= 20 {
            records((page - 1) * 1000 + 1..=page * 1000)
        } else {
            records([])
        })
    })
    .await;
    let endpoint = json!({"paginator": {"type": "page_number", "first_page": 1}});
    let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
    let pages = bench.read("items").await.expect("read");
    assert_eq!(
        integers(&pages, "items", "id"),
        (1..=20_000).collect::<Vec<_>>()
    );
    assert!(
        batches(&pages, "items")
            .iter()
            .all(|batch| batch.batch.num_rows() <= 8192)
    );
    assert!(pages.iter().map(|page| page.bytes).sum::<u64>() > 200_000);
}
