//! The frames between the warehouse's client and its worker: JSON, versioned, each with the id of the request it belongs to.
//! Rows never travel in frames; a request that makes or takes rows carries the descriptor of a stream of their own.

use crate::duck::{EngineError, ResultColumn};
use crate::gate::{GateError, Refusal};
use crate::settings::QueryLimits;
use crate::stream::StreamError;
use domain::{Column, TableRef};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Changes whenever a frame changes. Client and worker are the same program, so they only differ by mistake.
pub(crate) const VERSION: u32 = 1;

/// A request to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub version: u32,
    pub id: u64,
    pub act: Act,
}

/// What the worker shall do. `+ stream` marks the acts that carry a descriptor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Act {
    /// The first request: open the file.
    Open(Open),
    /// A user's query, through the gate + stream.
    Query { sql: String, limits: QueryLimits },
    /// A query of our own + stream.
    Read { sql: String, limits: QueryLimits },
    /// Opens a load transaction.
    Begin { session: u64 },
    /// Something in a load transaction.
    Session { session: u64, step: Step },
    /// Stops the request with this id.
    Cancel { request: u64 },
    /// File sizes and free blocks.
    Status,
    /// Close the file and end.
    Close,
}

/// A step of a load transaction.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Execute {
        sql: String,
    },
    /// + stream
    Select {
        sql: String,
        limits: QueryLimits,
    },
    /// + stream
    Insert(Insert),
    Commit,
    Rollback,
}

/// Where the rows of a stream go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Insert {
    pub into: TableRef,
    /// The stream's columns, in its order.
    pub columns: Vec<Column>,
    /// Further columns and their values as SQL literals.
    pub constants: Vec<(String, String)>,
}

/// What the worker opens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Open {
    pub path: PathBuf,
    pub temp_dir: PathBuf,
    pub memory_mb: u64,
    pub threads: usize,
}

/// The worker's answer. A request that makes rows has two: `Columns`, then `Done` or `Failed`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub id: u64,
    pub outcome: Outcome,
}

/// How a request went.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Columns(Vec<ResultColumn>),
    /// `rows`: sent, changed or inserted; `truncated`: more rows than the limits allow.
    Done {
        rows: u64,
        truncated: bool,
    },
    Status(Status),
    Failed(Fault),
}

impl Outcome {
    /// Returns the end of a request that changed or inserted so many rows.
    pub(crate) const fn done(rows: u64) -> Self {
        Self::Done {
            rows,
            truncated: false,
        }
    }
}

/// The warehouse's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The size of the file.
    pub file_bytes: u64,
    /// The size of the write-ahead log beside it.
    pub wal_bytes: u64,
    /// Space inside the file that holds nothing; `dango db compact` returns it.
    pub free_bytes: u64,
    /// Memory that the engine uses now, and may use.
    pub memory_bytes: u64,
    pub memory_limit_bytes: u64,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    Refused(Refusal),
    Engine(EngineError),
    Timeout,
    Cancelled,
    /// A load uses most of the memory.
    Loading,
    /// The stream of rows that was to be loaded.
    Stream(String),
    /// A request that makes no sense where it stands: our bug.
    Protocol(String),
}

impl Fault {
    pub(crate) fn protocol(text: impl Into<String>) -> Self {
        Self::Protocol(text.into())
    }

    /// Returns whether the engine accepts nothing more.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self, Self::Engine(error) if error.is_fatal())
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<StreamError> for Fault {
    fn from(error: StreamError) -> Self {
        Self::Stream(error.with_cause())
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        EngineError::io(&error).into()
    }
}

impl From<GateError> for Fault {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => Self::Refused(refusal),
            GateError::Engine(error) => Self::Engine(error),
        }
    }
}
