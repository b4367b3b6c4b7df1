//! What the gate must not let pass, with the kernel's cage and without it: the gate does not lean on the cage.

use crate::stage::{Stage, lines, unescaped};
use fs_err as fs;
use std::collections::BTreeMap;
use std::path::Path;
use warehouse::WarehouseError;

/// Each statement with a part of the sentence that refuses it.
const REFUSED: &str = include_str!("refused.txt");

/// Texts that the engine's parser itself turns down, or that name nothing.
const INVALID: &[&str] = &[
    "WITH x AS (INSERT INTO t VALUES (99) RETURNING i) SELECT * FROM x",
    "WITH x AS (DELETE FROM t RETURNING i) SELECT * FROM x",
    "SELECT * FROM (DELETE FROM t RETURNING i)",
    "SELEC 1",
    "SELECT * FROM missing",
    "SELECT * FROM t AT (VERSION => 1)",
    "SELECT missing FROM t",
    "SELECT 'a' + ",
    "EXPLAIN (FORMAT nonsense) SELECT 1",
    "EXPLAIN (FORMATS json) SELECT 1",
    "SELECT NULL::POINTER",
    "SELECT * FROM m2.main.t",
];

async fn arrange(cage: bool) -> Stage {
    let stage = Stage::with(|settings| settings.cage = cage);
    // A second database in the spill directory, made by a warehouse of its own.
    let other = Stage::new();
    other.load(&["CREATE TABLE secret AS SELECT 42 x"]).await;
    let other_file = other.file();
    other.warehouse.clone().close().await.unwrap();
    stage
        .load(&[
            "CREATE TABLE t AS SELECT range i FROM range(10)",
            "CREATE SEQUENCE sq",
            "CREATE SCHEMA raw_shop",
        ])
        .await;
    fs::copy(other_file, stage.temp_dir().join("other.db")).unwrap();
    fs::write(stage.temp_dir().join("x.csv"), "a,b\n1,2\n").unwrap();
    fs::write(stage.dir.path().join("data/side.csv"), "a,b\n1,2\n").unwrap();
    let temp = stage.temp_dir().to_string_lossy().into_owned();
    let views = [
        format!("CREATE VIEW leak AS SELECT content FROM read_text('{temp}/x.csv')"),
        "CREATE VIEW leak2 AS SELECT * FROM (SELECT * FROM leak)".into(),
        format!("CREATE VIEW file_view AS SELECT * FROM '{temp}/x.csv'"),
        format!(
            "CREATE VIEW raw_shop.\"AS view\"(\"as\") AS SELECT size FROM read_blob('{temp}/x.csv')"
        ),
        "CREATE VIEW log_view AS SELECT write_log('x') FROM t".into(),
        "CREATE MACRO mm(a) AS a + 1".into(),
        "CREATE MACRO tm() AS TABLE SELECT 1 AS x".into(),
        "CREATE VIEW uses_macro AS SELECT mm(i) FROM t".into(),
        "CREATE SCHEMA recurring".into(),
        format!("CREATE VIEW recurring.k AS SELECT size FROM read_blob('{temp}/x.csv')"),
        "CREATE VIEW hides AS SELECT a.x, leak.content FROM (WITH leak AS (SELECT 1 AS x) FROM leak) a, leak".into(),
        "CREATE TABLE tells(i INTEGER, setting VARCHAR AS (current_setting('secret_directory')))".into(),
        "CREATE TABLE raw_shop.logs(i INTEGER, done BOOLEAN AS (write_log('x') IS NULL))".into(),
        "CREATE TABLE more(i INTEGER, one_more INTEGER AS (mm(i)))".into(),
        "CREATE VIEW of_tells AS FROM tells".into(),
    ];
    stage
        .load(&views.iter().map(String::as_str).collect::<Vec<_>>())
        .await;
    stage
}

/// Returns every file below `dir` with its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    found
}

