//! `source add|list|show|edit|remove|test`.

use crate::api::{Answer, Api};
use crate::project::{Project, SHOP};
use serde_json::json;

#[test]
fn a_source_is_added_by_flags_tested_and_synced() {
    let project = Project::new();
    project.write("data/uploads/orders.csv", "id\n1\n2\n");
    let words = [
        "source",
        "add",
        "csv",
        "--name",
        "Files",
        "--set",
        "directory=data/uploads",
        "--table",
        "orders=orders.csv",
    ];
    let ran = project.run(&words).succeeded();
    assert!(ran.stderr.contains("dango sync files"), "{ran:#?}");
    project.run(&["sync", "files"]).succeeded();
    let count = project
        .run(&[
            "query",
            "SELECT count(*)::INT AS n FROM raw_files.orders",
            "--json",
        ])
        .succeeded();
    assert_eq!(count.json(), json!([{"n": 2}]));
    project.run(&words).failed(5, "source_exists");
}

#[test]
fn nothing_is_saved_when_the_source_does_not_answer() {
    let project = Project::new();
    let before = (
        project.read(".dango/sources.yml"),
        project.read(".dlt/secrets.toml"),
    );
    let words = [
        "source",
        "add",
        "csv",
        "--name",
        "files",
        "--set",
        "directory=data/nowhere",
    ];
    let ran = project.run(&words).failed(4, "source_missing");
    assert_eq!(ran.stdout, "");
    let database = [
        "source",
        "add",
        "postgres",
        "--name",
        "db",
        "--set",
        "host=127.0.0.1",
        "--set",
        "port=9",
        "--set",
        "database=x",
        "--set",
        "username=y",
        "--secret-stdin",
        "password",
    ];
    let ran = project
        .run_with(&database, "hunter2hunter2\n", &[])
        .failed(75, "source_unreachable");
    assert!(!ran.stderr.contains("hunter2"), "{ran:#?}");
    assert_eq!(
        (
            project.read(".dango/sources.yml"),
            project.read(".dlt/secrets.toml")
        ),
        before
    );
    let untested: Vec<_> = database.iter().copied().chain(["--no-test"]).collect();
    project
        .run_with(&untested, "hunter2hunter2\n", &[])
        .succeeded();
    assert!(project.read(".dlt/secrets.toml").contains("hunter2hunter2"));
    assert!(!project.read(".dango/sources.yml").contains("hunter2"));
    let shown = project.run(&["source", "show", "db"]).succeeded();
    assert!(
        shown.stdout.contains("***************") && !shown.stdout.contains("hunter2"),
        "{shown:#?}"
    );
}

#[test]
fn a_missing_answer_names_its_flag() {
    let project = Project::new();
    for (words, code, flag) in [
        (
            &["source", "add"][..],
            "input_needed",
            "dango source add TYPE",
        ),
        (&["source", "add", "csv"], "input_needed", "--name NAME"),
        (
            &["source", "add", "csv", "--name", "x"],
            "usage_invalid",
            "--set directory=",
        ),
        (
            &["source", "add", "stripe", "--name", "x"],
            "usage_invalid",
            "--secret-stdin api_key",
        ),
        (&["source", "edit", "shop"], "source_not_found", ""),
    ] {
        let exit = if code == "source_not_found" { 4 } else { 2 };
        let ran = project.run(words).failed(exit, code);
        assert!(ran.stderr.contains(flag), "{words:?}: {ran:#?}");
    }
    let ran = project.run(&["source", "add", "postgress", "--name", "x"]);
    assert_ne!(ran.code, Some(0), "{ran:#?}");
    assert!(ran.stderr.contains("did you mean `postgres`?"), "{ran:#?}");
    let ran = project
        .run(&[
            "source",
            "add",
            "csv",
            "--name",
            "x",
            "--set",
            "directroy=y",
        ])
        .failed(2, "usage_invalid");
    assert!(ran.stderr.contains("did you mean `directory`?"), "{ran:#?}");
}

