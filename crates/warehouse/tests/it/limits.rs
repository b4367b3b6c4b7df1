//! Limits: rows, bytes, time, memory, and how many run at once.

use crate::stage::{Stage, allow, collect, limits};
use arrow::array::{RecordBatch, StringArray};
use domain::{Column, ColumnType, TableRef};
use security::permissions::{HealthView, QueryExecute, SourceSync};
use std::sync::Arc;
use std::time::Duration;
use warehouse::{QueryLimits, WarehouseError};

/// Runs for minutes, and can be interrupted.
const SLOW: &str =
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";
/// One call that nothing interrupts.
const STUBBORN: &str = "SELECT levenshtein(repeat('ab', 60000), repeat('ba', 60000))";

fn short() -> QueryLimits {
    QueryLimits {
        timeout: Duration::from_millis(200),
        ..limits()
    }
}

async fn query(
    stage: &Stage,
    sql: &str,
    limits: QueryLimits,
) -> Result<(usize, bool), WarehouseError> {
    let result = stage
        .warehouse
        .query(&allow::<QueryExecute>(), sql, limits)
        .await?;
    let (batches, truncated) = collect(result).await?;
    Ok((batches.iter().map(RecordBatch::num_rows).sum(), truncated))
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_and_bytes_are_cut_off_and_it_is_said() {
    let stage = Stage::new();
    let check = async |rows_max, bytes_max, expect_rows: usize, expect_truncated| {
        let limits = QueryLimits {
            rows_max,
            bytes_max,
            ..limits()
        };
        let found = query(&stage, "SELECT * FROM range(5000)", limits)
            .await
            .unwrap();
        assert_eq!(
            found,
            (expect_rows, expect_truncated),
            "{rows_max} rows, {bytes_max} bytes"
        );
    };
    check(10_000, u64::MAX, 5_000, false).await;
    check(5_000, u64::MAX, 5_000, false).await;
    check(4_999, u64::MAX, 4_999, true).await;
    check(2_048, u64::MAX, 2_048, true).await;
    check(1, u64::MAX, 1, true).await;
    check(0, u64::MAX, 0, true).await;
    check(10_000, 1, 0, true).await;
    check(10_000, 2_000, 2_048, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_takes_too_long_is_stopped() {
    let stage = Stage::new();
    let pid = {
        stage.value("SELECT 1").await;
        stage.warehouse.worker_pid().await
    };
    let outcome = query(&stage, SLOW, short()).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Timeout)),
        "{outcome:?}"
    );
    // While its rows are fetched, too.
    let endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r";
    let outcome = query(&stage, endless, short()).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Timeout)),
        "{outcome:?}"
    );
    assert_eq!(
        query(&stage, "SELECT 1", limits()).await.unwrap(),
        (1, false)
    );
    assert_eq!(
        stage.warehouse.worker_pid().await,
        pid,
        "an interrupt was enough"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_be_stopped_costs_the_worker_its_life() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    let pid = stage.warehouse.worker_pid().await;
    let beside = tokio::spawn({
        let warehouse = stage.warehouse.clone();
        async move {
            warehouse
                .query(&allow::<QueryExecute>(), SLOW, limits())
                .await
                .map(drop)
        }
    });
    // Long enough that the call has begun, however busy the machine is; it takes half a minute.
    let limits = QueryLimits {
        timeout: Duration::from_secs(4),
        ..limits()
    };
    let outcome = query(&stage, STUBBORN, limits).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Timeout)),
        "{outcome:?}"
    );
    let beside = beside.await.unwrap();
    assert!(
        matches!(beside, Err(WarehouseError::WorkerDied { .. })),
        "{beside:?}"
    );
    assert_eq!(stage.value("SELECT n FROM t").await, 1);
    assert_ne!(stage.warehouse.worker_pid().await, pid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_beyond_the_memory_is_told_so() {
    let stage = Stage::with(|settings| settings.memory_mb = 64);
    let outcome = query(&stage, "SELECT list(range) FROM range(100000000)", limits()).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Memory(_))),
        "{outcome:?}"
    );
    assert_eq!(
        query(&stage, "SELECT 1", limits()).await.unwrap(),
        (1, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_queries_run_at_once() {
    let stage = Stage::with(|settings| settings.user_queries_max = 1);
    let running = stage.query("SELECT * FROM range(1000000)").await.unwrap();
    let outcome = query(&stage, "SELECT 1", short()).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Busy { .. })),
        "{outcome:?}"
    );
    // Reads of our own, and loads, do not wait for users.
    assert_eq!(stage.value("SELECT 1").await, 1);
    drop(running);
    assert_eq!(
        query(&stage, "SELECT 1", limits()).await.unwrap(),
        (1, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_nobody_waits_for_is_stopped() {
    let stage = Stage::with(|settings| settings.user_queries_max = 1);
    stage.value("SELECT 1").await;
    let pid = stage.warehouse.worker_pid().await;
    // Given up while it is computed, and while it is read.
    let given_up = tokio::time::timeout(Duration::from_millis(200), stage.query(SLOW)).await;
    assert!(given_up.is_err());
    let mut reading = stage
        .query("SELECT * FROM range(1000000000)")
        .await
        .unwrap();
    reading.next().await.unwrap().unwrap();
    drop(reading);
    // It would wait for its deadline otherwise, and closing would wait for it.
    stage.warehouse.clone().close().await.unwrap();
    assert!(pid.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_run_beside_a_load() {
    let stage = Stage::new();
    stage
        .load(&["CREATE TABLE t AS SELECT range AS n FROM range(100000)"])
        .await;
    let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
    let (load, queries) = tokio::join!(
        async {
            tx.execute(
                "CREATE TABLE u AS SELECT range AS n, md5(range::VARCHAR) AS s FROM range(500000)",
            )
            .await?;
            tx.execute("DELETE FROM t WHERE n % 2 = 0").await
        },
        async {
            for _ in 0..10 {
                let (rows, _) = query(&stage, "SELECT * FROM t", limits()).await?;
                assert_eq!(rows, 100_000);
            }
            Ok::<_, WarehouseError>(())
        }
    );
    assert_eq!(load.unwrap(), 50_000);
    queries.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        query(&stage, "SELECT * FROM t", limits()).await.unwrap().0,
        50_000
    );
    let status = stage
        .warehouse
        .status(&allow::<HealthView>())
        .await
        .unwrap();
    assert!(
        status.file_bytes > 0 && status.memory_limit_bytes == 256 << 20,
        "{status:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_waits_while_a_load_holds_most_of_the_memory() {
    let stage = Stage::with(|settings| settings.memory_mb = 128);
    stage.load(&["CREATE TABLE t(words VARCHAR)"]).await;
    let columns = [Column::new("words", ColumnType::Text)];
    let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
    let mut inserter = tx
        .insert(&TableRef::new("main", "t"), &columns, &[])
        .await
        .unwrap();
    // Fewer rows than a row group has, so they stay in memory until the statement ends.
    let words = StringArray::from_iter_values((0..1_000).map(|n| format!("{n:01000}")));
    let batch = RecordBatch::try_from_iter_with_nullable([("words", Arc::new(words) as _, true)]);
    let batch = batch.unwrap();
    let used = async || {
        let status = stage.warehouse.status(&allow::<HealthView>()).await;
        status.unwrap().memory_bytes
    };
    for _ in 0..85 {
        inserter.write(batch.clone()).await.unwrap();
    }
    while used().await <= 64 << 20 {
        tokio::task::yield_now().await;
    }
    let outcome = query(&stage, "SELECT count(*) FROM t", short()).await;
    assert!(
        matches!(outcome, Err(WarehouseError::Busy { .. })),
        "{outcome:?}"
    );
    // Reads of our own are small, and the load may need them.
    assert_eq!(stage.value("SELECT count(*) FROM t").await, 0);
    inserter.finish().await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        query(&stage, "SELECT * FROM t", limits()).await.unwrap(),
        (85_000, false)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_beyond_all_bounds_harms_the_worker_alone() {
    let stage = Stage::new();
    for sql in [
        "SELECT length(repeat('x', 4000000000))",
        "SELECT length(repeat(repeat('x', 1000000), 1000000))",
        "SELECT repeat('x', 100000000) FROM range(20)",
    ] {
        let outcome = query(&stage, sql, limits()).await;
        assert!(
            matches!(
                outcome,
                Ok(_)
                    | Err(WarehouseError::Memory(_)
                        | WarehouseError::Invalid(_)
                        | WarehouseError::Stream(_)
                        | WarehouseError::WorkerDied { .. })
            ),
            "{sql}: {outcome:?}"
        );
        println!("{sql}: {outcome:?}");
    }
    assert_eq!(
        query(&stage, "SELECT 1", limits()).await.unwrap(),
        (1, false)
    );
}
