//! What one table and one stream share while records are taken apart: names that are taken, types that are known, limits,
//! and what the user has to be told.

use super::ids::spelling_tag;
use crate::failure::{Failure, FailureKind};
use crate::page::RECORD_COLUMN;
use domain::limits::{CELL_BYTES_MAX, COLUMNS_MAX, JSON_DEPTH_MAX};
use domain::names::shorten;
use domain::say::Quoted;
use domain::{ColumnType, Say, TableSchema, say};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Columns of our own; a key of the source's that normalises to one of them gets another name.
pub(super) const ID: &str = "_dlt_id";
pub(super) const PARENT_ID: &str = "_dlt_parent_id";
pub(super) const LIST_INDEX: &str = "_dlt_list_idx";
const RESERVED: [&str; 6] = domain::names::COLUMNS_RESERVED;

type Types = HashMap<String, ColumnType>;

/// What all tables of a stream share.
pub(super) struct Context {
    /// Columns of the stream's tables in the warehouse.
    known: HashMap<String, Arc<Types>>,
    tables: HashSet<String>,
    /// Columns (`column`, or `list__column` in a child table) that are kept as JSON instead of being taken apart.
    json_columns: Vec<String>,
    stream: String,
    warnings: Vec<String>,
    /// Whether types stay open until the last record.
    pub(super) is_survey: bool,
    /// The number of the record that is being taken apart, where records are numbered.
    pub(super) record: Option<i64>,
    /// Bytes collected since the last batch.
    pub(super) bytes: usize,
}

impl Context {
    pub(super) fn new(stream: &str, known: &[TableSchema]) -> Self {
        let types = |schema: &TableSchema| {
            schema
                .columns
                .iter()
                .map(|column| (column.name.clone(), column.kind))
                .collect()
        };
        Self {
            known: known
                .iter()
                .map(|s| (s.table.table.clone(), Arc::new(types(s))))
                .collect(),
            tables: HashSet::from([stream.to_owned()]),
            json_columns: Vec::new(),
            stream: stream.to_owned(),
            warnings: Vec::new(),
            is_survey: false,
            record: None,
            bytes: 0,
        }
    }

    pub(super) fn keep_json(&mut self, columns: &[String]) {
        self.json_columns.extend_from_slice(columns);
    }

    pub(super) fn warn(&mut self, warning: &Say) {
        self.warnings.push(warning.as_str().to_owned());
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Returns whether rows of `table` have had child rows: then the warehouse's table has ids.
    pub(super) fn knows_children(&self, table: &str) -> bool {
        self.known
            .get(table)
            .is_some_and(|types| types.contains_key(ID))
    }

    /// Returns the name of a child table, free of other tables of the stream.
    pub(super) fn claim_table(&mut self, parent: &str, list: &str) -> String {
        let mut name = shorten(format!("{parent}__{list}"));
        while !self.tables.insert(name.clone()) {
            name = shorten(format!(
                "{name}_{}",
                spelling_tag(&format!("{parent}/{list}"))
            ));
        }
        name
    }

    fn is_json(&self, table: &str, column: &str) -> bool {
        if self.json_columns.is_empty() {
            return false;
        }
        let list = table
            .strip_prefix(&self.stream)
            .and_then(|rest| rest.strip_prefix("__"));
        self.json_columns.iter().any(|path| match list {
            None => path == column,
            Some(list) => {
                path.strip_prefix(list)
                    .and_then(|rest| rest.strip_prefix("__"))
                    == Some(column)
            }
        })
    }
}

/// The names of one table.
pub(super) struct Scope {
    pub(super) table: String,
    known: Option<Arc<Types>>,
    claimed: HashSet<String>,
    /// Columns whose values are never moved to a variant.
    pub(super) key: Vec<String>,
    /// Rows of this table have child rows, or may have some in the warehouse.
    pub(super) has_children: bool,
}

impl Scope {
    pub(super) fn new(context: &Context, table: &str) -> Self {
        Self {
            table: table.to_owned(),
            known: context.known.get(table).cloned(),
            claimed: (RESERVED.iter().chain([&RECORD_COLUMN]))
                .map(ToString::to_string)
                .collect(),
            key: Vec::new(),
            has_children: context.knows_children(table),
        }
    }

    /// Returns the type the warehouse has for `column`, or JSON where the user asked for it.
    pub(super) fn known(&self, context: &Context, column: &str) -> Option<ColumnType> {
        let known = self
            .known
            .as_ref()
            .and_then(|types| types.get(column))
            .copied();
        known.or_else(|| {
            context
                .is_json(&self.table, column)
                .then_some(ColumnType::Json)
        })
    }

    /// Returns the column name of the key `spelling` whose snake_case name is `name`. Two spellings with one name are
    /// kept apart: the second gets a tag of its own spelling, and keeps it in later loads.
    pub(super) fn claim(
        &mut self,
        context: &mut Context,
        name: String,
        spelling: &str,
    ) -> Result<String, Failure> {
        if self.claimed.len() >= COLUMNS_MAX + RESERVED.len() {
            return Err(too_many_columns(&self.table));
        }
        let name = shorten(name);
        let tagged = shorten(format!("{name}_{}", spelling_tag(spelling)));
        let is_known = self
            .known
            .as_ref()
            .is_some_and(|types| types.contains_key(&tagged));
        if !is_known && self.claimed.insert(name.clone()) {
            return Ok(name);
        }
        if !self.claimed.insert(tagged.clone()) {
            // Two equal spellings in one table only come from different objects whose long paths were shortened alike.
            return Err(Failure::new(
                FailureKind::Protocol,
                say!("two keys of table ", name Quoted(&self.table), " cannot be told apart: ", name Quoted(spelling)),
            ));
        }
        if !is_known {
            context.warn(&say!(
                "key ", name Quoted(spelling), " of table ", name Quoted(&self.table),
                " would have the taken column name ", name Quoted(&name), "; its values are in ", name Quoted(&tagged)
            ));
        }
        Ok(tagged)
    }
}

fn too_many_columns(table: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("table ", name Quoted(table), " would have more than ", COLUMNS_MAX, " columns"),
    )
    .hint("an object whose keys are data makes a column of each: list it under `json_columns` to keep it as JSON")
}

/// Refuses a record that is nested deeper than any data is.
pub(super) fn check_depth(scope: &Scope, depth: usize) -> Result<(), Failure> {
    if depth <= JSON_DEPTH_MAX {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Protocol,
        say!("a record of ", name Quoted(&scope.table), " is nested deeper than ", JSON_DEPTH_MAX, " levels"),
    ))
}

/// Refuses a value beyond the limit for one cell.
pub(super) fn check_bytes(scope: &Scope, column: &str, bytes: usize) -> Result<(), Failure> {
    if bytes <= CELL_BYTES_MAX {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::FileTooLarge,
        say!("a value of ", name Quoted(column), " in ", name Quoted(&scope.table), " has ", bytes, " bytes; at most ", CELL_BYTES_MAX, " are taken"),
    ))
}
