//! JSON records become rows: flattened, typed and cut into batches, by dlt's conventions, so that models written for dlt find
//! their tables.
//!
//! - Keys become snake_case columns; nested objects are flattened (`shipping__city`); a list becomes the child table
//!   `<table>__<list>`, whose rows hang from their parent by `_dlt_parent_id` and stand at `_dlt_list_idx`.
//! - A column's type is the warehouse's, or decided by its first batch (a surveying one's: by all of them). A value
//!   that its type does not hold exactly goes to a variant column, `amount__v_text`, and the user is told once.
//! - Values go straight into Arrow builders, one per column; the shape of the records is looked up, not computed, for each.

mod column;
mod field;
mod ids;
mod numbers;
mod object;
mod scalar;
mod scope;
mod table;
mod values;

#[cfg(test)]
mod tests;

pub use ids::IdSeed;

use crate::failure::Failure;
use crate::page::TableBatch;
use domain::TableSchema;
use domain::limits::{BATCH_BYTES, BATCH_ROWS};
use domain::names::normalize;
use ids::RowId;
use scope::Context;
use serde_json::Value;
use table::{Label, Table};

/// Takes JSON records of one stream apart.
///
/// ```
/// use connect::normalise::{IdSeed, Normaliser};
/// let mut normaliser = Normaliser::new("orders", &["id".into()], &[], IdSeed::new("orders"));
/// normaliser.push(&serde_json::json!({"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}))?;
/// let batches = normaliser.take_batches()?;
/// let tables: Vec<_> = batches.iter().map(|b| b.table.schema.table.table.as_str()).collect();
/// assert_eq!(tables, ["orders", "orders__lines"]);
/// # Ok::<(), connect::Failure>(())
/// ```
pub struct Normaliser {
    context: Context,
    root: Table,
    table: String,
    schema: String,
    primary_key: Vec<String>,
    /// Where each part of the primary key was found last: keys as the source spells them.
    key_paths: Vec<Vec<String>>,
    seed: IdSeed,
    position: String,
    row: u64,
}

impl Normaliser {
    /// Returns a normaliser for the table `stream_table`, already in snake_case, whose rows `primary_key` identifies (columns
    /// in snake_case; may be empty). `known` are its tables in the warehouse: their types stay.
    pub fn new(
        stream_table: &str,
        primary_key: &[String],
        known: &[TableSchema],
        ids: IdSeed,
    ) -> Self {
        let context = Context::new(stream_table, known);
        Self {
            root: Table::root(&context, stream_table),
            context,
            table: stream_table.to_owned(),
            schema: String::new(),
            primary_key: primary_key.to_vec(),
            key_paths: vec![Vec::new(); primary_key.len()],
            seed: ids,
            position: String::new(),
            row: 0,
        }
    }

    /// Lets every record take part in the decision on a column's type: a batch then says the types so far, and the last one
    /// of a table those that hold. For a look at a whole file before it is loaded.
    pub(crate) fn surveying(mut self) -> Self {
        self.context.is_survey = true;
        self
    }

    /// Names the warehouse schema that stands in the tables of the batches (`raw_shop`); without it the name is empty.
    pub fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Keeps these columns as JSON instead of taking them apart; `list__column` names one of a child table.
    pub fn keep_json(mut self, columns: &[String]) -> Self {
        self.context.keep_json(columns);
        self
    }

    /// Refuses a record whose primary key its column does not hold, instead of moving the value to a variant: rows are told
    /// apart by that column.
    pub fn keep_key_whole(mut self) -> Self {
        self.root.keep_whole(&self.primary_key);
        self
    }

    /// Says in each row of tables that hang together which record it came with ([`RECORD_COLUMN`]), counted from `first`.
    ///
    /// [`RECORD_COLUMN`]: crate::RECORD_COLUMN
    pub fn number_records(mut self, first: u64) -> Self {
        self.context.record = Some(i64::try_from(first).unwrap_or(i64::MAX));
        self
    }

    /// Says where in the stream the next records stand (a page, a file): ids of rows without a primary key are derived from
    /// it, so that two places never give the same id.
    pub fn set_position(&mut self, position: impl Into<String>) {
        self.position = position.into();
        self.row = 0;
    }

    /// Adds a record. One that is no object gets the single column `value`, as in dlt.
    pub fn push(&mut self, record: &Value) -> Result<(), Failure> {
        let id = self.id(record);
        self.row += 1;
        self.root.push_record(&mut self.context, id, record)?;
        self.context.record = self.context.record.map(|number| number.saturating_add(1));
        Ok(())
    }

    /// Returns whether enough was collected for [`Self::take_batches`] to be worth its while; collecting on is allowed but
    /// costs memory.
    pub fn is_full(&self) -> bool {
        self.root.rows() >= BATCH_ROWS || self.context.bytes >= BATCH_BYTES
    }

    /// Returns the records of the stream's own table that were collected since the last batches.
    pub const fn rows(&self) -> usize {
        self.root.rows()
    }

    /// Returns everything collected, full or not: parents before their children, at most [`BATCH_ROWS`] rows each.
    pub fn take_batches(&mut self) -> Result<Vec<TableBatch>, Failure> {
        let mut batches = Vec::new();
        let label = Label {
            schema: &self.schema,
            primary_key: &self.primary_key,
        };
        self.root.take(&label, &mut batches)?;
        self.context.bytes = 0;
        Ok(batches)
    }

    /// Returns what the user should know that was not returned before: one sentence for each column it concerns.
    pub fn warnings(&mut self) -> Vec<String> {
        self.context.take_warnings()
    }

    /// Returns the value of each part of the primary key in `record`.
    pub(crate) fn key<'a>(&mut self, record: &'a Value) -> Vec<Option<&'a Value>> {
        self.primary_key
            .iter()
            .zip(&mut self.key_paths)
            .map(|(name, path)| find(record, name, path))
            .collect()
    }

    fn id(&mut self, record: &Value) -> RowId {
        let by_key = if self.primary_key.is_empty() {
            None
        } else {
            let parts = self.primary_key.iter().zip(&mut self.key_paths);
            RowId::of_key(
                &self.table,
                parts.map(|(name, path)| find(record, name, path)),
            )
        };
        by_key.unwrap_or_else(|| {
            RowId::of_position(&self.table, &self.seed, &self.position, self.row)
        })
    }
}

/// Returns the value whose flattened name is `name`, trying first where it was found last.
pub(crate) fn find<'a>(record: &'a Value, name: &str, path: &mut Vec<String>) -> Option<&'a Value> {
    if !path.is_empty() {
        let found = path.iter().try_fold(record, |value, key| value.get(key));
        if found.is_some() {
            return found;
        }
    }
    path.clear();
    let found = search(record, name, path);
    if found.is_none() {
        path.clear();
    }
    found
}

fn search<'a>(value: &'a Value, name: &str, path: &mut Vec<String>) -> Option<&'a Value> {
    let entries = value.as_object()?;
    for (key, value) in entries {
        let own = normalize(key);
        path.push(key.clone());
        if own == name {
            return Some(value);
        }
        if let Some(rest) = name
            .strip_prefix(&own)
            .and_then(|rest| rest.strip_prefix("__"))
            && let Some(found) = search(value, rest, path)
        {
            return Some(found);
        }
        path.pop();
    }
    None
}
