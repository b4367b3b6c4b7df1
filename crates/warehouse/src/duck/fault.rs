//! What the engine said no with.

use duckdb::ffi;
use serde::{Deserialize, Serialize};
use std::ffi::CStr;

/// What kind of failure it is, as far as somebody acts differently on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EngineErrorKind {
    /// The SQL does not parse, bind or convert: the user's to mend.
    Invalid,
    /// Stopped by an interrupt.
    Interrupted,
    /// Beyond the memory limit, or the spill directory is full.
    Memory,
    /// The disk is full.
    DiskFull,
    /// The file system refused.
    Io,
    /// The file is held by another process.
    Locked,
    /// The file is no database, or a damaged one.
    Corrupt,
    /// The file was written by another version.
    Version,
    /// The engine failed and accepts nothing more until it is opened again.
    Fatal,
}

/// The engine's error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub(crate) struct EngineError {
    pub kind: EngineErrorKind,
    pub message: String,
}

impl EngineError {
    /// Returns an error of the user's making.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: EngineErrorKind::Invalid,
            message: message.into(),
        }
    }

    /// Returns the error that the engine worded as `message`; the texts are the only thing some calls return.
    pub(crate) fn from_message(message: String) -> Self {
        Self {
            kind: classify(&message),
            message,
        }
    }
}

/// Returns the error in the C string `text`.
///
/// # Safety
/// `text` is null or a NUL-terminated string that lives during the call.
#[expect(unsafe_code, reason = "reads a C string that the engine owns")]
pub(super) unsafe fn error_from_c(text: *const std::ffi::c_char) -> EngineError {
    if text.is_null() {
        return EngineError::from_message("the engine gave no reason".into());
    }
    // SAFETY: not null, and NUL-terminated by this function's contract.
    EngineError::from_message(
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// Takes over and frees the error data of a C call, `Ok` when it holds no error.
///
/// # Safety
/// `data` is null or error data that nobody else owns.
#[expect(unsafe_code, reason = "reads and frees error data of the engine")]
pub(super) unsafe fn check(mut data: ffi::duckdb_error_data) -> Result<(), EngineError> {
    if data.is_null() {
        return Ok(());
    }
    // SAFETY: `data` is live until the destroy below, which is its last use.
    unsafe {
        let failed = ffi::duckdb_error_data_has_error(data);
        let error = failed.then(|| error_from_c(ffi::duckdb_error_data_message(data)));
        ffi::duckdb_destroy_error_data(&raw mut data);
        error.map_or(Ok(()), Err)
    }
}

fn classify(message: &str) -> EngineErrorKind {
    let has = |text: &str| message.contains(text);
    if has("No space left on device") {
        EngineErrorKind::DiskFull
    } else if message.starts_with("INTERRUPT Error") {
        EngineErrorKind::Interrupted
    } else if message.starts_with("Out of Memory Error") || has("max_temp_directory_size") {
        EngineErrorKind::Memory
    } else if has("Could not set lock on file") {
        EngineErrorKind::Locked
    } else if has("database file with version number") || has("was written with DuckDB version") {
        EngineErrorKind::Version
    } else if has("not a valid DuckDB database file")
        || has("Corrupt database file")
        || has("Failed to load metadata pointer")
        || message.starts_with("Serialization Error")
    {
        EngineErrorKind::Corrupt
    } else if message.starts_with("FATAL Error")
        || message.starts_with("INTERNAL Error")
        || has("database has been invalidated")
    {
        EngineErrorKind::Fatal
    } else if message.starts_with("IO Error") {
        EngineErrorKind::Io
    } else {
        EngineErrorKind::Invalid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let check = |message: &str, expect| assert_eq!(classify(message), expect, "{message}");
        check("Parser Error: syntax error", EngineErrorKind::Invalid);
        check(
            "INTERRUPT Error: Interrupted!",
            EngineErrorKind::Interrupted,
        );
        check(
            "Out of Memory Error: could not allocate block",
            EngineErrorKind::Memory,
        );
        check(
            "IO Error: Could not set lock on file \"x\": held",
            EngineErrorKind::Locked,
        );
        check(
            "IO Error: Could not write: No space left on device",
            EngineErrorKind::DiskFull,
        );
        check(
            "IO Error: The file \"x\" exists, but it is not a valid DuckDB database file!",
            EngineErrorKind::Corrupt,
        );
        check(
            "FATAL Error: Failed: database has been invalidated",
            EngineErrorKind::Fatal,
        );
    }
}
