//! Answers that are too long, too wide, too deep, or that repeat what a user wrote: each is an answer, and the worker lasts.

use crate::stage::Stage;
use arrow::array::{Array, AsArray};
use warehouse::WarehouseError;

/// Runs a query and checks that the worker is the one it was.
async fn ask(stage: &Stage, sql: &str) -> Result<usize, WarehouseError> {
    stage.value("SELECT 1").await;
    let pid = stage.warehouse.worker_pid().await;
    let outcome = stage.rows(sql).await;
    assert_eq!(
        stage.warehouse.worker_pid().await,
        pid,
        "the worker did not last"
    );
    outcome.map(|batches| {
        batches
            .iter()
            .map(arrow::array::RecordBatch::num_rows)
            .sum()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_is_cut() {
    let stage = Stage::new();
    for sql in [
        "SELECT repeat('x', 3000000)::INTEGER",
        "SELECT error(repeat('é', 3000000))",
    ] {
        let Err(WarehouseError::Invalid(text)) = ask(&stage, sql).await else {
            panic!("{sql}");
        };
        assert!(text.len() < 10_000 && text.ends_with('…'), "{}", text.len());
    }
    // What no frame can carry is said on this side.
    let name = format!("FROM \"{}\"", "\u{1}".repeat(500_000));
    assert!(matches!(
        ask(&stage, &name).await,
        Err(WarehouseError::Refused { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn more_columns_than_an_answer_carries_are_told() {
    let stage = Stage::new();
    let columns = vec!["s"; 60].join(", ");
    let name = "x".repeat(20_000);
    let sql = format!("SELECT {columns} FROM (SELECT {{'{name}': 1}} AS s)");
    let outcome = ask(&stage, &sql).await;
    let Err(WarehouseError::Limit(text)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(text.contains("60 columns"), "{text}");
    assert!(matches!(ask(&stage, "SELECT 1").await, Ok(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_too_deeply_is_told() {
    let stage = Stage::new();
    let deep = |levels: usize| format!("SELECT {}1{} AS v", "[".repeat(levels), "]".repeat(levels));
    assert!(matches!(ask(&stage, &deep(50)).await, Ok(1)));
    for levels in [51, 60, 100] {
        let outcome = ask(&stage, &deep(levels)).await;
        let Err(WarehouseError::Limit(text)) = outcome else {
            panic!("{levels}: {outcome:?}");
        };
        assert!(
            text.contains("\"v\"") && text.contains("50 levels"),
            "{text}"
        );
    }
    let structures = format!("SELECT {}1{} AS v", "{'a': ".repeat(60), "}".repeat(60));
    assert!(matches!(
        ask(&stage, &structures).await,
        Err(WarehouseError::Limit(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_user_are_not_taken_for_the_engines() {
    let stage = Stage::new();
    for text in [
        "FATAL Error: database has been invalidated because of a previous fatal error",
        "IO Error: No space left on device",
        "Could not set lock on file",
        "not a valid DuckDB database file",
        "max_temp_directory_size",
        "INTERRUPT Error: Interrupted!",
    ] {
        for sql in [
            format!("SELECT '{text}'::INTEGER"),
            format!("SELECT error('{text}')"),
            format!("SELECT \"{text}\""),
        ] {
            let outcome = ask(&stage, &sql).await;
            assert!(
                matches!(outcome, Err(WarehouseError::Invalid(_))),
                "{sql}: {outcome:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_structure_without_names_keeps_its_values() {
    let stage = Stage::new();
    let row = &stage.select("SELECT row(1, [row('a')]) AS v").await[0];
    assert_eq!(row["v"].to_string(), "[1,[[\"a\"]]]");
    let batches = stage.rows("SELECT row(1, 2) AS v").await.unwrap();
    assert_eq!(batches[0].column(0).as_struct().num_columns(), 2);
    assert_eq!(batches[0].column(0).len(), 1);
}
