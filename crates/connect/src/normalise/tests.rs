//! What becomes of records: tables, types, variants, ids; and that no value is ever lost on the way.

mod limits;
mod lossless;
mod shape;
mod types;

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
