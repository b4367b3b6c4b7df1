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

use super::options::FileOptions;
use crate::catalog::suggest::{closest, unknown_word};
use crate::failure::{Failure, FailureKind};
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
        let mut all = Vec::new();
        for table in tables {
            all.push(table_of(name, table, &block)?);
        }
        for (table, pattern) in named {
            let table = [
                ("name".into(), Value::String(table)),
                ("pattern".into(), pattern),
            ];
            all.push(table_of(name, table.into_iter().collect(), &block)?);
        }
        all.extend(unnamed(name, patterns, all.is_empty(), &block)?);
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

/// Returns the tables of `file_pattern`: one called like the source, or several called after their patterns.
fn unnamed(
    name: &SourceName,
    patterns: Option<Value>,
    alone: bool,
    options: &Map<String, Value>,
) -> Result<Vec<TableFiles>, Failure> {
    let patterns = match patterns {
        None | Some(Value::Null) if alone => vec![Value::String("*".into())],
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(patterns)) => patterns,
        Some(pattern) => vec![pattern],
    };
    let own = alone && patterns.len() == 1;
    let of = |pattern: Value| {
        let called = if own {
            name.to_string()
        } else {
            name_of(name, pattern.as_str())
        };
        let table = [
            ("name".into(), Value::String(called)),
            ("pattern".into(), pattern),
        ];
        table_of(name, table.into_iter().collect(), options)
    };
    patterns.into_iter().map(of).collect()
}

/// Returns what a pattern without a name is called after: its last part that is more than wildcards and extensions.
fn name_of(source: &SourceName, pattern: Option<&str>) -> String {
    let literal = |part: &str| {
        let stem = part.split('.').next().unwrap_or_default();
        let kept = stem.trim_matches(|c: char| !c.is_alphanumeric());
        if kept.contains(['*', '?', '[']) {
            let start = kept.split(['*', '?', '[']).next().unwrap_or_default();
            return start
                .trim_end_matches(|c: char| !c.is_alphanumeric())
                .to_owned();
        }
        kept.to_owned()
    };
    let parts = pattern.unwrap_or_default().rsplit('/').map(literal);
    parts
        .into_iter()
        .find(|part| !part.is_empty())
        .unwrap_or_else(|| source.to_string())
}

