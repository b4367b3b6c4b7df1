//! Errors of the crates below, in words: the one place where the store's and the warehouse's become the user's.

use crate::error::{Error, Kind};
use domain::say::Quoted;
use domain::{Code, say};
use store::StoreError;
use warehouse::WarehouseError;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let made = match &error {
            StoreError::SchemaNewer { newest } => Self::invalid(
                Code::StoreVersion,
                say!("the metadata database has the migration ", name Quoted(newest), ", which this version does not know"),
            )
            .hint("use the version of dango that wrote it, or restore the backup its upgrade made beside it"),
            StoreError::SchemaForeign => Self::invalid(
                Code::StoreVersion,
                "the file that should be the metadata database belongs to another program",
            )
            .hint("unset DAP_DB_PATH, or let it name a file of its own"),
            StoreError::Busy { .. } => Self::unavailable(
                Code::StoreFailed,
                "the metadata database is in use by another program",
            )
            .hint("close what has `.dango/metadata.db` open and run the command again"),
            StoreError::Full(_) => {
                Self::unavailable(Code::DiskFull, "the disk of the metadata database is full")
                    .hint("free some space and run the command again")
            }
            StoreError::Corrupt(_) => {
                Self::invalid(Code::StoreFailed, "the metadata database is damaged")
                    .hint("restore `.dango/metadata.db` from a backup, or move it away: the history starts anew")
            }
            StoreError::File(_) => {
                Self::invalid(Code::StoreFailed, "the metadata database cannot be opened")
                    .hint("check who owns `.dango/metadata.db` and its mode")
            }
            StoreError::JobRunning { target } => Self::conflict(
                Code::ProjectLocked,
                say!("source ", name Quoted(target), " is already being synced"),
            ),
            _ => Self::new(Kind::Bug, Code::StoreFailed, "the metadata database failed"),
        };
        made.caused_by(error)
    }
}

impl From<WarehouseError> for Error {
    fn from(error: WarehouseError) -> Self {
        let made = match &error {
            WarehouseError::Refused { say, hint } => {
                Self::invalid(Code::QueryRefused, say.clone()).hint(hint.clone())
            }
            WarehouseError::Invalid(text) => {
                Self::invalid(Code::QueryInvalid, say!("", Quoted(text))).hint(if text.starts_with("Catalog Error") {
                    "`dango db status` lists the tables there are"
                } else {
                    "correct the SQL and run it again; it is DuckDB's dialect"
                })
            }
            WarehouseError::Timeout => {
                Self::limit(Code::QueryTimeout, "the query ran longer than allowed and was stopped")
                    .hint("give it more time with `--timeout SECONDS`")
            }
            WarehouseError::Cancelled => Self::interrupted(),
            WarehouseError::Memory(_) => {
                Self::limit(Code::QueryMemory, "the statement needs more memory than the warehouse may use")
                    .hint("raise `platform.memory_limit_mb` in `.dango/project.yml`")
            }
            WarehouseError::Busy { say } => {
                Self::unavailable(Code::WarehouseBusy, say.clone()).hint("run it again in a moment")
            }
            WarehouseError::Locked(_) => {
                Self::unavailable(Code::WarehouseBusy, "the warehouse file is held by another program")
                    .hint("close the program that has it open (a DuckDB shell, a notebook), then run the command again")
            }
            WarehouseError::Corrupt(_) => {
                Self::invalid(Code::WarehouseCorrupt, "the warehouse file is damaged; nothing was written to it")
                    .hint("restore it from a backup, or move it away and sync again")
            }
            WarehouseError::Version(_) => Self::invalid(
                Code::WarehouseVersion,
                "the warehouse file was written by another version of DuckDB than 1.5",
            )
            .hint("use the version of dango that wrote it, or move it away and sync again"),
            WarehouseError::WorkerDied { .. } => Self::unavailable(
                Code::WorkerDied,
                "the warehouse's process ended in the middle; what was not committed is undone",
            )
            .hint("run the command again; `.dango/logs/dango.jsonl` has its last words"),
            WarehouseError::DiskFull(_) => {
                Self::unavailable(Code::DiskFull, "the disk is full; what was not committed is undone")
                    .hint("free some space and run the command again")
            }
            WarehouseError::Stream(_) => Self::unavailable(
                Code::WorkerDied,
                "the rows did not arrive whole; what was not committed is undone",
            )
            .hint("run the command again"),
            WarehouseError::Io(_) => {
                Self::invalid(Code::FileAccess, "the warehouse file cannot be read or written")
                    .hint("check who owns the folder `data` and its mode")
            }
            WarehouseError::Sandbox(_) => {
                Self::invalid(Code::SandboxMissing, "the warehouse's process cannot be started")
                    .hint("`dango doctor` says what is missing")
            }
            WarehouseError::Bug(_) => Self::bug("the warehouse answered something unexpected"),
        };
        made.caused_by(error)
    }
}
