//! A table of a stream: its rows' shape, the ids of its rows, and its batches.

use super::ids::RowId;
use super::object::{Object, Place};
use super::scope::{Context, ID, LIST_INDEX, PARENT_ID, Scope, check_depth};
use crate::arrow_types;
use crate::failure::{Failure, FailureKind};
use crate::page::{RECORD_COLUMN, StreamTable, TableBatch};
use arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringBuilder};
use domain::limits::BATCH_ROWS;
use domain::say::Quoted;
use domain::{Column, ColumnType, TableRef, TableSchema, say};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Bytes of a row besides its values: the ids.
const ROW_BYTES: usize = 40;

/// A table that is being filled.
pub(super) struct Table {
    scope: Scope,
    root: Object,
    rows: usize,
    ids: StringBuilder,
    /// The number of each row's record; empty where records are not numbered.
    records: Int64Builder,
    link: Option<Link>,
    described: Option<Arc<StreamTable>>,
}

/// How a child table's rows hang from their parents.
struct Link {
    parent: String,
    parent_ids: StringBuilder,
    indexes: Int64Builder,
}

/// What stands on every batch of a stream.
pub(super) struct Label<'a> {
    pub(super) schema: &'a str,
    pub(super) primary_key: &'a [String],
}

impl Table {
    /// Returns the stream's own table.
    pub(super) fn root(context: &Context, name: &str) -> Self {
        Self::new(Scope::new(context, name), None)
    }

    /// Returns the child table for the list `list` of `parent`.
    pub(super) fn child(context: &mut Context, parent: &str, list: &str) -> Self {
        let name = context.claim_table(parent, list);
        let link = Link {
            parent: parent.to_owned(),
            parent_ids: StringBuilder::new(),
            indexes: Int64Builder::new(),
        };
        Self::new(Scope::new(context, &name), Some(link))
    }

    fn new(scope: Scope, link: Option<Link>) -> Self {
        let (root, ids) = (Object::default(), StringBuilder::new());
        Self {
            scope,
            root,
            rows: 0,
            ids,
            records: Int64Builder::new(),
            link,
            described: None,
        }
    }

