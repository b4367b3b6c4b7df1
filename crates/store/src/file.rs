//! The file of the `SQLite` database: only its owner may read it, and it is copied before it is changed in shape.

use crate::error::StoreError;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Read and write for the owner, nothing for others: the file names people, sources and errors.
const MODE: u32 = 0o600;

/// Returns whether there is a file with something in it.
pub(crate) fn is_filled(path: &Path) -> io::Result<bool> {
    match fs_err::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Creates the file when it is missing and takes other people's rights to it away. `SQLite` gives its companions (`-wal`,
/// `-shm`) the same mode.
pub(crate) fn prepare(path: &Path) -> io::Result<()> {
    let file = fs_err::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(MODE)
        .open(path)?;
    let mut permissions = file.metadata()?.permissions();
    if permissions.mode() & 0o777 != MODE {
        permissions.set_mode(MODE);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

/// A copy that is being made: it gets its name when it is whole.
pub(crate) struct Copy {
    part: PathBuf,
    name: PathBuf,
}

impl Copy {
    /// Prepares the empty file beside `path` that the database is copied into; `before` says which change it precedes.
    pub(crate) fn begin(path: &Path, before: &str) -> Result<Self, StoreError> {
        let beside = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        let copy = Self {
            part: beside(&format!(".{}.part", std::process::id())),
            name: beside(&format!(".before-{before}.backup")),
        };
        match fs_err::remove_file(&copy.part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => prepare(&copy.part)?,
        }
        Ok(copy)
    }

    /// Returns the file to copy into.
    pub(crate) fn path(&self) -> Result<&str, StoreError> {
        let refused = || {
            io::Error::new(
                io::ErrorKind::InvalidFilename,
                "the path of the database is not UTF-8",
            )
        };
        Ok(self.part.to_str().ok_or_else(refused)?)
    }

    /// Makes the copy durable and gives it its name. `VACUUM INTO` itself never flushes.
    pub(crate) fn finish(self) -> Result<PathBuf, StoreError> {
        fs_err::File::open(&self.part)?.sync_all()?;
        fs_err::rename(&self.part, &self.name)?;
        if let Some(folder) = self
            .name
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs_err::File::open(folder)?.sync_all()?;
        }
        Ok(self.name)
    }
}
