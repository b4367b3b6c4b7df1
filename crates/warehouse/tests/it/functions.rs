//! The functions that the gate's list was made for are the functions that the engine has.

use crate::stage::Stage;
use std::collections::BTreeSet;

/// Returns `kind name` for each function of the list.
fn reviewed() -> BTreeSet<String> {
    let mut kind = "";
    let mut found = BTreeSet::new();
    for line in include_str!("functions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        match line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            Some(heading) => kind = heading,
            None => found.extend(line.split_whitespace().map(|name| format!("{kind} {name}"))),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_of_the_engine_was_read_through() {
    let stage = Stage::new();
    let sql = "SELECT DISTINCT function_type || ' ' || function_name AS f FROM duckdb_functions()
               WHERE function_name <> 'dango_ingest'";
    let rows = stage.select(sql).await;
    let found: BTreeSet<_> = rows
        .iter()
        .map(|row| row["f"].as_str().unwrap().to_owned())
        .collect();
    let reviewed = reviewed();
    let new: Vec<_> = found.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:?}\ngone: {gone:?}"
    );
}
