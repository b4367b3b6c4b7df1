//! The compactor: copies the warehouse into a new file, without the space that deleted rows left behind, and compares what both
//! declare and count.
//!
//! It is a process of its own because it must attach files by name, which the worker's engine cannot do; its cage is the
//! data directory.

use crate::duck::{Connection, Database, EngineError};
use crate::wire::Fault;
use domain::names::{quote_identifier, quote_literal};
use sandbox::Channel;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The role's name on the child's command line.
pub const COMPACTOR_ROLE: &str = "compactor";

/// What to copy where.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CompactRequest {
    pub from: PathBuf,
    pub to: PathBuf,
    pub temp_dir: PathBuf,
    pub memory_mb: u64,
    pub threads: usize,
}

/// How it went.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CompactReply {
    Copied { tables: u64, rows: u64 },
    Failed(Fault),
}

/// Serves the one request of this process.
pub(crate) fn serve(channel: &Channel) {
    let Ok(Some((request, _))) = channel.recv::<CompactRequest>() else {
        return;
    };
    let reply = match copy(&request) {
        Ok((tables, rows)) => CompactReply::Copied { tables, rows },
        Err(fault) => CompactReply::Failed(fault),
    };
    // A parent that is gone leaves the old file in place; the copy is removed the next time.
    let _ = channel.send(&reply, &[]);
}

fn copy(request: &CompactRequest) -> Result<(u64, u64), Fault> {
    let off = || "false".to_owned();
    let settings = [
        ("memory_limit", format!("{}MiB", request.memory_mb)),
        ("threads", request.threads.to_string()),
        (
            "temp_directory",
            request.temp_dir.to_string_lossy().into_owned(),
        ),
        ("preserve_insertion_order", off()),
        ("autoinstall_known_extensions", off()),
        ("autoload_known_extensions", off()),
        ("allow_community_extensions", off()),
    ];
    let database = Database::open(None, &settings)?;
    let connection = database.connect()?;
    connection.execute("SET TimeZone = 'UTC'")?;
    attach(&connection, &request.from, "old")?;
    // After this the old file is complete without its write-ahead log, which must not be left for the new one.
    connection.execute("CHECKPOINT old")?;
    attach(&connection, &request.to, "new")?;
    connection.execute("COPY FROM DATABASE old TO new")?;
    connection.execute("CHECKPOINT new")?;
    let counted = compare(&connection)?;
    connection.execute("DETACH new")?;
    connection.execute("DETACH old")?;
    Ok(counted)
}

fn attach(connection: &Connection, path: &Path, name: &str) -> Result<u64, EngineError> {
    connection.execute(&format!(
        "ATTACH {} AS {name}",
        quote_literal(&path.to_string_lossy())
    ))
}

/// Compares what both declare, and how many rows each table has, and returns tables and rows.
fn compare(connection: &Connection) -> Result<(u64, u64), Fault> {
    let different = |what: &str| Fault::Protocol(format!("the copy has other {what}"));
    let objects = |database: &str| {
        let mut all = Vec::new();
        for (function, name) in [
            ("duckdb_views() WHERE NOT internal AND", "view_name"),
            ("duckdb_indexes() WHERE", "index_name"),
            ("duckdb_sequences() WHERE", "sequence_name"),
            ("duckdb_functions() WHERE NOT internal AND", "function_name"),
            ("duckdb_types() WHERE NOT internal AND", "type_name"),
            ("duckdb_constraints() WHERE", "table_name, constraint_text"),
            (
                "duckdb_columns() WHERE NOT internal AND",
                "table_name, column_index, column_name, data_type, column_default",
            ),
        ] {
            let sql = format!(
                "SELECT schema_name, {name} FROM {function} database_name = $1 ORDER BY ALL"
            );
            all.extend(connection.texts(&sql, &[database])?);
        }
        Ok::<_, EngineError>(all)
    };
    if objects("old")? != objects("new")? {
        return Err(different(
            "columns, keys, views, indexes, sequences, types or macros",
        ));
    }
    let list =
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 ORDER BY ALL";
    let tables = connection.texts(list, &["old"])?;
    if tables != connection.texts(list, &["new"])? {
        return Err(different("tables"));
    }
    let mut rows = 0;
    for table in &tables {
        let parts: Vec<_> = table
            .iter()
            .flatten()
            .map(|part| quote_identifier(part))
            .collect();
        let name = parts.join(".");
        let count = |database: &str| {
            let sql = format!("SELECT count(*)::BIGINT FROM {database}.{name}");
            Ok::<_, EngineError>(
                connection
                    .text(&sql, &[])?
                    .and_then(|text| text.parse::<u64>().ok()),
            )
        };
        match (count("old")?, count("new")?) {
            (Some(old), Some(new)) if old == new => rows += old,
            _ => return Err(different(&format!("rows in {name}"))),
        }
    }
    Ok((tables.len() as u64, rows))
}
