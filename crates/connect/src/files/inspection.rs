//! What the first pass over a file found out, and how the findings of several files become one table.

use domain::ColumnType;
use domain::{Column, TableSchema};
use serde::{Deserialize, Serialize};

/// What a file is, after it was read once from front to back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// BLAKE3 of the file as it lies on the disk, in hexadecimal.
    pub hash: String,
    /// Size of the file as it lies on the disk.
    pub bytes: u64,
    /// What the second pass needs to read the file in the same way.
    pub layout: Layout,
    /// The file's own table first, then its child tables, parents before their children.
    pub tables: Vec<InspectedTable>,
    /// What the user should know, one line each; the file is not named in them.
    pub warnings: Vec<String>,
}

/// A table that a file fills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedTable {
    pub name: String,
    /// The table its rows hang from by `_dlt_parent_id`; `None` for the file's own table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub rows: u64,
    pub columns: Vec<InspectedColumn>,
}

/// A column and its exact type over the whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectedColumn {
    pub name: String,
    /// `None` when the file has no value in it.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ColumnType>,
}

/// How a file is laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Layout {
    Delimited(Delimited),
    Json,
    /// The columns as the file calls them, in the order of its inspected table.
    Parquet {
        columns: Vec<String>,
    },
}

/// How a delimited file is laid out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delimited {
    pub delimiter: u8,
    pub quote: Option<u8>,
    pub escape: Option<u8>,
    /// Bytes before the first record.
    pub preamble: usize,
    /// Whether the first record names the columns.
    pub header: bool,
    /// The columns of the file, in its order.
    pub columns: Vec<String>,
}

impl Inspection {
    /// Returns how many rows the file's own table gets.
    pub fn rows(&self) -> u64 {
        self.tables.first().map_or(0, |table| table.rows)
    }
}

/// Decimals of up to so many digits take 8 bytes in DuckDB; a column that gets them at once is not widened file by file.
const DECIMAL_PRECISION_ROOMY: u8 = 18;

/// The columns of a table, decided over what the warehouse has and over all files that are to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    columns: Vec<InspectedColumn>,
}

impl Decision {
    /// Starts with the table as the warehouse has it; leave out columns that never had a value, so that they may still
    /// become anything.
    pub fn new(known: Option<&TableSchema>) -> Self {
        let columns = known.map_or(&[][..], |schema| &schema.columns);
        let known = |c: &Column| InspectedColumn {
            name: c.name.clone(),
            kind: Some(c.kind),
        };
        Self {
            columns: columns.iter().map(known).collect(),
        }
    }

    /// Takes a file's table in: its new columns are added, its types widen those that are known.
    pub fn add(&mut self, table: &InspectedTable) {
        for found in &table.columns {
            match self
                .columns
                .iter_mut()
                .find(|column| column.name == found.name)
            {
                None => self.columns.push(found.clone()),
                Some(column) => {
                    column.kind = match (column.kind, found.kind) {
                        (Some(a), Some(b)) => Some(a.widen(b)),
                        (a, b) => a.or(b),
                    };
                }
            }
        }
    }

    /// Returns the columns with their final types. A column without any value is text.
    pub fn columns(&self) -> Vec<Column> {
        let kind = |column: &InspectedColumn| match column.kind {
            None => ColumnType::Text,
            Some(ColumnType::Decimal { precision, scale }) => ColumnType::Decimal {
                precision: precision.max(DECIMAL_PRECISION_ROOMY),
                scale,
            },
            Some(kind) => kind,
        };
        self.columns
            .iter()
            .map(|column| Column::new(&column.name, kind(column)))
            .collect()
    }

    /// Returns the columns that some file or the table has a value for: what the next file's inspection is to know. One that
    /// is empty so far is left out, because as text it would make the next file's numbers text.
    pub fn known(&self) -> Vec<Column> {
        let mut columns = self.columns();
        let unset = self.unset();
        columns.retain(|column| !unset.contains(&column.name));
        columns
    }

    /// Returns the columns that no file and no table ever had a value for.
    pub fn unset(&self) -> Vec<String> {
        let unset = self.columns.iter().filter(|column| column.kind.is_none());
        unset.map(|column| column.name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, Option<ColumnType>)]) -> InspectedTable {
        let column = |(name, kind): &(&str, Option<ColumnType>)| InspectedColumn {
            name: (*name).to_owned(),
            kind: *kind,
        };
        let columns = columns.iter().map(column).collect();
        InspectedTable {
            name: "t".into(),
            parent: None,
            rows: 1,
            columns,
        }
    }

    #[test]
    fn files_widen_each_other_and_the_table() {
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        let known = TableSchema {
            table: domain::TableRef::new("raw_shop", "t"),
            columns: vec![Column::new("id", ColumnType::BigInt)],
            primary_key: Vec::new(),
        };
        let mut decision = Decision::new(Some(&known));
        decision.add(&table(&[
            ("id", Some(ColumnType::BigInt)),
            ("price", Some(ColumnType::BigInt)),
        ]));
        decision.add(&table(&[
            ("price", Some(decimal(4, 2))),
            ("blank", None),
            ("note", None),
        ]));
        decision.add(&table(&[("note", Some(ColumnType::Date))]));
        assert_eq!(
            decision.columns(),
            [
                Column::new("id", ColumnType::BigInt),
                Column::new("price", decimal(21, 2)),
                Column::new("blank", ColumnType::Text),
                Column::new("note", ColumnType::Date),
            ]
        );
        assert_eq!(decision.unset(), ["blank"]);
        assert!(decision.known().iter().all(|column| column.name != "blank"));
    }

    #[test]
    fn a_decimal_gets_room_for_the_next_file() {
        let mut decision = Decision::new(None);
        decision.add(&table(&[(
            "price",
            Some(ColumnType::Decimal {
                precision: 4,
                scale: 2,
            }),
        )]));
        assert_eq!(
            decision.columns()[0].kind,
            ColumnType::Decimal {
                precision: 18,
                scale: 2
            }
        );
    }
}
