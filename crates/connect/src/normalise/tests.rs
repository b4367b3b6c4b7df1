//! What becomes of records: tables, types, variants, ids; and that no value is ever lost on the way.

mod lossless;

use super::*;
use crate::page::TableBatch;
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow::datatypes::{Time64MicrosecondType, TimestampMicrosecondType};
use domain::{Column, ColumnType, TableRef};
use serde_json::{Map, json};
use std::collections::BTreeMap;

/// Rows by table, each row its non-null cells as text.
type Tables = BTreeMap<String, Vec<BTreeMap<String, String>>>;

fn cell(batch: &RecordBatch, column: usize, row: usize) -> Option<String> {
    let array = batch.column(column);
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => format!("{:?}", array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().value_as_string(row),
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => array.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Time64(_) => array
            .as_primitive::<Time64MicrosecondType>()
            .value(row)
            .to_string(),
        DataType::Timestamp(..) => {
            format!(
                "@{}",
                array.as_primitive::<TimestampMicrosecondType>().value(row)
            )
        }
        other => panic!("unexpected {other}"),
    })
}

fn read(batches: &[TableBatch]) -> Tables {
    let mut tables = Tables::new();
    for TableBatch { table, batch } in batches {
        let rows = tables.entry(table.schema.table.table.clone()).or_default();
        for row in 0..batch.num_rows() {
            let cells = table.schema.columns.iter().enumerate();
            let cells = cells.filter_map(|(at, c)| Some((c.name.clone(), cell(batch, at, row)?)));
            rows.push(cells.collect());
        }
    }
    tables
}

fn types(batches: &[TableBatch], table: &str) -> BTreeMap<String, String> {
    let last = batches
        .iter()
        .rfind(|batch| batch.table.schema.table.table == table);
    let columns = last
        .map(|batch| batch.table.schema.columns.clone())
        .unwrap_or_default();
    columns
        .into_iter()
        .map(|column| (column.name, column.kind.to_sql()))
        .collect()
}

fn run(normaliser: &mut Normaliser, records: &[Value]) -> Vec<TableBatch> {
    for record in records {
        normaliser.push(record).expect("taken");
    }
    normaliser.take_batches().expect("batches")
}

fn fresh(known: &[TableSchema]) -> Normaliser {
    Normaliser::new("t", &["id".into()], known, IdSeed::new("seed"))
}

fn known(columns: &[(&str, ColumnType)]) -> Vec<TableSchema> {
    let columns = columns
        .iter()
        .map(|(name, kind)| Column::new(*name, *kind))
        .collect();
    vec![TableSchema {
        table: TableRef::new("raw_x", "t"),
        columns,
        primary_key: vec![],
    }]
}

/// Checks the columns and types of table `t` after one batch, and the cells of its last row.
fn check(
    known_columns: &[(&str, ColumnType)],
    records: &[Value],
    expect: &[(&str, &str, Option<&str>)],
) {
    let mut normaliser = fresh(&known(known_columns));
    let batches = run(&mut normaliser, records);
    let (types, rows) = (types(&batches, "t"), read(&batches));
    let last = rows["t"].last().expect("a row");
    let got: Vec<_> = types
        .iter()
        .map(|(n, k)| (n.as_str(), k.as_str(), last.get(n).map(String::as_str)))
        .collect();
    assert_eq!(got, expect, "{records:?}");
}

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

#[test]
fn objects_are_flattened_and_lists_become_child_tables() {
    let record = json!({
        "id": 1, "Ship To": {"cityName": "Oslo", "geo": {"lat": 59.9}}, "tags": ["a", null, "b"],
        "lines": [{"sku": "x", "taxes": [{"rate": 1}]}, {"sku": "y"}], "grid": [[1, 2], [3]], "none": [], "gone": null,
    });
    let batches = run(&mut fresh(&[]).in_schema("raw_shop"), &[record]);
    let order: Vec<_> = batches
        .iter()
        .map(|b| b.table.schema.table.to_string())
        .collect();
    assert_eq!(
        order,
        [
            "raw_shop.t",
            "raw_shop.t__tags",
            "raw_shop.t__lines",
            "raw_shop.t__lines__taxes",
            "raw_shop.t__grid",
            "raw_shop.t__grid__list",
        ]
    );
    let tables = read(&batches);
    let root = &tables["t"][0];
    assert_eq!(
        root.keys().collect::<Vec<_>>(),
        ["_dlt_id", "id", "ship_to__city_name", "ship_to__geo__lat"]
    );
    let indexes: Vec<_> = tables["t__tags"]
        .iter()
        .map(|r| {
            (
                r["_dlt_list_idx"].as_str(),
                r.get("value").map(String::as_str),
            )
        })
        .collect();
    assert_eq!(indexes, [("0", Some("a")), ("1", None), ("2", Some("b"))]);
    assert!(
        tables["t__lines"]
            .iter()
            .all(|row| row["_dlt_parent_id"] == root["_dlt_id"])
    );
    assert_eq!(
        tables["t__lines__taxes"][0]["_dlt_parent_id"],
        tables["t__lines"][0]["_dlt_id"]
    );
    assert_eq!(tables["t__grid__list"].len(), 3);
    assert_eq!(batches[3].table.parent.as_deref(), Some("t__lines"));
}

