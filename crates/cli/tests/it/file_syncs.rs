//! Sources of many files: what is kept, what is discarded, and what must not grow with the number of files.

use crate::project::Project;
use serde_json::{Value, json};
use std::fmt::Write as _;

fn rows(project: &Project, sql: &str) -> Value {
    project.run(&["query", sql, "--json"]).succeeded().json()
}

/// Makes a project with the file source `f`, whose table is `t`.
fn project(pattern: &str, options: &str) -> Project {
    let project = Project::new();
    configure(&project, pattern, options, "");
    project
}

fn configure(project: &Project, pattern: &str, options: &str, further: &str) {
    project.write(
        ".dango/sources.yml",
        &format!(
            "version: \"1.0\"\nsources:\n  - {{name: f, type: local_files{further}, local_files: {{directory: data/f{options}, \
             tables: [{{name: t, pattern: '{pattern}'}}]}}}}\n"
        ),
    );
    fs_err::create_dir_all(project.path("data/f")).expect("created");
}

/// Returns the outcome of the only source.
fn sync(project: &Project, words: &[&str]) -> Value {
    let words = [&["sync", "--json"], words].concat();
    project.run(&words).succeeded().json()["sources"][0].clone()
}

fn changed(outcome: &Value) -> [&Value; 2] {
    [&outcome["rows_inserted"], &outcome["rows_deleted"]]
}

#[test]
fn a_full_refresh_keeps_the_rows_of_files_that_are_gone() {
    let project = project("*", ", removed_files: keep");
    let all = "SELECT id, a::VARCHAR AS a, _dango_filename AS file FROM raw_f.t ORDER BY id";
    project.write("data/f/old.csv", "id,a\n1,10.5\n2,\n");
    project.write(
        "data/f/old.json",
        r#"[{"id": 3, "a": 7, "tags": ["x", "y"]}]"#,
    );
    project.write("data/f/new.csv", "id,a\n4,2.50\n");
    assert_eq!(changed(&sync(&project, &[])), [6, 0]);
    fs_err::remove_file(project.path("data/f/old.csv")).expect("removed");
    fs_err::remove_file(project.path("data/f/old.json")).expect("removed");
    for words in [&[][..], &["--full-refresh"]] {
        assert_eq!(changed(&sync(&project, words)), [0, 0], "{words:?}");
    }
    // A type that no longer holds: files that are there are read again, of the others the values are converted.
    project.write("data/f/new.csv", "id,a\n4,2.50\n5,much\n");
    sync(&project, &[]);
    let expect = json!([
        {"id": 1, "a": "10.50", "file": "old.csv"}, {"id": 2, "a": null, "file": "old.csv"},
        {"id": 3, "a": "7.00", "file": "old.json"},
        {"id": 4, "a": "2.50", "file": "new.csv"}, {"id": 5, "a": "much", "file": "new.csv"},
    ]);
    assert_eq!(rows(&project, all), expect);
    sync(&project, &["--full-refresh"]);
    assert_eq!(rows(&project, all), expect);
    let children = "SELECT count(*)::INT AS n FROM raw_f.t__tags c JOIN raw_f.t p ON p._dlt_id = c._dlt_parent_id";
    assert_eq!(rows(&project, children), json!([{"n": 2}]));
}

