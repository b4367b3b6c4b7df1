//! Where a file is, how it is called towards users (by its path beneath the source's directory), and what may be opened there.

use super::input::{cannot_read, invalid};
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::{Quoted, Shown};
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt;
use std::ffi::OsStr;
use std::fs::FileType;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

/// A file beneath a source's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    directory: PathBuf,
    pub(crate) full: PathBuf,
    pub(crate) name: String,
}

impl Place {
    /// Returns the file `name` beneath `directory`; a name that leads out of it is refused.
    pub(crate) fn new(directory: &Path, name: &str) -> Result<Self, Failure> {
        let inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside || name.is_empty() {
            return Err(outside(&Quoted(name)));
        }
        Ok(Self {
            directory: directory.to_path_buf(),
            full: directory.join(name),
            name: name.to_owned(),
        })
    }

    /// Opens the file. The walk judged what stands behind its name, and somebody may have put something else there since: so
    /// links are followed before it is opened and none while it is, and the open descriptor is what must be a file.
    pub(crate) fn open(&self) -> Result<fs::File, Failure> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::new(FailureKind::Missing, say!("file ", name self, " is gone"))
            }
            _ => cannot_read(self, error),
        };
        let root = fs::canonicalize(&self.directory).map_err(failed)?;
        let real = fs::canonicalize(&self.full).map_err(failed)?;
        if !lies_openly(&root, &real) {
            return Err(outside(self));
        }
        // Without waiting for somebody to write into a pipe.
        let file = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(real)
            .map_err(failed)?;
        let kind = file.metadata().map_err(failed)?.file_type();
        if kind.is_file() {
            return Ok(file);
        }
        Err(invalid(
            self,
            say!("is ", Quoted(describe(kind)), ", not a file"),
        ))
    }
}

impl Shown for Place {
    fn show(&self, out: &mut String) {
        Quoted(&self.name).show(out);
    }
}

fn outside(name: &impl Shown) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("file ", name name, " lies outside its source's directory"),
    )
}

/// Returns whether `real`, a path free of links, lies beneath `root` and in no hidden folder there: those (`.dlt`, `.git`) and
/// hidden files (`.env`) are no data, whatever name a link gives them.
pub(super) fn lies_openly(root: &Path, real: &Path) -> bool {
    real.strip_prefix(root).is_ok_and(|below| {
        below
            .components()
            .map(Component::as_os_str)
            .all(|part| !is_hidden(part))
    })
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Returns what something that is no file is called.
pub(super) fn describe(kind: FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}
