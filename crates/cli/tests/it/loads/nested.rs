//! Lists inside records: their rows come and go with the record they hang from.

use super::lists::Lists;
use super::{changed, rows, sync};
use crate::project::Project;
use serde_json::{Value, json};

/// Returns the items and their tags, each as sorted words.
fn lists(project: &Project) -> [String; 2] {
    let words = |column: &str, table: &str| {
        format!(
            "(SELECT coalesce(string_agg({column}, ' ' ORDER BY {column}), '') FROM raw_pay.{table})"
        )
    };
    let sql = format!(
        "SELECT {} AS skus, {} AS tags",
        words("sku", "orders__items"),
        words("value", "orders__items__tags")
    );
    let found = rows(project, &sql);
    ["skus", "tags"].map(|list| found[0][list].as_str().expect("text").to_owned())
}

fn item(sku: &str, tags: &[&str]) -> Value {
    json!({"sku": sku, "tags": tags})
}

#[test]
fn rows_of_an_older_version_of_a_record_go_with_it() {
    let old =
        json!({"id": 1, "items": [item("a", &["x", "y"]), item("b", &["z"]), item("c", &[])]});
    for (disposition, page) in [("merge", 1), ("merge", 100), ("replace", 1)] {
        let api = Lists::start(page);
        let endpoint = format!("path: orders, primary_key: id, disposition: {disposition}");
        let project = api.project(&[&endpoint]);
        let other = json!({"id": 2, "items": [item("d", &["w"])]});
        let check = |items: Vec<Value>, expect: [&str; 2]| {
            let newest = json!({"id": 1, "items": items});
            api.set("orders", vec![old.clone(), other.clone(), newest]);
            // Into tables that are not there yet, and into those that are.
            for round in 1..=2 {
                let outcome = sync(&project, &[]);
                let name = format!("{disposition}, pages of {page}, round {round}: {outcome}");
                assert_eq!(lists(&project), expect, "{name}");
                assert!(round == 1 || changed(&outcome) == [0, 0, 0], "{name}");
            }
        };
        check(vec![item("a", &["y"])], ["a d", "w y"]);
        check(vec![], ["d", "w"]);
        check(vec![item("e", &["v"]), item("a", &[])], ["a d e", "v w"]);
    }
}

#[test]
fn rows_of_an_older_version_go_also_when_the_newest_comes_after_a_cut() {
    let api = Lists::start(8_000);
    let project =
        api.project(&["path: orders, primary_key: id, incremental: {cursor: at, format: unix}"]);
    let record = |id: u64, items: Vec<Value>| json!({"id": id, "at": 1, "items": items});
    let mut records: Vec<_> = (1..=24_500).map(|id| record(id, vec![])).collect();
    records[0] = record(1, vec![item("a", &["x", "y"]), item("b", &["z"])]);
    records.push(record(1, vec![item("c", &["v"])]));
    records.push(record(2, vec![item("d", &["w"])]));
    api.set("orders", records);
    // The first chunk is committed with the third page.
    api.cut(Some(("orders", 24_000)));
    project.run(&["sync"]).failed(75, "sync_failed");
    api.cut(None);
    let outcome = sync(&project, &[]);
    assert_eq!(outcome["resumed"], true, "{outcome}");
    assert_eq!(lists(&project), ["c d", "v w"], "{outcome}");
}

/// The source forgot where the first attempt stopped, and the second is cut off too.
#[test]
fn a_stream_that_starts_again_takes_no_list_over_from_its_first_attempt() {
    let api = Lists::start(8_000);
    let project =
        api.project(&["path: orders, primary_key: id, incremental: {cursor: at, format: unix}"]);
    let record = |id: u64, items: Vec<Value>| json!({"id": id, "at": 1, "items": items});
    let mut records: Vec<_> = (1..=24_500).map(|id| record(id, vec![])).collect();
    records[0] = record(1, vec![item("a", &["x"])]);
    api.set("orders", records.clone());
    api.cut(Some(("orders", 24_000)));
    project.run(&["sync"]).failed(75, "sync_failed");
    records[0] = record(1, vec![]);
    records[24_400] = record(24_401, vec![item("b", &["y"])]);
    api.set("orders", records);
    api.forget(24_000);
    project.run(&["sync"]).failed(75, "sync_failed");
    api.cut(None);
    let outcome = sync(&project, &[]);
    assert_eq!(outcome["resumed"], true, "{outcome}");
    assert_eq!(lists(&project), ["b", "y"], "{outcome}");
}

