//! What is to be done about one table: which of its files changed, and what its columns must be.

use crate::Error;
use crate::reader::{Reader, ReaderFile};
use crate::sync::context::Context;
use crate::sync::ledger::is_bookkeeping;
use crate::sync::statements::LOAD_ID;
use connect::files::{
    Decision, FILENAME_COLUMN, FilesConfig, InspectedTable, Inspection, PlannedFile, PlannedTable,
    RemovedFiles,
};
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
    /// Its columns after this load, without ours.
    pub(super) columns: Vec<Column>,
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
        let schema = context.source.name.schema();
        let mut survey = Self {
            table,
            tables: existing_targets(existing, &schema, table.table.name.as_str()),
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
            && known.keys().any(|path| !table.files.iter().any(|file| file.path == **path));
        let before: Vec<_> = survey.tables.iter().map(|target| target.columns.clone()).collect();
        for file in &table.files {
            let loaded = known.get(&file.path);
            if let Some(hash) = loaded
                && !survey.reload
                && *hash == reader.hash(&ReaderFile::new(file, &table.table.options)).await?.0
            {
                continue;
            }
            survey.inspect(context, reader, file, loaded.is_some()).await?;
        }
        let retyped = survey.tables.iter().zip(&before).any(|(target, before)| {
            before.iter().any(|column| {
                target.columns.iter().any(|now| now.name == column.name && now.kind != column.kind)
            })
        });
        if retyped && !kept_rows && !survey.reload {
            survey.reload = true;
            for file in &table.files {
                if !survey.changed.iter().any(|changed| changed.file.path == file.path) {
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
        let known = self.known(&context.source.name.schema());
        let name = self.table.table.name.as_str();
        let file_to_read = ReaderFile::new(file, &self.table.table.options);
        let inspection = reader.inspect(&file_to_read, name, &known).await?;
        for warning in &inspection.warnings {
            self.warnings.push(format!("{}: {warning}", file.path));
        }
        for found in &inspection.tables {
            self.take(found);
        }
        self.changed.push(Changed { file, inspection, is_loaded });
        Ok(())
    }

    fn take(&mut self, found: &InspectedTable) {
        let at = self.tables.iter().position(|target| target.name == found.name);
        let known = at.and_then(|at| self.tables.get(at)).map(|target| TableSchema {
            table: TableRef::new("", &target.name),
            columns: target.columns.clone(),
            primary_key: Vec::new(),
        });
        let mut decision = Decision::new(known.as_ref());
        decision.add(found);
        let columns = decision.columns();
        match at.and_then(|at| self.tables.get_mut(at)) {
            Some(target) => target.columns = columns,
            None => self.tables.push(Target {
                name: found.name.clone(),
                parent: found.parent.clone(),
                columns,
            }),
        }
    }

    /// Returns the tables as they are decided so far.
    pub(super) fn known(&self, schema: &str) -> Vec<TableSchema> {
        let of = |target: &Target| TableSchema {
            table: TableRef::new(schema, &target.name),
            columns: target.columns.clone(),
            primary_key: Vec::new(),
        };
        self.tables.iter().map(of).collect()
    }

    /// Returns how many rows of the pattern's own table will be read.
    pub(super) fn rows(&self) -> u64 {
        self.changed.iter().map(|changed| changed.inspection.rows()).sum()
    }

    /// Returns how many bytes will be read.
    pub(super) fn bytes(&self) -> u64 {
        self.changed.iter().map(|changed| changed.inspection.bytes).sum()
    }
}

/// Returns the tables that earlier loads made, parents before children, without our own columns.
fn existing_targets(
    existing: &BTreeMap<TableRef, TableSchema>,
    schema: &str,
    own: &str,
) -> Vec<Target> {
    let children = format!("{own}__");
    let mut names: Vec<_> = existing
        .keys()
        .filter(|table| table.schema == schema && !is_bookkeeping(&table.table))
        .map(|table| table.table.as_str())
        .filter(|name| *name == own || name.starts_with(&children))
        .collect();
    names.sort_by_key(|name| name.len());
    names
        .iter()
        .map(|name| Target {
            name: (*name).to_owned(),
            parent: names
                .iter()
                .filter(|other| name.starts_with(&format!("{other}__")))
                .max_by_key(|other| other.len())
                .map(|parent| (*parent).to_owned()),
            columns: existing
                .get(&TableRef::new(schema, *name))
                .map(|table| table.columns.iter().filter(|c| !is_ours(&c.name)).cloned().collect())
                .unwrap_or_default(),
        })
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
