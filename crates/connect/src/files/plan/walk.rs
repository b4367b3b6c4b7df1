//! Going through a directory. Hidden files, and names that programs give to what they have not finished, do not exist.

use super::shown;
use crate::failure::{Failure, FailureKind};
use domain::limits::FILES_MAX;
use domain::say;
use fs_err as fs;
use std::path::{Path, PathBuf};

/// Folders deeper than this are data by accident.
const DEPTH_MAX: usize = 32;

/// A file that was met on the way.
pub(super) struct Met {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// A link that leads out of the directory.
    pub(super) outside: bool,
    /// The name is not UTF-8; `path` is close to it.
    pub(super) inexact: bool,
}

/// A walk through a directory and what it found.
pub(super) struct Walk {
    pub(super) root: PathBuf,
    pub(super) found: Vec<Met>,
    pub(super) warnings: Vec<String>,
    /// Whether folders beneath are entered.
    pub(super) deep: bool,
}

impl Walk {
    /// Takes in a folder whose path beneath the root is `prefix`.
    pub(super) fn folder(
        &mut self,
        folder: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(folder, error))?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if is_passing(&text) {
                continue;
            }
            let path = format!("{prefix}{text}");
            let kind = entry
                .file_type()
                .map_err(|error| unreadable(folder, error))?;
            if kind.is_dir() {
                if self.deep && depth < DEPTH_MAX {
                    self.folder(&entry.path(), &format!("{path}/"), depth + 1)?;
                }
            } else if kind.is_symlink() {
                self.link(&entry.path(), path, name.to_str().is_none());
            } else if kind.is_file() {
                let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
                self.found.push(Met {
                    path,
                    bytes,
                    outside: false,
                    inexact: name.to_str().is_none(),
                });
            }
            if self.found.len() > FILES_MAX {
                return Err(Failure::new(
                    FailureKind::ConfigInvalid,
                    say!(
                        "directory ",
                        name self.root,
                        " has more than ",
                        FILES_MAX,
                        " files"
                    ),
                )
                .hint("split it into several sources"));
            }
        }
        Ok(())
    }

    /// A link to a file beneath the directory is that file; a linked folder is not entered, it could lead in circles.
    fn link(&mut self, link: &Path, path: String, inexact: bool) {
        let Ok(target) = fs::canonicalize(link) else {
            self.warnings.push(format!(
                "`{}` is a link to nothing and is skipped",
                shown(&path)
            ));
            return;
        };
        let outside = !target.starts_with(&self.root);
        if target.is_dir() && !outside {
            self.warnings.push(format!(
                "`{}` is a linked folder and is skipped",
                shown(&path)
            ));
            return;
        }
        if !outside && !target.is_file() {
            return;
        }
        let bytes = fs::metadata(&target).map_or(0, |metadata| metadata.len());
        self.found.push(Met {
            path,
            bytes,
            outside,
            inexact,
        });
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

fn unreadable(folder: &Path, error: std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Forbidden,
        say!("folder ", name folder, " cannot be read"),
    )
    .hint("give the user that runs dango read access to it")
    .caused_by(error)
}
