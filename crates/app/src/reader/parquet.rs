//! Parquet files: the engine's findings in the words of the other formats.

use crate::conversions::without_values;
use connect::files::{
    InspectedColumn, InspectedTable, Inspection, Layout, ReadReport, SourceFile, column_names,
};
use connect::{Failure, FailureKind};
use domain::TableSchema;
use domain::say;
use domain::say::Quoted;
use warehouse::parquet::{ParquetError, ParquetFile, RecordBatch, SchemaRef};

/// Finds the columns of a file. The engine reads the description only; the hash reads the whole file.
pub(super) fn inspect(file: SourceFile<'_>, table: &str) -> Result<Inspection, Failure> {
    let (hash, bytes) = file.hash()?;
    let refused = |error| refused(file.name, error);
    let parquet = ParquetFile::open(&file.path()?).map_err(refused)?;
    let rows = parquet.rows().map_err(refused)?;
    let (written, kinds): (Vec<_>, Vec<_>) = parquet
        .columns()
        .into_iter()
        .map(|column| (column.name, column.kind))
        .unzip();
    let (names, warnings) = column_names(&written);
    let column = |(name, kind)| InspectedColumn {
        name,
        kind: Some(kind),
    };
    let columns = names.into_iter().zip(kinds).map(column).collect();
    let tables = vec![InspectedTable {
        name: table.to_owned(),
        parent: None,
        rows,
        columns,
    }];
    Ok(Inspection {
        hash,
        bytes,
        layout: Layout::Parquet { columns: written },
        tables,
        warnings,
    })
}

/// Hands the rows of `wanted` to `each`.
pub(super) fn read(
    file: SourceFile<'_>,
    inspected: &Inspection,
    wanted: &TableSchema,
    schema: &SchemaRef,
    mut each: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<ReadReport, Failure> {
    let Layout::Parquet { columns: written } = &inspected.layout else {
        return Err(changed(file.name));
    };
    let own = inspected
        .tables
        .first()
        .map_or(&[][..], |table| &table.columns);
    let source = |name: &str| {
        let mut pairs = own.iter().zip(written);
        pairs
            .find(|(column, _)| column.name == name)
            .map(|(_, written)| written.as_str())
    };
    let targets: Vec<_> = wanted
        .columns
        .iter()
        .map(|column| (source(&column.name), column.kind))
        .collect();
    let parquet = ParquetFile::open(&file.path()?).map_err(|error| refused(file.name, error))?;
    let mut rows = 0;
    let counted = |batch: RecordBatch| {
        rows += batch.num_rows() as u64;
        each(batch)
    };
    parquet
        .read(&targets, schema, counted)
        .map_err(|error| refused(file.name, error))?;
    let (hash, bytes) = file.hash()?;
    if hash != inspected.hash {
        return Err(changed(file.name));
    }
    Ok(ReadReport { rows, bytes })
}

fn changed(name: &str) -> Failure {
    Failure::new(
        FailureKind::Changed,
        say!("file ", name Quoted(name), " changed while it was read"),
    )
    .hint("run the sync again once the file is complete")
}

fn refused(name: &str, error: ParquetError) -> Failure {
    let file = |kind, what: &'static str| {
        Failure::new(kind, say!("file ", name Quoted(name), Quoted(what)))
    };
    match error {
        ParquetError::Sink(source) => match source.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(source) => file(FailureKind::Failed, " could not be handed on").caused_by(source),
        },
        ParquetError::Memory => file(
            FailureKind::FileTooLarge,
            " has a row group that needs too much memory",
        )
        .hint("write it again with smaller row groups (100,000 rows)"),
        error @ ParquetError::Io(_) => {
            file(FailureKind::Failed, " cannot be read").caused_by(error)
        }
        error @ (ParquetError::Invalid(_) | ParquetError::Path) => {
            let failure = file(
                FailureKind::FileInvalid,
                " is not a Parquet file, or a damaged one",
            );
            failure
                .hint("copy the file again and compare its size")
                .caused_by(without_values(&error.to_string()))
        }
    }
}
