//! The worker's life: it starts when it is needed, and its death costs what it was doing and nothing else.

use crate::stage::{Stage, allow, collect, limits};
use arrow::array::{Int64Array, RecordBatch};
use domain::{Column, ColumnType, TableRef};
use fs_err as fs;
use security::permissions::{QueryExecute, SourceSync, SourceView};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;
use warehouse::WarehouseError;

const SLOW: &str =
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";

fn died<T: std::fmt::Debug>(outcome: &Result<T, WarehouseError>) -> bool {
    matches!(outcome, Err(WarehouseError::WorkerDied { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_starts_when_it_is_needed_and_leaves_nothing_behind() {
    let stage = Stage::new();
    assert_eq!(stage.warehouse.worker_pid().await, None);
    assert!(!stage.file().exists());
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    fs::write(stage.temp_dir().join("left.tmp"), "x").unwrap();
    stage.warehouse.clone().close().await.unwrap();
    assert_eq!(stage.warehouse.worker_pid().await, None);
    let names: Vec<_> = fs::read_dir(stage.dir.path().join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(
        names,
        ["warehouse.duckdb"],
        "the log was not moved into the file"
    );
    assert_eq!(
        stage.value("SELECT n FROM t").await,
        1,
        "a closed warehouse opens again"
    );
    assert_eq!(
        fs::read_dir(stage.temp_dir()).unwrap().count(),
        0,
        "the spill directory was not emptied"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_idle_is_replaced_unnoticed() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    for _ in 0..3 {
        stage.kill_worker().await;
        stage.rows("SELECT n FROM t").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_ends_and_one_in_use_does_not() {
    let stage = Stage::with(|settings| settings.idle = Duration::from_millis(20));
    stage.load(&["CREATE TABLE t(n BIGINT)"]).await;
    // An open transaction is use, however long nothing happens in it.
    let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
    let pid = stage.warehouse.worker_pid().await;
    tx.execute("INSERT INTO t VALUES (1)").await.unwrap();
    for _ in 0..100 {
        stage
            .rows("SELECT sum(range) FROM range(100000)")
            .await
            .unwrap();
        assert_eq!(stage.warehouse.worker_pid().await, pid);
    }
    tx.commit().await.unwrap();
    // It moves the log into the file.
    let wal = stage.file().with_extension("duckdb.wal");
    while stage.warehouse.worker_pid().await.is_some() || wal.exists() {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.value("SELECT n FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_a_query_fails_the_query_alone() {
    let stage = Stage::new();
    stage
        .load(&["CREATE TABLE t AS SELECT range AS n FROM range(2000000)"])
        .await;
    // One that is being computed, one that is being read, one that is only ours.
    let slow = tokio::spawn({
        let warehouse = stage.warehouse.clone();
        async move {
            warehouse
                .query(&allow::<QueryExecute>(), SLOW, limits())
                .await
                .map(drop)
        }
    });
    let read = tokio::spawn({
        let warehouse = stage.warehouse.clone();
        async move { warehouse.select(&allow::<SourceView>(), SLOW).await }
    });
    // More than the sockets between hold.
    let mut reading = stage
        .query("SELECT n, repeat('x', 200) FROM t")
        .await
        .unwrap();
    reading.next().await.unwrap().unwrap();
    stage.kill_worker().await;
    let rest = collect(reading).await;
    assert!(died(&rest), "{:?}", rest.map(|(rows, _)| rows.len()));
    assert!(died(&slow.await.unwrap()));
    assert!(died(&read.await.unwrap()));
    assert_eq!(stage.value("SELECT count(*) FROM t").await, 2_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_in_a_load_undoes_the_load_alone() {
    let stage = Stage::new();
    stage
        .load(&["CREATE TABLE t(n BIGINT)", "INSERT INTO t VALUES (1)"])
        .await;
    let columns = [Column::new("n", ColumnType::BigInt)];
    let table = TableRef::new("main", "t");
    let rows = Int64Array::from_iter_values(0..8_192);
    let batch = RecordBatch::try_from_iter([("n", Arc::new(rows) as _)]).unwrap();
    // Killed while rows arrive, between two steps, and before the commit.
    for moment in 0..3 {
        let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
        tx.execute("INSERT INTO t VALUES (2)").await.unwrap();
        let mut inserter = tx.insert(&table, &columns, &[]).await.unwrap();
        for _ in 0..20 {
            inserter.write(batch.clone()).await.unwrap();
        }
        if moment == 0 {
            stage.kill_worker().await;
            let mut outcome = Ok(());
            for _ in 0..1_000 {
                outcome = inserter.write(batch.clone()).await;
                if outcome.is_err() {
                    break;
                }
            }
            let outcome = match outcome {
                Ok(()) => inserter.finish().await.map(drop),
                failed => failed,
            };
            assert!(died(&outcome), "{outcome:?}");
            continue;
        }
        inserter.finish().await.unwrap();
        stage.kill_worker().await;
        let outcome = if moment == 1 {
            tx.execute("SELECT 1").await.map(drop)
        } else {
            tx.commit().await
        };
        assert!(died(&outcome), "{moment}: {outcome:?}");
    }
    assert_eq!(stage.value("SELECT sum(n)::BIGINT FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_after_a_commit_loses_nothing() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t(n BIGINT)"]).await;
    for n in 1..=8 {
        stage.load(&[&format!("INSERT INTO t VALUES ({n})")]).await;
        stage.kill_worker().await;
        assert_eq!(stage.value("SELECT count(*) FROM t").await, n);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_of_a_stream_that_dies_undoes_the_load() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t(n BIGINT)"]).await;
    let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let columns = [Column::new("n", ColumnType::BigInt)];
    let pending = tx
        .insert_from(&TableRef::new("main", "t"), &columns, &[], theirs.into())
        .await
        .unwrap();
    drop(ours);
    assert!(matches!(
        pending.finish().await,
        Err(WarehouseError::Stream(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_is_told_apart() {
    let stage = Stage::new();
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    let other = warehouse::Warehouse::new(
        warehouse::Settings {
            temp_dir: stage.dir.path().join("temp2"),
            ..stage.warehouse.settings().clone()
        },
        sandbox::Launcher::new(
            std::env::current_exe().unwrap(),
            ["child_role_entry", "--exact"],
        ),
    );
    let outcome = other.select(&allow::<SourceView>(), "SELECT 1").await;
    assert!(
        matches!(outcome, Err(WarehouseError::Locked(_))),
        "{outcome:?}"
    );
    stage.warehouse.clone().close().await.unwrap();
    other
        .select(&allow::<SourceView>(), "SELECT 1")
        .await
        .unwrap();
    other.close().await.unwrap();

    let whole = fs::read(stage.file()).unwrap();
    fs::write(
        stage.file(),
        b"this is no database, only a text that is long enough to be looked at".repeat(100),
    )
    .unwrap();
    let outcome = stage.rows("SELECT 1").await;
    assert!(
        matches!(outcome, Err(WarehouseError::Corrupt(_))),
        "{outcome:?}"
    );
    let mut newer = whole.clone();
    // The version number of the storage stands after the checksum and the four letters DUCK.
    newer[12] = 0xee;
    fs::write(stage.file(), &newer).unwrap();
    let outcome = stage.rows("SELECT 1").await;
    assert!(
        matches!(
            outcome,
            Err(WarehouseError::Version(_) | WarehouseError::Corrupt(_))
        ),
        "{outcome:?}"
    );
    fs::write(stage.file(), whole).unwrap();
    assert_eq!(stage.value("SELECT n FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_worker_left_that_died_while_it_made_the_file_is_no_obstacle() {
    let stage = Stage::new();
    let creating = stage.file().with_extension("duckdb.creating");
    fs::create_dir_all(creating.parent().unwrap()).unwrap();
    fs::write(&creating, "half a header").unwrap();
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    assert_eq!(stage.value("SELECT n FROM t").await, 1);
    assert!(!creating.exists());
}
