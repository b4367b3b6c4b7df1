//! `query`: every form of output, the limits, and what is refused.

use crate::project::Project;
use serde_json::json;
use std::io::Read as _;
use std::process::{Command, Stdio};

const ORDERS: &str = "SELECT order_id, sku, amount FROM raw_shop.orders ORDER BY order_id";

#[test]
fn a_result_is_written_in_every_form() {
    let project = Project::synced_shop();
    let table = project.run(&["query", ORDERS]).succeeded();
    assert_eq!(
        table.stdout,
        "\
┌──────────┬─────┬────────┐
│ order_id ┆ sku ┆ amount │
╞══════════╪═════╪════════╡
│        1 ┆ 007 ┆  10.75 │
│        2 ┆ 008 ┆   3.00 │
│        3 ┆ 007 ┆   NULL │
│        4 ┆ 009 ┆   1.50 │
│        5 ┆ 007 ┆   2.00 │
└──────────┴─────┴────────┘
"
    );
    assert_eq!(table.stderr, "5 rows\n");
    let csv = project
        .run(&["query", ORDERS, "--format", "csv", "--limit", "2"])
        .succeeded();
    assert_eq!(
        csv.stdout.replace('\r', ""),
        "order_id,sku,amount\n1,007,10.75\n2,008,3.00\n"
    );
    assert!(csv.stderr.contains("first 2 rows only"), "{csv:#?}");
    let json = project
        .run(&["query", ORDERS, "--json", "--limit", "1"])
        .succeeded()
        .json();
    assert_eq!(json[0]["sku"], "007");
    let lines = project
        .run(&["query", ORDERS, "--format", "jsonl"])
        .succeeded();
    assert_eq!(lines.stdout.lines().count(), 5);
}

#[test]
fn sql_comes_from_stdin_as_well() {
    let project = Project::synced_shop();
    let ran = project
        .run_with(
            &["query", "-", "--json"],
            "SELECT 1 AS one -- and a comment\n",
            &[],
        )
        .succeeded();
    assert_eq!(ran.json(), json!([{"one": 1}]));
    assert_eq!(
        project
            .run(&["query", "SELECT 1 AS one WHERE false", "--json"])
            .succeeded()
            .json(),
        json!([])
    );
}

#[test]
fn a_result_goes_into_a_file_and_overwrites_none() {
    let project = Project::synced_shop();
    for (name, start) in [
        ("o.csv", &b"order_id,"[..]),
        ("o.json", b"["),
        ("o.jsonl", b"{"),
        ("o.parquet", b"PAR1"),
    ] {
        let ran = project
            .run(&["query", ORDERS, "--output", name])
            .succeeded();
        assert!(
            ran.stdout.is_empty() && ran.stderr.contains("5 rows"),
            "{ran:#?}"
        );
        let bytes = fs_err::read(project.path(name)).expect("written");
        assert!(bytes.starts_with(start), "{name}");
        project
            .run(&["query", ORDERS, "--output", name])
            .failed(5, "output_exists");
        let json = project
            .run(&["query", ORDERS, "-o", name, "--force", "--json"])
            .succeeded()
            .json();
        assert_eq!((&json["rows"], &json["output"]), (&json!(5), &json!(name)));
    }
    let ran = project.run(&["query", ORDERS, "-o", "no/such/folder.csv"]);
    assert_ne!(ran.code, Some(0), "{ran:#?}");
}

#[test]
fn what_is_no_select_is_refused() {
    let project = Project::synced_shop();
    for sql in [
        "DROP TABLE raw_shop.orders",
        "SELECT 1; SELECT 2",
        "COPY raw_shop.orders TO 'x.csv'",
        "ATTACH 'x.duckdb'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "PRAGMA version",
        "SET memory_limit = '1TB'",
    ] {
        let ran = project.run(&["query", sql]).failed(1, "query_refused");
        assert_eq!(ran.stdout, "", "{sql}");
    }
    project
        .run(&["query", "SELECT nope FROM raw_shop.orders"])
        .failed(1, "query_invalid");
    project
        .run(&["query", "SELEC 1"])
        .failed(1, "query_invalid");
    let long = "SELECT count(*) FROM range(100000000000) a, range(100000) b";
    project
        .run(&["query", long, "--timeout", "1"])
        .failed(1, "query_timeout");
}

