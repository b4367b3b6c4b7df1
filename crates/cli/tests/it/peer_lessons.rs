//! What other tools were seen to get wrong, each as a test of ours.

use crate::project::{Project, Ran};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Command;
use testkit::servers::{DATABASE, PASSWORD, Postgres, USER};

fn rows(project: &Project, sql: &str) -> Value {
    project.run(&["query", sql, "--json"]).succeeded().json()
}

fn files(project: &Project) {
    project.write(
        ".dango/sources.yml",
        "version: \"1.0\"\nsources:\n  - {name: f, type: local_files, local_files: {directory: data/f, \
         tables: [{name: t, pattern: '*.csv'}]}}\n",
    );
}

/// Returns the outcome of the only source.
fn sync(project: &Project, words: &[&str]) -> Value {
    let words = [&["sync", "--json"], words].concat();
    project.run(&words).succeeded().json()["sources"][0].clone()
}

fn changed(outcome: &Value) -> [&Value; 3] {
    [
        &outcome["rows_inserted"],
        &outcome["rows_updated"],
        &outcome["rows_deleted"],
    ]
}

/// A peer appended the whole table with every sync.
#[test]
fn an_unchanged_postgres_table_synced_again_changes_nothing() {
    let server = Postgres::shared();
    server.sql(
        DATABASE,
        "DROP SCHEMA IF EXISTS again CASCADE; CREATE SCHEMA again; \
         CREATE TABLE again.keyed AS SELECT i AS id, i / 7.0 AS part, now() AS at FROM generate_series(1, 500) i; \
         ALTER TABLE again.keyed ADD PRIMARY KEY (id); \
         CREATE TABLE again.keyless AS SELECT i % 10 AS a, NULL::text AS b FROM generate_series(1, 500) i;",
    );
    let project = Project::new();
    project.write(
        ".dango/sources.yml",
        &format!(
            "version: \"1.0\"\nsources:\n  - {{name: p, type: postgres, postgres: {{host: 127.0.0.1, port: {}, \
             database: {DATABASE}, username: {USER}, schemas: [again]}}}}\n",
            server.port()
        ),
    );
    project.write(
        ".dlt/secrets.toml",
        &format!("[sources.p]\npassword = \"{PASSWORD}\"\n"),
    );
    let all = "SELECT (SELECT md5(string_agg(k::VARCHAR, '|' ORDER BY id)) FROM raw_p.keyed k) AS keyed, \
               (SELECT md5(string_agg(k::VARCHAR, '|' ORDER BY a, b)) FROM raw_p.keyless k) AS keyless, \
               (SELECT count(*)::INT FROM raw_p.keyed) + (SELECT count(*)::INT FROM raw_p.keyless) AS n";
    assert_eq!(changed(&sync(&project, &[])), [1_000, 0, 0]);
    let before = rows(&project, all);
    assert_eq!(before[0]["n"], 1_000);
    for _ in 0..2 {
        assert_eq!(changed(&sync(&project, &[])), [0, 0, 0]);
        assert_eq!(rows(&project, all), before);
    }
    server.sql(
        DATABASE,
        "UPDATE again.keyed SET part = 0 WHERE id = 1; DELETE FROM again.keyed WHERE id = 2;",
    );
    assert_eq!(changed(&sync(&project, &[])), [0, 1, 1]);
}

/// A peer typed the table from its first file, and loaded 10.75 from the second as 11 without a word.
#[test]
fn ten_and_three_quarters_never_become_eleven() {
    for together in [true, false] {
        let project = Project::new();
        files(&project);
        project.write("data/f/a.csv", "id,amount\n1,10\n2,20\n");
        if !together {
            sync(&project, &[]);
        }
        project.write("data/f/b.csv", "id,amount\n3,10.75\n");
        let outcome = sync(&project, &[]);
        if !together {
            let told = outcome["tables"][0]["schema_changes"].to_string();
            assert!(
                told.contains("amount changed from BIGINT to DECIMAL"),
                "{outcome}"
            );
        }
        assert_eq!(
            rows(
                &project,
                "SELECT id, amount::VARCHAR AS amount FROM raw_f.t ORDER BY id"
            ),
            json!([{"id": 1, "amount": "10.00"}, {"id": 2, "amount": "20.00"}, {"id": 3, "amount": "10.75"}])
        );
    }
}

