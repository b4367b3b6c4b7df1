//! What an analyst writes, and the gate must let pass.

use crate::stage::{Stage, lines, unescaped};

const PASSES: &str = include_str!("passes.txt");

#[tokio::test(flavor = "multi_thread")]
async fn what_an_analyst_writes_passes() {
    let stage = Stage::new();
    stage
        .load(&[
            "CREATE TABLE orders(id BIGINT, customer BIGINT, amount DECIMAL(12, 2), status VARCHAR, placed TIMESTAMP,
                                 tags VARCHAR[], detail STRUCT(size INTEGER), extra JSON)",
            "INSERT INTO orders SELECT i, i % 3, i * 1.25, CASE i % 2 WHEN 0 THEN 'paid' ELSE 'open' END,
                TIMESTAMP '2026-01-01' + i * INTERVAL 1 DAY, ['a', 'bc'], {'size': i}, '{\"k\": \"v\", \"list\": [1]}'
             FROM range(10) t(i)",
            "CREATE SCHEMA raw_shop",
            "CREATE TABLE raw_shop.customers AS SELECT i AS id, 'c' || i AS name, TIMESTAMP '2026-01-01' AS since FROM range(3) t(i)",
            "CREATE TABLE raw_shop.\"odd table.csv\" AS SELECT 1 AS x",
            "CREATE VIEW big_orders AS SELECT * FROM orders WHERE amount > 3",
            "CREATE VIEW raw_shop.spending(\"as\", total) AS WITH o AS (FROM orders)
             SELECT customer, sum(amount) FROM o JOIN raw_shop.customers c ON c.id = o.customer GROUP BY customer",
            "CREATE TABLE doubled(n INTEGER, \"odd name\" INTEGER DEFAULT 1, twice INTEGER AS (n * 2))",
            "CREATE VIEW nested_view AS SELECT count(*) AS n FROM big_orders, raw_shop.spending, range(2)",
        ])
        .await;
    let mut wrong = Vec::new();
    for sql in lines(PASSES).map(unescaped) {
        if let Err(error) = stage.rows(&sql).await {
            wrong.push(format!("{sql}: {error:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
