//! The project's own files, damaged, replaced or held by somebody else.

use super::{Bench, Case, Stdout, fingerprint};
use crate::project::Project;
use rustix::fs::FlockOperation;

const WAREHOUSE: &str = "data/warehouse.duckdb";

#[test]
fn files_of_ours_that_are_damaged_are_left_as_they_are() {
    let garbage = b"This is no database. ".repeat(1_000);
    let shop = |name| {
        let mut case = Case::run(name, &["sync", "shop", "--full-refresh"]);
        case.stdout = Stdout::SyncTable;
        case
    };
    let project = Project::synced_shop();
    let mut broken = std::fs::read(project.path(WAREHOUSE)).expect("there");
    broken[4_096..12_288].fill(0xa5);
    let half = broken[..broken.len() / 2].to_vec();
    Bench::new().check(vec![
        Case::run("metadata.db", &["sync"])
            .with(".dango/metadata.db", garbage.clone())
            .fails(1, "store_failed", &["damaged", "`.dango/metadata.db`"]),
        Case::run("metadata.db of another program", &["sync"])
            .with(".dango/metadata.db", foreign())
            .fails(1, "store_version", &["another program"]),
        shop("warehouse").with(WAREHOUSE, garbage.clone()).fails(
            1,
            "warehouse_corrupt",
            &["backup"],
        ),
        shop("warehouse, its header").with(WAREHOUSE, broken).fails(
            1,
            "warehouse_corrupt",
            &["backup"],
        ),
        shop("warehouse, cut off")
            .with(WAREHOUSE, half)
            .fails(1, "warehouse_corrupt", &["backup"]),
        Case::run("warehouse, for a query", &["query", "SELECT 1"])
            .with(WAREHOUSE, garbage.clone())
            .fails(1, "warehouse_corrupt", &["backup"]),
        Case::run("warehouse, for its status", &["db", "status"])
            .with(WAREHOUSE, garbage.clone())
            .fails(1, "warehouse_corrupt", &["backup"]),
        Case::run("warehouse, to be compacted", &["db", "compact"])
            .with(WAREHOUSE, garbage)
            .fails(1, "warehouse_corrupt", &["backup"]),
    ]);
}

/// A SQLite database with a table that is not ours.
fn foreign() -> Vec<u8> {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("x.db");
    let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('create table mine (a)'); c.commit()";
    let made = std::process::Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(&path)
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "the tests need python3: `apt-get install python3`"
    );
    std::fs::read(path).expect("written")
}

#[test]
fn folders_in_the_place_of_files_are_told_so() {
    for (place, words, code) in [
        (WAREHOUSE, vec!["sync"], "file_access"),
        (".dango/metadata.db", vec!["sync"], "store_failed"),
        (".dango/metadata.db-wal", vec!["sync"], "store_failed"),
        (".dango/sources.yml", vec!["sync"], "file_access"),
        (".dlt/secrets.toml", vec!["secrets", "list"], "file_access"),
    ] {
        let project = Project::shop();
        // Some exist only after the first sync.
        let _ = fs_err::remove_file(project.path(place));
        fs_err::create_dir_all(project.path(place)).expect("created");
        let ran = project.run(&words);
        let shown = format!("{ran:#?}");
        assert!(
            ran.stderr.contains(&format!("code: {code}\n")),
            "{place}: {shown}"
        );
        assert!(
            ran.stderr.contains("hint: ") && !ran.stderr.contains("panicked"),
            "{place}: {ran:#?}"
        );
    }
}

#[test]
fn a_warehouse_that_another_program_holds_is_waited_for_and_left() {
    let project = Project::synced_shop();
    let before = fingerprint(&project);
    let file = fs_err::OpenOptions::new()
        .read(true)
        .write(true)
        .open(project.path(WAREHOUSE))
        .expect("there");
    // DuckDB's kind of lock: it belongs to this process until it closes the file.
    rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).expect("free");
    project.write(
        "data/uploads/orders-3.csv",
        "order_id,sku,amount\n6,007,1\n",
    );
    for words in [
        &["sync"][..],
        &["query", "SELECT 1"],
        &["db", "status"],
        &["db", "compact"],
    ] {
        let ran = project.run(words).failed(5, "warehouse_locked");
        assert!(ran.stderr.contains("hint: close the program"), "{ran:#?}");
    }
    drop(file);
    assert_eq!(fingerprint(&project), before);
    project.run(&["sync"]).succeeded();
}
