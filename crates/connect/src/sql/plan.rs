//! What becomes of each table: its name in the warehouse, its key, its cursor and how its rows are taken over.

mod decisions;

use super::choice::{Choice, Choices, Lookback};
use super::naming::{column_names, table_names};
use super::passes::Reading;
use crate::failure::Failure;
use crate::page::Stream;
use decisions::{decide_disposition, decide_lookback, find_cursor, no_such_column};
use domain::say::Quoted;
use domain::{Column, ColumnType, Disposition, SourceName, TableRef, TableSchema, say};
use std::sync::Arc;

/// A table or view that the database has.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) schema: String,
    pub(super) name: String,
    /// Whether it is read when no tables are named: views and partitions are not.
    pub(super) is_default: bool,
    /// A number that is higher the later it was made, as far as the database knows.
    pub(super) age_rank: u64,
}

impl Found {
    pub(super) fn origin(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

/// A column as it is read; `W` says how its bytes travel.
#[derive(Debug, Clone)]
pub(super) struct TableColumn<W> {
    pub(super) name: String,
    /// The SQL expression whose value travels.
    pub(super) expression: String,
    pub(super) wire: W,
    pub(super) kind: ColumnType,
    /// The SQL type that a written value is cast to when rows are compared by this column; `None` when they cannot be.
    pub(super) ranked_as: Option<&'static str>,
    /// Whether the type is decided by the values, once it is known which rows are read.
    pub(super) is_open: bool,
}

/// A table as the catalog describes it.
#[derive(Debug, Clone)]
pub(super) struct Table<W> {
    pub(super) found: Found,
    pub(super) columns: Vec<TableColumn<W>>,
    /// Columns that identify a row, by their foreign names, in the key's order; empty when none do.
    pub(super) unique_key: Vec<String>,
    pub(super) rows_estimated: Option<u64>,
}

/// A table and how it is read.
#[derive(Debug, Clone)]
pub(super) struct Plan<W> {
    pub(super) table: Table<W>,
    pub(super) stream: Stream,
    /// The columns' names in the warehouse.
    names: Vec<String>,
    /// The columns by whose order a cut load goes on; empty when the stream cannot resume.
    pub(super) key: Vec<usize>,
    pub(super) cursor: Option<usize>,
    lookback: Option<Lookback>,
}

impl<W> Plan<W> {
    /// Returns the table as the warehouse will have it.
    pub(super) fn schema(&self, source: &SourceName) -> TableSchema {
        let column = |(column, name): (&TableColumn<W>, &String)| Column::new(name, column.kind);
        TableSchema {
            table: TableRef::new(source.schema(), &self.stream.name),
            columns: self
                .table
                .columns
                .iter()
                .zip(&self.names)
                .map(column)
                .collect(),
            primary_key: self.stream.primary_key.clone(),
        }
    }

    /// Returns the columns' names in the warehouse.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns what the passes of an attempt depend on; the database calls a time beyond the horizon too far ahead.
    pub(super) fn reading(&self, horizon_micros: i64) -> Reading {
        Reading {
            disposition: self.stream.disposition,
            key_columns: self.key.len(),
            is_resumable: self.stream.resumable,
            cursor: self.cursor_column().map(|column| column.kind),
            lookback: self.lookback,
            horizon_micros,
        }
    }

    pub(super) fn cursor_column(&self) -> Option<&TableColumn<W>> {
        self.cursor.and_then(|index| self.table.columns.get(index))
    }

    pub(super) fn key_columns(&self) -> impl Iterator<Item = &TableColumn<W>> {
        self.key
            .iter()
            .filter_map(|&index| self.table.columns.get(index))
    }
}

/// Returns whether values of `kind` are points in time.
pub(super) const fn is_time(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampTz
    )
}

/// Returns the plan of each table; those that are `known` keep the names they have in the warehouse.
pub(super) fn plan<W>(
    source: &SourceName,
    tables: Vec<(Table<W>, Choice)>,
    choices: &Choices,
    known: &[TableSchema],
) -> Result<Vec<Plan<W>>, Failure> {
    let found: Vec<&Found> = tables.iter().map(|(table, _)| &table.found).collect();
    let names = table_names(&found, known);
    let planned = tables.into_iter().zip(names);
    planned
        .map(|((table, choice), name)| {
            let known = known.iter().find(|known| known.table.table == name);
            let columns = column_names(&table, known);
            plan_table(source, table, &choice, choices, (name, columns))
        })
        .collect()
}

fn plan_table<W>(
    source: &SourceName,
    table: Table<W>,
    choice: &Choice,
    choices: &Choices,
    (name, names): (String, Vec<String>),
) -> Result<Plan<W>, Failure> {
    let place = say!("table ", name Quoted(&table.found.origin()), " of source ", name Quoted(source.as_str()));
    let find = |wanted: &String| {
        let exact = table
            .columns
            .iter()
            .position(|column| column.name == *wanted);
        exact.or_else(|| names.iter().position(|name| name == wanted))
    };
    let unique: Vec<usize> = table.unique_key.iter().filter_map(find).collect();
    let primary = match choice.primary_key.as_slice() {
        [] => unique.clone(),
        columns => columns
            .iter()
            .map(|name| find(name).ok_or_else(|| no_such_column(&place, name, &table)))
            .collect::<Result<_, _>>()?,
    };
    let cursor = find_cursor(&place, &table, choice, find)?;
    // What is said for every table holds for those that have its cursor.
    let plain = Choice::default();
    let choice = if choice.is_every() && cursor.is_none() {
        &plain
    } else {
        choice
    };
    let cursor_kind = cursor
        .and_then(|index| table.columns.get(index))
        .map(|column| column.kind);
    let disposition = decide_disposition(&place, choice, cursor.is_some(), !primary.is_empty())?;
    let lookback = decide_lookback(&place, choice, choices, disposition, cursor_kind)?;
    let is_ranked = |index: &usize| {
        table
            .columns
            .get(*index)
            .is_some_and(|c| c.ranked_as.is_some() && !c.is_open)
    };
    let resumable = cursor.is_some()
        && disposition != Disposition::Append
        && !unique.is_empty()
        && unique == primary
        && unique.iter().all(is_ranked);
    let named = |index: &usize| names.get(*index).cloned();
    let stream = Stream {
        name,
        origin: table.found.origin(),
        disposition,
        primary_key: primary.iter().filter_map(named).collect(),
        cursor: cursor.as_ref().and_then(named),
        resumable,
        rows_estimated: table.rows_estimated,
        schema: None,
    };
    let key = if resumable { unique } else { Vec::new() };
    let mut plan = Plan {
        table,
        stream,
        names,
        key,
        cursor,
        lookback,
    };
    if plan.table.columns.iter().all(|column| !column.is_open) {
        plan.stream.schema = Some(Arc::new(plan.schema(source)));
    }
    Ok(plan)
}
