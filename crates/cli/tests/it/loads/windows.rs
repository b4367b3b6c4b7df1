//! `--since`, `--until`, `--limit`: a part of a source is read, nothing is doubled, and later syncs pass nothing over.

use super::{Schema, changed, rows, sync};
use crate::project::Project;
use serde_json::{Value, json};

const MERGED: &str = "name: m, cursor: at";
const APPENDED: &str = "name: log, cursor: at, disposition: append";

fn ids(project: &Project, table: &str) -> Value {
    let sql = format!("SELECT string_agg(id, ' ' ORDER BY id) AS ids FROM raw_p.{table}");
    rows(project, &sql)[0]["ids"].clone()
}

#[test]
fn what_lies_beside_a_window_is_read_later() {
    let schema = Schema::new(
        "beside",
        "CREATE TABLE m (id int PRIMARY KEY, at timestamp);
         INSERT INTO m SELECT i, '2024-01-01'::timestamp + i * interval '1 day' FROM generate_series(1, 5) i;",
    );
    let project = schema.project(&[MERGED], "");
    sync(&project, &[]);
    schema.sql("INSERT INTO m VALUES (6, '2024-01-10'), (7, '2024-03-01');");
    sync(&project, &["--since", "2024-02-01"]);
    assert_eq!(ids(&project, "m"), "1 2 3 4 5 7");
    sync(
        &project,
        &["--since", "2024-01-02", "--until", "2024-01-04"],
    );
    assert_eq!(changed(&sync(&project, &[])), [1, 0, 0]);
    assert_eq!(ids(&project, "m"), "1 2 3 4 5 6 7");
}

#[test]
fn appended_rows_come_once_whatever_part_is_asked_for() {
    let schema = Schema::new(
        "once",
        "CREATE TABLE log (id int, at timestamp);
         INSERT INTO log SELECT i, '2024-01-01'::timestamp + i * interval '1 day' FROM generate_series(1, 5) i;",
    );
    let project = schema.project(&[APPENDED], "");
    sync(&project, &["--until", "2024-01-05"]);
    assert_eq!(ids(&project, "log"), "1 2 3");
    let outcome = sync(&project, &["--since", "2024-01-01"]);
    let warnings = outcome["tables"][0]["warnings"].to_string();
    assert!(warnings.contains("whatever `--since`"), "{outcome}");
    assert_eq!(ids(&project, "log"), "1 2 3 4 5");
    schema.sql("INSERT INTO log VALUES (6, '2024-01-10'), (7, '2024-03-01');");
    sync(&project, &["--since", "2024-02-01"]);
    for words in [
        &[][..],
        &["--until", "2024-01-03"],
        &["--full-refresh", "--limit", "2"],
        &["--full-refresh"],
        &[],
    ] {
        sync(&project, words);
        assert_eq!(ids(&project, "log"), "1 2 3 4 5 6 7", "{words:?}");
    }
}

#[test]
fn appended_rows_without_a_cursor_value_are_not_doubled() {
    let schema = Schema::new(
        "without",
        "CREATE TABLE log (id int, at timestamp); INSERT INTO log VALUES (1, NULL), (2, NULL), (3, NULL);",
    );
    let project = schema.project(&[APPENDED], "");
    for words in [&["--limit", "1"][..], &[], &[]] {
        sync(&project, words);
        assert_eq!(ids(&project, "log"), "1 2 3", "{words:?}");
    }
    let ran = project
        .run(&["sync", "--limit", "1"])
        .failed(1, "usage_invalid");
    assert!(ran.stderr.contains("sync once without"), "{ran:#?}");
    schema.sql("INSERT INTO log VALUES (4, '2024-01-01'), (5, '2024-01-02');");
    sync(&project, &[]);
    schema.sql("INSERT INTO log VALUES (6, NULL), (7, '2024-01-03');");
    let outcome = sync(&project, &[]);
    assert_eq!(ids(&project, "log"), "1 2 3 4 5 7");
    let warnings = outcome["tables"][0]["warnings"].to_string();
    assert!(warnings.contains("without a value of `at`"), "{outcome}");
}

#[test]
fn a_table_that_gets_a_cursor_is_not_appended_to_itself() {
    let schema = Schema::new(
        "gets_cursor",
        "CREATE TABLE log (id int, at timestamp); INSERT INTO log VALUES (1, '2024-01-01'), (2, '2024-01-02');",
    );
    let project = schema.project(&["name: log"], "");
    sync(&project, &[]);
    schema.describe(&project, &[APPENDED], "");
    sync(&project, &[]);
    schema.sql("INSERT INTO log VALUES (3, '2024-01-03');");
    assert_eq!(changed(&sync(&project, &[])), [1, 0, 0]);
    assert_eq!(ids(&project, "log"), "1 2 3");
}

#[test]
fn a_time_far_ahead_hides_no_later_change() {
    let schema = Schema::new(
        "far_ahead",
        "CREATE TABLE m (id int PRIMARY KEY, at timestamp, v int); CREATE TABLE log (id int, at timestamp);
         INSERT INTO m VALUES (1, '2024-01-01', 1), (2, '9999-12-31', 1);
         INSERT INTO log VALUES (1, '2024-01-01'), (2, '9999-12-31');",
    );
    let project = schema.project(&[MERGED, APPENDED], "");
    sync(&project, &[]);
    schema.sql("UPDATE m SET at = '2024-01-02', v = 2 WHERE id = 1; INSERT INTO log VALUES (3, '2024-01-02');");
    sync(&project, &[]);
    assert_eq!(
        rows(&project, "SELECT id, v FROM raw_p.m ORDER BY id"),
        json!([{"id": 1, "v": 2}, {"id": 2, "v": 1}])
    );
    sync(&project, &[]);
    assert_eq!(ids(&project, "log"), "1 3");
}

#[test]
fn a_column_that_is_spelled_like_another_takes_nothing_over() {
    let schema = Schema::new(
        "spelled",
        r#"CREATE TABLE t (id int PRIMARY KEY, "Total" int); INSERT INTO t VALUES (1, 10);"#,
    );
    let project = schema.project(&["name: t"], "");
    sync(&project, &[]);
    schema.sql("ALTER TABLE t ADD COLUMN total int; UPDATE t SET total = 20;");
    sync(&project, &[]);
    let expect = json!([{"total": 10, "total_4738f3": 20}]);
    let sql = "SELECT total, total_4738f3 FROM raw_p.t";
    assert_eq!(rows(&project, sql), expect);
    schema.sql(r#"ALTER TABLE t DROP COLUMN "Total";"#);
    sync(&project, &[]);
    assert_eq!(
        rows(&project, "SELECT total_4738f3 AS t FROM raw_p.t"),
        json!([{"t": 20}])
    );
}