#[test]
fn a_new_file_brings_columns_and_tables_that_were_not_there() {
    let project = project("*", "");
    project.write("data/f/a.json", r#"[{"id": 1}]"#);
    sync(&project, &[]);
    project.write(
        "data/f/b.json",
        r#"[{"id": 2, "name": "x", "tags": [7, 8]}]"#,
    );
    let outcome = sync(&project, &[]);
    assert_eq!(changed(&outcome), [3, 0]);
    let told = outcome["tables"].to_string();
    assert!(
        told.contains("column name added (VARCHAR)") && told.contains("table created"),
        "{outcome}"
    );
    project.write("data/f/c.json", r#"[{"id": 3, "tags": [9]}]"#);
    assert_eq!(changed(&sync(&project, &[])), [2, 0]);
    project.write("data/f/b.json", r#"[{"id": 2, "name": "x", "tags": [7]}]"#);
    assert_eq!(changed(&sync(&project, &[])), [0, 1]);
    assert_eq!(
        rows(
            &project,
            "SELECT p.id, p.name, p._dango_filename AS file, c.value AS tag FROM raw_f.t p \
             LEFT JOIN raw_f.t__tags c ON c._dlt_parent_id = p._dlt_id ORDER BY id"
        ),
        json!([
            {"id": 1, "name": null, "file": "a.json", "tag": null},
            {"id": 2, "name": "x", "file": "b.json", "tag": 7},
            {"id": 3, "name": null, "file": "c.json", "tag": 9},
        ])
    );
}

/// A folder whose name makes every path long.
fn long_folder() -> String {
    format!("{}/{}", "d".repeat(250), "e".repeat(250))
}

#[test]
fn thousands_of_files_are_synced_changed_and_removed() {
    const FILES: u64 = 2_500;
    const FILLED: u64 = 300;
    let project = project("*/*/*.csv", "");
    let folder = project.path("data/f").join(long_folder());
    fs_err::create_dir_all(&folder).expect("created");
    let write = |file, text: &str| {
        fs_err::write(folder.join(format!("{file}.csv")), text).expect("written");
    };
    (0..FILES).for_each(|file| write(file, &format!("id\n{file}\n")));
    assert_eq!(changed(&sync(&project, &[])), [FILES, 0]);
    assert_eq!(changed(&sync(&project, &[])), [0, 0]);
    (0..FILLED).for_each(|file| write(file, &format!("id\n{}\n", file + FILES)));
    (FILLED..FILES).for_each(|file| write(file, ""));
    let outcome = sync(&project, &["--allow-empty-replace"]);
    assert_eq!(changed(&outcome), [FILLED, FILES]);
    // Each is told to be empty, in the report of the load too.
    let warnings = outcome["tables"][0]["warnings"].as_array().map(Vec::len);
    assert_eq!(warnings, usize::try_from(FILES - FILLED).ok());
    assert_eq!(
        rows(
            &project,
            "SELECT count(*)::INT AS n, min(id) AS least, count(DISTINCT _dango_filename)::INT AS files FROM raw_f.t"
        ),
        json!([{"n": FILLED, "least": FILES, "files": FILLED}])
    );
    fs_err::remove_dir_all(project.path("data/f").join("d".repeat(250))).expect("removed");
    project.write("data/f/a/b/last.csv", "id\n1\n");
    assert_eq!(
        changed(&sync(&project, &["--allow-empty-replace"])),
        [1, FILLED]
    );
    assert_eq!(changed(&sync(&project, &[])), [0, 0]);
}

#[test]
fn columns_by_the_thousand_are_written_down() {
    const TABLES: usize = 24;
    const COLUMNS: usize = 500;
    let project = Project::new();
    let mut tables = String::new();
    for table in 0..TABLES {
        write!(tables, "{{name: t{table}, pattern: 't{table}.csv'}}, ").expect("a string");
        let name = |column| format!("c{column:05}_{}", "x".repeat(56));
        let header: Vec<_> = (0..COLUMNS).map(name).collect();
        project.write(
            &format!("data/f/t{table}.csv"),
            &format!("{}\n", header.join(",")),
        );
    }
    project.write(
        ".dango/sources.yml",
        &format!(
            "version: \"1.0\"\nsources:\n  - {{name: f, type: local_files, local_files: {{directory: data/f, tables: [{tables}]}}}}\n"
        ),
    );
    sync(&project, &[]);
    assert_eq!(
        rows(
            &project,
            "SELECT count(*)::INT AS n FROM raw_f._dlt_version WHERE length(schema) > 1 << 20"
        ),
        json!([{"n": 1}])
    );
}

#[test]
fn what_the_contract_discards_stays_out_sync_after_sync() {
    let project = Project::new();
    configure(&project, "*", "", ", contract: discard");
    let all = "SELECT * EXCLUDE (_dlt_load_id, _dango_filename) FROM raw_f.t ORDER BY id";
    project.write("data/f/one.csv", "id,a,note\n1,10,\n");
    sync(&project, &[]);
    // A column more, another type, and values where there was none.
    project.write("data/f/two.csv", "id,a,note,b\n2,much,5,x\n3,30,6,y\n");
    let outcome = sync(&project, &[]);
    assert_eq!(changed(&outcome), [2, 0]);
    let warnings = outcome["tables"][0]["warnings"].to_string();
    assert!(
        warnings.contains("2 values of the new column b were discarded")
            && warnings.contains("column a is VARCHAR at the source and stays BIGINT: 1 values"),
        "{outcome}"
    );
    let first = json!({"id": 1, "a": 10, "note": null});
    assert_eq!(
        rows(&project, all),
        json!([first, {"id": 2, "a": null, "note": "5"}, {"id": 3, "a": 30, "note": "6"}])
    );
    assert_eq!(changed(&sync(&project, &[])), [0, 0]);
    project.write("data/f/two.csv", "id,a,note,b\n2,20,5,z\n");
    assert_eq!(changed(&sync(&project, &[])), [1, 2]);
    // Values that were let in earlier do not outlive the content they came from.
    project.write("data/f/two.csv", "id,a,note\n2,none,5\n");
    assert_eq!(changed(&sync(&project, &[])), [1, 1]);
    let second = json!({"id": 2, "a": null, "note": "5"});
    assert_eq!(rows(&project, all), json!([first, second]));
    project.write(
        "data/f/three.json",
        r#"[{"id": 3, "b": 1}, {"id": 4, "b": "x"}]"#,
    );
    assert_eq!(changed(&sync(&project, &[])), [2, 0]);
    assert_eq!(
        rows(&project, all),
        json!([first, second, {"id": 3, "a": null, "note": null}, {"id": 4, "a": null, "note": null}])
    );
    assert_eq!(changed(&sync(&project, &["--full-refresh"])), [0, 0]);
    sync(&project, &["--full-refresh", "--accept-schema"]);
    assert_eq!(
        rows(&project, "SELECT id, a FROM raw_f.t ORDER BY id LIMIT 2"),
        json!([{"id": 1, "a": "10"}, {"id": 2, "a": "none"}])
    );
}

#[test]
fn a_source_that_never_loaded_leaves_nothing_in_the_warehouse() {
    let project = project("*", "");
    project.write("data/f/bad.csv", "a,b\n1\n");
    project.run(&["sync"]).failed(1, "file_invalid");
    let status = project.run(&["db", "status", "--json"]).succeeded().json();
    assert_eq!(status["schemas"], json!([]), "{status}");
    project.write("data/f/bad.csv", "a,b\n1,2\n");
    assert_eq!(changed(&sync(&project, &[])), [1, 0]);
}
