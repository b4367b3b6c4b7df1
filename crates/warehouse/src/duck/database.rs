//! An open database and its connections.

use super::fault::{EngineError, error_from_c};
use super::rows::Rows;
use super::statement::Statement;
use arrow::array::{Array, AsArray, RecordBatch};
use duckdb::ffi;
use std::ffi::CString;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

/// An open database, closed (and so checkpointed) when the last connection and the last handle are gone.
#[derive(Clone)]
pub(crate) struct Database(Arc<RawDatabase>);

struct RawDatabase(ffi::duckdb_database);

// SAFETY: a duckdb_database is a handle to a thread-safe instance; connecting from several threads is documented as allowed.
#[expect(unsafe_code, reason = "the C handle is documented as thread-safe")]
unsafe impl Send for RawDatabase {}
// SAFETY: as above.
#[expect(unsafe_code, reason = "the C handle is documented as thread-safe")]
unsafe impl Sync for RawDatabase {}

impl Drop for RawDatabase {
    #[expect(unsafe_code, reason = "closes the database through the C API")]
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `Database::open` and is closed once; every connection holds an Arc to it.
        unsafe { ffi::duckdb_close(&raw mut self.0) }
    }
}

impl Database {
    /// Opens the database at `path` (in memory without one) with these settings.
    #[expect(unsafe_code, reason = "opens the database through the C API")]
    pub(crate) fn open(
        path: Option<&Path>,
        settings: &[(&str, String)],
    ) -> Result<Self, EngineError> {
        let path = match path {
            Some(path) => c_string(
                path.to_str()
                    .ok_or_else(|| EngineError::invalid("the warehouse's path is not UTF-8"))?,
            )?,
            None => c_string(":memory:")?,
        };
        let config = Config::new(settings)?;
        let (mut raw, mut text) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all pointers are live for the call; an error text is ours to free.
        unsafe {
            let state = ffi::duckdb_open_ext(path.as_ptr(), &raw mut raw, config.0, &raw mut text);
            if state != ffi::DuckDBSuccess {
                let error = error_from_c(text);
                ffi::duckdb_free(text.cast());
                return Err(error);
            }
        }
        Ok(Self(Arc::new(RawDatabase(raw))))
    }

    /// Opens a connection.
    #[expect(unsafe_code, reason = "connects through the C API")]
    pub(crate) fn connect(&self) -> Result<Connection, EngineError> {
        let mut raw = ptr::null_mut();
        // SAFETY: the database handle is live as long as `self`.
        let state = unsafe { ffi::duckdb_connect(self.0.0, &raw mut raw) };
        if state != ffi::DuckDBSuccess {
            return Err(EngineError::from_message(
                "cannot connect to the database".into(),
            ));
        }
        Ok(Connection {
            link: Arc::new(Link {
                raw,
                _database: Arc::clone(&self.0),
            }),
        })
    }

    /// Returns whether connections, or other handles, still hold the database open.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Returns a connection of the `duckdb` crate, which alone registers table functions.
    #[expect(unsafe_code, reason = "shares the handle with the duckdb crate")]
    pub(crate) fn crate_connection(&self) -> duckdb::Result<duckdb::Connection> {
        // SAFETY: the crate's connection does not close the database, and is dropped before `self` by its callers.
        unsafe { duckdb::Connection::open_from_raw(self.0.0) }
    }
}

struct Config(ffi::duckdb_config);

impl Config {
    #[expect(unsafe_code, reason = "builds the configuration through the C API")]
    fn new(settings: &[(&str, String)]) -> Result<Self, EngineError> {
        let mut config = Self(ptr::null_mut());
        // SAFETY: the config handle is live until drop; the strings outlive each call.
        unsafe {
            if ffi::duckdb_create_config(&raw mut config.0) != ffi::DuckDBSuccess {
                return Err(EngineError::from_message(
                    "cannot create a configuration".into(),
                ));
            }
            for (name, value) in settings {
                let (name_c, value_c) = (c_string(name)?, c_string(value)?);
                let state = ffi::duckdb_set_config(config.0, name_c.as_ptr(), value_c.as_ptr());
                if state != ffi::DuckDBSuccess {
                    return Err(EngineError::invalid(format!(
                        "the setting {name} was refused"
                    )));
                }
            }
        }
        Ok(config)
    }
}

impl Drop for Config {
    #[expect(unsafe_code, reason = "frees the configuration through the C API")]
    fn drop(&mut self) {
        // SAFETY: created in `new`, destroyed once.
        unsafe { ffi::duckdb_destroy_config(&raw mut self.0) }
    }
}

