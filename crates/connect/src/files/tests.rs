//! Whole files through both passes. Chunks are tiny here, so that every record crosses their ends.

mod bad;
mod exact;
mod folders;
mod links;
mod objects;
mod odd;
mod random;
mod told;

use super::*;
use crate::failure::Failure;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use domain::{ColumnType, TableRef, TableSchema};
use std::sync::Arc;

/// A row as text; NULL is `None`.
type Row = Vec<Option<String>>;

/// A directory with files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.write(name, bytes);
        folder
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }

    fn file<'a>(
        &'a self,
        name: &'a str,
        options: &'a FileOptions,
        chunk_bytes: usize,
    ) -> SourceFile<'a> {
        let format = match Format::of_name(name) {
            format::Named::Format(format) => format,
            other => panic!("{name}: {other:?}"),
        };
        let effort = Effort {
            threads: 2,
            chunk_bytes,
        };
        SourceFile {
            directory: self.0.path(),
            name,
            format,
            options,
            effort,
        }
    }

    /// Inspects a file and reads the rows of its own table.
    fn load(&self, name: &str, options: &FileOptions) -> Result<(Inspection, Vec<Row>), Failure> {
        self.load_in_chunks(name, options, 1 << 20)
    }

    fn load_in_chunks(
        &self,
        name: &str,
        options: &FileOptions,
        chunk_bytes: usize,
    ) -> Result<(Inspection, Vec<Row>), Failure> {
        let file = self.file(name, options, chunk_bytes);
        let inspection = file.inspect("t", &[])?;
        let tables = decided(&inspection);
        let rows = read(&file, &inspection, &tables, 0)?;
        assert_eq!(rows.len() as u64, inspection.rows());
        Ok((inspection, rows))
    }
}

/// Decides the tables of one file alone.
fn decided(inspection: &Inspection) -> Vec<TableSchema> {
    let decide = |table: &InspectedTable| {
        let mut decision = Decision::new(None);
        decision.add(table);
        let columns = decision.columns();
        TableSchema {
            table: TableRef::new("raw_s", &table.name),
            columns,
            primary_key: Vec::new(),
        }
    };
    inspection.tables.iter().map(decide).collect()
}

fn read(
    file: &SourceFile<'_>,
    inspection: &Inspection,
    tables: &[TableSchema],
    wanted: usize,
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let Some(wanted) = tables.get(wanted) else {
        return Ok(rows);
    };
    file.read(inspection, tables, wanted, |batch| {
        let format = FormatOptions::new().with_null("<null>");
        let batch = in_offset(&batch);
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &format).unwrap())
            .collect();
        rows.extend((0..batch.num_rows()).map(|row| {
            let cell = |(column, shown): (&ArrayRef, &ArrayFormatter<'_>)| {
                (!column.is_null(row)).then(|| shown.value(row).to_string())
            };
            batch
                .columns()
                .iter()
                .zip(&columns)
                .map(cell)
                .collect::<Row>()
        }));
        Ok(())
    })?;
    Ok(rows)
}

fn kinds(inspection: &Inspection) -> Vec<Option<ColumnType>> {
    inspection
        .tables
        .first()
        .map_or(Vec::new(), |t| t.columns.iter().map(|c| c.kind).collect())
}

fn names(inspection: &Inspection) -> Vec<&str> {
    let columns = inspection
        .tables
        .first()
        .map_or(&[][..], |table| &table.columns);
    columns.iter().map(|column| column.name.as_str()).collect()
}

/// Builds a row; `-` is NULL.
fn row(cells: &[&str]) -> Row {
    cells
        .iter()
        .map(|cell| (*cell != "-").then(|| (*cell).to_owned()))
        .collect()
}

/// Arrow shows zones by name only with a feature that nothing else needs.
fn in_offset(batch: &RecordBatch) -> RecordBatch {
    let of = |column: &ArrayRef| match column.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(array) if array.timezone().is_some() => {
            Arc::new(array.clone().with_timezone("+00:00"))
        }
        _ => Arc::clone(column),
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().map(of).collect();
    let names = batch.schema();
    let named = names.fields().iter().map(|f| f.name().clone()).zip(columns);
    RecordBatch::try_from_iter_with_nullable(named.map(|(n, c)| (n, c, true))).unwrap()
}
