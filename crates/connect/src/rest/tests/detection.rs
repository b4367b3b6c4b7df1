//! Where the records of an answer are when nobody said, and what a record's key must be.

use super::*;

#[tokio::test]
async fn a_list_without_records_is_not_taken_for_a_record() {
    let server = Server::start(|request| {
        Reply::json(&match request.index {
            0 => json!({"orders": [{"id": 1}], "tags": [], "total": 1}),
            1 => json!({"orders": [], "tags": [], "total": 0}),
            _ => json!({"orders": [], "total": 0}),
        })
    })
    .await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [1]);
    // What was found once is known for the whole stream.
    assert!(bench.ids().await.expect("read").is_empty());
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    assert!(bench.ids().await.expect("read").is_empty());
    let mut bench = open(&block(&server, json!({"disposition": "replace"})), &[]).expect("opened");
    assert!(batches(&bench.read("items").await.expect("read"), "items").is_empty());
}

#[tokio::test]
async fn a_record_with_an_empty_list_stays_a_record() {
    let server = Server::start(|_| Reply::json(&json!({"id": 7, "tags": [], "name": "x"}))).await;
    let mut bench = open(&block(&server, json!({})), &[]).expect("opened");
    assert_eq!(bench.ids().await.expect("read"), [7]);
}

#[tokio::test]
async fn a_parent_without_children_has_none() {
    let server = Server::start(|request| match request.path.as_str() {
        "/orders" => Reply::json(&records([1, 2, 3])),
        "/orders/1/lines" => Reply::json(&json!({"lines": [], "total": 0})),
        "/orders/2/lines" => Reply::json(&json!({"lines": [{"id": 20}], "warnings": []})),
        _ => Reply::json(&json!({"lines": [], "warnings": []})),
    })
    .await;
    let described = json!({"base_url": server.url(), "endpoints": [
        {"path": "orders", "paginator": "single_page"},
        {"name": "lines", "path": "orders/{orders.id}/lines"},
    ]});
    let mut bench = open(&described, &[]).expect("opened");
    let pages = bench.read("lines").await.expect("read");
    assert_eq!(integers(&pages, "lines", "id"), [20]);
}

async fn check_key(endpoint: Value, records: &[&str], expect: Result<&[&str], &str>) {
    let body = format!("[{}]", records.join(","));
    let server = Server::start(move |_| Reply::status(200, body.clone())).await;
    let mut bench = open(&block(&server, endpoint), &[]).expect("opened");
    match (bench.read("items").await, expect) {
        (Ok(pages), Ok(expect)) => assert_eq!(texts(&pages, "items", "id"), expect),
        (Err(failure), Err(part)) => {
            assert_eq!(failure.kind, FailureKind::Protocol);
            assert!(failure.say.as_str().contains(part), "{failure}");
            assert!(failure.hint.as_str().contains("key"), "{}", failure.hint);
        }
        (got, expect) => panic!("{got:?} is not {expect:?}"),
    }
}

#[tokio::test]
async fn a_key_is_one_value_that_its_column_holds() {
    let merge = || json!({});
    // No column of numbers holds it, so the key is text.
    let huge = r#"{"id": 1e999999999}"#;
    check_key(merge(), &[huge, r#"{"id": 2}"#], Ok(&["1e+999999999", "2"])).await;
    check_key(merge(), &[r#"{"id": 2}"#, huge], Err("BIGINT")).await;
    check_key(merge(), &[r#"{"id": 2}"#, r#"{"id": "b"}"#], Err("BIGINT")).await;
    check_key(merge(), &[r#"{"id": {"a": 1}}"#], Err("`id`")).await;
    check_key(merge(), &[r#"{"id": [1]}"#], Err("`id`")).await;
    let replace = || json!({"disposition": "replace", "primary_key": "id"});
    check_key(replace(), &[r#"{"name": "x"}"#], Err("has no `id`")).await;
    check_key(replace(), &[r#"{"id": null}"#], Err("has no `id`")).await;
    let inside = json!({"primary_key": "a.b", "json_columns": ["a"]});
    check_key(inside, &[r#"{"a": {"b": 1}}"#], Err("no column `a__b`")).await;
    let append = || json!({"disposition": "append", "primary_key": "id"});
    check_key(
        append(),
        &[r#"{"id": "a"}"#, r#"{"id": null}"#],
        Ok(&["a", "NULL"]),
    )
    .await;
}
