//! What is to be done about one table: which of its files changed, and what its columns must be.

use crate::Error;
use crate::reader::{Reader, ReaderFile};
use crate::sync::apply::number;
use crate::sync::context::Context;
use crate::sync::ledger::is_bookkeeping;
use crate::sync::statements::LOAD_ID;
use connect::files::{
    Decision, FILENAME_COLUMN, FilesConfig, InspectedTable, Inspection, PlannedFile, PlannedTable,
    RemovedFiles,
};
use domain::names::quote_identifier;
use domain::say;
use domain::say::Quoted;
use domain::{Column, ColumnType, TableRef, TableSchema};
use std::collections::BTreeMap;

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
    /// Whether every file is read again, because a type changed.
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
        existing: &BTreeMap<TableRef, TableSchema>,
    ) -> Result<Self, Error> {
        let mut survey = Self {
            table,
            tables: existing_targets(context, existing, table.table.name.as_str()).await?,
            changed: Vec::new(),
            removed: match config.removed_files {
                RemovedFiles::Keep => Vec::new(),
                RemovedFiles::Delete => known
                    .keys()
                    .filter(|path| !table.files.iter().any(|file| file.path == **path))
                    .cloned()
                    .collect(),
            },
            reload: context.request.full_refresh,
            is_empty: table.files.is_empty(),
            warnings: Vec::new(),
        };
        let kept_rows = config.removed_files == RemovedFiles::Keep
            && known
                .keys()
                .any(|path| !table.files.iter().any(|file| file.path == **path));
        let schema = context.source.name.schema();
        let before: Vec<_> = survey
            .tables
            .iter()
            .map(|target| own_columns(existing.get(&TableRef::new(&schema, &target.name))))
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
        if retyped && !kept_rows && !survey.reload {
            survey.reload = true;
            for file in &table.files {
                if !survey
                    .changed
                    .iter()
                    .any(|changed| changed.file.path == file.path)
                {
                    survey.inspect(context, reader, file, true).await?;
                }
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
    existing: &BTreeMap<TableRef, TableSchema>,
    own: &str,
) -> Result<Vec<Target>, Error> {
    let schema = context.source.name.schema();
    let children = format!("{own}__");
    let mut names: Vec<_> = existing
        .keys()
        .filter(|table| table.schema == schema && !is_bookkeeping(&table.table))
        .map(|table| table.table.as_str())
        .filter(|name| *name == own || name.starts_with(&children))
        .collect();
    names.sort_by_key(|name| name.len());
    let mut targets = Vec::new();
    for name in &names {
        let parent = names
            .iter()
            .filter(|other| name.starts_with(&format!("{other}__")))
            .max_by_key(|other| other.len());
        let mut columns = own_columns(existing.get(&TableRef::new(&schema, *name)));
        drop_unset(context, &TableRef::new(&schema, *name), &mut columns).await?;
        let known = TableSchema {
            table: TableRef::new(&schema, *name),
            columns,
            primary_key: Vec::new(),
        };
        targets.push(Target {
            name: (*name).to_owned(),
            parent: parent.map(|parent| (*parent).to_owned()),
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
    let unset: Vec<_> = texts
        .iter()
        .enumerate()
        .filter(|(at, _)| number(&row, &format!("c{at}")) == 0)
        .map(|(_, column)| column.name.clone())
        .collect();
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

pub(super) fn is_ours(column: &str) -> bool {
    column == LOAD_ID || column == FILENAME_COLUMN
}

/// Returns the columns with the file name, which the load adds.
pub(super) fn with_filename(columns: &[Column]) -> Vec<Column> {
    let mut columns = columns.to_vec();
    columns.push(Column::new(FILENAME_COLUMN, ColumnType::Text));
    columns
}
