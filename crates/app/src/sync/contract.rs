//! Schema changes, and what the source's contract says about them.

use super::statements::LOAD_ID;
use crate::Error;
use domain::{Column, ColumnType, Contract, TableRef};

/// One difference between a table and what the source gives now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Added(Column),
    Removed(Column),
    Retyped {
        name: String,
        from: ColumnType,
        to: ColumnType,
    },
}

impl Change {
    /// Returns the change as history and dry run print it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Added(column) => format!("column {} added ({})", column.name, column.kind),
            Self::Removed(column) => format!("column {} is gone from the source", column.name),
            Self::Retyped { name, from, to } => {
                format!("column {name} changed from {from} to {}", from.widen(*to))
            }
        }
    }

    /// Returns what the contract `discard` did about the change.
    pub(crate) fn discarded(&self) -> String {
        match self {
            Self::Added(column) => {
                format!(
                    "values of the new column {} were discarded (contract: discard)",
                    column.name
                )
            }
            other => format!("{} (contract: discard)", other.describe()),
        }
    }
}

/// Returns what differs between the columns of a table and the staged ones; our own columns do not count.
pub(crate) fn changes(old: &[Column], new: &[Column]) -> Vec<Change> {
    let find = |columns: &[Column], name: &str| columns.iter().find(|c| c.name == name).cloned();
    let mut found = Vec::new();
    for column in new.iter().filter(|column| column.name != LOAD_ID) {
        match find(old, &column.name) {
            None => found.push(Change::Added(column.clone())),
            Some(before) if before.kind != column.kind => found.push(Change::Retyped {
                name: column.name.clone(),
                from: before.kind,
                to: column.kind,
            }),
            Some(_) => {}
        }
    }
    let removed = old
        .iter()
        .filter(|c| c.name != LOAD_ID && find(new, &c.name).is_none());
    found.extend(removed.cloned().map(Change::Removed));
    found
}

/// Returns the staged columns that the table has with the same type: what the contract `discard` lets in.
pub(crate) fn kept(old: &[Column], new: &[Column]) -> Vec<Column> {
    new.iter()
        .filter(|column| old.contains(column))
        .cloned()
        .collect()
}

/// Refuses changes that the contract `freeze` does not allow.
pub(crate) fn check(
    table: &TableRef,
    changes: &[Change],
    contract: Contract,
    accept_schema: bool,
) -> Result<(), Error> {
    if contract == Contract::Freeze && !accept_schema && !changes.is_empty() {
        let list: Vec<_> = changes.iter().map(Change::describe).collect();
        return Err(Error::schema_frozen(table, &list));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_removed_and_retyped_columns_are_found() {
        let old = [
            Column::new("a", ColumnType::BigInt),
            Column::new("b", ColumnType::Text),
            Column::new(LOAD_ID, ColumnType::Text),
        ];
        let new = [
            Column::new("a", ColumnType::Text),
            Column::new("c", ColumnType::Date),
        ];
        let described: Vec<_> = changes(&old, &new).iter().map(Change::describe).collect();
        assert_eq!(
            described,
            [
                "column a changed from BIGINT to VARCHAR",
                "column c added (DATE)",
                "column b is gone from the source"
            ]
        );
        assert!(kept(&old, &new).is_empty());
        assert!(changes(&old, &old).is_empty());
    }
}
