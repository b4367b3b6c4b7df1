//! Streams that are wrong: broken off, of other things, with values that cannot be.

use crate::loads::{batch, begin, number_column, numbers, stage_with_numbers, target};
use crate::stage::Stage;
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::ipc::writer::StreamWriter;
use domain::{Column, ColumnType};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use warehouse::{LoadTx, WarehouseError};

/// Inserts what `bytes` say as a stream of another process would, and returns the outcome of the statement.
async fn insert_bytes(
    tx: &mut LoadTx,
    columns: &[Column],
    bytes: Vec<u8>,
) -> Result<u64, WarehouseError> {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let pending = tx
        .insert_from(&target(), columns, &[], OwnedFd::from(theirs))
        .await?;
    let writer = std::thread::spawn(move || {
        let mut ours = ours;
        // The worker may close its end at the first wrong byte.
        let _ = ours.write_all(&bytes);
    });
    let outcome = pending.finish().await;
    writer.join().unwrap();
    outcome
}

fn encoded(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_off_undoes_the_load() {
    let whole = encoded(&[numbers(0..5_000), numbers(0..5_000)]);
    for length in [0, 3, 200, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        let stage = stage_with_numbers().await;
        let mut tx = begin(&stage).await;
        tx.execute("INSERT INTO t VALUES (2)").await.unwrap();
        let outcome = insert_bytes(&mut tx, &number_column(), whole[..length].to_vec()).await;
        assert!(
            matches!(outcome, Err(WarehouseError::Stream(_))),
            "{length}: {outcome:?}"
        );
        let next = tx.execute("INSERT INTO t VALUES (3)").await;
        assert!(
            matches!(next, Err(WarehouseError::Invalid(_))),
            "{length}: {next:?}"
        );
        assert!(tx.commit().await.is_err(), "{length}");
        assert_eq!(
            stage.value("SELECT sum(n)::BIGINT FROM t").await,
            1,
            "{length}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_other_things_undoes_the_load() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let real: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let two = vec![("n", Arc::clone(&text)), ("m", Arc::clone(&text))];
    let cases = [
        ("text", encoded(&[batch(vec![("n", text)])])),
        ("floats", encoded(&[batch(vec![("n", real)])])),
        ("two columns", encoded(&[batch(two)])),
        ("noise", vec![0x55; 10_000]),
        (
            "a long message",
            vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
    ];
    for (name, bytes) in cases {
        let stage = stage_with_numbers().await;
        let mut tx = begin(&stage).await;
        let outcome = insert_bytes(&mut tx, &number_column(), bytes).await;
        assert!(
            matches!(outcome, Err(WarehouseError::Stream(_))),
            "{name}: {outcome:?}"
        );
        drop(tx);
        assert_eq!(
            stage.value("SELECT sum(n)::BIGINT FROM t").await,
            1,
            "{name}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_cannot_be_are_refused() {
    let decimal = |value: i128| -> ArrayRef {
        Arc::new(
            Decimal128Array::from_iter_values([value])
                .with_precision_and_scale(4, 2)
                .unwrap(),
        )
    };
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let cases: [(ColumnType, ArrayRef); 8] = [
        (
            ColumnType::Decimal {
                precision: 4,
                scale: 2,
            },
            decimal(10_000),
        ),
        (
            ColumnType::Decimal {
                precision: 4,
                scale: 2,
            },
            decimal(i128::MIN),
        ),
        (
            ColumnType::Date,
            Arc::new(Date32Array::from(vec![i32::MIN])),
        ),
        (
            ColumnType::Time,
            Arc::new(Time64MicrosecondArray::from(vec![-1])),
        ),
        (
            ColumnType::Time,
            Arc::new(Time64MicrosecondArray::from(vec![i64::MAX])),
        ),
        (
            ColumnType::Timestamp,
            Arc::new(TimestampMicrosecondArray::from(vec![i64::MIN])),
        ),
        (ColumnType::Uuid, text("no uuid")),
        (ColumnType::Json, text("{\"a\": ")),
    ];
    let stage = Stage::new();
    for (kind, array) in cases {
        let columns = [Column::new("n", kind)];
        let mut tx = begin(&stage).await;
        tx.execute(&format!("CREATE TABLE t(n {})", kind.to_sql()))
            .await
            .unwrap();
        let mut inserter = tx.insert(&target(), &columns, &[]).await.unwrap();
        inserter.write(batch(vec![("n", array)])).await.unwrap();
        let outcome = inserter.finish().await;
        assert!(
            matches!(
                outcome,
                Err(WarehouseError::Stream(_) | WarehouseError::Invalid(_))
            ),
            "{kind}: {outcome:?}"
        );
    }
}