fn table_of(
    name: &SourceName,
    mut table: Map<String, Value>,
    options: &Map<String, Value>,
) -> Result<TableFiles, Failure> {
    let written: String =
        take(name, &mut table, "name")?.ok_or_else(|| refused(name, "a table has no `name`"))?;
    let pattern: String = take(name, &mut table, "pattern")?.ok_or_else(|| {
        refused(
            name,
            say!("table ", name Quoted(&written), " has no `pattern`"),
        )
    })?;
    glob::Pattern::new(&pattern).map_err(|error| {
        refused(
            name,
            say!("the pattern ", name Quoted(&pattern), " cannot be read: ", Quoted(error.msg)),
        )
    })?;
    let beneath = !pattern.starts_with('/') && pattern.split('/').all(|part| part != "..");
    if !beneath || pattern.is_empty() {
        return Err(refused(
            name,
            say!("the pattern ", name Quoted(&pattern), " leaves the directory"),
        )
        .hint("write it relative to `directory`"));
    }
    let mut merged = options.clone();
    merged.append(&mut table);
    let options: FileOptions = serde_json::from_value(Value::Object(merged))
        .map_err(|error| misread(name, &error.to_string()))?;
    options.check().map_err(|failure| Failure {
        say: say!("source ", name name, ": ", failure.say),
        ..failure
    })?;
    // Checked above, and normalising never fails on a name that is not empty.
    let table = TableName::parse(&normalize(&written))
        .map_err(|error| refused(name, say!("table ", name Quoted(&written), ": ", error)))?;
    Ok(TableFiles {
        name: table,
        pattern,
        options,
    })
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

/// Returns the failure of options that serde refuses: an unknown key with what it may have meant.
fn misread(name: &SourceName, message: &str) -> Failure {
    let unknown = unknown_word(message).filter(|_| message.starts_with("unknown field"));
    let Some((unknown, expected)) = unknown else {
        return refused(name, say!("", Quoted(message)));
    };
    let failure = refused(name, say!("unknown key ", name Quoted(unknown)));
    match closest(unknown, expected.iter().copied().chain(KEYS)) {
        Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
        None => failure.hint(say!(
            "known keys: ",
            Quoted(&KEYS.join(", ")),
            ", ",
            Quoted(&expected.join(", "))
        )),
    }
}

fn take<T: DeserializeOwned>(
    name: &SourceName,
    block: &mut Map<String, Value>,
    key: &'static str,
) -> Result<Option<T>, Failure> {
    let Some(value) = block.remove(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    serde_json::from_value(value).map(Some).map_err(|error| {
        refused(
            name,
            say!("", name Quoted(key), " cannot be read: ", Quoted(&error.to_string())),
        )
    })
}

fn refused(name: &SourceName, why: impl Into<domain::Say>) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("source ", name name, ": ", why.into()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(block: &Value) -> Result<FilesConfig, Failure> {
        FilesConfig::parse(&SourceName::parse("shop").unwrap(), block)
    }

    #[test]
    fn tables_are_named_after_source_pattern_or_configuration() {
        let check = |block: Value, expect: &[(&str, &str)]| {
            let config = parse(&block).unwrap();
            let tables: Vec<_> = config
                .tables
                .iter()
                .map(|t| (t.name.as_str(), t.pattern.as_str()))
                .collect();
            assert_eq!(tables, expect, "{block}");
        };
        check(json!({"directory": "d"}), &[("shop", "*")]);
        check(
            json!({"directory": "d", "file_pattern": "*.csv", "notes": "x"}),
            &[("shop", "*.csv")],
        );
        check(
            json!({"directory": "d", "file_pattern": ["orders_*.csv", "Items/**/*.json", "*.tsv"]}),
            &[
                ("orders", "orders_*.csv"),
                ("items", "Items/**/*.json"),
                ("shop", "*.tsv"),
            ],
        );
        check(
            json!({"directory": "d", "tables": [{"name": "A b", "pattern": "a/*"}], "file_patterns": {"c": "c*"}}),
            &[("a_b", "a/*"), ("c", "c*")],
        );
    }

    #[test]
    fn options_of_a_table_override_those_of_the_source() {
        let config = parse(&json!({
            "directory": "d", "delimiter": ";", "header": false, "removed_files": "keep",
            "tables": [{"name": "a", "pattern": "a*"}, {"name": "b", "pattern": "b*", "delimiter": "tab"}],
        }))
        .unwrap();
        assert_eq!(config.removed_files, RemovedFiles::Keep);
        let delimiters: Vec<_> = config
            .tables
            .iter()
            .map(|t| t.options.delimiter.clone())
            .collect();
        assert_eq!(delimiters, [Some(";".into()), Some("tab".into())]);
        assert_eq!(config.tables[1].options.header, Some(false));
    }

    #[test]
    fn a_block_that_cannot_be_meant_is_refused() {
        let check = |block: Value, expect: &str| {
            let failure = parse(&block).expect_err("refused");
            assert_eq!(failure.kind, FailureKind::ConfigInvalid);
            assert!(
                failure.say.as_str().contains(expect),
                "{block}: {}",
                failure.say
            );
        };
        check(json!("d"), "mapping");
        check(json!({}), "`directory` is missing");
        check(json!({"directory": " "}), "`directory` is empty");
        check(json!({"directory": 3}), "`directory` cannot be read");
        check(
            json!({"directory": "d", "file_patern": "*"}),
            "unknown key `file_patern`",
        );
        check(
            json!({"directory": "d", "file_pattern": "[a"}),
            "`[a` cannot be read",
        );
        check(
            json!({"directory": "d", "file_pattern": "../*"}),
            "leaves the directory",
        );
        check(
            json!({"directory": "d", "file_pattern": "/etc/*"}),
            "leaves the directory",
        );
        check(
            json!({"directory": "d", "delimiter": "ab"}),
            "`delimiter` must be one ASCII sign",
        );
        check(
            json!({"directory": "d", "delimiter": "\""}),
            "must be different",
        );
        check(
            json!({"directory": "d", "encoding": "klingon"}),
            "`klingon` is not known",
        );
        check(
            json!({"directory": "d", "ragged": "maybe"}),
            "unknown variant `maybe`",
        );
        check(json!({"directory": "d", "header": "yes"}), "invalid type");
        check(
            json!({"directory": "d", "file_pattern": ["a*.csv", "a*.tsv"]}),
            "two patterns fill",
        );
        check(
            json!({"directory": "d", "tables": [{"pattern": "*"}]}),
            "no `name`",
        );
        check(
            json!({"directory": "d", "tables": [{"name": "a"}]}),
            "no `pattern`",
        );
    }
}
