//! Which type a column gets, and what becomes of values it does not hold.

use super::*;

#[test]
fn values_decide_the_type_of_a_new_column() {
    check(&[], &[json!({"a": 1})], &[("a", "BIGINT", Some("1"))]);
    check(
        &[],
        &[json!({"a": null}), json!({"a": true})],
        &[("a", "BOOLEAN", Some("true"))],
    );
    check(
        &[],
        &[json!({"a": 1}), json!({"a": 10.75})],
        &[("a", "DOUBLE", Some("10.75"))],
    );
    check(
        &[],
        &[json!({"a": 1.5}), json!({"a": 2})],
        &[("a", "DOUBLE", Some("2.0"))],
    );
    check(
        &[],
        &[json!({"a": 2}), json!({"a": 3.0})],
        &[("a", "BIGINT", Some("3"))],
    );
    check(
        &[],
        &[json!({"a": "2024-01-01T00:00:01Z"})],
        &[("a", "TIMESTAMP WITH TIME ZONE", Some("@1704067201000000"))],
    );
    check(
        &[],
        &[json!({"a": "2024-01-01T00:00:01Z"}), json!({"a": "soon"})],
        &[("a", "VARCHAR", Some("soon"))],
    );
    check(
        &[],
        &[json!({"a": "2024-01-01"})],
        &[("a", "VARCHAR", Some("2024-01-01"))],
    );
    check(
        &[],
        &[json!({"a": "x"}), json!({"a": 7})],
        &[("a", "VARCHAR", Some("7"))],
    );
    check(
        &[],
        &[json!({})],
        &[(
            "_dlt_id",
            "VARCHAR",
            Some(read(&run(&mut fresh(&[]), &[json!({})]))["t"][0]["_dlt_id"].as_str()),
        )],
    );
}

#[test]
fn numbers_that_fit_nothing_exactly_are_kept_elsewhere() {
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("json");
    check(
        &[],
        &[json!({"a": 1}), parse(r#"{"a": 18446744073709551616}"#)],
        &[("a", "DECIMAL(38,0)", Some("18446744073709551616"))],
    );
    check(
        &[],
        &[json!({"a": 9_007_199_254_740_993_i64}), json!({"a": 0.5})],
        &[
            ("a", "BIGINT", None),
            ("a__v_double", "DOUBLE", Some("0.5")),
        ],
    );
    check(
        &[],
        &[parse(r#"{"a": 0.12345678901234567890}"#)],
        &[("a__v_text", "VARCHAR", Some("0.12345678901234567890"))],
    );
    check(
        &[(
            "a",
            ColumnType::Decimal {
                precision: 10,
                scale: 2,
            },
        )],
        &[json!({"a": 10.75})],
        &[("a", "DECIMAL(10,2)", Some("10.75"))],
    );
    for beyond in ["1e-9223372036854775808", "1e+9223372036854775807"] {
        let expect = [("a__v_text", "VARCHAR", Some(beyond))];
        check(&[], &[parse(&format!(r#"{{"a": {beyond}}}"#))], &expect);
    }
    let big = "1".repeat(40);
    check(
        &[],
        &[parse(&format!(r#"{{"a": {big}}}"#))],
        &[("a__v_text", "VARCHAR", Some(&big))],
    );
}

#[test]
fn a_decided_type_stays_and_other_values_go_to_a_variant() {
    let check_variant =
        |kind: ColumnType, value: Value, variant: &str, variant_kind: &str, expect: &str| {
            let columns = [
                ("a", kind.to_sql(), None),
                (variant, variant_kind.to_owned(), Some(expect)),
            ];
            let columns: Vec<_> = columns
                .iter()
                .map(|(n, k, v)| (*n, k.as_str(), *v))
                .collect();
            check(&[("a", kind)], &[json!({"a": value})], &columns);
        };
    check_variant(
        ColumnType::BigInt,
        json!(10.75),
        "a__v_double",
        "DOUBLE",
        "10.75",
    );
    check_variant(
        ColumnType::BigInt,
        json!("n/a"),
        "a__v_text",
        "VARCHAR",
        "n/a",
    );
    check_variant(
        ColumnType::BigInt,
        json!(false),
        "a__v_bool",
        "BOOLEAN",
        "false",
    );
    check_variant(
        ColumnType::TimestampTz,
        json!(""),
        "a__v_text",
        "VARCHAR",
        "",
    );
    let zoned = "2024-01-01T00:00:00Z";
    check_variant(
        ColumnType::Timestamp,
        json!(zoned),
        "a__v_text",
        "VARCHAR",
        zoned,
    );
    check_variant(
        ColumnType::Uuid,
        json!("NOT"),
        "a__v_text",
        "VARCHAR",
        "NOT",
    );
    check_variant(
        ColumnType::Binary,
        json!("AA=="),
        "a__v_text",
        "VARCHAR",
        "AA==",
    );
    check_variant(
        ColumnType::Double,
        json!(9_007_199_254_740_993_i64),
        "a__v_bigint",
        "BIGINT",
        "9007199254740993",
    );
    check(
        &[("a", ColumnType::BigInt)],
        &[json!({"a": 10.0})],
        &[("a", "BIGINT", Some("10"))],
    );
    check(
        &[("a", ColumnType::Date)],
        &[json!({"a": "1970-01-02"})],
        &[("a", "DATE", Some("1"))],
    );
    check(
        &[("a", ColumnType::Time)],
        &[json!({"a": "00:00:01"})],
        &[("a", "TIME", Some("1000000"))],
    );
    check(
        &[("a", ColumnType::Json)],
        &[json!({"a": {"b": [1, "x"]}})],
        &[("a", "JSON", Some(r#"{"b":[1,"x"]}"#))],
    );
    check(
        &[("a", ColumnType::Json)],
        &[json!({"a": "x"})],
        &[("a", "JSON", Some("\"x\""))],
    );
    check(
        &[("a", ColumnType::Text)],
        &[json!({"a": "2024-01-01T00:00:00Z"})],
        &[("a", "VARCHAR", Some("2024-01-01T00:00:00Z"))],
    );
}

#[test]
fn a_later_batch_keeps_the_types_of_the_first() {
    let mut normaliser = fresh(&[]);
    run(
        &mut normaliser,
        &[json!({"id": 1, "amount": 5, "at": "2024-01-01T00:00:00Z"})],
    );
    let batches = run(
        &mut normaliser,
        &[json!({"id": 2, "amount": 10.75, "at": "later"})],
    );
    assert_eq!(types(&batches, "t")["amount"], "BIGINT");
    let row = &read(&batches)["t"][0];
    assert_eq!(
        (row["amount__v_double"].as_str(), row["at__v_text"].as_str()),
        ("10.75", "later")
    );
    assert_eq!(
        normaliser.warnings(),
        [
            "column `amount` of table `t` is BIGINT and got other values: those are in `amount__v_double`",
            "column `at` of table `t` is TIMESTAMP WITH TIME ZONE and got other values: those are in `at__v_text`",
        ]
    );
    run(&mut normaliser, &[json!({"id": 3, "amount": 0.5})]);
    assert!(
        normaliser.warnings().is_empty(),
        "each column is reported once"
    );
}
