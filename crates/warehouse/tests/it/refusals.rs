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
    "EXPLAIN (FORMAT JSON) SELECT 1",
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
        // It would stand in for the engine's own.
        "CREATE MACRO repeat_row(a) AS TABLE SELECT * FROM duckdb_settings()".into(),
        "CREATE VIEW uses_macro AS SELECT mm(i) FROM t".into(),
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

#[tokio::test(flavor = "multi_thread")]
async fn no_macro_stands_in_for_what_the_gate_asks() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    fs::write(stage.temp_dir().join("x.csv"), "a,b\n1,2\n").unwrap();
    stage
        .load(&[
            "CREATE MACRO json_serialize_sql(a) AS '{\"error\":false,\"statements\":[{}]}'",
            "CREATE MACRO duckdb_tables() AS TABLE SELECT 'main' AS schema_name, 'x.csv' AS table_name, 'warehouse' AS database_name, FALSE AS internal",
            "CREATE MACRO duckdb_functions() AS TABLE SELECT 'a' AS function_name, FALSE AS internal, 'x' AS database_name",
            "CREATE MACRO current_database() AS 'x'",
            "CREATE VIEW duckdb_settings AS SELECT 1 AS n",
        ])
        .await;
    let file = stage.temp_dir().join("x.csv");
    for sql in [
        format!("SELECT * FROM read_text('{}')", file.display()),
        format!("SELECT * FROM '{}'", file.display()),
        "FROM duckdb_tables()".into(),
        "SELECT current_database()".into(),
        "DELETE FROM t".into(),
    ] {
        let outcome = stage.rows(&sql).await;
        assert!(
            matches!(outcome, Err(WarehouseError::Refused { .. })),
            "{sql}: {outcome:?}"
        );
    }
    stage.rows("SELECT n FROM t").await.unwrap();
    stage.rows("SELECT n FROM duckdb_settings").await.unwrap();
}
