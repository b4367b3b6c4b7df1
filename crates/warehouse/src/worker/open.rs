//! Opening the warehouse's file.

use super::ingest;
use crate::duck::{Database, EngineError, EngineErrorKind};
use crate::wire::{Fault, Open};
use std::path::Path;
use std::thread;
use std::time::Duration;

/// A worker that was killed keeps its file lock until the kernel has taken it down; measured: up to 0.3 s.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Opens the file with everything off that reaches outside, and locks the configuration.
pub(super) fn open(open: &Open) -> Result<Database, Fault> {
    empty(&open.temp_dir).map_err(|error| io_fault(&error))?;
    let temp_dir = open.temp_dir.to_string_lossy().into_owned();
    let off = || "false".to_owned();
    let settings = [
        ("memory_limit", format!("{}MiB", open.memory_mb)),
        ("threads", open.threads.to_string()),
        ("temp_directory", temp_dir),
        // Measured: with it on, a load at this memory limit takes twice the time. Results are ordered by ORDER BY alone.
        ("preserve_insertion_order", off()),
        ("enable_external_access", off()),
        ("autoinstall_known_extensions", off()),
        ("autoload_known_extensions", off()),
        ("allow_community_extensions", off()),
        ("allow_unsigned_extensions", off()),
    ];
    let database = wait_for_lock(|| Database::open(Some(&open.path), &settings))?;
    let connection = database.connect()?;
    // The host's zone cannot be read in the cage, and must not change what a query returns.
    let zone = connection.execute("SET GLOBAL TimeZone = 'UTC'");
    // The bundled engine knows no zones, and so none but this.
    if !cfg!(feature = "duckdb-bundled") {
        zone?;
    }
    ingest::register(&database)?;
    connection.execute("SET GLOBAL lock_configuration = true")?;
    Ok(database)
}

fn wait_for_lock(
    mut open: impl FnMut() -> Result<Database, EngineError>,
) -> Result<Database, EngineError> {
    let mut waited = Duration::ZERO;
    loop {
        match open() {
            Err(error) if error.kind == EngineErrorKind::Locked && waited < LOCK_TIMEOUT => {
                thread::sleep(LOCK_PAUSE);
                waited += LOCK_PAUSE;
            }
            outcome => return outcome,
        }
    }
}

/// Removes what an earlier worker left in the spill directory.
fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in fs_err::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            fs_err::remove_dir_all(path)?;
        } else {
            fs_err::remove_file(path)?;
        }
    }
    Ok(())
}

fn io_fault(error: &std::io::Error) -> Fault {
    Fault::Engine(EngineError {
        kind: EngineErrorKind::Io,
        message: error.to_string(),
    })
}
