//! What is to be done about one table: which of its files changed, and what its columns must be.

use super::Stored;
use crate::Error;
use crate::reader::{Reader, ReaderFile};
use crate::sync::answers::number;
use crate::sync::context::Context;
use crate::sync::statements::LOAD_ID;
use connect::files::{
    Decision, FILENAME_COLUMN, FilesConfig, InspectedTable, Inspection, PlannedFile, PlannedTable,
    RemovedFiles,
};
use domain::names::quote_identifier;
use domain::say;
use domain::say::Quoted;
use domain::{Column, ColumnType, TableRef, TableSchema};
use std::collections::{BTreeMap, BTreeSet};

/// A file that is to be read, and what it was found to be.
pub(super) struct Changed<'a> {
    pub(super) file: &'a PlannedFile,
    pub(super) inspection: Inspection,
    /// Whether rows of an earlier content are loaded.
    pub(super) is_loaded: bool,
}

/// A table of the warehouse that the files fill: the pattern's own, or a child of it.
pub(super) struct Target {
    pub(super) name: String,
    pub(super) parent: Option<String>,
    decision: Decision,
}

impl Target {
    /// Returns the table's columns after this load, without ours.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.decision.columns()
    }
}

/// What is to be done about one table.
pub(super) struct Survey<'a> {
    pub(super) table: &'a PlannedTable,
    pub(super) tables: Vec<Target>,
    pub(super) changed: Vec<Changed<'a>>,
    /// Paths whose rows are to go because the file is gone.
    pub(super) removed: Vec<String>,
    /// Whether rows of files that are gone stay.
    pub(super) keeps_absent: bool,
    /// Whether every file is read again: because it was asked for, or because a type changed.
    pub(super) reload: bool,
    /// Whether no file is left.
    pub(super) is_empty: bool,
    pub(super) warnings: Vec<String>,
}

impl<'a> Survey<'a> {
    pub(super) async fn make(
        context: &Context<'_>,
        reader: &mut Reader,
        table: &'a PlannedTable,
        config: &FilesConfig,
        known: BTreeMap<String, String>,
        stored: &Stored,
    ) -> Result<Self, Error> {
        let present: BTreeSet<_> = table.files.iter().map(|file| &file.path).collect();
        let keeps_absent = config.removed_files == RemovedFiles::Keep;
        let gone = known
            .keys()
            .filter(|path| !keeps_absent && !present.contains(path));
        let mut survey = Self {
            table,
            tables: existing_targets(context, stored, table.table.name.as_str()).await?,
            changed: Vec::new(),
            removed: gone.cloned().collect(),
            keeps_absent,
            reload: context.request.full_refresh,
            is_empty: table.files.is_empty(),
            warnings: Vec::new(),
        };
        let schema = context.source.name.schema();
        let before: Vec<_> = survey
            .tables
            .iter()
            .map(|target| own_columns(stored.existing.get(&TableRef::new(&schema, &target.name))))
            .collect();
        for file in &table.files {
            let loaded = known.get(&file.path);
            if let Some(hash) = loaded
                && !survey.reload
                && *hash
                    == reader
                        .hash(&ReaderFile::new(file, &table.table.options))
                        .await?
                        .0
            {
                continue;
            }
            survey
                .inspect(context, reader, file, loaded.is_some())
                .await?;
        }
        let retyped = survey.tables.iter().zip(&before).any(|(target, before)| {
            let after = target.columns();
            before.iter().any(|column| {
                after
                    .iter()
                    .any(|now| now.name == column.name && now.kind != column.kind)
            })
        });
        // Where changes are discarded no type changes.
        if retyped && !survey.reload && !context.permits().discards() {
            survey.reload = true;
            let inspected: BTreeSet<_> = survey
                .changed
                .iter()
                .map(|changed| &changed.file.path)
                .collect();
            let others: Vec<_> = table
                .files
                .iter()
                .filter(|file| !inspected.contains(&file.path))
                .collect();
            for file in others {
                survey.inspect(context, reader, file, true).await?;
            }
        }
        Ok(survey)
    }

