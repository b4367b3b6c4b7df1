//! What can go wrong with the warehouse, as far as somebody acts differently on it.

use crate::duck::{EngineError, EngineErrorKind};
use crate::gate::Refusal;
use crate::stream::StreamError;
use crate::wire::Fault;
use domain::Say;
use sandbox::SandboxError;

/// Why the warehouse could not do what was asked. Nothing was changed by a statement that failed; a load transaction with a
/// failed statement cannot be committed.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// The gate does not let the query pass.
    #[error("{say}")]
    Refused { say: Say, hint: Say },
    /// DuckDB cannot run the SQL; its own words, about the user's own SQL and data.
    #[error("{0}")]
    Invalid(String),
    #[error("the query ran longer than allowed")]
    Timeout,
    #[error("the statement was cancelled")]
    Cancelled,
    #[error("the statement needs more memory than the worker may use: {0}")]
    Memory(String),
    /// A result that no answer can carry; the text says why.
    #[error("{0}")]
    Limit(String),
    /// Not now: the text says what is going on.
    #[error("{say}")]
    Busy { say: Say },
    /// Another program holds the file.
    #[error("the warehouse's file is held by another process")]
    Locked(String),
    #[error("the warehouse's file is damaged: {0}")]
    Corrupt(String),
    #[error("the warehouse's file was written by another version of DuckDB: {0}")]
    Version(String),
    /// The worker ended in the middle; what was not committed is undone.
    #[error("the warehouse's process ended ({detail})")]
    WorkerDied { detail: String },
    #[error("the disk is full")]
    DiskFull(String),
    /// The rows that were to be loaded, or that a query returned, did not arrive whole.
    #[error("the rows did not arrive whole: {0}")]
    Stream(String),
    #[error("a file cannot be read or written: {0}")]
    Io(String),
    /// The file that an export was to make; the warehouse itself is well.
    #[error("the output cannot be written: {0}")]
    Output(String),
    /// Where an export was to go there is a device, a pipe, a folder, or a link to one or to nothing.
    #[error("the output is not a file")]
    NotAFile,
    #[error("the process for it cannot be started")]
    Sandbox(#[source] SandboxError),
    /// Ours to mend.
    #[error("the warehouse's client and worker misunderstand each other: {0}")]
    Bug(String),
}

impl WarehouseError {
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        Self::Refused {
            say: refusal.say(),
            hint: refusal.hint(),
        }
    }
}

impl From<Fault> for WarehouseError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => Self::refused(&refusal),
            Fault::Engine(error) => error.into(),
            Fault::Timeout => Self::Timeout,
            Fault::Cancelled => Self::Cancelled,
            Fault::Loading => Self::Busy {
                say: "a load uses most of the warehouse's memory; the query can run when it has ended".into(),
            },
            Fault::Stream(text) => Self::Stream(text),
            Fault::Protocol(text) => Self::Bug(text),
        }
    }
}

impl From<EngineError> for WarehouseError {
    fn from(EngineError { kind, message }: EngineError) -> Self {
        match kind {
            EngineErrorKind::Invalid => Self::Invalid(message),
            EngineErrorKind::Interrupted => Self::Cancelled,
            EngineErrorKind::Limit => Self::Limit(message),
            EngineErrorKind::Memory => Self::Memory(message),
            EngineErrorKind::DiskFull => Self::DiskFull(message),
            EngineErrorKind::Io => Self::Io(message),
            EngineErrorKind::Locked => Self::Locked(message),
            EngineErrorKind::Corrupt => Self::Corrupt(message),
            EngineErrorKind::Version => Self::Version(message),
            EngineErrorKind::Fatal => Self::WorkerDied { detail: message },
        }
    }
}

impl From<SandboxError> for WarehouseError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Closed | SandboxError::FrameTorn => Self::WorkerDied {
                detail: error.to_string(),
            },
            SandboxError::FrameTooLong { .. } => Self::refused(&Refusal::TooLong),
            other => Self::Sandbox(other),
        }
    }
}

impl From<StreamError> for WarehouseError {
    fn from(error: StreamError) -> Self {
        Self::Stream(error.with_cause())
    }
}