struct Link {
    raw: ffi::duckdb_connection,
    _database: Arc<RawDatabase>,
}

// SAFETY: a connection may move between threads; across threads only `duckdb_interrupt` is called, which is made for that.
#[expect(
    unsafe_code,
    reason = "the connection is used by one thread at a time; interrupt is thread-safe"
)]
unsafe impl Send for Link {}
// SAFETY: as above.
#[expect(
    unsafe_code,
    reason = "the connection is used by one thread at a time; interrupt is thread-safe"
)]
unsafe impl Sync for Link {}

impl Drop for Link {
    #[expect(unsafe_code, reason = "disconnects through the C API")]
    fn drop(&mut self) {
        // SAFETY: connected in `Database::connect`, disconnected once, before the database it holds.
        unsafe { ffi::duckdb_disconnect(&raw mut self.raw) }
    }
}

/// A connection; it runs one statement at a time.
pub(crate) struct Connection {
    link: Arc<Link>,
}

/// Stops whatever its connection runs, from any thread.
#[derive(Clone)]
pub(crate) struct Interrupter(Arc<Link>);

impl Interrupter {
    /// Asks the running statement to stop; without one it does nothing.
    #[expect(unsafe_code, reason = "interrupts through the C API")]
    pub(crate) fn interrupt(&self) {
        // SAFETY: the connection lives as long as this Arc; the call is thread-safe.
        unsafe { ffi::duckdb_interrupt(self.0.raw) }
    }
}

impl Connection {
    pub(super) fn raw(&self) -> ffi::duckdb_connection {
        self.link.raw
    }

    /// Returns the handle that interrupts this connection.
    pub(crate) fn interrupter(&self) -> Interrupter {
        Interrupter(Arc::clone(&self.link))
    }

    /// Runs our own SQL (never a user's text), and returns how many rows it changed.
    #[expect(unsafe_code, reason = "runs SQL through the C API")]
    pub(crate) fn execute(&self, sql: &str) -> Result<u64, EngineError> {
        let sql = c_string(sql)?;
        // SAFETY: the result struct is plain data that the call fills and `destroy` frees, on both outcomes.
        unsafe {
            let mut result: ffi::duckdb_result = std::mem::zeroed();
            let state = ffi::duckdb_query(self.raw(), sql.as_ptr(), &raw mut result);
            let outcome = if state == ffi::DuckDBSuccess {
                Ok(ffi::duckdb_rows_changed(&raw mut result))
            } else {
                Err(error_from_c(ffi::duckdb_result_error(&raw mut result)))
            };
            ffi::duckdb_destroy_result(&raw mut result);
            outcome
        }
    }

    /// Runs one statement of our own with text parameters and streams its rows.
    pub(crate) fn rows(&self, sql: &str, parameters: &[&str]) -> Result<Rows, EngineError> {
        let mut statement = Statement::prepare(self, sql)?;
        for (index, text) in parameters.iter().enumerate() {
            statement.bind_text(index as u64 + 1, text)?;
        }
        statement.execute()
    }

    /// Runs one statement of our own and returns its rows, every value as text.
    pub(crate) fn texts(
        &self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        let mut rows = self.rows(sql, parameters)?;
        let mut texts = Vec::new();
        while let Some(batch) = rows.next_batch()? {
            append_texts(&batch, &mut texts)?;
        }
        Ok(texts)
    }

    /// Returns the first value of the first row as text.
    pub(crate) fn text(
        &self,
        sql: &str,
        parameters: &[&str],
    ) -> Result<Option<String>, EngineError> {
        let rows = self.texts(sql, parameters)?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .flatten())
    }
}

fn append_texts(
    batch: &RecordBatch,
    texts: &mut Vec<Vec<Option<String>>>,
) -> Result<(), EngineError> {
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| arrow::compute::cast(column, &arrow::datatypes::DataType::Utf8))
        .collect::<Result<_, _>>()
        .map_err(|error| EngineError::invalid(error.to_string()))?;
    for row in 0..batch.num_rows() {
        texts.push(
            columns
                .iter()
                .map(|column| {
                    let column = column.as_string::<i32>();
                    column.is_valid(row).then(|| column.value(row).to_owned())
                })
                .collect(),
        );
    }
    Ok(())
}

pub(super) fn c_string(text: &str) -> Result<CString, EngineError> {
    CString::new(text).map_err(|_| EngineError::invalid("the text has a NUL character"))
}
