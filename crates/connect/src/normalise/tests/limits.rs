//! Long names, wide and deep records, full batches.

use super::*;

#[test]
fn long_names_are_shortened_and_columns_are_limited() {
    let long = "x".repeat(100);
    let batches = run(
        &mut fresh(&[]),
        &[json!({"a": {&long: 1}, "b": {&long: {"c": [1]}}})],
    );
    for batch in &batches {
        assert!(batch.table.schema.table.table.len() <= 63);
        assert!(
            batch
                .table
                .schema
                .columns
                .iter()
                .all(|column| column.name.len() <= 63)
        );
    }
    let wide: Map<String, Value> = (0..3000).map(|i| (format!("k{i}"), json!(i))).collect();
    let failure = fresh(&[])
        .push(&Value::Object(wide.clone()))
        .expect_err("too wide");
    assert!(
        failure.hint.as_str().contains("json_columns"),
        "{}",
        failure.hint
    );
    let mut kept = fresh(&[]).keep_json(&["m".into(), "l__m".into()]);
    let batches = run(&mut kept, &[json!({"m": wide, "l": [{"m": {"z": 1}}]})]);
    assert_eq!(types(&batches, "t")["m"], "JSON");
    assert_eq!(read(&batches)["t__l"][0]["m"], r#"{"z":1}"#);
}

#[test]
fn deep_nesting_is_refused() {
    let nest = |levels: usize, wrap: fn(Value) -> Value| {
        let value = (0..levels).fold(json!(1), |value, _| wrap(value));
        fresh(&[]).push(&json!({"a": value}))
    };
    let wraps: [fn(Value) -> Value; 2] = [|value| json!([value]), |value| json!({"a": value})];
    for wrap in wraps {
        assert!(nest(60, wrap).is_ok());
        let failure = nest(70, wrap).expect_err("too deep");
        assert!(
            failure
                .say
                .as_str()
                .contains("nested deeper than 64 levels"),
            "{failure}"
        );
    }
}

#[test]
fn batches_are_full_by_rows_or_bytes_and_never_longer_than_allowed() {
    let mut normaliser = fresh(&[]);
    for id in 0..BATCH_ROWS {
        assert!(!normaliser.is_full());
        normaliser.push(&json!({"id": id})).expect("taken");
    }
    assert!(normaliser.is_full());
    normaliser.take_batches().expect("batches");
    let wide = json!({"id": 1, "text": "x".repeat(BATCH_BYTES)});
    normaliser.push(&wide).expect("taken");
    assert!(normaliser.is_full());
    normaliser.take_batches().expect("batches");
    let list: Vec<_> = (0..=BATCH_ROWS * 2).collect();
    let batches = run(&mut normaliser, &[json!({"id": 2, "list": list})]);
    let rows: Vec<_> = batches.iter().map(|b| b.batch.num_rows()).collect();
    assert_eq!(rows, [1, BATCH_ROWS, BATCH_ROWS, 1]);
    assert!(normaliser.take_batches().expect("batches").is_empty());
}

#[test]
fn text_with_nul_is_kept() {
    check(
        &[],
        &[json!({"a": "x\u{0}y"})],
        &[("a", "VARCHAR", Some("x\u{0}y"))],
    );
}
