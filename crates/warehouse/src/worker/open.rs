//! Opening the warehouse's file.

use super::ingest;
use crate::duck::{Database, EngineError, EngineErrorKind};
use crate::wire::{Fault, Open};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// A worker that was killed keeps its file lock until the kernel has taken it down; measured: up to 0.3 s, and more on a
/// machine that has too much to do.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Opens the file with everything off that reaches outside, and locks the configuration.
pub(super) fn open(open: &Open) -> Result<Database, Fault> {
    empty(&open.temp_dir)?;
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
    if !open.path.exists() {
        create(&open.path, &settings)?;
    }
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

/// Makes a new file under another name first: a process that is killed while the engine writes its headers would leave one
/// that cannot be opened.
fn create(path: &Path, settings: &[(&str, String)]) -> Result<(), Fault> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".creating");
    let partial = PathBuf::from(partial);
    for suffix in ["", ".wal"] {
        let mut leftover = partial.as_os_str().to_owned();
        leftover.push(suffix);
        match fs_err::remove_file(PathBuf::from(leftover)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    drop(Database::open(Some(&partial), settings)?);
    Ok(fs_err::rename(&partial, path)?)
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
fn empty(dir: &Path) -> io::Result<()> {
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