    /// Gives the columns `key` no variants.
    pub(super) fn keep_whole(&mut self, key: &[String]) {
        self.scope.key = key.to_vec();
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a record of the stream.
    pub(super) fn push_record(
        &mut self,
        context: &mut Context,
        id: RowId,
        record: &Value,
    ) -> Result<(), Failure> {
        self.push(
            context,
            Place {
                row: self.rows,
                id,
                depth: 1,
            },
            record,
        )
    }

    /// Adds the `index`-th item of a list in the row at `parent`.
    pub(super) fn push_item(
        &mut self,
        context: &mut Context,
        parent: Place,
        index: i64,
        item: &Value,
    ) -> Result<(), Failure> {
        let id = parent.id.child(&self.scope.table, index);
        if let Some(link) = &mut self.link {
            link.parent_ids.append_value(parent.id.as_str());
            link.indexes.append_value(index);
        }
        self.push(
            context,
            Place {
                row: self.rows,
                id,
                depth: parent.depth + 1,
            },
            item,
        )
    }

    fn push(&mut self, context: &mut Context, place: Place, value: &Value) -> Result<(), Failure> {
        self.rows += 1;
        self.ids.append_value(place.id.as_str());
        if let Some(record) = context.record {
            self.records.append_value(record);
        }
        context.bytes += ROW_BYTES;
        check_depth(&self.scope, place.depth)?;
        // dlt's names for items that are no objects: `value`, and `list` for a list directly in a list.
        let key = match value {
            Value::Object(entries) => return self.write(context, place, entries),
            Value::Array(_) => "list",
            _ => "value",
        };
        self.root
            .write_value(context, &mut self.scope, place, (0, key), value)
    }

    fn write(
        &mut self,
        context: &mut Context,
        place: Place,
        entries: &Map<String, Value>,
    ) -> Result<(), Failure> {
        self.root.write(context, &mut self.scope, place, entries)
    }

    /// Appends what was collected to `batches`, parents before children, and starts again.
    pub(super) fn take(
        &mut self,
        label: &Label<'_>,
        batches: &mut Vec<TableBatch>,
    ) -> Result<(), Failure> {
        if self.rows > 0 {
            self.take_own(label, batches)?;
        }
        let children = Label {
            primary_key: &[],
            schema: label.schema,
        };
        self.root
            .each_list(&mut |list| list.take(&children, batches))
    }

    fn take_own(
        &mut self,
        label: &Label<'_>,
        batches: &mut Vec<TableBatch>,
    ) -> Result<(), Failure> {
        let rows = std::mem::take(&mut self.rows);
        let (mut columns, mut arrays) = (Vec::new(), Vec::new());
        self.root.each_column(&mut |column| {
            let (described, array) = column.finish(rows);
            columns.push(described);
            arrays.push(array);
        });
        let ids: ArrayRef = Arc::new(self.ids.finish());
        let records = self.records.finish();
        let mut add = |name: &str, kind: ColumnType, array: ArrayRef| {
            columns.push(Column::new(name, kind));
            arrays.push(array);
        };
        if let Some(link) = &mut self.link {
            add(
                PARENT_ID,
                ColumnType::Text,
                Arc::new(link.parent_ids.finish()),
            );
            add(
                LIST_INDEX,
                ColumnType::BigInt,
                Arc::new(link.indexes.finish()),
            );
        }
        // A table needs one column at least, even when all its records are empty.
        if self.link.is_some() || self.scope.has_children || columns.is_empty() {
            columns.push(Column::new(ID, ColumnType::Text));
            arrays.push(ids);
        }
        if (self.link.is_some() || self.scope.has_children) && !records.is_empty() {
            columns.push(Column::new(RECORD_COLUMN, ColumnType::BigInt));
            arrays.push(Arc::new(records));
        }
        if let Some(part) = self.scope.key.iter().find(|part| !has(&columns, part)) {
            return Err(self.no_key(part));
        }
        let table = self.describe(label, columns);
        let schema = Arc::new(arrow_types::schema(&table.schema.columns));
        let batch = RecordBatch::try_new(schema, arrays)
            .map_err(|error| self.inconsistent().caused_by(error))?;
        for offset in (0..rows).step_by(BATCH_ROWS) {
            let part = batch.slice(offset, BATCH_ROWS.min(rows - offset));
            batches.push(TableBatch {
                table: Arc::clone(&table),
                batch: part,
            });
        }
        Ok(())
    }

    /// Returns the table's description, the same one as long as the columns are the same.
    fn describe(&mut self, label: &Label<'_>, columns: Vec<Column>) -> Arc<StreamTable> {
        if let Some(described) = &self.described
            && described.schema.columns == columns
        {
            return Arc::clone(described);
        }
        let described = Arc::new(StreamTable {
            schema: TableSchema {
                table: TableRef::new(label.schema, &self.scope.table),
                columns,
                primary_key: label.primary_key.to_vec(),
            },
            parent: self.link.as_ref().map(|link| link.parent.clone()),
        });
        self.described = Some(Arc::clone(&described));
        described
    }

    fn no_key(&self, part: &str) -> Failure {
        Failure::new(
            FailureKind::Protocol,
            say!(
                "table ", name Quoted(&self.scope.table), " has no column ", name Quoted(part),
                ", a part of its primary key"
            ),
        )
        .hint("a key must be no field of an object that is kept as JSON, and no second spelling of another field")
    }

    fn inconsistent(&self) -> Failure {
        Failure::new(
            FailureKind::Protocol,
            say!("the records of ", name Quoted(&self.scope.table), " could not be put into columns"),
        )
    }
}

fn has(columns: &[Column], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}
