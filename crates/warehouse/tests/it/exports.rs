//! Query results in files, through the caged writer.

use crate::stage::{Stage, allow, limits};
use fs_err as fs;
use security::permissions::QueryExecute;
use std::path::Path;
use warehouse::{ExportFormat, ExportReport, QueryLimits, WarehouseError};

async fn export(
    stage: &Stage,
    sql: &str,
    path: &Path,
    format: ExportFormat,
) -> Result<ExportReport, WarehouseError> {
    stage
        .warehouse
        .export_file(&allow::<QueryExecute>(), sql, limits(), path, format)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_written() {
    let stage = Stage::new();
    let sql =
        "SELECT range AS n, 'it''s, ' || range AS s, range * 1.25 AS d FROM range(3) ORDER BY n";
    let check = async |format, expect: &str| {
        let path = stage.dir.path().join("it's out");
        let report = export(&stage, sql, &path, format).await.unwrap();
        assert_eq!((report.rows, report.truncated), (3, false), "{format:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), expect, "{format:?}");
        assert_eq!(report.bytes, expect.len() as u64);
    };
    check(
        ExportFormat::Csv,
        "n,s,d\n0,\"it's, 0\",0.00\n1,\"it's, 1\",1.25\n2,\"it's, 2\",2.50\n",
    )
    .await;
    check(
        ExportFormat::Json,
        "[\n{\"n\":0,\"s\":\"it's, 0\",\"d\":0.00},\n{\"n\":1,\"s\":\"it's, 1\",\"d\":1.25},\n{\"n\":2,\"s\":\"it's, 2\",\"d\":2.50}\n]\n",
    )
    .await;
    check(
        ExportFormat::JsonLines,
        "{\"n\":0,\"s\":\"it's, 0\",\"d\":0.00}\n{\"n\":1,\"s\":\"it's, 1\",\"d\":1.25}\n{\"n\":2,\"s\":\"it's, 2\",\"d\":2.50}\n",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parquet_keeps_rows_types_and_order() {
    let stage = Stage::new();
    let sql = "SELECT range AS \"the n\", range::DECIMAL(12, 2) / 4 AS d, [range, NULL] AS l, {'a': range} AS s,
                      TIMESTAMPTZ '2026-01-01' AS t, 'b'::ENUM('a', 'b') AS e, NULL AS z, uuid() AS u
               FROM range(300000) ORDER BY range DESC";
    let path = stage.dir.path().join("out.parquet");
    let report = export(&stage, sql, &path, ExportFormat::Parquet)
        .await
        .unwrap();
    assert_eq!(report.rows, 300_000);
    let database = duckdb::Connection::open_in_memory().unwrap();
    let text = |sql: &str| -> String {
        let sql = sql.replace("FILE", &format!("'{}'", path.display()));
        database.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(
        text(
            "SELECT count(*) || ' ' || sum(\"the n\") || ' ' || min(l[1]) || ' ' || max(s.a) FROM FILE"
        ),
        "300000 44999850000 0 299999"
    );
    assert_eq!(
        text("SELECT string_agg(\"the n\", ' ') FROM (FROM FILE LIMIT 3)"),
        "299999 299998 299997"
    );
    assert_eq!(
        text("SELECT string_agg(column_type, ' ') FROM (DESCRIBE FROM FILE)"),
        "BIGINT DOUBLE BIGINT[] STRUCT(a BIGINT) TIMESTAMP WITH TIME ZONE VARCHAR INTEGER VARCHAR"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_leaves_the_old_file() {
    let stage = Stage::new();
    let path = stage.dir.path().join("out.csv");
    fs::write(&path, "old").unwrap();
    let refused = export(
        &stage,
        "SELECT * FROM read_text('/etc/passwd')",
        &path,
        ExportFormat::Csv,
    )
    .await;
    assert!(
        matches!(refused, Err(WarehouseError::Refused { .. })),
        "{refused:?}"
    );
    let broken = export(
        &stage,
        "SELECT CASE WHEN range = 90000 THEN error('stop') END FROM range(100000)",
        &path,
        ExportFormat::Csv,
    )
    .await;
    assert!(
        matches!(broken, Err(WarehouseError::Invalid(_))),
        "{broken:?}"
    );
    let late = QueryLimits {
        timeout: std::time::Duration::from_millis(200),
        ..limits()
    };
    let late = stage
        .warehouse
        .export_file(&allow::<QueryExecute>(), "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3", late, &path, ExportFormat::Parquet)
        .await;
    assert!(matches!(late, Err(WarehouseError::Timeout)), "{late:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    let names: Vec<_> = fs::read_dir(stage.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("partial")),
        "{names:?}"
    );
}
