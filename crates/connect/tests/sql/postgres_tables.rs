//! Which tables there are, what they are called, and what of them is read.

use crate::harness::*;
use connect::{FailureKind, Start, Stream};
use domain::{Disposition, TableSchema};
use serde_json::json;

#[tokio::test]
async fn names_of_all_kinds_are_read_and_stay_apart() {
    let database = postgres_database("names");
    psql(
        database,
        r#"CREATE TABLE "Order Items"("Order ID" int, "a""b" int, "select" int, "Größe" int, "Total" int, total int, "_dlt_id" int, "x'; DROP TABLE t; --" int);
        INSERT INTO "Order Items" VALUES (1,2,3,4,5,6,7,8);
        CREATE TABLE "order_items"(a int); CREATE TABLE "it's"(a int); CREATE TABLE "q""t"(a int); INSERT INTO "q""t" VALUES (9)"#,
    );
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names.len(), 4);
    // It was made first.
    let odd = |stream: &&Stream| stream.origin == "public.Order Items";
    let stream = streams.iter().find(odd).expect("the table");
    assert!(
        stream.name == "order_items" && names.iter().any(|name| name.starts_with("order_items_")),
        "{names:?}"
    );
    let (pages, result) = read(&mut source, stream, Start::default()).await;
    result.expect("reads");
    let table = &pages[0].batches[0].table.schema;
    let columns: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(columns[..5], ["order_id", "a_b", "select", "gr_e", "total"]);
    assert!(
        columns[5].starts_with("total_") && columns[6].starts_with("_dlt_id_"),
        "{columns:?}"
    );
    assert_eq!(rows(&pages)[0].matches('=').count(), 8);
    let pages = read_whole(&mut source, "q_t").await;
    assert_eq!(column(&pages, "a"), ["9"]);
}

#[tokio::test]
async fn views_partitions_and_odd_tables_are_read_as_one_would_expect() {
    let database = postgres_database("relations");
    psql(database, "CREATE TABLE events(id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
        CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
        INSERT INTO events VALUES (1, '2024-01-05'), (2, '2024-02-05');
        CREATE TABLE empty(id int PRIMARY KEY, v text); CREATE TABLE no_columns(); INSERT INTO no_columns DEFAULT VALUES;
        CREATE TABLE generated(a int, gone int, b int GENERATED ALWAYS AS (a * 2) STORED); ALTER TABLE generated DROP COLUMN gone;
        INSERT INTO generated VALUES (4); CREATE VIEW doubled AS SELECT b FROM generated; CREATE MATERIALIZED VIEW stored AS SELECT b FROM generated;
        CREATE TEMP TABLE t(a int); CREATE UNLOGGED TABLE unlogged(a int)");
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["empty", "events", "generated", "unlogged"]);
    let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
    result.expect("reads");
    assert_eq!((pages.len(), rows(&pages).len()), (1, 0));
    assert_eq!(pages[0].batches[0].table.schema.columns.len(), 2);
    assert_eq!(
        warnings(&pages),
        ["`public.no_columns` is left out: it has no column"]
    );
    assert_eq!(streams[1].primary_key, ["id", "day"]);
    let pages = read_whole(&mut source, "events").await;
    assert_eq!(rows(&pages), ["id=1 day=2024-01-05", "id=2 day=2024-02-05"]);
    let pages = read_whole(&mut source, "generated").await;
    assert_eq!(rows(&pages), ["a=4 b=8"]);

    let mut source = postgres(
        database,
        json!({"table_names": ["doubled", "stored", "events_2"]}),
    )
    .await;
    for (name, expect) in [
        ("doubled", "b=8"),
        ("stored", "b=8"),
        ("events_2", "id=2 day=2024-02-05"),
    ] {
        assert_eq!(rows(&read_whole(&mut source, name).await), [expect]);
    }
}

#[tokio::test]
async fn several_schemas_are_read_side_by_side() {
    let database = postgres_database("schemas");
    psql(database, "CREATE SCHEMA sales; CREATE SCHEMA \"Stock\"; CREATE TABLE sales.items(a int); CREATE TABLE \"Stock\".items(b int);
        CREATE TABLE public.other(c int); CREATE TABLE \"Stock\".shelves(d int)");
    let check = async |block: serde_json::Value, expect: &[&str]| {
        let mut source = postgres(database, block.clone()).await;
        let streams = source.streams(&[]).await.expect("streams");
        let got: Vec<String> = streams
            .iter()
            .map(|s| format!("{}={}", s.name, s.origin))
            .collect();
        assert_eq!(got, expect, "{block}");
    };
    check(
        json!({"schemas": ["sales", "Stock"]}),
        &[
            "items=sales.items",
            "stock_items=Stock.items",
            "shelves=Stock.shelves",
        ],
    )
    .await;
    check(json!({"schema": "sales"}), &["items=sales.items"]).await;
    check(json!({"generic_config": {"credentials_env": "X", "schema": "Stock", "table_names": ["items"]}}), &["items=Stock.items"]).await;
    check(
        json!({"table_names": ["other", "public.other"]}),
        &["other=public.other"],
    )
    .await;
    check(
        json!({"table_names": ["Stock.shelves", "other"]}),
        &["shelves=Stock.shelves", "other=public.other"],
    )
    .await;
    check(json!({}), &["other=public.other"]).await;
}

