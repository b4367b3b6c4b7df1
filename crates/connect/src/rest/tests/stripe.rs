//! The Stripe connector file against a server that answers as Stripe documents.

use super::*;

/// 250 charges, newest first, `created` one a minute.
async fn stripe() -> Server {
    Server::start(|request| {
        if request.header("authorization") != Some("Bearer sk_test_1") {
            return Reply::status(401, r#"{"error": {"message": "Invalid API Key provided", "type": "invalid_request_error"}}"#);
        }
        let since = request.number("created[gte]").unwrap_or(0);
        let after = request.param("starting_after").and_then(|id| id.strip_prefix("ch_")?.parse().ok()).unwrap_or(251);
        let ids: Vec<i64> = (1..after).rev().filter(|id| 1_700_000_000 + id * 60 >= since).collect();
        let limit = usize::try_from(request.number("limit").unwrap_or(10)).expect("small");
        let data: Vec<_> = ids.iter().take(limit).map(|id| json!({
            "id": format!("ch_{id}"), "object": "charge", "amount": 1075, "created": 1_700_000_000 + id * 60,
            "billing_details": {"address": {"city": "Oslo"}, "email": null}, "metadata": {}, "refunds": {"data": [{"id": "re_1"}]},
        })).collect();
        Reply::json(&json!({"object": "list", "data": data, "has_more": ids.len() > limit, "url": request.path}))
    })
    .await
}

fn open_stripe(server: &Server, block: Value, key: &str) -> Result<Bench, Failure> {
    let mut block = block;
    block["base_url"] = server.url().into();
    open_as("stripe", &block, &credentials(&[("api_key", key)]))
}

#[tokio::test]
async fn charges_are_read_newest_first_and_then_only_what_is_new() {
    let server = stripe().await;
    let mut bench = open_stripe(
        &server,
        json!({"stripe_secret_key_env": "STRIPE_API_KEY"}),
        "sk_test_1",
    )
    .expect("opened");
    let names: Vec<_> = bench
        .rest
        .streams()
        .into_iter()
        .map(|stream| (stream.name, stream.resumable))
        .collect();
    assert_eq!(names.len(), 6);
    assert!(names.iter().all(|(_, resumable)| *resumable));
    let pages = bench.read("charges").await.expect("read");
    let ids = texts(&pages, "charges", "id");
    assert_eq!(
        (ids.len(), ids[0].as_str(), ids[249].as_str()),
        (250, "ch_250", "ch_1")
    );
    assert_eq!(integers(&pages, "charges", "amount")[0], 1075);
    assert_eq!(
        texts(&pages, "charges", "billing_details__address__city")[0],
        "Oslo"
    );
    assert_eq!(
        batches(&pages, "charges__refunds__data")[0]
            .batch
            .num_rows(),
        250
    );
    assert_eq!(server.seen().len(), 3);
    assert_eq!(
        server.seen()[0].header("stripe-version"),
        Some("2025-12-15.clover")
    );
    let cursor = pages.last().and_then(|page| page.cursor.clone());
    assert_eq!(cursor.as_deref(), Some("1700015000"));
    bench
        .read_from(
            "charges",
            Start {
                cursor,
                ..Start::default()
            },
        )
        .await
        .1
        .expect("read");
    let asked = server.seen();
    assert_eq!(
        asked.last().and_then(|r| r.number("created[gte]")),
        Some(1_700_015_000 - 30 * 86_400)
    );
}

/// Invoices with 0, 10 and 25 lines and one subscription with 21 items, each with the first ten of them.
async fn billing() -> Server {
    Server::start(|request| {
        let lines = |parent: &str, count: i64| -> Vec<Value> {
            (1..=count).map(|at| json!({"id": format!("{parent}_{at}"), "amount": at})).collect()
        };
        let list = |all: &[Value], limit: usize, url: String| {
            let data: Vec<_> = all.iter().take(limit).cloned().collect();
            json!({"object": "list", "data": data, "has_more": all.len() > limit, "url": url})
        };
        let record = |id: &str, key: &str, count: i64, url: String| {
            json!({"id": id, "created": 1_700_000_000, key: list(&lines(id, count), 10, url)})
        };
        let rest = |id: &str, count: i64| {
            // Stripe refuses parameters it does not know.
            let known = ["limit", "starting_after", "subscription"];
            assert!(request.query.keys().all(|key| known.contains(&key.as_str())), "{request:?}");
            assert_eq!(request.header("authorization"), Some("Bearer sk_test_1"));
            let all = lines(id, count);
            let after = request.param("starting_after");
            let from = after.map_or(0, |after| 1 + all.iter().position(|line| line["id"] == after).expect("known"));
            let limit = usize::try_from(request.number("limit").unwrap_or(10)).expect("small");
            // A smaller page than asked for, so that the rest has pages too.
            Reply::json(&list(&all[from..], limit.min(20), request.path.clone()))
        };
        match request.path.as_str() {
            "/v1/invoices" => Reply::json(&json!({"object": "list", "has_more": false, "data": [
                record("in_a", "lines", 0, "/v1/invoices/in_a/lines".into()),
                record("in_b", "lines", 10, "/v1/invoices/in_b/lines".into()),
                record("in_c", "lines", 25, "/v1/invoices/in_c/lines".into()),
            ]})),
            "/v1/subscriptions" => Reply::json(&json!({"object": "list", "has_more": false, "data": [
                record("sub_a", "items", 21, "/v1/subscription_items?subscription=sub_a".into()),
            ]})),
            "/v1/invoices/in_c/lines" => rest("in_c", 25),
            "/v1/subscription_items" => {
                assert_eq!(request.param("subscription"), Some("sub_a"));
                rest("sub_a", 21)
            }
            other => Reply::status(404, other.to_owned()),
        }
    })
    .await
}

#[tokio::test]
async fn lists_inside_a_record_are_read_to_their_end() {
    let server = billing().await;
    let mut bench = open_stripe(&server, json!({}), "sk_test_1").expect("opened");
    let pages = bench.read("invoices").await.expect("read");
    let mut amounts = integers(&pages, "invoices__lines__data", "amount");
    assert_eq!(amounts.len(), 35);
    assert_eq!(amounts.split_off(10), (1..=25).collect::<Vec<_>>());
    // One request for the invoices, and two for the one whose lines go on.
    assert_eq!(server.seen().len(), 3);
    let pages = bench.read("subscriptions").await.expect("read");
    let amounts = integers(&pages, "subscriptions__items__data", "amount");
    assert_eq!(amounts, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_source_chooses_endpoints_dates_and_look_back() {
    let server = stripe().await;
    let block =
        json!({"endpoints": ["Charge", "Invoice"], "start_date": "2023-11-15", "lookback_days": 1});
    let mut bench = open_stripe(&server, block, "sk_test_1").expect("opened");
    let names: Vec<_> = bench
        .rest
        .streams()
        .into_iter()
        .map(|stream| stream.name)
        .collect();
    assert_eq!(names, ["charges", "invoices"]);
    bench.read("charges").await.expect("read");
    assert_eq!(server.seen()[0].number("created[gte]"), Some(1_700_006_400));
    let start = Start {
        cursor: Some("1700100000".into()),
        ..Start::default()
    };
    bench.read_from("charges", start).await.1.expect("read");
    assert_eq!(
        server.seen().last().and_then(|r| r.number("created[gte]")),
        Some(1_700_013_600)
    );
    let mut bench = open_stripe(
        &server,
        json!({"endpoints": ["subscriptions"]}),
        "sk_test_1",
    )
    .expect("opened");
    bench.read("subscriptions").await.expect("read");
    assert_eq!(
        server
            .seen()
            .last()
            .and_then(|r| r.param("status").map(str::to_owned))
            .as_deref(),
        Some("all")
    );
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_stripes_words() {
    let server = stripe().await;
    let mut bench = open_stripe(&server, json!({}), "sk_test_wrong").expect("opened");
    let failure = bench.rest.test().await.expect_err("refused");
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert_eq!(
        failure.say.as_str(),
        "`127.0.0.1/v1/charges` answered with HTTP 401: Invalid API Key provided"
    );
}

#[test]
fn a_block_of_a_connector_file_is_checked() {
    let check = |block: Value, parts: &[&str]| {
        let failure = open_as("stripe", &block, &credentials(&[("api_key", "sk_test_1")]))
            .err()
            .expect("refused");
        let said = format!("{failure} / {}", failure.hint);
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    };
    check(
        json!({"endpoint": ["charges"]}),
        &["unknown key `endpoint`", "`endpoints`"],
    );
    check(
        json!({"endpoints": ["chargs"]}),
        &["there is no endpoint `chargs`", "`charges`"],
    );
    check(json!({"endpoints": {"a": 1}}), &["must be a list of names"]);
    check(
        json!({"start_date": "yesterday"}),
        &["`start_date` must be a date"],
    );
    check(
        json!({"lookback_days": "x"}),
        &["`lookback_days` must be a whole number"],
    );
    check(json!([1]), &["must be a map"]);
    let failure = open_as("stripe", &json!({}), &Credentials::new())
        .err()
        .expect("missing");
    assert_eq!(failure.kind, FailureKind::CredentialMissing);
}