#[test]
fn sources_are_listed_shown_and_tested() {
    let project = Project::synced_shop();
    let list = project.run(&["source", "list"]).succeeded();
    assert!(
        list.stdout.starts_with("SOURCE") && list.stdout.contains("shop"),
        "{list:#?}"
    );
    let json = project
        .run(&["source", "list", "--json"])
        .succeeded()
        .json();
    assert_eq!(json["sources"][0]["name"], "shop");
    assert_eq!(json["sources"][0]["enabled"], true);
    let shown = project.run(&["source", "show", "shop"]).succeeded();
    for part in ["shop: local_files", "data/uploads", "orders", "succeeded"] {
        assert!(shown.stdout.contains(part), "{part}: {shown:#?}");
    }
    let tested = project
        .run(&["source", "test", "shop", "--json"])
        .succeeded()
        .json();
    assert_eq!(tested["ok"], true);
    for command in ["show", "test"] {
        let ran = project
            .run(&["source", command, "shpo"])
            .failed(4, "source_not_found");
        assert!(ran.stderr.contains("did you mean `shop`?"), "{ran:#?}");
    }
}

#[test]
fn a_source_is_edited_with_its_comments_kept() {
    let project = Project::shop();
    project
        .run(&["source", "edit", "shop", "--disable"])
        .succeeded();
    let file = project.read(".dango/sources.yml");
    assert!(
        file.contains("# The shop's orders.") && file.contains("enabled: false"),
        "{file}"
    );
    project
        .run(&[
            "source",
            "edit",
            "shop",
            "--enable",
            "--set",
            "directory=data/other",
        ])
        .succeeded();
    assert!(
        project
            .read(".dango/sources.yml")
            .contains("directory: data/other")
    );
    let ran = project
        .run(&["source", "edit", "shop"])
        .failed(2, "input_needed");
    assert!(ran.stderr.contains("--set KEY=VALUE"), "{ran:#?}");
}

#[test]
fn a_source_is_removed_with_or_without_its_tables() {
    let project = Project::synced_shop();
    project
        .run(&["source", "remove", "shop"])
        .failed(2, "input_needed");
    assert_eq!(project.read(".dango/sources.yml"), SHOP);
    project
        .run(&["source", "remove", "shop", "--yes"])
        .succeeded();
    project.run(&["query", "FROM raw_shop.orders"]).succeeded();
    project.write(".dango/sources.yml", SHOP);
    let removed = project
        .run(&["source", "remove", "shop", "--drop-data", "--yes", "--json"])
        .succeeded()
        .json();
    assert_eq!(removed["name"], "shop");
    project
        .run(&["query", "FROM raw_shop.orders"])
        .failed(1, "query_invalid");
    project
        .run(&["source", "remove", "shop", "--yes"])
        .failed(4, "source_not_found");
}

#[test]
fn a_secret_in_a_variable_is_tried_by_value_and_saved_by_name() {
    let api = Api::start(Answer::ListFor("t0ken-in-a-variable"));
    let project = Project::new();
    let base_url = format!("base_url={}", api.base_url());
    let words = [
        "source",
        "add",
        "rest_api",
        "--name",
        "pay",
        "--set",
        &base_url,
        "--set",
        "auth_type=bearer",
        "--endpoint",
        "charges",
        "--secret-env",
        "auth_token=PAY_TOKEN",
    ];
    let missing = project.run(&words).failed(1, "variable_missing");
    assert!(missing.stderr.contains("`PAY_TOKEN`"), "{missing:#?}");
    project
        .run_with(&words, "", &[("PAY_TOKEN", "wrong-token")])
        .failed(1, "source_unauthorized");
    project
        .run_with(&words, "", &[("PAY_TOKEN", "t0ken-in-a-variable")])
        .succeeded();
    let file = project.read(".dlt/secrets.toml");
    assert!(
        file.contains("${PAY_TOKEN}") && !file.contains("t0ken"),
        "{file}"
    );
    project
        .run_with(
            &["source", "test", "pay"],
            "",
            &[("PAY_TOKEN", "t0ken-in-a-variable")],
        )
        .succeeded();
    project
        .run(&["source", "test", "pay"])
        .failed(1, "variable_missing");
}

