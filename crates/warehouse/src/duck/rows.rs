//! A statement's rows, fetched chunk by chunk as Arrow batches.

use super::fault::{EngineError, check, error_from_c};
use super::statement::Statement;
use super::type_name::{LogicalType, depth, inexact_name, type_name};
use arrow::array::{RecordBatch, StructArray};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi};
use duckdb::ffi;
use serde::{Deserialize, Serialize};
use std::ffi::CStr;
use std::sync::Arc;

/// Levels of lists and structures in a column's type. Arrow refuses to read streams with 64, some of which it needs itself.
const DEPTH_MAX: usize = 50;

/// A column of a result: its name and its SQL type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    pub type_name: String,
}

/// The rows of a running statement. Dropping it ends the statement.
pub(crate) struct Rows {
    columns: Vec<ResultColumn>,
    schema: SchemaRef,
    c_schema: FFI_ArrowSchema,
    options: Options,
    result: RawResult,
    finished: bool,
    // Dropped last: the result refers to it.
    _statement: Statement,
}

struct RawResult(ffi::duckdb_result);

impl Drop for RawResult {
    #[expect(unsafe_code, reason = "frees the result through the C API")]
    fn drop(&mut self) {
        // SAFETY: filled by an execute call, freed once.
        unsafe { ffi::duckdb_destroy_result(&raw mut self.0) }
    }
}

struct Options(ffi::duckdb_arrow_options);

impl Drop for Options {
    #[expect(unsafe_code, reason = "frees the Arrow options through the C API")]
    fn drop(&mut self) {
        // SAFETY: made by `duckdb_result_get_arrow_options`, freed once; null is accepted.
        unsafe { ffi::duckdb_destroy_arrow_options(&raw mut self.0) }
    }
}

impl Rows {
    /// Takes over an executed result.
    ///
    /// # Safety
    /// `result` was filled by a successful execute call of `statement` and has no other owner.
    #[expect(unsafe_code, reason = "takes over a result of the C API")]
    pub(super) unsafe fn new(
        result: ffi::duckdb_result,
        statement: Statement,
    ) -> Result<Self, EngineError> {
        let mut result = RawResult(result);
        // SAFETY: the result is live; the options are freed by drop.
        let options = Options(unsafe { ffi::duckdb_result_get_arrow_options(&raw mut result.0) });
        let (columns, c_schema) = describe(&mut result, &options)?;
        let schema = Schema::try_from(&c_schema)
            .map_err(|error| EngineError::invalid(format!("a column cannot be read: {error}")))?;
        Ok(Self {
            columns,
            schema: Arc::new(schema),
            c_schema,
            options,
            result,
            finished: false,
            _statement: statement,
        })
    }

    /// Returns the columns.
    pub(crate) fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// Returns the columns' Arrow types.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the next rows, `None` after the last.
    #[expect(unsafe_code, reason = "fetches through the C API")]
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>, EngineError> {
        if self.finished {
            return Ok(None);
        }
        // SAFETY: the result is live; the chunk is ours and freed below; the array is imported, and so released, once.
        let array = unsafe {
            let mut chunk = ffi::duckdb_fetch_chunk(self.result.0);
            if chunk.is_null() || ffi::duckdb_data_chunk_get_size(chunk) == 0 {
                ffi::duckdb_destroy_data_chunk(&raw mut chunk);
                self.finished = true;
                let text = ffi::duckdb_result_error(&raw mut self.result.0);
                let failed = !text.is_null() && !CStr::from_ptr(text).is_empty();
                return if failed {
                    Err(error_from_c(text))
                } else {
                    Ok(None)
                };
            }
            let mut array = FFI_ArrowArray::empty();
            let outcome = ffi::duckdb_data_chunk_to_arrow(
                self.options.0,
                chunk,
                (&raw mut array).cast::<ffi::ArrowArray>(),
            );
            ffi::duckdb_destroy_data_chunk(&raw mut chunk);
            check(outcome)?;
            from_ffi(array, &self.c_schema)
        };
        let data = array.map_err(|error| EngineError::invalid(error.to_string()))?;
        // RecordBatch::from would forget the length of a batch without columns, and field metadata.
        let (_, arrays, _) = StructArray::from(data).into_parts();
        RecordBatch::try_new(self.schema(), arrays)
            .map(Some)
            .map_err(|error| EngineError::invalid(error.to_string()))
    }
}

#[expect(unsafe_code, reason = "reads column names and types through the C API")]
fn describe(
    result: &mut RawResult,
    options: &Options,
) -> Result<(Vec<ResultColumn>, FFI_ArrowSchema), EngineError> {
    let raw = &raw mut result.0;
    let (mut columns, mut names, mut types) = (Vec::new(), Vec::new(), Vec::new());
    // SAFETY: the result is live; its column names are NUL-terminated and live as long as it.
    unsafe {
        for index in 0..ffi::duckdb_column_count(raw) {
            let name = ffi::duckdb_column_name(raw, index);
            let kind = LogicalType(ffi::duckdb_column_logical_type(raw, index));
            let text = if name.is_null() {
                c""
            } else {
                CStr::from_ptr(name)
            };
            if let Some(inexact) = inexact_name(&kind, true) {
                let column = text.to_string_lossy();
                return Err(EngineError::invalid(format!(
                    "the column \"{column}\" holds values of type {inexact}, which cannot be returned exactly; cast it to VARCHAR"
                )));
            }
            if depth(&kind) > DEPTH_MAX {
                let column = text.to_string_lossy();
                return Err(EngineError::limit(format!(
                    "the column \"{column}\" is nested more than {DEPTH_MAX} levels deep; cast it to VARCHAR, or select less of it"
                )));
            }
            columns.push(ResultColumn {
                name: text.to_string_lossy().into_owned(),
                type_name: type_name(&kind),
            });
            names.push(text.as_ptr());
            types.push(kind);
        }
    }
    let mut raw_types: Vec<_> = types.iter().map(|kind| kind.0).collect();
    let mut schema = FFI_ArrowSchema::empty();
    // SAFETY: the three arrays have `names.len()` entries and live during the call; the schema is ours to release.
    unsafe {
        check(ffi::duckdb_to_arrow_schema(
            options.0,
            raw_types.as_mut_ptr(),
            names.as_mut_ptr(),
            names.len() as ffi::idx_t,
            (&raw mut schema).cast::<ffi::ArrowSchema>(),
        ))?;
    }
    Ok((columns, schema))
}