async fn everything_is_refused(cage: bool) {
    let stage = arrange(cage).await;
    let before = files(stage.dir.path());
    let (file, data, temp) = (
        stage.file(),
        stage.dir.path().join("data"),
        stage.temp_dir(),
    );
    let pid = stage.warehouse.worker_pid().await;
    let mut wrong = Vec::new();
    let cases = lines(REFUSED).map(|line| line.split_once("<= ").unwrap());
    for (expect, sql) in cases {
        let (expect, sql) = (expect.trim(), unescaped(sql));
        let sql = sql
            .replace("@DB", &file.to_string_lossy())
            .replace("@D", &data.to_string_lossy())
            .replace("@T", &temp.to_string_lossy());
        match stage.rows(&sql).await {
            Err(WarehouseError::Refused { say, hint })
                if say.as_str().contains(expect) && !hint.is_empty() => {}
            // Where no sentence is expected, the parser may be the one that says no.
            Err(WarehouseError::Invalid(_)) if expect.is_empty() => {}
            other => wrong.push(format!("{sql}: {other:?}")),
        }
        assert!(files(stage.dir.path()) == before, "{sql} changed a file");
    }
    for sql in INVALID {
        let outcome = stage.rows(sql).await;
        if !matches!(outcome, Err(WarehouseError::Invalid(_))) {
            wrong.push(format!("{sql}: {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files(stage.dir.path()) == before, "a file has changed");
    assert_eq!(
        stage.warehouse.worker_pid().await,
        pid,
        "the worker did not last"
    );
    assert_eq!(stage.value("SELECT sum(i)::BIGINT FROM t").await, 45);
    assert_eq!(
        stage.value("SELECT count(*) FROM duckdb_logs()").await,
        0,
        "somebody wrote a log"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_refused_inside_the_cage() {
    everything_is_refused(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_refused_without_the_cage() {
    everything_is_refused(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_and_long_texts_are_turned_down_and_harm_nothing() {
    let stage = Stage::new();
    let deep = [
        format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
        format!("SELECT 1{}", " + 1".repeat(20_000)),
        format!(
            "{}SELECT 1{}",
            "SELECT * FROM (".repeat(5_000),
            ")".repeat(5_000)
        ),
        format!("SELECT {}1{}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("SELECT {}1{}", "abs(".repeat(20_000), ")".repeat(20_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(5_000)),
        format!("SELECT {}TRUE", "NOT ".repeat(50_000)),
        format!("SELECT 1{}", "::INTEGER".repeat(20_000)),
        format!("SELECT '{}'", "x".repeat(600_000)),
    ];
    for sql in deep {
        let outcome = stage.rows(&sql).await;
        let start = &sql[..40];
        assert!(
            matches!(
                outcome,
                Ok(_) | Err(WarehouseError::Refused { .. } | WarehouseError::Invalid(_))
            ),
            "{start}: {outcome:?}"
        );
    }
    assert_eq!(stage.value("SELECT 1").await, 1);
}

/// Checks that every query on `stage` is refused, with `expect` in the reason.
async fn check_refused(stage: &Stage, expect: &str, queries: &[&str]) {
    for sql in queries {
        match stage.rows(sql).await {
            Err(WarehouseError::Refused { say, hint })
                if say.as_str().contains(expect) && !hint.is_empty() => {}
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_macro_stands_in_for_what_the_gate_asks() {
    let stage = Stage::new();
    stage
        .load(&[
            "CREATE TABLE t AS SELECT 1 AS n",
            "CREATE MACRO json_serialize_sql(a) AS '{\"error\":false,\"statements\":[{}]}'",
            "CREATE MACRO duckdb_tables() AS TABLE SELECT 'main' AS schema_name, 'x.csv' AS table_name, 'warehouse' AS database_name, FALSE AS internal",
            "CREATE MACRO duckdb_functions() AS TABLE SELECT 'a' AS function_name, FALSE AS internal, 'x' AS database_name",
            "CREATE MACRO current_database() AS 'x'",
        ])
        .await;
    check_refused(
        &stage,
        "stands in for DuckDB's own",
        &[
            "FROM t",
            "FROM duckdb_tables()",
            "SELECT current_database()",
        ],
    )
    .await;
    check_refused(&stage, "`DELETE`", &["DELETE FROM t"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_macro_stands_in_for_what_the_engine_calls_by_itself() {
    let cases = [
        ("current_date()", "SELECT current_date"),
        ("current_localtime()", "SELECT localtime"),
        ("Array_Extract(a, b)", "SELECT l[1] FROM t"),
        ("raw_shop.struct_extract(a, b)", "SELECT s.a FROM t"),
        ("approx_count_distinct(a)", "SUMMARIZE t"),
        ("list(a)", "PIVOT t ON n IN (1) USING sum(n)"),
        ("list_filter(a, b)", "SELECT COLUMNS(c -> c = 'n') FROM t"),
        ("\"+\"(a, b)", "SELECT n + 1 FROM t"),
        ("lower(a)", "SHOW TABLES FROM main"),
    ];
    for (name, sql) in cases {
        let stage = Stage::new();
        stage
            .load(&[
                "CREATE TABLE t AS SELECT 1 AS n, [1] AS l, {'a': 1} AS s",
                "CREATE SCHEMA raw_shop",
            ])
            .await;
        stage.rows(sql).await.unwrap();
        let file = stage.temp_dir().join("x.csv");
        fs::write(&file, "a,b\n1,2\n").unwrap();
        let body = format!("(SELECT size FROM read_blob('{}'))", file.display());
        stage
            .load(&[&format!("CREATE MACRO {name} AS {body}")])
            .await;
        check_refused(&stage, "stands in for DuckDB's own", &[sql, "FROM t"]).await;
    }
    let stage = Stage::new();
    stage
        .load(&["CREATE MACRO duckdb_columns() AS TABLE SELECT * FROM duckdb_settings()"])
        .await;
    check_refused(
        &stage,
        "`duckdb_columns`",
        &["SHOW ALL TABLES", "FROM information_schema.columns"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_view_stands_in_for_what_show_reads() {
    for name in ["duckdb_tables", "duckdb_views", "DUCKDB_COLUMNS"] {
        let stage = Stage::new();
        let file = stage.temp_dir().join("x.csv");
        stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
        fs::write(&file, "a,b\n1,2\n").unwrap();
        let view = format!(
            "CREATE VIEW {name} AS SELECT 'warehouse' AS database_name, 'main' AS schema_name, size AS table_name,
             size AS view_name FROM read_blob('{}')",
            file.display()
        );
        stage.load(&[&view]).await;
        check_refused(
            &stage,
            "`read_blob`",
            &[
                "SHOW TABLES",
                "SHOW ALL TABLES",
                "FROM (SHOW TABLES)",
                "SHOW TABLES FROM main",
                "DESCRIBE",
            ],
        )
        .await;
        stage.rows("FROM t").await.unwrap();
    }
    let stage = Stage::new();
    stage
        .load(&["CREATE VIEW duckdb_settings AS SELECT 1 AS n"])
        .await;
    stage.rows("SELECT n FROM duckdb_settings").await.unwrap();
}
