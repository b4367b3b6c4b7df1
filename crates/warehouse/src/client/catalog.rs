//! The tables of the warehouse, as its catalog has them.

use super::Warehouse;
use crate::column_types;
use crate::error::WarehouseError;
use domain::names::quote_literal;
use domain::{Column, TableRef, TableSchema};
use security::Allow;
use security::permissions::SourceView;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Columns of all tables together.
const COLUMNS_MAX: u64 = 1_000_000;

impl Warehouse {
    /// Lists the tables (not the views) of `schema`, or of all schemas, with their columns in order and their primary keys.
    pub async fn tables(
        &self,
        _: &Allow<SourceView>,
        schema: Option<&str>,
    ) -> Result<Vec<TableSchema>, WarehouseError> {
        let only = schema.map_or_else(String::new, |schema| {
            format!(" AND schema_name = {}", quote_literal(schema))
        });
        let columns = format!(
            "SELECT c.schema_name, c.table_name, c.column_name, c.data_type
             FROM duckdb_columns() c JOIN duckdb_tables() t USING (database_name, schema_name, table_name)
             WHERE c.database_name = current_database() AND NOT c.internal{}
             ORDER BY c.schema_name, c.table_name, c.column_index",
            only.replace("schema_name", "c.schema_name")
        );
        let keys = format!(
            "SELECT schema_name, table_name, unnest(constraint_column_names) AS column_name
             FROM duckdb_constraints()
             WHERE constraint_type = 'PRIMARY KEY' AND database_name = current_database(){only}"
        );
        let mut tables = BTreeMap::new();
        for row in self.read(&columns, COLUMNS_MAX).await? {
            let kind = column_types::from_engine(text(&row, "data_type"));
            let column = Column::new(text(&row, "column_name"), kind);
            table_of(&mut tables, &row).columns.push(column);
        }
        for row in self.read(&keys, COLUMNS_MAX).await? {
            let column = text(&row, "column_name").to_owned();
            table_of(&mut tables, &row).primary_key.push(column);
        }
        Ok(tables.into_values().collect())
    }
}

fn table_of<'a>(
    tables: &'a mut BTreeMap<TableRef, TableSchema>,
    row: &Map<String, Value>,
) -> &'a mut TableSchema {
    let table = TableRef::new(text(row, "schema_name"), text(row, "table_name"));
    tables.entry(table.clone()).or_insert_with(|| TableSchema {
        table,
        columns: Vec::new(),
        primary_key: Vec::new(),
    })
}

fn text<'a>(row: &'a Map<String, Value>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}
