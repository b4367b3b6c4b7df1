//! The block of a file source in `sources.yml`.
//!
//! ```yaml
//! - name: shop
//!   type: local_files            # or csv
//!   local_files:
//!     directory: data/uploads    # beneath the project, or absolute
//!     file_pattern: "*.csv"      # one glob, or a list; `**/` goes into folders
//!     notes: free text
//! ```
//!
//! One pattern fills one table, called like the source. Several patterns fill one table each, called after the pattern:
//! `orders_*.csv` and `orders/*.csv` both give `orders`. Names of one's own, and options for each table:
//!
//! ```yaml
//!     tables:
//!       - {name: orders, pattern: "orders/*.csv", delimiter: ";"}
//!       - {name: clicks, pattern: "**/*.jsonl.gz"}
//!     file_patterns: {orders: "orders/*.csv"}    # the same in short
//! ```
//!
//! Options beside `directory` hold for all tables: those of [`FileOptions`], and `removed_files: delete | keep`.

mod naming;

use super::options::FileOptions;
use crate::catalog::suggest::{closest, unknown_word};
use crate::failure::{Failure, invalid};
use domain::names::normalize;
use domain::say;
use domain::say::Quoted;
use domain::{SourceName, TableName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// A file source as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesConfig {
    /// As written: relative paths start at the project.
    pub directory: PathBuf,
    pub tables: Vec<TableFiles>,
    pub removed_files: RemovedFiles,
}

/// The files of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFiles {
    pub name: TableName,
    pub pattern: String,
    pub options: FileOptions,
}

/// What becomes of the rows of a file that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovedFiles {
    /// The table holds what the directory holds.
    #[default]
    Delete,
    Keep,
}

impl FilesConfig {
    /// Reads the block of the source `name`.
    pub fn parse(name: &SourceName, block: &Value) -> Result<Self, Failure> {
        let Value::Object(block) = block else {
            return Err(refused(
                name,
                "its block must be a mapping with `directory`",
            ));
        };
        let mut block = block.clone();
        let directory: String = take(name, &mut block, "directory")?
            .ok_or_else(|| refused(name, "`directory` is missing"))?;
        if directory.trim().is_empty() {
            return Err(refused(name, "`directory` is empty"));
        }
        let removed_files = take(name, &mut block, "removed_files")?.unwrap_or_default();
        block.remove("notes");
        let patterns = block.remove("file_pattern");
        let named: Map<String, Value> =
            take(name, &mut block, "file_patterns")?.unwrap_or_default();
        let tables: Vec<Map<String, Value>> = take(name, &mut block, "tables")?.unwrap_or_default();
        // Once without the tables' own, so that what is wrong is named also where there is no table.
        options_of(name, block.clone(), &KEYS)?;
        let mut all = Vec::new();
        for table in tables {
            all.push(described(name, table, &block)?);
        }
        for (table, pattern) in named {
            all.push(table_of(name, &table, pattern, block.clone())?);
        }
        for (table, pattern) in unnamed(name, patterns, all.is_empty())? {
            all.push(table_of(name, &table, pattern, block.clone())?);
        }
        let mut names: Vec<_> = all.iter().map(|table| &table.name).collect();
        names.sort();
        if let Some([twice, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(
                refused(name, say!("two patterns fill the table ", name * *twice))
                    .hint("give each its own `name` under `tables`"),
            );
        }
        Ok(Self {
            directory: directory.into(),
            tables: all,
            removed_files,
        })
    }
}

/// Returns the patterns of `file_pattern` and the table of each; `alone` says that no other key names one.
fn unnamed(
    name: &SourceName,
    patterns: Option<Value>,
    alone: bool,
) -> Result<Vec<(String, Value)>, Failure> {
    let patterns = match patterns {
        None | Some(Value::Null) if alone => vec![Value::String("*".into())],
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(patterns)) if patterns.is_empty() => {
            return Err(refused(name, "`file_pattern` is an empty list").hint(
                "name a pattern, such as `\"*.csv\"`, or leave the key out to read every file",
            ));
        }
        Some(Value::Array(patterns)) => patterns,
        Some(pattern) => vec![pattern],
    };
    let own = alone && patterns.len() == 1;
    let table = |pattern: &Value| match pattern.as_str() {
        Some(pattern) if !own => naming::after(pattern),
        _ => None,
    };
    let named = patterns.into_iter().map(|pattern| {
        let table = table(&pattern).unwrap_or_else(|| name.to_string());
        (table, pattern)
    });
    Ok(named.collect())
}

