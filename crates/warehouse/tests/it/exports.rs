//! Query results in files, through the caged writer.

use crate::stage::{Stage, allow, limits};
use fs_err as fs;
use security::permissions::QueryExecute;
use security::{Plain, Redactor};
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use warehouse::{ExportFormat, ExportReport, ExportTarget, QueryLimits, WarehouseError};

fn target(path: &Path, format: ExportFormat) -> ExportTarget<'_> {
    let redactor = Redactor::new();
    redactor.learn(&Plain::new("hunter2hunter2".into()));
    ExportTarget {
        path,
        format,
        redactor: Arc::new(redactor),
    }
}

pub(crate) async fn export(
    stage: &Stage,
    sql: &str,
    path: &Path,
    format: ExportFormat,
) -> Result<ExportReport, WarehouseError> {
    stage
        .warehouse
        .export_file(
            &allow::<QueryExecute>(),
            sql,
            limits(),
            target(path, format),
        )
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
        "BIGINT DOUBLE BIGINT[] STRUCT(a BIGINT) TIMESTAMP WITH TIME ZONE VARCHAR INTEGER UUID"
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
        .export_file(&allow::<QueryExecute>(), "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3", late, target(&path, ExportFormat::Parquet))
        .await;
    assert!(matches!(late, Err(WarehouseError::Timeout)), "{late:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(
        names(&stage),
        ["data", "out.csv", "temp"].map(str::to_owned).into()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_masked_in_every_format() {
    let stage = Stage::new();
    let sql =
        "SELECT range AS n, 'a hunter2hunter2' AS s, ['x', 'hunter2hunter2'] AS l FROM range(2)";
    for format in [
        ExportFormat::Csv,
        ExportFormat::Json,
        ExportFormat::JsonLines,
        ExportFormat::Parquet,
    ] {
        let path = stage.dir.path().join("out");
        let report = export(&stage, sql, &path, format).await.unwrap();
        assert_eq!((report.rows, report.masked), (2, 4), "{format:?}");
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !text.contains("hunter2") && text.contains("***************"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_made_is_the_outputs_fault() {
    let stage = Stage::new();
    let path = stage.dir.path().join("no/where/out.csv");
    let failed = export(&stage, "SELECT 1", &path, ExportFormat::Csv).await;
    assert!(
        matches!(failed, Err(WarehouseError::Output(_))),
        "{failed:?}"
    );
}

/// Returns the names in the stage's folder.
fn names(stage: &Stage) -> BTreeSet<String> {
    let entries = fs::read_dir(stage.dir.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_the_output_is_left_alone() {
    let stage = Stage::new();
    let path = |name: &str| stage.dir.path().join(name);
    fs::write(path("victim"), "precious").unwrap();
    symlink(path("victim"), path(".out.csv.partial")).unwrap();
    fs::write(path(".mine.csv.partial"), "mine").unwrap();
    for name in ["out.csv", "mine.csv"] {
        export(&stage, "SELECT 1 AS n", &path(name), ExportFormat::Csv)
            .await
            .unwrap();
        assert_eq!(fs::read_to_string(path(name)).unwrap(), "n\n1\n");
    }
    assert_eq!(fs::read_to_string(path("victim")).unwrap(), "precious");
    assert_eq!(
        fs::read_to_string(path(".mine.csv.partial")).unwrap(),
        "mine"
    );
    let expect = [
        "data",
        "temp",
        "victim",
        ".out.csv.partial",
        ".mine.csv.partial",
        "out.csv",
        "mine.csv",
    ];
    assert_eq!(names(&stage), expect.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_not_replaced() {
    let stage = Stage::new();
    let path = |name: &str| stage.dir.path().join(name);
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path("pipe"),
        rustix::fs::FileType::Fifo,
        mode,
        0,
    )
    .unwrap();
    symlink(path("pipe"), path("to_pipe")).unwrap();
    symlink("/dev/null", path("to_device")).unwrap();
    symlink(path("nowhere"), path("to_nothing")).unwrap();
    symlink(path("to_itself"), path("to_itself")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    let before = names(&stage);
    for name in ["pipe", "to_pipe", "to_device", "to_nothing", "folder"] {
        let kind = || fs::symlink_metadata(path(name)).unwrap().file_type();
        let before = kind();
        for format in [ExportFormat::Csv, ExportFormat::Parquet] {
            let outcome = export(&stage, "SELECT 1", &path(name), format).await;
            assert!(
                matches!(outcome, Err(WarehouseError::NotAFile)),
                "{name}: {outcome:?}"
            );
            assert_eq!(kind(), before, "{name}");
        }
    }
    let outcome = export(&stage, "SELECT 1", &path("to_itself"), ExportFormat::Csv).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Output(_))),
        "{outcome:?}"
    );
    assert_eq!(names(&stage), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_file_is_written_through_and_a_replaced_file_keeps_its_mode() {
    let stage = Stage::new();
    let path = |name: &str| stage.dir.path().join(name);
    fs::create_dir(path("elsewhere")).unwrap();
    fs::write(path("elsewhere/real.csv"), "old").unwrap();
    fs::set_permissions(path("elsewhere/real.csv"), Permissions::from_mode(0o640)).unwrap();
    symlink("elsewhere/real.csv", path("link.csv")).unwrap();
    fs::write(path("usual"), "").unwrap();
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode();
    for name in ["link.csv", "new.csv"] {
        export(&stage, "SELECT 1 AS n", &path(name), ExportFormat::Csv)
            .await
            .unwrap();
        assert_eq!(fs::read_to_string(path(name)).unwrap(), "n\n1\n");
    }
    assert!(fs::symlink_metadata(path("link.csv")).unwrap().is_symlink());
    assert_eq!(mode("elsewhere/real.csv") & 0o777, 0o640);
    assert_eq!(mode("new.csv"), mode("usual"));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_names_and_exports_at_the_same_time_do_no_harm() {
    let stage = Stage::new();
    let path = stage.dir.path().join("x".repeat(255));
    let one = "SELECT 1 AS n FROM range(200000)";
    let other = "SELECT 2 AS n FROM range(200000)";
    let (first, second) = tokio::join!(
        export(&stage, one, &path, ExportFormat::Csv),
        export(&stage, other, &path, ExportFormat::Csv)
    );
    assert_eq!(
        (first.unwrap().rows, second.unwrap().rows),
        (200_000, 200_000)
    );
    let text = fs::read_to_string(&path).unwrap();
    let whole = [
        "n\n".to_owned() + &"1\n".repeat(200_000),
        "n\n".to_owned() + &"2\n".repeat(200_000),
    ];
    assert!(whole.contains(&text), "{} bytes", text.len());
    assert_eq!(names(&stage).len(), 3);
}
