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
        /// The source's type.
        to: ColumnType,
        /// The type the column has to have from now on.
        becomes: ColumnType,
    },
}

impl Change {
    /// Returns the change as history and dry run print it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Added(column) => format!("column {} added ({})", column.name, column.kind),
            Self::Removed(column) => format!("column {} is gone from the source", column.name),
            Self::Retyped {
                name,
                from,
                to,
                becomes,
            } if to == becomes => format!("column {name} changed from {from} to {to}"),
            Self::Retyped {
                name,
                from,
                to,
                becomes,
            } => format!("column {name} changed from {from} to {to}, and is {becomes} now"),
        }
    }

    /// Returns what the contract `discard` did about the change; `lost` values have no place in the table.
    pub(crate) fn discarded(&self, lost: u64) -> String {
        match self {
            Self::Added(column) => format!(
                "{lost} values of the new column {} were discarded (contract: discard)",
                column.name
            ),
            Self::Removed(_) => format!("{} (contract: discard)", self.describe()),
            Self::Retyped { name, from, to, .. } => format!(
                "column {name} is {to} at the source and stays {from}: {lost} values that do not fit were left out \
                 (contract: discard)"
            ),
        }
    }
}

/// Returns what has to change at a table that stays: columns that it lacks, and types that do not hold what the source
/// gives. Our own columns do not count.
pub(crate) fn changes(old: &[Column], new: &[Column]) -> Vec<Change> {
    compare(old, new, ColumnType::widen)
}

/// Returns what changes when another table takes the place of this one.
pub(crate) fn changes_of_swap(old: &[Column], new: &[Column]) -> Vec<Change> {
    compare(old, new, |_, to| to)
}

fn compare(
    old: &[Column],
    new: &[Column],
    becomes: impl Fn(ColumnType, ColumnType) -> ColumnType,
) -> Vec<Change> {
    let find = |columns: &[Column], name: &str| columns.iter().find(|c| c.name == name).cloned();
    let mut found = Vec::new();
    for column in new.iter().filter(|column| column.name != LOAD_ID) {
        let Some(before) = find(old, &column.name) else {
            found.push(Change::Added(column.clone()));
            continue;
        };
        let becomes = becomes(before.kind, column.kind);
        if becomes != before.kind {
            found.push(Change::Retyped {
                name: column.name.clone(),
                from: before.kind,
                to: column.kind,
                becomes,
            });
        }
    }
    let removed = old
        .iter()
        .filter(|c| c.name != LOAD_ID && find(new, &c.name).is_none());
    found.extend(removed.cloned().map(Change::Removed));
    found
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

    fn described(changes: &[Change]) -> Vec<String> {
        changes.iter().map(Change::describe).collect()
    }

    #[test]
    fn added_removed_and_retyped_columns_are_found() {
        let old = [
            Column::new("a", ColumnType::BigInt),
            Column::new("b", ColumnType::Text),
            Column::new("d", ColumnType::BigInt),
            Column::new(LOAD_ID, ColumnType::Text),
        ];
        let new = [
            Column::new("a", ColumnType::Text),
            Column::new("c", ColumnType::Date),
            Column::new("d", ColumnType::Date),
        ];
        assert_eq!(
            described(&changes(&old, &new)),
            [
                "column a changed from BIGINT to VARCHAR",
                "column c added (DATE)",
                "column d changed from BIGINT to DATE, and is VARCHAR now",
                "column b is gone from the source",
            ]
        );
        assert!(changes(&old, &old).is_empty());
    }

    #[test]
    fn a_type_that_holds_the_sources_is_a_change_only_of_a_swapped_table() {
        let (wide, narrow) = (
            [Column::new("a", ColumnType::Text)],
            [Column::new("a", ColumnType::BigInt)],
        );
        assert!(changes(&wide, &narrow).is_empty());
        assert_eq!(
            described(&changes_of_swap(&wide, &narrow)),
            ["column a changed from VARCHAR to BIGINT"]
        );
    }
}