/// A peer decided types over a sample of 20,480 rows, and failed on what came after.
#[test]
fn a_text_at_row_forty_thousand_widens_its_column_and_is_told() {
    let project = Project::new();
    files(&project);
    let numbers: Vec<_> = (1..=40_000).map(|id| format!("{id},{id}\n")).collect();
    let numbers = numbers.concat();
    project.write("data/f/a.csv", &format!("id,code\n{numbers}40001,n/k\n"));
    sync(&project, &[]);
    let check = || {
        assert_eq!(
            rows(
                &project,
                "SELECT count(*)::INT AS n, count(DISTINCT code)::INT AS codes, max(code) AS last, typeof(any_value(code)) AS kind \
                 FROM raw_f.t"
            ),
            json!([{"n": 40_001, "codes": 40_001, "last": "n/k", "kind": "VARCHAR"}])
        );
    };
    check();
    // The same in two steps: the warehouse has numbers already.
    let project_in_steps = Project::new();
    files(&project_in_steps);
    project_in_steps.write("data/f/a.csv", &format!("id,code\n{numbers}"));
    sync(&project_in_steps, &[]);
    project_in_steps.write("data/f/a.csv", &format!("id,code\n{numbers}40001,n/k\n"));
    let outcome = sync(&project_in_steps, &[]);
    let told = outcome["tables"][0]["schema_changes"].to_string();
    assert!(
        told.contains("code changed from BIGINT to VARCHAR"),
        "{outcome}"
    );
    let sum = "SELECT md5(string_agg(code, '|' ORDER BY id)) AS sum FROM raw_f.t";
    assert_eq!(rows(&project_in_steps, sum), rows(&project, sum));
}

/// A peer made money a DOUBLE.
#[test]
fn decimals_stay_decimals() {
    let project = Project::new();
    files(&project);
    let mut text = String::from("id,price,long\n");
    for id in 0..1_000 {
        writeln!(text, "{id},0.1,12345678901234567890.123456789").expect("a string");
    }
    project.write("data/f/a.csv", &text);
    sync(&project, &[]);
    assert_eq!(
        rows(
            &project,
            "SELECT sum(price)::VARCHAR AS sum, starts_with(typeof(any_value(price)), 'DECIMAL') AS is_decimal, \
             any_value(long)::VARCHAR AS long FROM raw_f.t"
        ),
        json!([{"sum": "100.0", "is_decimal": true, "long": "12345678901234567890.123456789"}])
    );
    // What no decimal can hold stays what the file says.
    project.write(
        "data/f/a.csv",
        "id,price,long\n1,1e400,123456789012345678901234567890123456789012\n",
    );
    sync(&project, &["--allow-empty-replace"]);
    assert_eq!(
        rows(&project, "SELECT price, long FROM raw_f.t"),
        json!([{"price": "1e400", "long": "123456789012345678901234567890123456789012"}])
    );
}