#[tokio::test]
async fn long_rows_make_small_batches() {
    let database = postgres_database("long_rows");
    psql(
        database,
        "CREATE TABLE l(id int, v text); INSERT INTO l SELECT i, repeat(i::text, 300000) FROM generate_series(10, 40) i",
    );
    let mut source = postgres(database, json!({})).await;
    let pages = read_whole(&mut source, "l").await;
    assert!(pages.len() >= 4, "{} pages", pages.len());
    assert!(pages.iter().all(|page| page.bytes < 5 << 20));
    let values = column(&pages, "v");
    assert_eq!(values.len(), 31);
    assert!(
        values
            .iter()
            .zip(10..)
            .all(|(value, i)| *value == i.to_string().repeat(300_000))
    );
}

/// Returns column and value of the only row of the only table, beside what the warehouse has.
async fn only_row(database: &str, known: &[TableSchema]) -> (String, TableSchema) {
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(known).await.expect("streams");
    let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
    result.expect("reads");
    let schema = pages[0].batches[0].table.schema.clone();
    (rows(&pages).join("\n"), schema)
}

#[tokio::test]
async fn a_column_keeps_its_name_whatever_columns_come_and_go() {
    let database = postgres_database("columns_come");
    psql(
        database,
        r#"CREATE TABLE t("Total" int); INSERT INTO t VALUES (1)"#,
    );
    let (row, known) = only_row(database, &[]).await;
    assert_eq!(row, "total=1");
    psql(
        database,
        "ALTER TABLE t ADD COLUMN total int; UPDATE t SET total = 2",
    );
    let (row, known) = only_row(database, &[known]).await;
    assert_eq!(row, "total=1 total_4738f3=2");
    psql(database, r#"ALTER TABLE t DROP COLUMN "Total""#);
    let (row, _) = only_row(database, &[known]).await;
    assert_eq!(row, "total_4738f3=2");
}

#[tokio::test]
async fn a_table_keeps_its_name_when_one_appears_that_is_spelled_alike() {
    let database = postgres_database("tables_come");
    for (first, second) in [("Orders", "orders"), ("items", "Items")] {
        psql(
            database,
            &format!("CREATE TABLE \"{first}\"(a int); CREATE TABLE \"{second}\"(b int)"),
        );
        let open = async |names: &[&str], known: &[TableSchema]| {
            let mut source = postgres(database, json!({"table_names": names})).await;
            let streams = source.streams(known).await.expect("streams");
            streams
                .iter()
                .map(|stream| stream.schema.as_ref().expect("known").as_ref().clone())
                .collect::<Vec<_>>()
        };
        let known = open(&[first], &[]).await;
        let both = open(&[second, first], &known).await;
        assert_eq!(both[1].table, known[0].table);
        let known = [known, both.clone()].concat();
        assert_eq!(open(&[second], &known).await[0].table, both[0].table);
    }
}

#[tokio::test]
async fn rows_of_inheriting_tables_are_read_with_their_parent_and_share_no_key() {
    let database = postgres_database("heirs");
    psql(
        database,
        "CREATE TABLE par(id int PRIMARY KEY, at timestamp); CREATE TABLE child(extra int) INHERITS (par);
        INSERT INTO par VALUES (1, '2024-01-01'); INSERT INTO child VALUES (1, '2024-01-02', 5)",
    );
    let block = json!({"tables": [{"name": "par", "cursor": "at"}]});
    let mut source = postgres(database, block).await;
    let streams = source.streams(&[]).await.expect("streams");
    assert_eq!(streams[0].primary_key, [""; 0]);
    assert_eq!(streams[0].disposition, Disposition::Append);
    let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
    result.expect("reads");
    assert_eq!(rows(&pages).len(), 2);
    assert!(
        warnings(&pages)[0]
            .contains("`public.par` is read with the rows of the tables that inherit"),
        "{:?}",
        warnings(&pages)
    );
    let block = json!({"tables": [{"name": "par", "cursor": "at", "disposition": "merge"}]});
    let failure = postgres(database, block).await.streams(&[]).await;
    let failure = failure.expect_err("nothing identifies the rows");
    assert_eq!(failure.kind, FailureKind::ConfigInvalid, "{failure}");
}
