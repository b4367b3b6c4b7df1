//! What a table's columns do not say: which table its rows hang from, and which of its columns the source no longer has.
//!
//! Names do not say it either: a child's is shortened where it would be too long.

use super::{Ledger, text};
use crate::Error;
use crate::sync::context::Context;
use domain::names::quote_literal;
use domain::{TableRef, TableSchema};
use std::collections::{BTreeMap, BTreeSet};
use warehouse::LoadTx;

pub(super) const TABLES: &str = "_dango_tables";

/// What is known of the tables of one source.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables(BTreeMap<String, Known>);

#[derive(Debug, Clone, Default)]
struct Known {
    parent: Option<String>,
    gone: BTreeSet<String>,
}

impl Tables {
    /// Returns what is known; a source that was never loaded has no bookkeeping yet.
    pub(crate) async fn find(
        context: &Context<'_>,
        ledger: &Ledger,
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Self, Error> {
        if !existing.contains_key(&TableRef::new(ledger.schema(), TABLES)) {
            return Ok(Self::default());
        }
        let query = format!(
            "SELECT table_name, parent, gone FROM {}",
            ledger.table(TABLES)
        );
        let view = context.allow.narrow();
        let rows = context.app.warehouse.select(&view, &query).await?;
        let known = rows.iter().filter_map(|row| {
            let gone = text(row, "gone").and_then(|gone| serde_json::from_str(&gone).ok());
            let known = Known {
                parent: text(row, "parent"),
                gone: gone.unwrap_or_default(),
            };
            Some((text(row, "table_name")?, known))
        });
        Ok(Self(known.collect()))
    }

    /// Returns the table that the rows of `table` hang from.
    pub(crate) fn parent(&self, table: &str) -> Option<&str> {
        self.0.get(table)?.parent.as_deref()
    }

    /// Returns `own` and every table that hangs from it, parents before their children.
    pub(crate) fn family<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        let mut family = vec![own];
        let mut next = 0;
        while let Some(parent) = family.get(next).copied() {
            for (table, known) in &self.0 {
                if known.parent.as_deref() == Some(parent) && !family.contains(&table.as_str()) {
                    family.push(table);
                }
            }
            next += 1;
        }
        family
    }

    /// Returns the columns of `table` that the source no longer has, as far as that was taken over.
    pub(crate) fn gone(&self, table: &str) -> Option<&BTreeSet<String>> {
        self.0.get(table).map(|known| &known.gone)
    }
}

impl Ledger {
    /// Remembers which table the rows of `table` hang from.
    pub(crate) async fn set_parent(
        &self,
        tx: &mut LoadTx,
        table: &str,
        parent: &str,
    ) -> Result<(), Error> {
        self.set_known(tx, table, ("parent", parent)).await
    }

    /// Remembers which columns of `table` the source no longer has.
    pub(crate) async fn set_gone(
        &self,
        tx: &mut LoadTx,
        table: &str,
        gone: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let gone = serde_json::json!(gone).to_string();
        self.set_known(tx, table, ("gone", &gone)).await
    }

    async fn set_known(
        &self,
        tx: &mut LoadTx,
        table: &str,
        (column, value): (&str, &str),
    ) -> Result<(), Error> {
        let (tables, table) = (self.table(TABLES), quote_literal(table));
        let value = quote_literal(value);
        let update = format!("UPDATE {tables} SET {column} = {value} WHERE table_name = {table}");
        if tx.execute(&update).await? == 0 {
            let insert =
                format!("INSERT INTO {tables} (table_name, {column}) VALUES ({table}, {value})");
            tx.execute(&insert).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_parents_before_children_and_ends() {
        let known = |parent: &str| Known {
            parent: Some(parent.to_owned()),
            ..Known::default()
        };
        let tables = Tables(BTreeMap::from([
            ("a".into(), known("m")),
            ("m".into(), known("z")),
            ("n".into(), known("z")),
            ("other".into(), known("elsewhere")),
            ("loop".into(), known("loop")),
        ]));
        assert_eq!(tables.family("z"), ["z", "m", "n", "a"]);
        assert_eq!(tables.family("a"), ["a"]);
        assert_eq!(tables.family("loop"), ["loop"]);
    }
}