#[test]
fn a_list_with_a_long_name_is_emptied_like_any_other() {
    let stream = "orders_of_the_whole_year_from_every_shop_there_is";
    let list = "lines_of_the_order_as_they_were_printed";
    let tables_of = |project: &Project| -> Vec<String> {
        let sql = "SELECT table_name AS t FROM information_schema.tables WHERE table_schema = 'raw_pay' \
                   AND starts_with(table_name, 'orders_') ORDER BY t";
        let found = rows(project, sql);
        let found = found.as_array().expect("rows").iter();
        let names = found.map(|row| row["t"].as_str().expect("text").to_owned());
        names.filter(|name| name != stream).collect()
    };
    let record = |id: u64, words: &[&str]| {
        let lines = words
            .iter()
            .map(|word| json!({"word": word, "parts": [word]}));
        let mut record = json!({"id": id});
        record[list] = lines.collect();
        record
    };
    for disposition in ["merge", "replace"] {
        let api = Lists::start(100);
        let endpoint =
            format!("path: orders, name: {stream}, primary_key: id, disposition: {disposition}");
        let project = api.project(&[&endpoint]);
        api.set("orders", vec![record(1, &["a", "b"]), record(2, &["c"])]);
        sync(&project, &[]);
        let tables = tables_of(&project);
        assert_eq!(tables.len(), 2, "{tables:?}");
        assert!(!tables[0].starts_with(&format!("{stream}__")), "{tables:?}");
        let check = |first: &[&str], second: &[&str], expect: i64| {
            api.set("orders", vec![record(1, first), record(2, second)]);
            sync(&project, &[]);
            for table in &tables {
                let found = rows(
                    &project,
                    &format!("SELECT count(*)::INT AS n FROM raw_pay.{table}"),
                );
                assert_eq!(found[0]["n"], expect, "{disposition} {table}");
            }
        };
        check(&["a", "b"], &["c"], 3);
        check(&["a"], &[], 1);
        check(&[], &[], 0);
    }
}

#[test]
fn rows_of_a_list_in_a_list_go_when_the_outer_list_gives_no_row() {
    let api = Lists::start(100);
    let project = api.project(&["path: orders, primary_key: id"]);
    let full = |id: u64| json!({"id": id, "items": [{"sku": format!("s{id}"), "tags": [format!("t{id}")]}]});
    api.set("orders", vec![full(1), full(2)]);
    sync(&project, &[]);
    api.set("orders", vec![json!({"id": 1, "items": []})]);
    let outcome = sync(&project, &[]);
    assert_eq!(lists(&project), ["s2", "t2"]);
    assert_eq!(changed(&outcome)[2], 2, "{outcome}");
}

#[test]
fn a_list_loses_rows_and_gains_a_field_at_once() {
    let api = Lists::start(100);
    let project = api.project(&["path: orders, primary_key: id"]);
    api.set(
        "orders",
        vec![json!({"id": 1, "items": [{"sku": "a"}, {"sku": "b"}]})],
    );
    sync(&project, &[]);
    api.set(
        "orders",
        vec![json!({"id": 1, "items": [{"sku": "c", "size": 3}]})],
    );
    sync(&project, &[]);
    assert_eq!(
        rows(&project, "SELECT sku, size FROM raw_pay.orders__items"),
        json!([{"sku": "c", "size": 3}])
    );
}
