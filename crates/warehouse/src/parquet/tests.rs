use super::*;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use std::convert::Infallible;

/// Writes what `sql` selects into a Parquet file called `name`.
fn write(folder: &Path, name: &str, sql: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    let connection = Database::open(None, &[]).unwrap().connect().unwrap();
    connection.execute("SET TimeZone = 'UTC'").unwrap();
    let target = quote_literal(path.to_str().unwrap());
    connection
        .execute(&format!("COPY ({sql}) TO {target} (FORMAT parquet)"))
        .unwrap();
    path
}

fn read(
    file: &ParquetFile,
    targets: &[(Option<&str>, ColumnType)],
    types: &[DataType],
) -> Vec<RecordBatch> {
    let field = |(at, kind): (usize, &DataType)| Field::new(format!("t{at}"), kind.clone(), true);
    let schema = Arc::new(Schema::new(
        types.iter().enumerate().map(field).collect::<Vec<_>>(),
    ));
    let mut batches = Vec::new();
    file.read(targets, &schema, |batch| {
        batches.push(batch);
        Ok::<(), Infallible>(())
    })
    .unwrap();
    batches
}

#[test]
fn every_type_gets_one_of_ours_that_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let check = |value: &str, expect: ColumnType, text: &str| {
        let path = write(
            folder.path(),
            "a.parquet",
            &format!("SELECT {value} AS v UNION ALL SELECT NULL"),
        );
        let file = ParquetFile::open(&path).unwrap();
        assert_eq!(file.columns(), [Column::new("v", expect)], "{value}");
        assert_eq!(file.rows().unwrap(), 2);
        let batches = read(&file, &[(Some("v"), ColumnType::Text)], &[DataType::Utf8]);
        let texts: Vec<_> = batches
            .iter()
            .flat_map(|batch| {
                let column = batch.column(0).as_string::<i32>();
                column
                    .iter()
                    .map(|text| text.map(str::to_owned))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(texts, [Some(text.to_owned()), None], "{value}");
    };
    check("true", ColumnType::Boolean, "true");
    check("(-5)::TINYINT", ColumnType::BigInt, "-5");
    check("4294967295::UINTEGER", ColumnType::BigInt, "4294967295");
    check(
        "18446744073709551615::UBIGINT",
        ColumnType::Decimal {
            precision: 20,
            scale: 0,
        },
        "18446744073709551615",
    );
    check(
        "10.75::DECIMAL(9,2)",
        ColumnType::Decimal {
            precision: 9,
            scale: 2,
        },
        "10.75",
    );
    check("0.5::FLOAT", ColumnType::Double, "0.5");
    check("'x'::VARCHAR", ColumnType::Text, "x");
    check("DATE '2024-02-29'", ColumnType::Date, "2024-02-29");
    check("TIME '10:30:00.5'", ColumnType::Time, "10:30:00.5");
    check(
        "TIMESTAMP '2024-02-29 10:30:00.000001'",
        ColumnType::Timestamp,
        "2024-02-29 10:30:00.000001",
    );
    check(
        "TIMESTAMPTZ '2024-02-29 10:30:00+02'",
        ColumnType::TimestampTz,
        "2024-02-29 08:30:00+00",
    );
    check(
        "TIMESTAMP_NS '2024-02-29 10:30:00.000001'",
        ColumnType::Timestamp,
        "2024-02-29 10:30:00.000001",
    );
    check(
        "TIMESTAMP_NS '2024-02-29 10:30:00.123456789'",
        ColumnType::Text,
        "2024-02-29 10:30:00.123456789",
    );
    check(
        "'550e8400-e29b-41d4-a716-446655440000'::UUID",
        ColumnType::Uuid,
        "550e8400-e29b-41d4-a716-446655440000",
    );
    check("'ab'::BLOB", ColumnType::Binary, "ab");
    check("[1, 2]", ColumnType::Json, "[1,2]");
    check(
        "{'a': 1, 'b': ['x']}",
        ColumnType::Json,
        r#"{"a":1,"b":["x"]}"#,
    );
}

#[test]
fn columns_are_widened_renamed_and_filled_up() {
    let folder = tempfile::tempdir().unwrap();
    let odd = "odd [1]* it's?.parquet";
    let path = write(
        folder.path(),
        odd,
        "SELECT i AS \"The Id\", i::DECIMAL(4,1) AS d FROM range(5000) r(i) WHERE i < 900",
    );
    write(
        folder.path(),
        "odd 1x it'sx.parquet",
        "SELECT 1 AS \"wrong file\"",
    );
    let file = ParquetFile::open(&path).unwrap();
    let decimal = ColumnType::Decimal {
        precision: 18,
        scale: 2,
    };
    let batches = read(
        &file,
        &[
            (Some("d"), decimal),
            (None, ColumnType::Date),
            (Some("The Id"), ColumnType::BigInt),
        ],
        &[
            DataType::Decimal128(18, 2),
            DataType::Date32,
            DataType::Int64,
        ],
    );
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 900);
    let first = &batches[0];
    assert_eq!(
        first
            .column(0)
            .as_primitive::<arrow::datatypes::Decimal128Type>()
            .value(7),
        700
    );
    assert_eq!(first.column(1).null_count(), first.num_rows());
    assert_eq!(
        first
            .column(2)
            .as_primitive::<arrow::datatypes::Int64Type>()
            .value(7),
        7
    );
    assert_eq!(first.schema().field(2).name(), "t2");
}

#[test]
fn instants_travel_as_utc() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(
        folder.path(),
        "a.parquet",
        "SELECT TIMESTAMPTZ '1970-01-01 01:00:00+01' AS v",
    );
    let file = ParquetFile::open(&path).unwrap();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let batches = read(&file, &[(Some("v"), ColumnType::TimestampTz)], &[utc]);
    let column = batches[0]
        .column(0)
        .as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
    assert_eq!(column.value(0), 0);
}

#[test]
fn files_that_are_not_parquet_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs_err::read(write(
        folder.path(),
        "whole.parquet",
        "SELECT range AS i FROM range(1000)",
    ))
    .unwrap();
    let path = folder.path().join("bad.parquet");
    for bytes in [
        &b""[..],
        b"a,b\n1,2\n",
        b"PAR1PAR1",
        &whole[..whole.len() / 2],
        &whole[..whole.len() - 1],
    ] {
        fs_err::write(&path, bytes).unwrap();
        let refused = ParquetFile::open(&path).and_then(|file| file.rows());
        assert!(
            matches!(refused, Err(ParquetError::Invalid(_) | ParquetError::Io(_))),
            "{} bytes",
            bytes.len()
        );
    }
    assert!(ParquetFile::open(&folder.path().join("gone.parquet")).is_err());
}
