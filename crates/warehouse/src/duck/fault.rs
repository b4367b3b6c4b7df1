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
    /// The result is beyond what an answer can carry.
    Limit,
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

/// A message is cut here. The engine repeats whole values in some, and an answer must fit into a frame.
const MESSAGE_BYTES_MAX: usize = 8 << 10;

/// Some calls give a message in this form.
#[derive(Deserialize)]
struct Packed {
    exception_type: String,
    exception_message: String,
}

impl EngineError {
    fn new(kind: EngineErrorKind, mut message: String) -> Self {
        if message.len() > MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            message.push('…');
        }
        Self { kind, message }
    }

    /// Returns an error of the user's making.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::Invalid, message.into())
    }

    /// Returns that a result is beyond what an answer can carry.
    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(EngineErrorKind::Limit, message.into())
    }

    /// Returns the error of a file that is not the engine's.
    pub(crate) fn io(error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::StorageFull => EngineErrorKind::DiskFull,
            _ => EngineErrorKind::Io,
        };
        Self::new(kind, error.to_string())
    }

    /// Returns the error that the engine worded as `message`; the texts are the only thing some calls return.
    pub(crate) fn from_message(message: String) -> Self {
        let message = match serde_json::from_str::<Packed>(&message) {
            Ok(packed) => format!(
                "{} Error: {}",
                packed.exception_type, packed.exception_message
            ),
            Err(_) => message,
        };
        Self::new(classify(&message), message)
    }

    /// Returns whether the engine accepts nothing more. A full disk, for instance, can be fatal too.
    pub(crate) fn is_fatal(&self) -> bool {
        match self.kind {
            EngineErrorKind::Fatal => true,
            EngineErrorKind::DiskFull => self.message.starts_with("FATAL Error"),
            _ => false,
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

/// Returns the kind of the engine's message: by its class, which stands first and is the engine's own word. What follows may
/// repeat values that a user wrote, so phrases count only in the classes that speak of files and of the engine itself.
fn classify(message: &str) -> EngineErrorKind {
    let (class, text) = message.split_once(" Error: ").unwrap_or(("", message));
    let has = |phrase: &str| text.contains(phrase);
    let is_full = has("No space left on device");
    match class {
        "INTERRUPT" => EngineErrorKind::Interrupted,
        "Out of Memory" => EngineErrorKind::Memory,
        "Serialization" => EngineErrorKind::Corrupt,
        "IO" | "FATAL" | "INTERNAL" if is_full => EngineErrorKind::DiskFull,
        // A violated constraint is worded differently, and repeats the value.
        "TransactionContext" if is_full && text.starts_with("Failed to commit: Could not ") => {
            EngineErrorKind::DiskFull
        }
        "IO" if has("Could not set lock on file") => EngineErrorKind::Locked,
        "IO" if has("database file with version number") => EngineErrorKind::Version,
        "IO" if has("not a valid DuckDB database file") || has("Corrupt database file") => {
            EngineErrorKind::Corrupt
        }
        "IO" if has("database has been invalidated") => EngineErrorKind::Fatal,
        "IO" => EngineErrorKind::Io,
        "INTERNAL" if has("Failed to load metadata pointer") => EngineErrorKind::Corrupt,
        "FATAL" | "INTERNAL" => EngineErrorKind::Fatal,
        _ => EngineErrorKind::Invalid,
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
        check(
            "INTERNAL Error: Failed to load metadata pointer (id 1, idx 2, ptr 3)",
            EngineErrorKind::Corrupt,
        );
        check(
            "TransactionContext Error: Failed to commit: Could not write file \"x\": No space left on device",
            EngineErrorKind::DiskFull,
        );
    }

    #[test]
    fn what_a_user_wrote_does_not_tell_the_kind() {
        for text in [
            "database has been invalidated",
            "No space left on device",
            "Could not set lock on file",
            "IO Error: not a valid DuckDB database file",
            "FATAL Error: x",
            "max_temp_directory_size",
        ] {
            for message in [
                format!("Conversion Error: Could not convert string '{text}' to INT32"),
                format!("Invalid Input Error: {text}"),
                format!("TransactionContext Error: Failed to commit: duplicate key \"id: {text}\""),
            ] {
                assert_eq!(classify(&message), EngineErrorKind::Invalid, "{message}");
            }
        }
    }

    #[test]
    fn a_packed_message_is_unpacked_and_a_long_one_cut() {
        let packed = r#"{"exception_type":"IO","exception_message":"Could not set lock on file \"x\"","errno":"11"}"#;
        let error = EngineError::from_message(packed.to_owned());
        assert_eq!(error.kind, EngineErrorKind::Locked);
        assert_eq!(error.message, "IO Error: Could not set lock on file \"x\"");
        let long = EngineError::from_message(format!("Binder Error: {}", "é".repeat(1 << 20)));
        assert!(long.message.len() < 10_000 && long.message.ends_with("é…"));
    }
}
