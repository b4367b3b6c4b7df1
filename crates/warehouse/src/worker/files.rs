//! Rows into a Parquet file, with the engine's own writer. Runs in the writer's process, on a database in memory.

use super::ingest::{self, FUNCTION, Slot};
use crate::duck::Database;
use crate::wire::Fault;
use domain::names::{quote_identifier, quote_literal};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Writes the stream's rows to `path`, its columns called `names`.
pub(crate) fn copy_to_parquet(
    database: &Database,
    stream: UnixStream,
    names: &[&str],
    path: &Path,
) -> Result<(), Fault> {
    ingest::register(database)?;
    let slot = Slot::open(stream, None, 1).map_err(|error| Fault::Stream(error.to_string()))?;
    let columns = names.iter().enumerate();
    let columns = columns.map(|(index, name)| format!("c{index} AS {}", quote_identifier(name)));
    let sql = format!(
        "COPY (SELECT {} FROM {FUNCTION}({}::UBIGINT)) TO {} (FORMAT parquet, USE_TMP_FILE false)",
        columns.collect::<Vec<_>>().join(", "),
        slot.number,
        quote_literal(&path.to_string_lossy())
    );
    match database.connect()?.execute(&sql) {
        Ok(_) if slot.is_drained() => Ok(()),
        Ok(_) => Err(Fault::Stream("not all of its rows were read".into())),
        Err(error) => Err(slot.fault().map_or(Fault::Engine(error), Fault::Stream)),
    }
}
