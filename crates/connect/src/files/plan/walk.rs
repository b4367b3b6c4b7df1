//! Going through a directory. Hidden files, and names that programs give to what they have not finished, do not exist.

use super::super::place::{describe, lies_openly};
use super::shown;
use crate::failure::{Failure, FailureKind};
use domain::limits::FILES_MAX;
use domain::say;
use domain::say::Quoted;
use fs_err as fs;
use std::fs::FileType;
use std::path::{Path, PathBuf};

/// Folders deeper than this are data by accident.
const DEPTH_MAX: usize = 32;

/// Something that was met on the way.
pub(super) struct Met {
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) what: What,
}

/// What stands behind a name. Only files are read; the others matter if a pattern asks for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    File,
    /// A file whose name is not UTF-8; `path` is close to it.
    Unnamed,
    /// A link that leads out of the directory.
    Outside,
    /// A file of the project's own, or a link to a hidden one.
    Private,
    /// A link to nothing.
    Nothing,
    /// Neither file nor folder, and what it is called.
    Special(&'static str),
}

/// A walk through a directory and what it found.
pub(super) struct Walk<'a> {
    pub(super) root: &'a Path,
    /// Files and folders of the project's own.
    pub(super) private: &'a [PathBuf],
    pub(super) found: Vec<Met>,
    pub(super) warnings: Vec<String>,
    /// Whether folders beneath are entered.
    pub(super) deep: bool,
}

impl Walk<'_> {
    /// Takes in a folder whose path beneath the root is `prefix`.
    pub(super) fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        if depth > DEPTH_MAX {
            return Err(too_deep(prefix));
        }
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(folder, error))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if is_passing(&text) {
                continue;
            }
            let (full, path) = (entry.path(), format!("{prefix}{text}"));
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(folder, error))?;
            if kind.is_dir() {
                if self.deep && self.is_private(&full) {
                    self.skip(&path, "belongs to the project itself");
                } else if self.deep {
                    self.folder(&full, &format!("{path}/"), depth + 1)?;
                }
                continue;
            }
            let Some(what) = self.judge(&full, kind) else {
                if self.deep {
                    self.skip(&path, "is a linked folder");
                }
                continue;
            };
            let what = match what {
                What::File if name.to_str().is_none() => What::Unnamed,
                what => what,
            };
            let bytes = fs::metadata(&full).map_or(0, |metadata| metadata.len());
            self.found.push(Met { path, bytes, what });
            if self.found.len() > FILES_MAX {
                return Err(too_many(self.root));
            }
        }
        Ok(())
    }

    /// Returns what stands behind a name that is no folder; `None` for a link to a folder.
    fn judge(&self, full: &Path, kind: FileType) -> Option<What> {
        if kind.is_symlink() {
            return self.follow(full);
        }
        Some(if !kind.is_file() {
            What::Special(describe(kind))
        } else if self.is_private(full) {
            What::Private
        } else {
            What::File
        })
    }

    /// Returns what a link leads to: one to a file beneath the directory is that file. `None` for a folder beneath it, which
    /// is not entered, because it could lead in circles.
    fn follow(&self, link: &Path) -> Option<What> {
        let Ok(target) = fs::canonicalize(link) else {
            return Some(What::Nothing);
        };
        if !target.starts_with(self.root) {
            return Some(What::Outside);
        }
        let Ok(metadata) = fs::metadata(&target) else {
            return Some(What::Nothing);
        };
        if metadata.is_dir() {
            return None;
        }
        Some(if !metadata.is_file() {
            What::Special(describe(metadata.file_type()))
        } else if self.is_private(&target) || !lies_openly(self.root, &target) {
            What::Private
        } else {
            What::File
        })
    }

    fn is_private(&self, real: &Path) -> bool {
        self.private.iter().any(|own| real.starts_with(own))
    }

    fn skip(&mut self, path: &str, why: &str) {
        self.warnings
            .push(format!("`{}` {why} and is skipped", shown(path)));
    }
}

/// Returns whether a name is hidden, or one that programs give to what they have not finished.
fn is_passing(name: &str) -> bool {
    const SUFFIXES: [&str; 7] = [
        "~",
        ".tmp",
        ".temp",
        ".crdownload",
        ".part",
        ".partial",
        ".swp",
    ];
    let lower = name.to_ascii_lowercase();
    name.starts_with(['.', '~']) || SUFFIXES.iter().any(|suffix| lower.ends_with(suffix))
}

fn too_deep(folder: &str) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("folder ", name Quoted(folder), " lies more than ", DEPTH_MAX, " folders deep"),
    )
    .hint("move its files up, or make a folder further down a source of its own")
}

fn too_many(root: &Path) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("directory ", name root, " has more than ", FILES_MAX, " files"),
    )
    .hint("split it into several sources")
}

fn unreadable(folder: &Path, error: std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Forbidden,
        say!("folder ", name folder, " cannot be read"),
    )
    .hint("give the user that runs dango read access to it")
    .caused_by(error)
}
