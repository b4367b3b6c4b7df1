//! Loading: every type, every way a stream can be wrong, and transactions that are all or nothing.

use crate::stage::{Stage, allow};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    RecordBatch, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use domain::{Column, ColumnType, TableRef};
use security::permissions::SourceSync;
use serde_json::{Value, json};
use std::sync::Arc;
use warehouse::{LoadTx, WarehouseError};

pub(crate) fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

pub(crate) fn numbers(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    batch(vec![("n", Arc::new(Int64Array::from_iter_values(values)))])
}

pub(crate) fn number_column() -> Vec<Column> {
    vec![Column::new("n", ColumnType::BigInt)]
}

pub(crate) fn target() -> TableRef {
    TableRef::new("main", "t")
}

pub(crate) async fn begin(stage: &Stage) -> LoadTx {
    stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap()
}

pub(crate) async fn stage_with_numbers() -> Stage {
    let stage = Stage::new();
    stage
        .load(&["CREATE TABLE t(n BIGINT)", "INSERT INTO t VALUES (1)"])
        .await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_arrives_as_it_was_sent() {
    let stage = Stage::new();
    let most = 10_i128.pow(38) - 1;
    let columns = [
        ("flag", ColumnType::Boolean),
        ("whole", ColumnType::BigInt),
        (
            "money",
            ColumnType::Decimal {
                precision: 12,
                scale: 2,
            },
        ),
        (
            "small",
            ColumnType::Decimal {
                precision: 4,
                scale: 4,
            },
        ),
        (
            "huge",
            ColumnType::Decimal {
                precision: 38,
                scale: 10,
            },
        ),
        ("real", ColumnType::Double),
        ("words", ColumnType::Text),
        ("bytes", ColumnType::Binary),
        ("day", ColumnType::Date),
        ("clock", ColumnType::Time),
        ("moment", ColumnType::Timestamp),
        ("instant", ColumnType::TimestampTz),
        ("id", ColumnType::Uuid),
        ("doc", ColumnType::Json),
    ]
    .map(|(name, kind)| Column::new(name, kind));
    let decimal = |values: [Option<i128>; 3], precision, scale| -> ArrayRef {
        Arc::new(
            Decimal128Array::from_iter(values)
                .with_precision_and_scale(precision, scale)
                .unwrap(),
        )
    };
    let rows = batch(vec![
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "whole",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ),
        ("money", decimal([Some(1_075), None, Some(-5)], 12, 2)),
        ("small", decimal([Some(9_999), None, Some(-1)], 4, 4)),
        ("huge", decimal([Some(most), None, Some(-most)], 38, 10)),
        (
            "real",
            Arc::new(Float64Array::from(vec![
                Some(f64::NAN),
                None,
                Some(f64::NEG_INFINITY),
            ])),
        ),
        (
            "words",
            Arc::new(StringArray::from(vec![Some("ünï\0 'x'"), None, Some("")])),
        ),
        (
            "bytes",
            Arc::new(BinaryArray::from_opt_vec(vec![
                Some(b"\x00\xff"),
                None,
                Some(b""),
            ])),
        ),
        (
            "day",
            Arc::new(Date32Array::from(vec![
                Some(i32::MAX),
                None,
                Some(-719_529),
            ])),
        ),
        (
            "clock",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(86_399_999_999),
                None,
                Some(0),
            ])),
        ),
        (
            "moment",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(i64::MAX),
                None,
                Some(-1),
            ])),
        ),
        (
            "instant",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(-i64::MAX), None, Some(1)])
                    .with_timezone("UTC"),
            ),
        ),
        (
            "id",
            Arc::new(StringArray::from(vec![
                Some("6B1D7B8E-0C3A-4C57-9D39-1F5A3E3B7C11"),
                None,
                Some("00000000-0000-0000-0000-000000000000"),
            ])),
        ),
        (
            "doc",
            Arc::new(StringArray::from(vec![
                Some("{\"a\": [1.10, null]}"),
                None,
                Some("\"x\""),
            ])),
        ),
    ]);
    let declared: Vec<_> = columns
        .iter()
        .map(|c| format!("{} {}", c.name, c.kind.to_sql()))
        .collect();
    let mut tx = begin(&stage).await;
    tx.execute(&format!(
        "CREATE TABLE t({}, load VARCHAR, n BIGINT)",
        declared.join(", ")
    ))
    .await
    .unwrap();
    let constants = [
        ("load".to_owned(), "'it''s'".to_owned()),
        ("n".to_owned(), "7".to_owned()),
    ];
    let mut inserter = tx.insert(&target(), &columns, &constants).await.unwrap();
    inserter.write(rows).await.unwrap();
    assert_eq!(inserter.finish().await.unwrap(), 3);
    tx.commit().await.unwrap();

    let stage = stage.reopened();
    let found = stage
        .select("SELECT * FROM t ORDER BY whole NULLS LAST")
        .await;
    let first = json!({
        "flag": true, "whole": i64::MIN, "words": "ünï\0 'x'", "bytes": "00ff", "day": "infinity",
        "clock": "23:59:59.999999", "moment": "infinity", "instant": "-infinity", "real": "NaN",
        "id": "6b1d7b8e-0c3a-4c57-9d39-1f5a3e3b7c11", "load": "it's", "n": 7,
    });
    for (name, value) in first.as_object().unwrap() {
        assert_eq!(&found[0][name], value, "{name}");
    }
    assert_eq!(found[0]["money"].to_string(), "10.75");
    assert_eq!(found[0]["small"].to_string(), "0.9999");
    assert_eq!(
        found[0]["huge"].to_string(),
        "9999999999999999999999999999.9999999999"
    );
    assert_eq!(found[0]["doc"].to_string(), "{\"a\":[1.10,null]}");
    assert_eq!(found[1]["day"], "-0001-12-31");
    assert_eq!(
        found[1]["huge"].to_string(),
        "-9999999999999999999999999999.9999999999"
    );
    assert_eq!(found[1]["moment"], "1969-12-31T23:59:59.999999");
    assert_eq!(found[1]["real"], "-Infinity");
    assert_eq!(found[1]["words"], "");
    assert!(
        columns
            .iter()
            .all(|column| found[2][&column.name] == Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_batches_of_any_size_arrive_whole() {
    let stage = stage_with_numbers().await;
    let mut tx = begin(&stage).await;
    let mut inserter = tx.insert(&target(), &number_column(), &[]).await.unwrap();
    let sizes = [0, 1, 2_047, 2_048, 2_049, 10_000].into_iter().cycle();
    for (start, size) in (0..40).zip(sizes) {
        inserter
            .write(numbers((0..size).map(|n| start * 100_000 + n)))
            .await
            .unwrap();
    }
    assert_eq!(inserter.finish().await.unwrap(), 100_966);
    let inserter = tx.insert(&target(), &number_column(), &[]).await.unwrap();
    assert_eq!(
        inserter.finish().await.unwrap(),
        0,
        "a stream without a batch is a load of no rows"
    );
    tx.commit().await.unwrap();
    assert_eq!(
        stage.value("SELECT count(DISTINCT n) FROM t").await,
        100_967
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_cell_arrives_whole() {
    let stage = Stage::new();
    let columns = [Column::new("words", ColumnType::Text)];
    let long = "é".repeat(5 << 20);
    let mut tx = begin(&stage).await;
    tx.execute("CREATE TABLE t(words VARCHAR)").await.unwrap();
    let mut inserter = tx.insert(&target(), &columns, &[]).await.unwrap();
    let words: ArrayRef = Arc::new(StringArray::from(vec![long]));
    inserter.write(batch(vec![("words", words)])).await.unwrap();
    inserter.finish().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.value("SELECT length(words) FROM t").await, 5 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_is_undone() {
    let stage = stage_with_numbers().await;
    let mut tx = begin(&stage).await;
    tx.execute("DELETE FROM t").await.unwrap();
    drop(tx);
    let mut tx = begin(&stage).await;
    let mut inserter = tx.insert(&target(), &number_column(), &[]).await.unwrap();
    inserter.write(numbers(0..100_000)).await.unwrap();
    drop(inserter);
    assert!(tx.commit().await.is_err(), "half an insert was committed");
    let mut tx = begin(&stage).await;
    tx.execute("UPDATE t SET n = 5").await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(stage.value("SELECT sum(n)::BIGINT FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_load_wrote_that_was_undone_leaves_the_file() {
    let stage = stage_with_numbers().await;
    stage.warehouse.clone().close().await.unwrap();
    let size = || fs_err::metadata(stage.file()).unwrap().len();
    let before = size();
    let mut tx = begin(&stage).await;
    let much = "CREATE TABLE u AS SELECT hash(range) AS a FROM range(1000000)";
    tx.execute(much).await.unwrap();
    assert!(size() > before + 4_000_000);
    tx.rollback().await.unwrap();
    stage.warehouse.clone().close().await.unwrap();
    assert_eq!(size(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_cannot_be_committed() {
    let stage = stage_with_numbers().await;
    for wrong in [
        "INSERT INTO missing VALUES (1)",
        "SELEC",
        "INSERT INTO t VALUES ('x')",
    ] {
        let mut tx = begin(&stage).await;
        tx.execute("DELETE FROM t").await.unwrap();
        assert!(tx.execute(wrong).await.is_err(), "{wrong}");
        assert!(tx.commit().await.is_err(), "{wrong}");
    }
    assert_eq!(stage.value("SELECT sum(n)::BIGINT FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_sees_its_own_rows_and_others_do_not() {
    let stage = stage_with_numbers().await;
    let mut tx = begin(&stage).await;
    let mut inserter = tx.insert(&target(), &number_column(), &[]).await.unwrap();
    inserter.write(numbers(10..20)).await.unwrap();
    assert_eq!(stage.value("SELECT count(*) FROM t").await, 1);
    inserter.finish().await.unwrap();
    assert_eq!(
        tx.select("SELECT count(*) AS n FROM t").await.unwrap()[0]["n"],
        11
    );
    assert_eq!(tx.execute("DELETE FROM t WHERE n < 12").await.unwrap(), 3);
    tx.execute("ALTER TABLE t RENAME TO u").await.unwrap();
    assert_eq!(stage.value("SELECT count(*) FROM t").await, 1);
    stage.rows("SELECT * FROM t").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(stage.value("SELECT count(*) FROM u").await, 8);
    // The gate knows the catalog of every commit.
    stage.rows("SELECT * FROM u").await.unwrap();
    assert!(matches!(
        stage.rows("SELECT * FROM t").await,
        Err(WarehouseError::Invalid(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_take_turns() {
    let stage = stage_with_numbers().await;
    let mut first = begin(&stage).await;
    first.execute("INSERT INTO t VALUES (2)").await.unwrap();
    let warehouse = stage.warehouse.clone();
    let second = tokio::spawn(async move {
        let mut tx = warehouse.begin(&allow::<SourceSync>()).await.unwrap();
        let seen = tx.select("SELECT count(*) AS n FROM t").await.unwrap()[0]["n"].clone();
        tx.commit().await.unwrap();
        seen
    });
    first.execute("INSERT INTO t VALUES (3)").await.unwrap();
    assert!(!second.is_finished());
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), 3);
}