#[test]
fn a_reader_that_leaves_early_ends_the_query_quietly() {
    let project = Project::synced_shop();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dango"))
        .args([
            "query",
            "SELECT range AS n FROM range(3000000)",
            "--format",
            "csv",
            "--limit",
            "0",
        ])
        .current_dir(project.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut first = [0; 8];
    child
        .stdout
        .take()
        .expect("piped")
        .read_exact(&mut first)
        .expect("a few bytes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("error"),
        "{output:?}"
    );
}

#[test]
fn rows_are_what_they_are_but_for_the_projects_long_secrets() {
    let project = Project::synced_shop();
    project.write(
        ".env",
        "DB_PASSWORD=orders\nAPI_TOKEN=a-token-of-this-shop\nPIN_KEY=1234567890123\n",
    );
    let sql = "SELECT 'orders' AS t, unnest(['a-token-of-this-shop', 'k: a-token-of-this-shop', 'none']) AS s, \
               1234567890123 AS n, 'postgres://u:hunter2hunter2@h/x' AS url";
    project.write(
        ".dlt/secrets.toml",
        "[sources.pay]\nhost = \"pay.example.com\"\napi_key = \"kept-in-the-file\"\n",
    );
    let ran = project
        .run(&[
            "query",
            "--format",
            "csv",
            "SELECT 'kept-in-the-file' AS s, 'pay.example.com' AS h",
        ])
        .succeeded();
    assert_eq!(ran.stdout, "s,h\n***************,pay.example.com\n");
    assert!(
        ran.stderr
            .contains("1 value was masked because it holds a secret")
    );
    let expect = "t,s,n,url\n\
        orders,***************,1234567890123,postgres://u:hunter2hunter2@h/x\n\
        orders,k: ***************,1234567890123,postgres://u:hunter2hunter2@h/x\n\
        orders,none,1234567890123,postgres://u:hunter2hunter2@h/x\n";
    let told = "2 values were masked because they hold a secret of this project";
    let ran = project.run(&["query", "--format", "csv", sql]).succeeded();
    assert_eq!(ran.stdout, expect);
    assert!(ran.stderr.contains(told), "{ran:#?}");
    let ran = project.run(&["query", sql]).succeeded();
    assert!(ran.stdout.contains("k: ***************") && ran.stdout.contains("hunter2hunter2"));
    assert!(ran.stderr.contains(told), "{ran:#?}");
    let ran = project.run(&["query", sql, "--json"]).succeeded();
    assert_eq!(ran.json()[1]["s"], "k: ***************");
    let warning: serde_json::Value = serde_json::from_str(&ran.stderr).expect("one line of JSON");
    assert_eq!(warning, json!({ "warning": told }));
    let ran = project.run(&["query", sql, "-o", "o.csv"]).succeeded();
    assert_eq!(project.read("o.csv"), expect);
    assert!(ran.stderr.contains(told), "{ran:#?}");
    let ran = project
        .run(&["query", sql, "-o", "o.parquet", "--json"])
        .succeeded();
    assert_eq!(ran.json()["masked"], 2);
    let ran = project.run(&["query", "SELECT 'orders' AS t"]).succeeded();
    assert_eq!(ran.stderr, "1 row\n");
}

#[test]
fn a_plan_can_be_read() {
    let project = Project::synced_shop();
    let ran = project
        .run(&["query", "EXPLAIN SELECT sku FROM raw_shop.orders"])
        .succeeded();
    assert!(!ran.stdout.contains(r"\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.lines().any(|line| line.contains("┆ ┌────")),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_table_that_is_too_large_to_hold_is_told_so() {
    let project = Project::new();
    // 300 MB, and 256 MB is the limit.
    let sql = "SELECT repeat('x', 20000) AS x FROM range(15000)";
    let ran = project
        .run(&["query", sql, "--limit", "0"])
        .failed(1, "output_failed");
    assert!(ran.stdout.is_empty(), "{} bytes", ran.stdout.len());
    assert!(ran.stderr.contains("--format csv"), "{}", ran.stderr);
}

#[test]
fn text_that_is_too_long_is_refused_with_the_limit() {
    let project = Project::new();
    let sql = |bytes: usize| format!("SELECT 1 AS one --{}", "x".repeat(bytes - 18));
    let long = project
        .run_with(&["query", "-"], &sql(524_289), &[])
        .failed(1, "query_refused");
    assert!(long.stderr.contains("at most 524288"), "{}", long.stderr);
    project
        .run_with(&["query", "-"], &sql(524_288), &[])
        .succeeded();
}

#[test]
fn an_export_says_when_the_warehouse_is_at_fault() {
    let project = Project::new();
    fs_err::create_dir_all(project.path("data/warehouse.duckdb")).expect("created");
    let ran = project
        .run(&["query", "SELECT 1", "-o", "o.csv"])
        .failed(1, "file_access");
    assert!(!ran.stderr.contains("o.csv"), "{ran:#?}");
}
