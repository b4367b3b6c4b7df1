//! Which files a source has, found by the parent without opening any of them.

mod walk;

use super::config::{FilesConfig, TableFiles};
use super::format::{Format, Named};
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use fs_err as fs;
use glob::{MatchOptions, Pattern};
use std::path::{Path, PathBuf};
use walk::{Met, Walk, What};

/// The files of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlan {
    /// The directory, absolute and free of links: what the reader may read.
    pub directory: PathBuf,
    pub tables: Vec<PlannedTable>,
    /// What the user should know: names that match a pattern and are not read.
    pub warnings: Vec<String>,
}

/// The files of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTable {
    pub table: TableFiles,
    /// Sorted by path.
    pub files: Vec<PlannedFile>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// The path beneath the directory: what the file is known by, so that equal names in two folders stay apart.
    pub path: String,
    pub format: Format,
    pub bytes: u64,
}

/// Returns the files of a source; a relative directory starts at `project`.
pub fn plan(config: &FilesConfig, project: &Path) -> Result<FilePlan, Failure> {
    let written = project.join(&config.directory);
    let directory = fs::canonicalize(&written).map_err(|error| {
        Failure::new(
            FailureKind::Missing,
            say!("directory ", name config.directory, " cannot be found"),
        )
        .hint("create it, or correct `directory`; relative paths start at the project")
        .caused_by(error)
    })?;
    if !directory.is_dir() {
        return Err(Failure::new(
            FailureKind::ConfigInvalid,
            say!("`directory` ", name config.directory, " is a file"),
        )
        .hint("name the folder, and the file in `file_pattern`"));
    }
    let private = private_paths(project);
    check_private(config, &directory, &private)?;
    let deep = config
        .tables
        .iter()
        .any(|table| table.pattern.contains('/'));
    let mut walk = Walk {
        root: &directory,
        private: &private,
        found: Vec::new(),
        warnings: Vec::new(),
        deep,
    };
    walk.folder(&directory, "", 0)?;
    walk.found.sort_by(|a, b| a.path.cmp(&b.path));
    let mut tables = Vec::new();
    for table in &config.tables {
        tables.push(choose(table, &walk.found, &mut walk.warnings)?);
    }
    let warnings = walk.warnings;
    Ok(FilePlan {
        directory,
        tables,
        warnings,
    })
}

/// Returns where the project keeps its own: `.dlt` holds credentials, and what is in the warehouse every query may read. Each
/// is followed to where it really is, because it may be a link itself.
fn private_paths(project: &Path) -> Vec<PathBuf> {
    const OWN: [&str; 4] = [".dlt", ".dango", ".dlt/secrets.toml", ".env"];
    OWN.iter()
        .filter_map(|name| fs::canonicalize(project.join(name)).ok())
        .collect()
}

/// Refuses a directory that is the project's own.
fn check_private(
    config: &FilesConfig,
    directory: &Path,
    private: &[PathBuf],
) -> Result<(), Failure> {
    if !private.iter().any(|own| directory.starts_with(own)) {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::ConfigInvalid,
        say!("directory ", name config.directory, " belongs to the project itself and is never read as data"),
    )
    .hint("put the files into a folder of their own, for instance `data/uploads`"))
}

/// Returns the files that match a table's pattern.
fn choose(
    table: &TableFiles,
    found: &[Met],
    warnings: &mut Vec<String>,
) -> Result<PlannedTable, Failure> {
    let pattern = Pattern::new(&table.pattern)
        .map_err(|error| Failure::new(FailureKind::ConfigInvalid, say!("", Quoted(error.msg))))?;
    // `ORDERS.CSV` is a CSV file too, and `*` stays in its folder.
    let options = MatchOptions {
        case_sensitive: false,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let mut files = Vec::new();
    for met in found
        .iter()
        .filter(|met| pattern.matches_with(&met.path, options))
    {
        if let Some(format) = format_of(table, met, warnings)? {
            files.push(PlannedFile {
                path: met.path.clone(),
                format,
                bytes: met.bytes,
            });
        }
    }
    if files.is_empty() {
        warnings.push(format!("no file matches `{}`", shown(&table.pattern)));
    }
    Ok(PlannedTable {
        table: table.clone(),
        files,
    })
}

/// Returns the format of a file, `None` for one that is skipped.
fn format_of(
    table: &TableFiles,
    met: &Met,
    warnings: &mut Vec<String>,
) -> Result<Option<Format>, Failure> {
    let refuse = |what: &'static str, hint: &'static str| {
        let say = say!("file ", name Quoted(&met.path), " ", Quoted(what));
        Err(Failure::new(FailureKind::FileInvalid, say).hint(hint))
    };
    let mut skip = |why: &str| {
        warnings.push(format!("`{}` {why}", shown(&met.path)));
        Ok(None)
    };
    match met.what {
        What::File => {}
        What::Unnamed => return refuse("has a name that is not UTF-8", "rename it"),
        What::Outside => {
            return refuse(
                "is a link that leads out of the source's directory",
                "copy the file into the directory, or make its folder a source of its own",
            );
        }
        What::Private => {
            return refuse(
                "leads to a hidden file or to one of the project's own, and those are never read as data",
                "remove it, or let `file_pattern` leave it out",
            );
        }
        What::Nothing => return skip("is a link to nothing and is skipped"),
        What::Special(what) => return skip(&format!("is {what}, not a file, and is skipped")),
    }
    match (table.options.format, Format::of_name(&met.path)) {
        (Some(format), _) | (None, Named::Format(format)) => Ok(Some(format)),
        (None, Named::Compressed) => refuse(
            "is packed in a way that is not read",
            "unpack it, or pack it with gzip or zstd",
        ),
        (None, Named::Unknown) => skip(
            "is skipped: its name does not end in csv, tsv, json, jsonl or parquet (set `format` to read it)",
        ),
    }
}

fn shown(text: &str) -> String {
    super::faults::lossy(text.as_bytes())
}
