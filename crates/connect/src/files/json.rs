//! JSON files: one array of objects, or one object after another (lines or not), taken apart by the normaliser.
//!
//! The first pass runs the normaliser for its decisions alone, which it takes over the whole file; the second runs it again
//! with those as known types, once for each table that is wanted, because a table is loaded after the other.

mod stream;

use super::chunks::RECORD_BYTES_MAX;
use super::faults;
use super::input::{Digest, Input, invalid};
use super::inspection::{InspectedColumn, InspectedTable, Inspection, Layout};
use super::options::FileOptions;
use super::place::Place;
use crate::arrow_types;
use crate::failure::Failure;
use crate::normalise::{IdSeed, Normaliser};
use crate::page::TableBatch;
use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use domain::say::Quoted;
use domain::{Column, TableSchema, say};
use std::sync::Arc;
use stream::each_record;

/// Reads the file once and returns its tables.
pub(crate) fn inspect(
    place: &Place,
    table: &str,
    options: &FileOptions,
    known: &[TableSchema],
) -> Result<Inspection, Failure> {
    let mut tables: Vec<InspectedTable> = Vec::new();
    let normaliser = Normaliser::new(table, &[], known, IdSeed::new(table)).surveying();
    let (digest, mut warnings) = normalise(place, normaliser, options, |batch| {
        note(&mut tables, &batch);
        Ok(())
    })?;
    if tables.is_empty() {
        warnings.push("it is empty".into());
    }
    Ok(Inspection {
        hash: digest.hash,
        bytes: digest.bytes,
        layout: Layout::Json,
        tables,
        warnings,
    })
}

/// Adds what a batch says about its table.
fn note(tables: &mut Vec<InspectedTable>, batch: &TableBatch) {
    let schema = &batch.table.schema;
    let at = tables
        .iter()
        .position(|table| table.name == schema.table.table)
        .unwrap_or_else(|| {
            let (name, parent) = (schema.table.table.clone(), batch.table.parent.clone());
            tables.push(InspectedTable {
                name,
                parent,
                rows: 0,
                columns: Vec::new(),
            });
            tables.len() - 1
        });
    let Some(table) = tables.get_mut(at) else {
        return;
    };
    table.rows += batch.batch.num_rows() as u64;
    for column in &schema.columns {
        let (name, kind) = (&column.name, Some(column.kind));
        match table.columns.iter_mut().find(|known| known.name == *name) {
            // What the later batch says holds for the earlier ones too.
            Some(known) => known.kind = kind,
            None => table.columns.push(InspectedColumn {
                name: name.clone(),
                kind,
            }),
        }
    }
}

/// Reads the file again and hands the rows of `wanted` to `each`.
pub(crate) fn read(
    place: &Place,
    inspected: &Inspection,
    options: &FileOptions,
    tables: &[TableSchema],
    wanted: &TableSchema,
    mut each: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<Digest, Failure> {
    let own = inspected.tables.first().map_or("", |table| &table.name);
    let found = inspected
        .tables
        .iter()
        .find(|table| table.name == wanted.table.table);
    let schema = Arc::new(arrow_types::schema(&wanted.columns));
    let normaliser = Normaliser::new(own, &[], tables, IdSeed::new(own));
    let (digest, _) = normalise(place, normaliser, options, |batch| {
        if batch.table.schema.table.table != wanted.table.table {
            return Ok(());
        }
        let known = |name: &str| {
            found.is_some_and(|table| table.columns.iter().any(|column| column.name == name))
        };
        refuse_unknown(place, &batch, known)?;
        let rows = batch.batch.num_rows();
        let arrays: Option<Vec<_>> = wanted
            .columns
            .iter()
            .map(|column| fitting(&batch, column, rows))
            .collect();
        let arrays = arrays.ok_or_else(|| faults::changed(place))?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
            .map_err(|error| faults::changed(place).caused_by(error))?;
        each(batch)
    })?;
    Ok(digest)
}

/// Returns the batch's column of that name and type, `None` when it has another type.
fn fitting(batch: &TableBatch, column: &Column, rows: usize) -> Option<ArrayRef> {
    let kind = arrow_types::data_type(column.kind);
    match batch.batch.column_by_name(&column.name) {
        None => Some(new_null_array(&kind, rows)),
        Some(array) if *array.data_type() == kind => Some(Arc::clone(array)),
        Some(_) => None,
    }
}

/// A value in a column that the first pass did not see would be lost without a word.
fn refuse_unknown(
    place: &Place,
    batch: &TableBatch,
    known: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    let has_values = |name: &str| {
        let array = batch.batch.column_by_name(name);
        array.is_some_and(|array| array.null_count() < array.len())
    };
    let columns = &batch.table.schema.columns;
    match columns.iter().find(|column| !known(&column.name) && has_values(&column.name)) {
        None => Ok(()),
        Some(column) => Err(invalid(
            place,
            say!("needs the column ", name Quoted(&column.name), ", because files of another format decided a type that does not hold its values"),
        )
        .hint("give JSON files a table of their own under `tables`")),
    }
}

/// Runs the file's records through a normaliser; returns the file's digest and the normaliser's warnings.
fn normalise(
    place: &Place,
    mut normaliser: Normaliser,
    options: &FileOptions,
    mut each: impl FnMut(TableBatch) -> Result<(), Failure>,
) -> Result<(Digest, Vec<String>), Failure> {
    // The ids of an unchanged file stay the same, whatever other files come and go.
    normaliser.set_position(&place.name);
    let mut input = Input::open(place, options)?;
    let mut flush = |normaliser: &mut Normaliser| {
        normaliser
            .take_batches()?
            .into_iter()
            .try_for_each(&mut each)
    };
    let mut number = 0_u64;
    each_record(&mut input, place, RECORD_BYTES_MAX, |record| {
        number += 1;
        normaliser
            .push(&record)
            .map_err(|failure| in_record(place, number, failure))?;
        if normaliser.is_full() {
            flush(&mut normaliser)
        } else {
            Ok(())
        }
    })?;
    flush(&mut normaliser)?;
    Ok((input.finish(place)?, normaliser.warnings()))
}

/// The normaliser does not know which file a record came from.
fn in_record(place: &Place, number: u64, failure: Failure) -> Failure {
    let say = say!("file ", name place, ", record ", number, ": ", failure.say);
    Failure { say, ..failure }
}