/// Returns a table of `tables`: its own keys override those of the source.
fn described(
    name: &SourceName,
    mut table: Map<String, Value>,
    options: &Map<String, Value>,
) -> Result<TableFiles, Failure> {
    let written: String =
        take(name, &mut table, "name")?.ok_or_else(|| refused(name, "a table has no `name`"))?;
    let pattern = table.remove("pattern").ok_or_else(|| {
        let why = say!("table ", name Quoted(&written), " has no `pattern`");
        refused(name, why)
    })?;
    let mut merged = options.clone();
    merged.append(&mut table);
    table_of(name, &written, pattern, merged)
}

fn table_of(
    name: &SourceName,
    written: &str,
    pattern: Value,
    options: Map<String, Value>,
) -> Result<TableFiles, Failure> {
    let Value::String(pattern) = pattern else {
        let why = say!("the pattern of table ", name Quoted(written), " must be a text");
        return Err(refused(name, why));
    };
    glob::Pattern::new(&pattern).map_err(|error| {
        let why =
            say!("the pattern ", name Quoted(&pattern), " cannot be read: ", Quoted(error.msg));
        refused(name, why)
    })?;
    let beneath = !pattern.starts_with('/') && pattern.split('/').all(|part| part != "..");
    if !beneath || pattern.is_empty() {
        let why = say!("the pattern ", name Quoted(&pattern), " leaves the directory");
        return Err(refused(name, why).hint("write it relative to `directory`"));
    }
    let options = options_of(name, options, &TABLE_KEYS)?;
    options.check().map_err(|failure| Failure {
        say: say!("source ", name name, ": ", failure.say),
        ..failure
    })?;
    // Checked above, and normalising never fails on a name that is not empty.
    let table = TableName::parse(&normalize(written))
        .map_err(|error| refused(name, say!("table ", name Quoted(written), ": ", error)))?;
    Ok(TableFiles {
        name: table,
        pattern,
        options,
    })
}

/// Reads options, one by one first, because serde does not say which key has the wrong type; `keys` are those that may stand
/// beside them.
fn options_of(
    name: &SourceName,
    mut options: Map<String, Value>,
    keys: &[&str],
) -> Result<FileOptions, Failure> {
    options.retain(|_, value| !value.is_null());
    let read = |options| serde_json::from_value(Value::Object(options));
    for (key, value) in &options {
        let one: Result<FileOptions, _> = read(Map::from_iter([(key.clone(), value.clone())]));
        one.map_err(|error| misread(name, key, keys, &error.to_string()))?;
    }
    read(options).map_err(|error| refused(name, say!("", Quoted(&error.to_string()))))
}

/// Every key of the block beside the options; serde knows only those of the struct it reads.
const KEYS: [&str; 6] = [
    "directory",
    "file_pattern",
    "file_patterns",
    "tables",
    "removed_files",
    "notes",
];
/// Every key of one of `tables` beside the options.
const TABLE_KEYS: [&str; 2] = ["name", "pattern"];

/// Returns the failure of an option that serde refuses: an unknown key with what it may have meant.
fn misread(name: &SourceName, key: &str, keys: &[&str], message: &str) -> Failure {
    let unknown = unknown_word(message).filter(|_| message.starts_with("unknown field"));
    let Some((unknown, expected)) = unknown else {
        return wrong(name, key, message);
    };
    let failure = refused(name, say!("unknown key ", name Quoted(unknown)));
    match closest(unknown, expected.iter().chain(keys).copied()) {
        Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
        None => failure.hint(say!(
            "known keys: ",
            Quoted(&keys.join(", ")),
            ", ",
            Quoted(&expected.join(", "))
        )),
    }
}

/// Returns the failure of a key whose value serde refuses.
fn wrong(name: &SourceName, key: &str, message: &str) -> Failure {
    let why = say!("", name Quoted(key), " cannot be read: ", Quoted(message));
    let failure = refused(name, why);
    if message.ends_with("expected a sequence") {
        return failure.hint(say!("write a list: `", Quoted(key), ": [...]`"));
    }
    failure
}

fn take<T: DeserializeOwned>(
    name: &SourceName,
    block: &mut Map<String, Value>,
    key: &'static str,
) -> Result<Option<T>, Failure> {
    let Some(value) = block.remove(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    serde_json::from_value(value)
        .map(Some)
        .map_err(|error| wrong(name, key, &error.to_string()))
}

fn refused(name: &SourceName, why: impl Into<domain::Say>) -> Failure {
    invalid(say!("source ", name name, ": ", why.into()))
}

#[cfg(test)]
mod tests;
