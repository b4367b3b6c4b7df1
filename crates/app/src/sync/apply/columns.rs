//! Staged rows and a table that stays: which columns both have, and of which type.

use super::{Apply, Staged, StagedStream};
use crate::Error;
use crate::sync::answers::{first_row, number};
use crate::sync::contract::{self, Change};
use crate::sync::statements::{self as sql, LOAD_ID};
use domain::{Column, ColumnType, TableRef, TableReport, TableSchema};
use std::collections::BTreeSet;

impl Apply<'_> {
    /// Gives table and staging the same columns of the same types, as the contract says, and returns those to insert. A
    /// column that the source no longer has keeps its values; rows that come from now on have NULL there.
    pub(crate) async fn agree(
        &mut self,
        stream: &StagedStream,
        staged: &Staged,
        old: &TableSchema,
        report: &mut TableReport,
    ) -> Result<Vec<Column>, Error> {
        let Some(staging) = &staged.staging else {
            return Ok(Vec::new());
        };
        let changes = self.changes(stream, staged, old);
        self.check(staged, &changes)?;
        for change in &changes {
            if self.permits.discards() {
                let lost = self.discard(staging, change).await?;
                report.warnings.push(change.discarded(lost));
            } else {
                self.widen(&staged.target, change).await?;
                report.schema_changes.push(change.describe());
            }
        }
        if stream.is_described {
            let is_gone = |c: &&Column| c.name != LOAD_ID && !has(&staged.columns, &c.name);
            let gone = old.columns.iter().filter(is_gone).map(|c| c.name.clone());
            self.remember_gone(&staged.target.table, gone.collect())
                .await?;
        }
        self.align(staged, staging, old).await
    }

    /// Returns what has to change at the table. What was taken over once is no change any more.
    fn changes(&self, stream: &StagedStream, staged: &Staged, old: &TableSchema) -> Vec<Change> {
        let gone = self.tables.gone(&staged.target.table);
        let mut changes = contract::changes(&old.columns, &staged.columns);
        changes.retain(|change| match change {
            Change::Removed(column) => {
                stream.is_described
                    && !gone.is_some_and(|gone| gone.contains(&column.name))
                    && !is_variant(&column.name, &staged.columns)
            }
            Change::Added(_) | Change::Retyped { .. } => true,
        });
        changes
    }

    /// Changes the table as far as the change needs it.
    async fn widen(&mut self, target: &TableRef, change: &Change) -> Result<(), Error> {
        let statement = match change {
            Change::Added(column) => sql::add_column(target, column),
            Change::Retyped { name, becomes, .. } => sql::alter_type(target, name, *becomes),
            Change::Removed(_) => return Ok(()),
        };
        self.tx.execute(&statement).await?;
        Ok(())
    }

    /// Makes the staged values fit the table as it is, and returns how many cannot.
    async fn discard(&mut self, staging: &TableRef, change: &Change) -> Result<u64, Error> {
        let lost = match change {
            Change::Added(column) => sql::count_values(staging, &column.name),
            Change::Retyped { name, from, to, .. } => sql::count_misfits(staging, name, *from, *to),
            Change::Removed(_) => return Ok(0),
        };
        let lost = number(&first_row(self.tx, &lost).await?, "n")?;
        if let Change::Retyped { name, from, to, .. } = change {
            let fit = sql::fit_type(staging, name, *from, *to);
            self.tx.execute(&fit).await?;
        }
        Ok(lost)
    }

    /// Gives staged columns the types that the table has by now: comparing a text with a number would cast the text.
    async fn align(
        &mut self,
        staged: &Staged,
        staging: &TableRef,
        old: &TableSchema,
    ) -> Result<Vec<Column>, Error> {
        let discards = self.permits.discards();
        let mut columns = Vec::new();
        for column in &staged.columns {
            let known = old.columns.iter().find(|c| c.name == column.name);
            let kind = match known {
                None if discards => continue,
                None => column.kind,
                Some(known) => {
                    let wide = known.kind.widen(column.kind);
                    // What does not fit was made to fit when it was discarded.
                    let is_fitted = discards && wide != known.kind;
                    if wide != column.kind && !is_fitted {
                        let alter = sql::alter_type(staging, &column.name, wide);
                        self.tx.execute(&alter).await?;
                    }
                    if is_fitted { known.kind } else { wide }
                }
            };
            columns.push(Column::new(&column.name, kind));
        }
        if !has(&columns, LOAD_ID) {
            columns.push(Column::new(LOAD_ID, ColumnType::Text));
        }
        Ok(columns)
    }

    /// Remembers which columns of a table the source no longer has.
    pub(super) async fn remember_gone(
        &mut self,
        table: &str,
        gone: BTreeSet<String>,
    ) -> Result<(), Error> {
        let is_known = match self.tables.gone(table) {
            Some(known) => *known == gone,
            None => gone.is_empty(),
        };
        if is_known {
            return Ok(());
        }
        self.ledger.set_gone(self.tx, table, &gone).await
    }
}

fn has(columns: &[Column], name: &str) -> bool {
    columns.iter().any(|column| column.name == name)
}

/// Returns whether a column holds what another cannot: it is among the staged ones only when there is such a value.
fn is_variant(name: &str, columns: &[Column]) -> bool {
    name.strip_suffix("__v_text")
        .is_some_and(|base| has(columns, base))
}