    /// Inspects a file and takes what it needs into the columns.
    async fn inspect(
        &mut self,
        context: &Context<'_>,
        reader: &mut Reader,
        file: &'a PlannedFile,
        is_loaded: bool,
    ) -> Result<(), Error> {
        context.check_cancelled()?;
        // A column that is empty so far is left out: as text it would make the next file's numbers text.
        let known = self.schemas(&context.source.name.schema(), Decision::known);
        let name = self.table.table.name.as_str();
        let file_to_read = ReaderFile::new(file, &self.table.table.options);
        let inspection = reader.inspect(&file_to_read, name, &known).await?;
        for warning in &inspection.warnings {
            self.warnings
                .push(format!("{}: {warning}", say!("", name Quoted(&file.path))));
        }
        for found in &inspection.tables {
            self.take(found);
        }
        self.changed.push(Changed {
            file,
            inspection,
            is_loaded,
        });
        Ok(())
    }

    fn take(&mut self, found: &InspectedTable) {
        if let Some(target) = self
            .tables
            .iter_mut()
            .find(|target| target.name == found.name)
        {
            target.decision.add(found);
            return;
        }
        let mut decision = Decision::default();
        decision.add(found);
        let (name, parent) = (found.name.clone(), found.parent.clone());
        self.tables.push(Target {
            name,
            parent,
            decision,
        });
    }

    /// Returns the tables as they will be.
    pub(super) fn known(&self, schema: &str) -> Vec<TableSchema> {
        self.schemas(schema, Decision::columns)
    }

    fn schemas(
        &self,
        schema: &str,
        columns: impl Fn(&Decision) -> Vec<Column>,
    ) -> Vec<TableSchema> {
        let of = |target: &Target| TableSchema {
            table: TableRef::new(schema, &target.name),
            columns: columns(&target.decision),
            primary_key: Vec::new(),
        };
        self.tables.iter().map(of).collect()
    }

    /// Returns how many rows of the pattern's own table will be read.
    pub(super) fn rows(&self) -> u64 {
        self.changed
            .iter()
            .map(|changed| changed.inspection.rows())
            .sum()
    }

    /// Returns how many bytes will be read.
    pub(super) fn bytes(&self) -> u64 {
        self.changed
            .iter()
            .map(|changed| changed.inspection.bytes)
            .sum()
    }
}

/// Returns the tables that earlier loads made, parents before children.
async fn existing_targets(
    context: &Context<'_>,
    stored: &Stored,
    own: &str,
) -> Result<Vec<Target>, Error> {
    let schema = context.source.name.schema();
    let mut targets = Vec::new();
    for name in stored.tables.family(own) {
        let Some(known) = stored.existing.get(&TableRef::new(&schema, name)) else {
            continue;
        };
        let mut known = known.clone();
        known.columns.retain(|column| !is_ours(&column.name));
        // Where changes are discarded a text column stays one.
        if !context.permits().discards() {
            drop_unset(context, &known.table, &mut known.columns).await?;
        }
        targets.push(Target {
            name: name.to_owned(),
            parent: stored.tables.parent(name).map(str::to_owned),
            decision: Decision::new(Some(&known)),
        });
    }
    Ok(targets)
}

/// Leaves out text columns that never had a value: they were made text for want of one, and may still become anything.
async fn drop_unset(
    context: &Context<'_>,
    table: &TableRef,
    columns: &mut Vec<Column>,
) -> Result<(), Error> {
    let texts: Vec<_> = columns
        .iter()
        .filter(|column| column.kind == ColumnType::Text)
        .collect();
    if texts.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(at, column)| format!("count({}) AS c{at}", quote_identifier(&column.name)))
        .collect();
    let query = format!("SELECT {} FROM {}", counts.join(", "), table.to_sql());
    let rows = context
        .app
        .warehouse
        .select(&context.allow.narrow(), &query)
        .await?;
    let row = rows.into_iter().next().unwrap_or_default();
    let mut unset = Vec::new();
    for (at, column) in texts.iter().enumerate() {
        if number(&row, &format!("c{at}"))? == 0 {
            unset.push(column.name.clone());
        }
    }
    columns.retain(|column| !unset.contains(&column.name));
    Ok(())
}

fn own_columns(table: Option<&TableSchema>) -> Vec<Column> {
    let columns = table.map_or(&[][..], |table| &table.columns);
    columns
        .iter()
        .filter(|column| !is_ours(&column.name))
        .cloned()
        .collect()
}

fn is_ours(column: &str) -> bool {
    column == LOAD_ID || column == FILENAME_COLUMN
}

/// Returns the columns with the file name, which the load adds.
pub(super) fn with_filename(columns: &[Column]) -> Vec<Column> {
    let mut columns = columns.to_vec();
    columns.push(Column::new(FILENAME_COLUMN, ColumnType::Text));
    columns
}
