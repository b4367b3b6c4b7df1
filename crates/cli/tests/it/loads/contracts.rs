//! Columns that change at the source, and what the source's contract makes of it.

use super::{Schema, changed, rows, sync};
use crate::project::Project;
use serde_json::{Value, json};

const MERGED: &str = "name: t, cursor: seen, primary_key: [id], disposition: merge";
const REPLACED: &str = "name: t, primary_key: [id], disposition: replace";

fn warnings(outcome: &Value) -> String {
    outcome["tables"][0]["warnings"].to_string()
}

fn changes(outcome: &Value) -> String {
    outcome["tables"][0]["schema_changes"].to_string()
}

fn amounts(project: &Project) -> Value {
    rows(project, "SELECT id, amount FROM raw_p.t ORDER BY id")
}

#[test]
fn discard_keeps_what_fits_the_old_type_and_counts_what_does_not() {
    for (name, table) in [("discard_merge", MERGED), ("discard_replace", REPLACED)] {
        let schema = Schema::new(
            name,
            "CREATE TABLE t (id int PRIMARY KEY, amount bigint, seen int); INSERT INTO t SELECT i, i * 10, 1 FROM generate_series(1, 4) i;",
        );
        let project = schema.project(&[table], "contract: discard, ");
        sync(&project, &[]);
        schema.sql(
            "ALTER TABLE t ALTER amount TYPE text; UPDATE t SET amount = '7', seen = 2 WHERE id = 2; \
             UPDATE t SET amount = 'n/k', seen = 2 WHERE id = 3; UPDATE t SET amount = '1.5', seen = 2 WHERE id = 4;",
        );
        let outcome = sync(&project, &[]);
        let expect = json!([{"id": 1, "amount": 10}, {"id": 2, "amount": 7}, {"id": 3, "amount": null}, {"id": 4, "amount": null}]);
        assert_eq!(amounts(&project), expect, "{name}: {outcome}");
        assert!(warnings(&outcome).contains("2 values"), "{name}: {outcome}");
        assert_eq!(changes(&outcome), "null", "{name}: {outcome}");
        let again = sync(&project, &[]);
        assert_eq!(changed(&again), [0, 0, 0], "{name}: {again}");
        assert_eq!(amounts(&project), expect, "{name}");
    }
}

#[test]
fn discard_compares_only_what_it_keeps() {
    let schema = Schema::new(
        "discard_compare",
        "CREATE TABLE t (id int PRIMARY KEY, amount int, old text); INSERT INTO t SELECT i, i, 'o' FROM generate_series(1, 5) i;",
    );
    let project = schema.project(&[REPLACED], "contract: discard, ");
    sync(&project, &[]);
    schema.sql("ALTER TABLE t ADD note text DEFAULT 'x'; ALTER TABLE t DROP old;");
    let told = sync(&project, &[]);
    assert!(
        warnings(&told).contains("5 values of the new column note"),
        "{told}"
    );
    assert_eq!(changed(&told), [0, 0, 0], "{told}");
    schema.sql("UPDATE t SET amount = 0 WHERE id = 1;");
    assert_eq!(changed(&sync(&project, &[])), [0, 1, 0]);
    assert_eq!(changed(&sync(&project, &[])), [0, 0, 0]);
}

#[test]
fn a_change_that_was_accepted_is_none_any_more() {
    for (name, table) in [("accept_merge", MERGED), ("accept_replace", REPLACED)] {
        let schema = Schema::new(
            name,
            "CREATE TABLE t (id int PRIMARY KEY, amount numeric(10, 2), seen int, old text); \
             INSERT INTO t SELECT i, i, 1, 'o' FROM generate_series(1, 3) i;",
        );
        let project = schema.project(&[table], "contract: freeze, ");
        sync(&project, &[]);
        for (change, tells) in [
            (
                "ALTER TABLE t ALTER amount TYPE numeric(8, 4)",
                "column amount changed from DECIMAL(10,2) to DECIMAL(8,4)",
            ),
            (
                "ALTER TABLE t ALTER amount TYPE date USING '2024-01-31'",
                "to DATE",
            ),
            (
                "ALTER TABLE t DROP old",
                "column old is gone from the source",
            ),
            ("ALTER TABLE t ADD new int", "column new added (BIGINT)"),
        ] {
            schema.sql(&format!(
                "{change}; UPDATE t SET seen = seen + 1 WHERE id = 2;"
            ));
            let refused = project.run(&["sync"]);
            assert!(
                refused.stderr.contains("code: schema_frozen"),
                "{name} {change}: {refused:#?}"
            );
            assert!(
                refused.stderr.contains(tells),
                "{name} {change}: {refused:#?}"
            );
            let accepted = sync(&project, &["--accept-schema"]);
            assert!(
                changes(&accepted).contains(tells),
                "{name} {change}: {accepted}"
            );
            let again = sync(&project, &[]);
            assert_eq!(changes(&again), "null", "{name} {change}: {again}");
        }
    }
}

#[test]
fn a_column_that_is_wider_here_than_at_the_source_takes_its_values() {
    let schema = Schema::new(
        "wider",
        "CREATE TABLE t (id int PRIMARY KEY, amount text, seen int); INSERT INTO t VALUES (1, 'n/k', 1), (2, '20', 1);",
    );
    let project = schema.project(&[MERGED], "");
    sync(&project, &[]);
    schema.sql(
        "ALTER TABLE t ALTER amount TYPE int USING (CASE WHEN id = 1 THEN 11 ELSE 20 END); UPDATE t SET seen = 2 WHERE id = 1;",
    );
    let outcome = sync(&project, &[]);
    assert_eq!(
        amounts(&project),
        json!([{"id": 1, "amount": "11"}, {"id": 2, "amount": "20"}]),
        "{outcome}"
    );
    assert_eq!(changes(&outcome), "null", "{outcome}");
}

#[test]
fn optional_fields_of_an_api_are_no_change_of_a_merged_table() {
    let api = super::lists::Lists::start(100);
    let project = api.project(&[]);
    api.describe(
        &project,
        &["path: orders, primary_key: id"],
        "    contract: freeze\n",
    );
    api.set(
        "orders",
        vec![json!({"id": 1, "note": "x"}), json!({"id": 2})],
    );
    sync(&project, &[]);
    api.set("orders", vec![json!({"id": 3})]);
    sync(&project, &[]);
    assert_eq!(
        rows(&project, "SELECT id, note FROM raw_pay.orders ORDER BY id"),
        json!([{"id": 1, "note": "x"}, {"id": 2, "note": null}, {"id": 3, "note": null}])
    );
}