/// A peer printed a trace of 440 lines and exited with 0.
#[test]
fn a_step_that_fails_never_ends_with_success() {
    let project = Project::synced_shop();
    let sources = project.read(".dango/sources.yml");
    project.write("data/bad/x.csv", "id\n1,2\n");
    let check = |name: &str, ran: Ran| {
        assert!(ran.code.is_some_and(|code| code != 0), "{name}: {ran:#?}");
        assert!(ran.stderr.lines().count() <= 10, "{name}: {ran:#?}");
    };
    for (name, block) in [
        (
            "a broken file",
            "type: local_files, local_files: {directory: data/bad}",
        ),
        (
            "no folder",
            "type: local_files, local_files: {directory: data/nowhere}",
        ),
        (
            "a dead API",
            "type: rest_api, rest_api: {base_url: 'http://127.0.0.1:9/', retries_max: 0, endpoints: [a]}",
        ),
        ("an unknown type", "type: zebra"),
    ] {
        project.write(
            ".dango/sources.yml",
            &format!("{sources}  - {{name: bad, {block}}}\n"),
        );
        for words in [
            &["sync"][..],
            &["sync", "bad"],
            &["sync", "--json"],
            &["sync", "--dry-run"],
            &["source", "test", "bad"],
        ] {
            if words[0] == "source" && name == "a broken file" {
                // A test looks for the files, and does not read them.
                continue;
            }
            check(&format!("{name}: {words:?}"), project.run(words));
        }
    }
    check(
        "a query",
        project.run(&["query", "SELECT 1/0::DECIMAL + 'x'::INT"]),
    );
    check(
        "an output",
        project.run(&["query", "SELECT 1", "--output", "/proc/nowhere/x.csv"]),
    );
}

/// Peers tell their makers what their users do. We connect to nothing but the source: everything works without a network,
/// and no process asks for one.
#[test]
fn nothing_is_connected_to_but_the_source() {
    let project = Project::shop();
    let dango = env!("CARGO_BIN_EXE_dango");
    let script = r#"set -eu; cd "$1"; "$2" init >/dev/null; "$2" sync >/dev/null; "$2" query 'FROM raw_shop.orders' >/dev/null
"$2" db compact >/dev/null; "$2" doctor >/dev/null; "$2" source test shop >/dev/null"#;
    let root = project.path("").display().to_string();
    // A network namespace of its own has not even a loopback device that is up.
    let mut words = vec!["--net"];
    if !rustix::process::geteuid().is_root() {
        words.extend(["--user", "--map-root-user"]);
    }
    words.extend(["sh", "-c", script, "sh", &root, dango]);
    let mut command = Command::new("unshare");
    command
        .args(words)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", &root);
    let output = command.output().expect("unshare is part of util-linux");
    assert!(output.status.success(), "{output:#?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr)
            .matches("error")
            .count(),
        0,
        "{output:#?}"
    );
    // Nobody tried either: a source whose address is known is the only one that is connected to.
    let trace = project.path("trace");
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-e", "trace=connect,sendto", "-o"])
        .arg(&trace)
        .arg(dango)
        .args(["sync", "--full-refresh"]);
    traced
        .current_dir(project.path(""))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", &root);
    let output = traced
        .output()
        .expect("the tests need `strace`: install it with `apt-get install strace`");
    assert!(output.status.success(), "{output:#?}");
    let calls = fs_err::read_to_string(trace).expect("written");
    assert!(!calls.contains("AF_INET"), "{calls}");
}

/// The file stays near the size that DuckDB needs for the same rows: a compacted one.
#[test]
fn the_warehouse_file_stays_small() {
    let project = Project::new();
    files(&project);
    let write = |round: u64| {
        let mut text = String::from("id,name,amount,at\n");
        for id in 0..120_000_u64 {
            let noise = (id + round).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
            writeln!(
                text,
                "{id},customer {noise:x},{}.{:02},2026-01-01T00:00:00Z",
                noise % 10_000,
                noise % 97
            )
            .expect("a string");
        }
        project.write("data/f/a.csv", &text);
    };
    let size = || {
        let name = |suffix| project.path(format!("data/warehouse.duckdb{suffix}"));
        let bytes = |suffix| fs_err::metadata(name(suffix)).map_or(0, |file| file.len());
        bytes("") + bytes(".wal")
    };
    write(0);
    sync(&project, &[]);
    let first = size();
    for round in 1..=10 {
        write(round);
        sync(&project, &[]);
    }
    let many = size();
    project.run(&["db", "compact"]).succeeded();
    let compacted = size();
    assert!(
        first * 10 <= compacted * 12,
        "after the first sync {first}, compacted {compacted}"
    );
    assert!(
        many * 10 <= compacted * 22,
        "after ten syncs {many}, compacted {compacted}"
    );
}
