//! Exports to Parquet: a value arrives as it was, or the export says no before it begins.

use crate::exports::export;
use crate::stage::Stage;
use warehouse::{ExportFormat, WarehouseError};

/// Returns what the engine, asked directly, makes of the file.
fn read(sql: &str, file: &std::path::Path) -> Vec<String> {
    let database = duckdb::Connection::open_in_memory().unwrap();
    let sql = sql.replace("FILE", &format!("'{}'", file.display()));
    database.execute_batch("SET TimeZone = 'UTC'").unwrap();
    let mut statement = database.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0));
    rows.unwrap()
        .map(|value| value.unwrap().unwrap_or_else(|| "NULL".into()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_and_types_arrive_as_they_were() {
    let stage = Stage::new();
    let file = stage.dir.path().join("out.parquet");
    // The value, the type it has in the file.
    let cases = [
        ("true", "BOOLEAN"),
        ("(-128)::TINYINT", "TINYINT"),
        ("18446744073709551615::UBIGINT", "UBIGINT"),
        (
            "99999999999999999999999999999999999999::HUGEINT",
            "DECIMAL(38,0)",
        ),
        ("sum(9223372036854775807)", "DECIMAL(38,0)"),
        (
            "340282366920938463463374607431768211455::UHUGEINT",
            "VARCHAR",
        ),
        ("10.75::DECIMAL(12,2)", "DECIMAL(12,2)"),
        ("'nan'::DOUBLE", "DOUBLE"),
        ("0.1::FLOAT", "FLOAT"),
        ("'ünï'", "VARCHAR"),
        ("'\\x00\\xFF'::BLOB", "BLOB"),
        ("'0101'::BIT", "VARCHAR"),
        ("'infinity'::DATE", "DATE"),
        ("TIME '24:00:00'", "TIME"),
        ("'-infinity'::TIMESTAMP", "TIMESTAMP"),
        ("TIMESTAMP '2026-01-01 00:00:00.123456'", "TIMESTAMP"),
        (
            "TIMESTAMPTZ '2026-01-01 00:00:00+02'",
            "TIMESTAMP WITH TIME ZONE",
        ),
        (
            "TIMESTAMP_NS '2026-01-01 00:00:00.123456789'",
            "TIMESTAMP_NS",
        ),
        ("TIMESTAMP_MS '2026-01-01 00:00:00.123'", "TIMESTAMP"),
        ("TIMESTAMP_S '2026-01-01 00:00:00'", "TIMESTAMP"),
        ("'6b1d7b8e-0c3a-4c57-9d39-1f5a3e3b7c11'::UUID", "UUID"),
        ("NULL::UUID", "UUID"),
        ("'{\"k\": [1.10]}'::JSON", "JSON"),
        ("'b'::ENUM('a', 'b')", "VARCHAR"),
        ("[1, NULL]", "INTEGER[]"),
        ("{'a': 1, 'b': [TRUE]}", "STRUCT(a INTEGER, b BOOLEAN[])"),
        ("MAP {'x': 1}", "MAP(VARCHAR, INTEGER)"),
        ("array_value(1, 2)", "INTEGER[]"),
        ("row(1, 'x')", "STRUCT(INTEGER, VARCHAR)"),
    ];
    for (value, expect) in cases {
        let sql = format!("SELECT {value} AS \"the v\"");
        export(&stage, &sql, &file, ExportFormat::Parquet)
            .await
            .unwrap_or_else(|error| panic!("{value}: {error:?}"));
        let before = stage
            .value(&format!("SELECT coalesce(({value})::VARCHAR, 'NULL')"))
            .await;
        assert_eq!(
            read("SELECT \"the v\"::VARCHAR FROM FILE", &file),
            [before.as_str().unwrap()],
            "{value}"
        );
        assert_eq!(
            read("SELECT column_type FROM (DESCRIBE FROM FILE)", &file),
            [expect],
            "{value}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_parquet_file_would_change_is_refused() {
    let stage = Stage::new();
    let file = stage.dir.path().join("out.parquet");
    let cases = [
        ("TIME_NS '00:00:00.123456789'", "type TIME_NS"),
        ("[{'a': TIME_NS '00:00:00.123456789'}]", "type TIME_NS"),
        ("INTERVAL '1 microsecond'", "type INTERVAL"),
        ("MAP {'a': INTERVAL '-1 month'}", "type INTERVAL"),
        ("union_value(n := 1)", "type UNION"),
        ("array_value(union_value(n := 1))", "type UNION"),
        (
            "170141183460469231731687303715884105727::HUGEINT",
            "39 digits",
        ),
        (
            "[{'a': 170141183460469231731687303715884105727::HUGEINT}]",
            "39 digits",
        ),
    ];
    for (value, expect) in cases {
        let outcome = export(
            &stage,
            &format!("SELECT {value} AS v"),
            &file,
            ExportFormat::Parquet,
        )
        .await;
        let Err(WarehouseError::Invalid(text)) = outcome else {
            panic!("{value}: {outcome:?}");
        };
        assert!(
            text.contains(expect) && text.contains("cast it to VARCHAR"),
            "{text}"
        );
        assert!(!text.contains("COPY") && !file.exists(), "{text}");
        let cast = format!("SELECT ({value})::VARCHAR AS v");
        export(&stage, &cast, &file, ExportFormat::Parquet)
            .await
            .unwrap();
        fs_err::remove_file(&file).unwrap();
    }
}
