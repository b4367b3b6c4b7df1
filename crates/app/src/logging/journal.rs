//! The log file: private, appended to line by line, moved aside when it is full.

use crate::error::{Error, Result};
use crate::files::{self, Reach};
use fs_err as fs;
use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A file beyond this is moved aside: large enough for weeks, small enough to open in an editor.
const FILE_BYTES_MAX: u64 = 10 << 20;
/// Older files are deleted.
const FILES_KEPT: u32 = 5;

/// A log file. Several processes may write to the same.
pub(super) struct Journal {
    path: PathBuf,
    file: fs::File,
    bytes: u64,
    bytes_max: u64,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, FILE_BYTES_MAX)
    }

    pub(super) fn open_with(path: &Path, bytes_max: u64) -> Result<Self> {
        if let Some(folder) = path.parent() {
            files::create_folder(folder, Reach::Owner)?;
        }
        let (file, bytes) = append_to(path).map_err(|error| Error::file("opened", path, error))?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            bytes,
            bytes_max,
        })
    }

    /// Writes one line, which ends with its line end.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.bytes_max {
            self.rotate()?;
        }
        // One call, so that lines of several processes do not mix.
        self.file.write_all(line.as_bytes())?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let current = fs::metadata(&self.path);
        // Another process may have moved it already.
        let is_current =
            current.is_ok_and(|now| now.ino() == ours.ino() && now.dev() == ours.dev());
        if is_current {
            for number in (1..FILES_KEPT).rev() {
                match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            fs::rename(&self.path, self.numbered(1))?;
        }
        (self.file, self.bytes) = append_to(&self.path)?;
        Ok(())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

fn append_to(path: &Path) -> io::Result<(fs::File, u64)> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    options.options_mut().mode(0o600);
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok((file, metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_is_moved_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("logs/log");
        let mut journal = Journal::open_with(&path, 10).expect("opened");
        for number in 0..9 {
            journal.write(&format!("line {number}\n")).expect("written");
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
        assert_eq!(read("logs/log").as_deref(), Some("line 8\n"));
        assert_eq!(read("logs/log.1").as_deref(), Some("line 7\n"));
        assert_eq!(read("logs/log.5").as_deref(), Some("line 3\n"));
        assert_eq!(read("logs/log.6"), None);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_writers_share_a_file_and_its_moves() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let mut one = Journal::open_with(&path, 14).expect("opened");
        let mut two = Journal::open_with(&path, 14).expect("opened");
        for _ in 0..3 {
            one.write("one 1\n").expect("written");
            two.write("two 2\n").expect("written");
        }
        let mut lines = 0;
        for entry in fs::read_dir(folder.path()).expect("read") {
            lines += fs::read_to_string(entry.expect("an entry").path())
                .expect("read")
                .lines()
                .count();
        }
        assert_eq!(lines, 6);
    }
}
