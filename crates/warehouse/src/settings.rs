//! What a warehouse is opened with, and the limits of a query.

use domain::limits::{QUERY_ROWS_DEFAULT, QUERY_TIMEOUT_SECONDS_DEFAULT, WORKER_MEMORY_MB_DEFAULT};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// How a warehouse is opened.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The DuckDB file. It is made when it does not exist.
    pub path: PathBuf,
    /// Where DuckDB spills; everything in it is removed when a worker starts.
    pub temp_dir: PathBuf,
    /// DuckDB's memory limit. The process takes 70 to 90 MB more.
    pub memory_mb: u64,
    /// DuckDB's threads: as many as there are cores.
    pub threads: usize,
    /// User queries that run at the same time; more wait.
    pub user_queries_max: usize,
    /// The worker ends when nothing was asked of it for one to two times this long; the next request starts another.
    pub idle: Duration,
    /// Whether the worker goes into the kernel's cage, as far as the host gives one. Off is for tests.
    pub cage: bool,
}

impl Settings {
    /// Returns the settings for the file `path` with the product's defaults.
    pub fn new(path: impl Into<PathBuf>, temp_dir: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            temp_dir: temp_dir.into(),
            memory_mb: WORKER_MEMORY_MB_DEFAULT,
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            // Each may take the whole memory limit; a team of 20 rarely has more than a few at once.
            user_queries_max: 4,
            // Long enough for whoever reads a result and asks again; the file is free for other programs after it.
            idle: Duration::from_mins(5),
            cage: true,
        }
    }
}

/// What a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryLimits {
    /// Rows; what is beyond is cut off, and the result says so.
    pub rows_max: u64,
    /// Bytes of the encoded result; what is beyond is cut off, and the result says so.
    pub bytes_max: u64,
    /// Time from the start to the last row.
    pub timeout: Duration,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            rows_max: QUERY_ROWS_DEFAULT,
            // Far more than a screen or a browser takes; exports set their own.
            bytes_max: 256 << 20,
            timeout: Duration::from_secs(QUERY_TIMEOUT_SECONDS_DEFAULT),
        }
    }
}
