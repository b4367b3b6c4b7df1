//! What is remembered between two syncs, and of which stream.

use super::{Schema, rows, sync};
use crate::project::Project;
use serde_json::json;

const EVENTS: &str = "name: events, cursor: nr, disposition: append";

fn events(schema: &'static str) -> Schema {
    Schema::new(
        schema,
        "CREATE TABLE events (nr int, at timestamp); INSERT INTO events SELECT i, '2020-01-01'::timestamp + i * interval '1 day' \
         FROM generate_series(1, 5) i; CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);",
    )
}

fn count(project: &Project) -> i64 {
    let found = rows(project, "SELECT count(*)::INT AS n FROM raw_p.events");
    found[0]["n"].as_i64().expect("a number")
}

#[test]
fn a_stream_that_was_left_out_for_a_while_goes_on_where_it_was() {
    let schema = events("left_out");
    let project = schema.project(&[EVENTS, "name: other"], "");
    sync(&project, &[]);
    schema.describe(&project, &["name: other"], "");
    sync(&project, &[]);
    sync(&project, &["--full-refresh"]);
    schema.sql("INSERT INTO events VALUES (6, '2026-01-01');");
    schema.describe(&project, &[EVENTS, "name: other"], "");
    sync(&project, &[]);
    assert_eq!(count(&project), 6);
}

#[test]
fn another_cursor_column_starts_from_nothing() {
    let schema = Schema::new(
        "other_cursor",
        "CREATE TABLE t (id int PRIMARY KEY, a timestamp, b timestamp); \
         INSERT INTO t SELECT i, '2026-01-01', '2020-01-01' FROM generate_series(1, 3) i;",
    );
    let project = schema.project(
        &["name: t, cursor: a, primary_key: [id], disposition: merge"],
        "",
    );
    sync(&project, &[]);
    schema.sql("INSERT INTO t VALUES (4, '2020-01-01', '2021-01-01');");
    schema.describe(
        &project,
        &["name: t, cursor: b, primary_key: [id], disposition: merge"],
        "",
    );
    sync(&project, &[]);
    assert_eq!(
        rows(&project, "SELECT count(*)::INT AS n FROM raw_p.t"),
        json!([{"n": 4}])
    );
}

#[test]
fn appended_rows_are_not_read_again_because_their_cursor_is_another_column() {
    let schema = events("append_cursor");
    let project = schema.project(&[EVENTS], "");
    sync(&project, &[]);
    schema.describe(
        &project,
        &["name: events, cursor: at, disposition: append"],
        "",
    );
    let refused = project.run(&["sync"]);
    assert!(refused.stderr.contains("--full-refresh"), "{refused:#?}");
    assert_eq!(
        (refused.code, count(&project)),
        (Some(1), 5),
        "{refused:#?}"
    );
    sync(&project, &["--full-refresh"]);
    schema.sql("INSERT INTO events VALUES (6, '2026-01-01');");
    sync(&project, &[]);
    assert_eq!(count(&project), 6);
}
