//! `sync`, `db`, and what they leave in the history.

use crate::project::Project;
use serde_json::json;

fn rows(project: &Project, sql: &str) -> serde_json::Value {
    project
        .run(&["query", sql, "--format", "json"])
        .succeeded()
        .json()
}

#[test]
fn a_sync_brings_every_row_and_the_second_changes_nothing() {
    let project = Project::shop();
    let ran = project.run(&["sync"]).succeeded();
    assert!(ran.stdout.starts_with("SOURCE"), "{ran:#?}");
    assert!(
        ran.stdout.contains("shop") && ran.stdout.contains("synced"),
        "{ran:#?}"
    );
    assert!(
        ran.stderr.contains("shop: started") && ran.stderr.contains("5 rows changed"),
        "{ran:#?}"
    );
    assert_eq!(
        rows(
            &project,
            "SELECT count(*)::INT AS n, sum(amount)::VARCHAR AS total FROM raw_shop.orders"
        ),
        json!([{"n": 5, "total": "17.25"}])
    );
    let again = project.run(&["sync", "--json"]).succeeded();
    assert_eq!(again.stderr, "");
    let outcome = &again.json()["sources"][0];
    assert_eq!(outcome["status"], "succeeded");
    assert_eq!(
        [
            &outcome["rows_inserted"],
            &outcome["rows_updated"],
            &outcome["rows_deleted"]
        ],
        [0, 0, 0]
    );
    let history = project
        .run(&["source", "show", "shop", "--json"])
        .succeeded()
        .json();
    assert_eq!(
        history["history"].as_array().map(Vec::len),
        Some(2),
        "{history}"
    );
}

#[test]
fn a_dry_run_tells_and_leaves_nothing() {
    let project = Project::shop();
    let outcome = project
        .run(&["sync", "--dry-run", "--json"])
        .succeeded()
        .json();
    assert_eq!(
        (
            &outcome["sources"][0]["dry_run"],
            &outcome["sources"][0]["rows_inserted"]
        ),
        (&json!(true), &json!(5))
    );
    project
        .run(&["query", "FROM raw_shop.orders"])
        .failed(1, "query_invalid");
    let text = project.run(&["sync", "--dry-run"]).succeeded().stdout;
    assert!(text.contains("would be synced"), "{text}");
}

#[test]
fn sources_are_chosen_by_name_and_unknown_ones_get_a_suggestion() {
    let project = Project::shop();
    let outcome = project
        .run(&["sync", "shop", "--source", "shop", "--json"])
        .succeeded()
        .json();
    assert_eq!(outcome["sources"].as_array().map(Vec::len), Some(1));
    let ran = project.run(&["sync", "shpo"]).failed(4, "source_not_found");
    assert!(ran.stderr.contains("did you mean `shop`?"), "{ran:#?}");
    project
        .run(&["source", "edit", "shop", "--disable"])
        .succeeded();
    project.run(&["sync", "shop"]).failed(5, "source_disabled");
    let nothing = project.run(&["sync"]).succeeded();
    assert!(nothing.stderr.contains("nothing to sync"), "{nothing:#?}");
}

#[test]
fn a_failing_source_fails_the_sync_and_stops_no_other() {
    let project = Project::shop();
    let both = format!(
        "{}  - name: broken\n    type: local_files\n    local_files: {{directory: data/nowhere}}\n",
        project.read(".dango/sources.yml")
    );
    project.write(".dango/sources.yml", &both);
    let ran = project.run(&["sync"]);
    assert_eq!(ran.code, Some(4), "{ran:#?}");
    assert!(
        ran.stderr.contains("code: source_missing") && ran.stderr.contains("code: sync_failed"),
        "{ran:#?}"
    );
    assert!(ran.stderr.contains("1 of 2 sources failed"), "{ran:#?}");
    assert!(ran.stdout.contains("failed: source_missing"), "{ran:#?}");
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_shop.orders"),
        json!([{"n": 5}])
    );
    let json = project.run(&["sync", "--json"]);
    assert_eq!(json.json()["status"], "failed");
    json.json_error(4, "sync_failed");
}

#[test]
fn an_emptied_source_is_refused_before_anything_is_touched() {
    let project = Project::synced_shop();
    project.write("data/uploads/orders-1.csv", "order_id,sku,amount\n");
    project.write("data/uploads/orders-2.csv", "order_id,sku,amount\n");
    let ran = project.run(&["sync"]);
    assert_eq!(ran.code, Some(5), "{ran:#?}");
    assert!(ran.stderr.contains("code: replace_empty"), "{ran:#?}");
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_shop.orders"),
        json!([{"n": 5}])
    );
    project.run(&["sync", "--allow-empty-replace"]).succeeded();
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_shop.orders"),
        json!([{"n": 0}])
    );
}

#[test]
fn changed_columns_are_named() {
    let project = Project::synced_shop();
    project.write(
        "data/uploads/orders-2.csv",
        "order_id,sku,amount,note\n4,009,1.5,x\n5,007,2,y\n",
    );
    let ran = project.run(&["sync", "--allow-schema-changes"]).succeeded();
    assert!(
        ran.stdout.contains("shop.orders: column note added"),
        "{ran:#?}"
    );
}

#[test]
fn the_warehouse_is_shown_and_compacted() {
    let project = Project::shop();
    let before = project.run(&["db", "status"]).succeeded();
    assert!(before.stdout.contains("no tables yet"), "{before:#?}");
    project.run(&["sync"]).succeeded();
    let status = project.run(&["db", "status"]).succeeded();
    assert!(status.stdout.contains("raw_shop.orders"), "{status:#?}");
    let json = project.run(&["db", "status", "--json"]).succeeded().json();
    assert_eq!(json["schemas"][0]["tables"][0]["rows"], 5, "{json}");
    let compacted = project.run(&["db", "compact", "--json"]).succeeded().json();
    assert!(
        compacted["bytes_after"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0),
        "{compacted}"
    );
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_shop.orders"),
        json!([{"n": 5}])
    );
}
