//! Statements: extracted from a text without running anything, prepared, executed.

use super::database::{Connection, c_string};
use super::fault::{EngineError, error_from_c};
use super::rows::Rows;
use duckdb::ffi;
use std::ptr;

/// What a prepared statement is, as far as the gate tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatementKind {
    Select,
    Explain,
    Other,
}

/// The statements of a text, parsed but not run.
pub(crate) struct Extracted<'a> {
    connection: &'a Connection,
    raw: ffi::duckdb_extracted_statements,
    count: u64,
}

impl<'a> Extracted<'a> {
    /// Parses `sql`.
    #[expect(unsafe_code, reason = "extracts statements through the C API")]
    pub(crate) fn new(connection: &'a Connection, sql: &str) -> Result<Self, EngineError> {
        let sql = c_string(sql)?;
        let mut raw = ptr::null_mut();
        // SAFETY: the connection and the text live during the call; `raw` is freed by drop.
        let count =
            unsafe { ffi::duckdb_extract_statements(connection.raw(), sql.as_ptr(), &raw mut raw) };
        let extracted = Self {
            connection,
            raw,
            count,
        };
        if count == 0 {
            // SAFETY: the text belongs to `raw`, which lives until `extracted` is dropped.
            let text = unsafe { ffi::duckdb_extract_statements_error(extracted.raw) };
            if !text.is_null() {
                // SAFETY: as above.
                return Err(unsafe { error_from_c(text) });
            }
        }
        Ok(extracted)
    }

    /// Returns how many statements there are.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Prepares (binds and plans, but does not run) the only statement.
    #[expect(unsafe_code, reason = "prepares through the C API")]
    pub(crate) fn prepare(self) -> Result<Statement, EngineError> {
        let mut statement = Statement {
            raw: ptr::null_mut(),
        };
        // SAFETY: connection and extracted statements are live; index 0 exists when count > 0, which the call checks.
        unsafe {
            let state = ffi::duckdb_prepare_extracted_statement(
                self.connection.raw(),
                self.raw,
                0,
                &raw mut statement.raw,
            );
            if state != ffi::DuckDBSuccess {
                return Err(error_from_c(ffi::duckdb_prepare_error(statement.raw)));
            }
        }
        Ok(statement)
    }
}

impl Drop for Extracted<'_> {
    #[expect(unsafe_code, reason = "frees extracted statements through the C API")]
    fn drop(&mut self) {
        // SAFETY: made by `new`, freed once; a null handle is accepted.
        unsafe { ffi::duckdb_destroy_extracted(&raw mut self.raw) }
    }
}

/// A prepared statement.
pub(crate) struct Statement {
    raw: ffi::duckdb_prepared_statement,
}

impl Statement {
    /// Prepares one statement of our own.
    #[expect(unsafe_code, reason = "prepares through the C API")]
    pub(crate) fn prepare(connection: &Connection, sql: &str) -> Result<Self, EngineError> {
        let sql = c_string(sql)?;
        let mut statement = Self {
            raw: ptr::null_mut(),
        };
        // SAFETY: the connection and the text live during the call; `raw` is freed by drop, on both outcomes.
        unsafe {
            let state = ffi::duckdb_prepare(connection.raw(), sql.as_ptr(), &raw mut statement.raw);
            if state != ffi::DuckDBSuccess {
                return Err(error_from_c(ffi::duckdb_prepare_error(statement.raw)));
            }
        }
        Ok(statement)
    }

    /// Binds parameter `index` (from 1).
    #[expect(unsafe_code, reason = "binds through the C API")]
    pub(crate) fn bind_text(&mut self, index: u64, text: &str) -> Result<(), EngineError> {
        // SAFETY: the text is copied during the call; its length is given.
        let state = unsafe {
            ffi::duckdb_bind_varchar_length(
                self.raw,
                index,
                text.as_ptr().cast(),
                text.len() as ffi::idx_t,
            )
        };
        if state == ffi::DuckDBSuccess {
            Ok(())
        } else {
            Err(EngineError::invalid("a parameter was refused"))
        }
    }

    /// Returns what the statement is.
    #[expect(unsafe_code, reason = "asks the statement's type through the C API")]
    pub(crate) fn kind(&self) -> StatementKind {
        // SAFETY: the statement is live.
        match unsafe { ffi::duckdb_prepared_statement_type(self.raw) } {
            ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_SELECT => StatementKind::Select,
            ffi::duckdb_statement_type_DUCKDB_STATEMENT_TYPE_EXPLAIN => StatementKind::Explain,
            _ => StatementKind::Other,
        }
    }

    /// Returns how many values it waits for.
    #[expect(unsafe_code, reason = "counts parameters through the C API")]
    pub(crate) fn parameters(&self) -> u64 {
        // SAFETY: the statement is live.
        unsafe { ffi::duckdb_nparams(self.raw) }
    }

    /// Runs the statement; rows are computed as they are fetched.
    #[expect(unsafe_code, reason = "executes through the C API")]
    pub(crate) fn execute(self) -> Result<Rows, EngineError> {
        // SAFETY: the result struct is plain data that the call fills; `Rows` frees it, or the error branch does.
        unsafe {
            let mut result: ffi::duckdb_result = std::mem::zeroed();
            let state = ffi::duckdb_execute_prepared_streaming(self.raw, &raw mut result);
            if state != ffi::DuckDBSuccess {
                let error = error_from_c(ffi::duckdb_result_error(&raw mut result));
                ffi::duckdb_destroy_result(&raw mut result);
                return Err(error);
            }
            Rows::new(result, self)
        }
    }
}

impl Drop for Statement {
    #[expect(unsafe_code, reason = "frees the statement through the C API")]
    fn drop(&mut self) {
        // SAFETY: prepared once, freed once; a null handle is accepted.
        unsafe { ffi::duckdb_destroy_prepare(&raw mut self.raw) }
    }
}
