//! Loads: how rows reach a table, what a load is called, what it changed.

use crate::clock::Timestamp;
use crate::say::shown_by_display;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a stream's rows change its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// The table becomes exactly what the source has now.
    Replace,
    /// Rows are added; none is touched.
    Append,
    /// Rows with a known primary key replace their predecessors; others are added.
    Merge,
}

/// What happens when the source's shape no longer fits the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// New columns and wider types are taken over and reported.
    #[default]
    Evolve,
    /// The sync of that table is refused.
    Freeze,
    /// Values of new columns are dropped, and the sync says so.
    Discard,
}

/// The id of one load, in dlt's form: Unix seconds with a fraction, `1763795000.1234567`. It is unique within a project
/// because the fraction carries a sequence number in its last digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoadId(String);

impl LoadId {
    /// Returns the id of a load that starts at `at`; `sequence` (taken modulo 10) keeps ids of one microsecond apart.
    pub fn new(at: Timestamp, sequence: u64) -> Self {
        let micros = at.as_micros();
        let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        Self(format!("{seconds}.{fraction:06}{}", sequence % 10))
    }

    /// Returns the id that was stored as `text`.
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
shown_by_display!(LoadId);

/// What one load changed in one table. Counts are deltas, not totals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TableReport {
    pub table: String,
    pub rows_inserted: u64,
    pub rows_updated: u64,
    pub rows_deleted: u64,
    /// Rows in the table after the load.
    pub rows_total: u64,
    /// One line for each column that was added or widened, and for each value rule that was applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schema_changes: Vec<String>,
    /// What the user should know: values moved to variant columns, files skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What one load changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoadReport {
    pub tables: Vec<TableReport>,
    /// Bytes read from the source.
    pub bytes_read: u64,
}

impl LoadReport {
    /// Returns rows inserted, updated and deleted over all tables.
    pub fn totals(&self) -> (u64, u64, u64) {
        self.tables
            .iter()
            .fold((0, 0, 0), |(inserted, updated, deleted), table| {
                (
                    inserted + table.rows_inserted,
                    updated + table.rows_updated,
                    deleted + table.rows_deleted,
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_ids_sort_by_time_and_stay_apart() {
        let at = Timestamp::from_micros(1_763_795_000_123_456);
        assert_eq!(LoadId::new(at, 7).as_str(), "1763795000.1234567");
        assert_ne!(LoadId::new(at, 1), LoadId::new(at, 2));
    }
}