#[test]
fn an_edit_is_made_as_a_whole_or_not_at_all() {
    let project = Project::shop();
    let edit = |words: &[&str]| project.run(&[&["source", "edit", "shop"], words].concat());
    for (words, exit, code, part) in [
        (
            &[
                "--set",
                "shrink_limit_percent=20",
                "--set",
                "contract=bogus",
            ][..],
            1,
            "config_invalid",
            "it is one of `evolve`",
        ),
        (
            &["--set", "shrink_limit_percent=many"],
            1,
            "config_invalid",
            "from 0 to 100",
        ),
        (
            &["--enable", "--set", "pattern_of_files=*.csv"],
            1,
            "config_invalid",
            "`pattern_of_files`",
        ),
        (
            &["--set", "contract=freeze", "--unset", "directory"],
            1,
            "config_invalid",
            "`directory` is missing",
        ),
        (
            &["--set", "contract=${NOWHERE}"],
            1,
            "variable_missing",
            "NOWHERE",
        ),
        (
            &["--set", "contract=freeze", "--unset", "lookback_days"],
            2,
            "usage_invalid",
            "`lookback_days` is not set",
        ),
    ] {
        let ran = edit(words).failed(exit, code);
        assert!(ran.stderr.contains(part), "{words:?}: {}", ran.stderr);
        assert_eq!(project.read(".dango/sources.yml"), SHOP, "{words:?}");
    }
    edit(&[
        "--set",
        "shrink_limit_percent=20",
        "--set",
        "description=2024",
        "--set",
        "contract=freeze",
    ])
    .succeeded();
    let file = project.read(".dango/sources.yml");
    for line in [
        "    shrink_limit_percent: 20\n",
        "    description: \"2024\"\n",
        "    contract: freeze\n",
        "  # The shop's orders.\n",
    ] {
        assert!(file.contains(line), "{line}: {file}");
    }
    project.run(&["sync"]).succeeded();
}

#[test]
fn tables_are_chosen_in_the_block_and_nowhere_else() {
    let project = Project::new();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: db\n    type: postgres\n    tables: [orders]\n    postgres: {host: h, database: d, username: u}\n",
    );
    let ran = project
        .run(&["source", "test", "db"])
        .failed(1, "config_invalid");
    assert!(
        ran.stderr.contains("`tables`") && ran.stderr.contains("below `postgres:`"),
        "{ran:#?}"
    );
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: db\n    type: postgres\n    postgres:\n      host: h\n",
    );
    project
        .run(&["source", "edit", "db", "--set", "tables=[orders, items]"])
        .succeeded();
    assert!(
        project
            .read(".dango/sources.yml")
            .ends_with("      tables:\n        - orders\n        - items\n")
    );
}

#[test]
fn a_source_that_would_be_broken_is_not_added() {
    let project = Project::new();
    let before = project.read(".dango/sources.yml");
    let ran = project
        .run_with(
            &[
                "source",
                "add",
                "postgres",
                "--name",
                "db",
                "--no-test",
                "--set",
                "host=h",
                "--set",
                "tabels=[a]",
                "--secret-stdin",
                "password",
            ],
            "a-password-of-somebody",
            &[],
        )
        .failed(1, "config_invalid");
    assert!(ran.stderr.contains("`tabels`"), "{ran:#?}");
    assert_eq!(project.read(".dango/sources.yml"), before);
    assert!(!project.read(".dlt/secrets.toml").contains("a-password"));
}

#[test]
fn tables_stay_when_their_source_cannot_be_removed() {
    let project = Project::synced_shop();
    project.write(
        ".dango/sources.yml",
        "sources: [{name: shop, type: local_files, local_files: {directory: data/uploads}}]\n",
    );
    let ran = project
        .run(&["source", "remove", "shop", "--drop-data", "--yes"])
        .failed(1, "config_invalid");
    assert!(ran.stderr.contains("remove it there yourself"), "{ran:#?}");
    project.run(&["query", "FROM raw_shop.orders"]).succeeded();
}

#[test]
fn one_table_is_not_several() {
    let project = Project::shop();
    let tested = project.run(&["source", "test", "shop"]).succeeded();
    assert!(tested.stdout.contains("2 files, "), "{tested:#?}");
    assert!(tested.stdout.contains("for 1 table\n"), "{tested:#?}");
}
