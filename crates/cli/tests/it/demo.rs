//! `dango demo`: from nothing to an answer, twice.

use crate::project::Project;
use serde_json::json;

#[test]
fn the_demo_syncs_a_shop_and_answers_a_question() {
    let folder = Project::empty();
    let ran = folder.run(&["demo"]).succeeded();
    for part in ["shop", "web", "catalog", "reviews", "synced"] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    assert!(ran.stdout.contains("│ product"), "{ran:#?}");
    assert!(ran.stderr.contains("cd dango-demo"), "{ran:#?}");
    let count = |table: &str| {
        let sql = format!("SELECT count(*)::INT AS n FROM {table}");
        folder
            .run(&["--project", "dango-demo", "query", &sql, "--json"])
            .succeeded()
            .json()
    };
    for (table, expect) in [
        ("raw_shop.customers", 1_000),
        ("raw_shop.orders", 12_000),
        ("raw_web.events", 6_000),
        ("raw_catalog.products", 16),
        ("raw_reviews.reviews", 750),
    ] {
        assert_eq!(count(table), json!([{ "n": expect }]), "{table}");
    }
    let sku = folder.run(&[
        "--project",
        "dango-demo",
        "query",
        "SELECT min(sku) AS sku FROM raw_shop.orders",
        "--json",
    ]);
    assert_eq!(sku.succeeded().json(), json!([{"sku": "00007"}]));
    // The next steps it names work, though its API is gone.
    folder.run(&["--project", "dango-demo", "sync"]).succeeded();
    let again = folder.run(&["demo", "--json"]).succeeded().json();
    let changed = |source: usize| again["sync"]["sources"][source]["rows_inserted"].clone();
    assert_eq!([changed(0), changed(1), changed(2)], [0, 0, 0], "{again}");
    assert_eq!(again["rows"].as_array().map(Vec::len), Some(8));
}

#[test]
fn the_demo_leaves_a_project_of_somebodys_own_alone() {
    let project = Project::shop();
    let before = project.read(".dango/sources.yml");
    project.run(&["demo", "."]).failed(5, "project_exists");
    assert_eq!(project.read(".dango/sources.yml"), before);
}
