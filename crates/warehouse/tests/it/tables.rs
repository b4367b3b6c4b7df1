//! The catalog, the file's size, and compaction.

use crate::stage::{Stage, allow};
use domain::{Column, ColumnType, TableRef};
use fs_err as fs;
use security::permissions::{HealthView, PlatformManage, SourceSync, SourceView};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use warehouse::WarehouseError;

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_listed_with_columns_in_order_and_keys() {
    let stage = Stage::new();
    stage
        .load(&[
            "CREATE SCHEMA raw_shop",
            "CREATE TABLE raw_shop.orders(z VARCHAR, id BIGINT, amount DECIMAL(12, 2), tags VARCHAR[], old INTEGER, PRIMARY KEY (id, z))",
            "CREATE TABLE main.other(x JSON, placed TIMESTAMPTZ)",
            "CREATE VIEW raw_shop.v AS SELECT 1 AS x",
        ])
        .await;
    let orders = stage
        .warehouse
        .tables(&allow::<SourceView>(), Some("raw_shop"))
        .await
        .unwrap();
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0].table, TableRef::new("raw_shop", "orders"));
    assert_eq!(orders[0].primary_key, ["id", "z"]);
    let expect = [
        ("z", ColumnType::Text),
        ("id", ColumnType::BigInt),
        (
            "amount",
            ColumnType::Decimal {
                precision: 12,
                scale: 2,
            },
        ),
        ("tags", ColumnType::Text),
        ("old", ColumnType::BigInt),
    ]
    .map(|(name, kind)| Column::new(name, kind));
    assert_eq!(orders[0].columns, expect);
    let all = stage
        .warehouse
        .tables(&allow::<SourceView>(), None)
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].columns[0].kind, ColumnType::Json);
    assert_eq!(
        stage
            .warehouse
            .tables(&allow::<SourceView>(), Some("x' OR ''='"))
            .await
            .unwrap(),
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_is_its_owners_alone_until_somebody_says_otherwise() {
    let stage = Stage::new();
    let mode = || fs::metadata(stage.file()).unwrap().permissions().mode() & 0o777;
    stage.load(&["CREATE TABLE t AS SELECT 1 AS n"]).await;
    assert_eq!(mode(), 0o600);
    for shared in [0o640, 0o600] {
        fs::set_permissions(stage.file(), Permissions::from_mode(shared)).unwrap();
        stage
            .warehouse
            .compact(&allow::<PlatformManage>())
            .await
            .unwrap();
        assert_eq!(mode(), shared, "compaction keeps the mode");
    }
    assert_eq!(stage.value("SELECT n FROM t").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_returns_space_and_changes_nothing_else() {
    let stage = Stage::new();
    stage
        .load(&[
            "CREATE SCHEMA raw_shop",
            "CREATE TABLE raw_shop.orders(id BIGINT PRIMARY KEY, s VARCHAR)",
            "INSERT INTO raw_shop.orders SELECT range, md5(range::VARCHAR) FROM range(300000)",
            "CREATE TABLE gone AS SELECT range, md5(range::VARCHAR) AS s FROM range(300000)",
            "CREATE VIEW v AS SELECT count(*) AS n FROM raw_shop.orders",
        ])
        .await;
    stage.load(&["DROP TABLE gone"]).await;
    // Closing moves the log into the file, and so frees the blocks.
    stage.warehouse.clone().close().await.unwrap();
    let sum = "SELECT md5(string_agg(id || s, ',' ORDER BY id)) FROM raw_shop.orders";
    let before = stage.value(sum).await;
    let free = stage
        .warehouse
        .status(&allow::<HealthView>())
        .await
        .unwrap()
        .free_bytes;
    assert!(free > 1 << 20, "{free}");
    fs::write(
        stage.dir.path().join("data/warehouse.duckdb.compact"),
        "an attempt that was cut off",
    )
    .unwrap();

    let report = stage
        .warehouse
        .compact(&allow::<PlatformManage>())
        .await
        .unwrap();
    assert_eq!((report.tables, report.rows), (1, 300_000));
    assert!(report.bytes_after < report.bytes_before, "{report:?}");
    assert_eq!(
        fs::metadata(stage.file()).unwrap().len(),
        report.bytes_after
    );
    assert_eq!(stage.value(sum).await, before);
    assert_eq!(stage.value("SELECT n FROM v").await, 300_000);
    stage
        .load(&["INSERT INTO raw_shop.orders VALUES (-1, 'x')"])
        .await;
    let mut tx = stage.warehouse.begin(&allow::<SourceSync>()).await.unwrap();
    let twice = tx
        .execute("INSERT INTO raw_shop.orders VALUES (-1, 'x')")
        .await;
    assert!(
        matches!(twice, Err(WarehouseError::Invalid(_))),
        "the key was lost: {twice:?}"
    );
}