#[test]
fn ids_stand_only_where_something_points_at_them() {
    let flat = run(&mut fresh(&[]), &[json!({"id": 1, "a": 2})]);
    assert!(!types(&flat, "t").contains_key("_dlt_id"));
    let mut child = known(&[("id", ColumnType::BigInt)]);
    child.push(TableSchema {
        table: TableRef::new("raw_x", "t__lines"),
        columns: vec![],
        primary_key: vec![],
    });
    let with_children = run(&mut fresh(&child), &[json!({"id": 1})]);
    assert!(types(&with_children, "t").contains_key("_dlt_id"));
}

#[test]
fn the_same_row_has_the_same_id_in_every_load() {
    let id = |record: Value| {
        read(&run(&mut fresh(&[]), &[json!({"id": 0}), record]))["t"][1]["_dlt_id"].clone()
    };
    assert_eq!(
        id(json!({"id": 7, "l": [1]})),
        id(json!({"l": [2, 3], "x": 1, "id": 7}))
    );
    assert_ne!(
        id(json!({"id": 7, "l": [1]})),
        id(json!({"id": 8, "l": [1]}))
    );
    let keyless = |position: &str| {
        let mut normaliser = Normaliser::new("t", &[], &[], IdSeed::new("s"));
        normaliser.set_position(position);
        read(&run(&mut normaliser, &[json!({"l": [1]})]))["t"][0]["_dlt_id"].clone()
    };
    assert_eq!(keyless("page 1"), keyless("page 1"));
    assert_ne!(keyless("page 1"), keyless("page 2"));
}

#[test]
fn keys_with_one_snake_case_name_are_kept_apart() {
    let mut normaliser = fresh(&[]);
    let batches = run(
        &mut normaliser,
        &[json!({"orderId": 1, "order_id": "b", "_dlt_id": "mine", "": 3, "\u{0}": 4})],
    );
    let row = &read(&batches)["t"][0];
    assert_eq!(row.len(), 5, "{row:?}");
    assert_eq!(row["order_id"], "1");
    let other = row
        .iter()
        .find(|(name, _)| name.starts_with("order_id_"))
        .expect("tagged")
        .0
        .clone();
    assert_eq!(row[&other], "b");
    assert_eq!(normaliser.warnings().len(), 3);
    // In the next load the other spelling comes first and still keeps its column.
    let mut next = fresh(&known(&[
        ("order_id", ColumnType::BigInt),
        (&other, ColumnType::Text),
    ]));
    let row = &read(&run(&mut next, &[json!({"order_id": "c", "orderId": 2})]))["t"][0];
    assert_eq!((row[&other].as_str(), row["order_id"].as_str()), ("c", "2"));
    assert!(next.warnings().is_empty());
}

#[test]
fn an_object_and_a_scalar_and_a_list_under_one_key_coexist() {
    let batches = run(
        &mut fresh(&[]),
        &[
            json!({"a": 1}),
            json!({"a": {"b": 2}}),
            json!({"a": [{"b": 3}]}),
            json!({"a": {"b": [4]}}),
        ],
    );
    let tables = read(&batches);
    assert_eq!(tables["t"][0]["a"], "1");
    assert_eq!(tables["t"][1]["a__b"], "2");
    assert_eq!(tables["t__a"][0]["b"], "3");
    assert_eq!(tables["t__a__b"][0]["value"], "4");
}

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
