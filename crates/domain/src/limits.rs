//! The limits that hold everywhere, each with its reason. A limit that a user may set has its default here.

/// Rows `dango query` prints unless `--limit` says otherwise: a screenful, not a dump.
pub const QUERY_ROWS_DEFAULT: u64 = 1_000;
/// getdango's `api.query_timeout_seconds`.
pub const QUERY_TIMEOUT_SECONDS_DEFAULT: u64 = 30;
/// A control frame between our processes.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// A user's SQL text; DuckDB's parser has no limit of its own. It travels in a frame, where JSON writes some characters as two.
pub const SQL_BYTES_MAX: usize = FRAME_BYTES_MAX / 2;
/// One Arrow IPC message from a child; a 10 MB cell still fits.
pub const ARROW_MESSAGE_BYTES_MAX: usize = 256 << 20;
/// Rows in a batch on its way into the warehouse: 2048 to 8192 measured best, more only costs memory.
pub const BATCH_ROWS: usize = 8_192;
/// Bytes after which a batch is handed on even when it has fewer rows.
pub const BATCH_BYTES: usize = 4 << 20;
/// Memory limit of the warehouse worker's DuckDB in MB, `platform.memory_limit_mb`.
pub const WORKER_MEMORY_MB_DEFAULT: u64 = 256;
/// Rows after which a resumable load commits a chunk: whole row groups of DuckDB (122,880 rows), because a commit in the
/// middle of one leaves the file nearly twice as large.
pub const CHUNK_ROWS: u64 = 4 * 122_880;
/// A cell of a file or a value of an API larger than this is refused.
pub const CELL_BYTES_MAX: usize = 64 << 20;
/// JSON nested deeper than this is refused; it would only be data by accident.
pub const JSON_DEPTH_MAX: usize = 64;
/// Columns of one table; DuckDB slows down long before it stops.
pub const COLUMNS_MAX: usize = 2_000;
/// One HTTP response of a source.
pub const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// JSON values of one HTTP response, its records and their fields: parsed, each takes up to 250 bytes (measured) of the process
/// that holds the secrets, half a gigabyte in all. Usual pages have ten thousand.
pub const ANSWER_VALUES_MAX: usize = 2_000_000;
/// Pages of one stream in one sync.
pub const PAGES_MAX: u64 = 100_000;
/// A configuration file.
pub const CONFIG_BYTES_MAX: u64 = 4 << 20;
/// Files that one glob may match.
pub const FILES_MAX: usize = 100_000;
