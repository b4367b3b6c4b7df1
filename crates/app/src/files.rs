//! Small files that must never be half written: configuration, secrets, `.gitignore`.

use crate::error::{Error, Result};
use domain::{Code, limits, say};
use fs_err as fs;
use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Who may read what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The owner alone: 0600 for files, 0700 for folders.
    Owner,
    /// Everybody may read: what is committed to git anyway. A new file is 0644 at most.
    Everyone,
}

impl Reach {
    const fn file_mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o644,
        }
    }

    const fn folder_mode(self) -> u32 {
        match self {
            Self::Owner => 0o700,
            Self::Everyone => 0o755,
        }
    }
}

/// Returns the text of a configuration file, `None` when there is none.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("read", path, error)),
    };
    let mut bytes = Vec::new();
    let limit = limits::CONFIG_BYTES_MAX;
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::file("read", path, error))?;
    if bytes.len() as u64 > limit {
        let say = say!("", name path, " is larger than ", limit, " bytes");
        return Err(Error::limit(Code::ConfigUnreadable, say));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let good = error
                .as_bytes()
                .iter()
                .take(error.utf8_error().valid_up_to());
            let line = good.filter(|byte| **byte == b'\n').count() + 1;
            // The cause would carry the bytes along; they may be a secret.
            let say = say!("", name path, " is not UTF-8 text: see line ", line);
            Err(Error::invalid(Code::ConfigUnreadable, say).hint("save it as UTF-8"))
        }
    }
}

/// Writes `path` as a whole or not at all: a temporary file beside it, synced, renamed over it, the folder synced. With
/// [`Reach::Owner`] it is 0600 afterwards; otherwise an existing file keeps its mode and a new one is 0644. A symbolic link
/// stays one.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], reach: Reach) -> Result<()> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mode = match fs::metadata(&target) {
        Ok(metadata) if reach == Reach::Everyone => metadata.permissions().mode() & 0o777,
        _ => reach.file_mode(),
    };
    write_beside(&target, bytes, mode).map_err(|error| Error::file("written", path, error))
}

fn write_beside(target: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".dango-")
        .suffix(".tmp")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary
        .as_file()
        .set_permissions(Permissions::from_mode(mode))?;
    temporary.as_file().sync_all()?;
    domain::fault::point("file.rename");
    temporary.persist(target).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// Creates the file `path` with `bytes`; returns whether it did, which is not the case when something is there already.
pub(crate) fn create_file(path: &Path, bytes: &[u8], reach: Reach) -> Result<bool> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    options.options_mut().mode(reach.file_mode());
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(Error::file("created", path, error)),
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // What is half written must not be taken for a file of the user's.
        let _ = fs::remove_file(path);
        return Err(Error::file("written", path, error));
    }
    Ok(true)
}

/// Creates the folder `path` and the missing ones above it; returns those that were created, outermost first.
pub(crate) fn create_folder(path: &Path, reach: Reach) -> Result<Vec<PathBuf>> {
    let mut missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    // `ancestors` of a relative path ends with the empty path, the current folder.
    missing.retain(|folder| !folder.as_os_str().is_empty());
    let mut created = Vec::new();
    for folder in missing.into_iter().rev() {
        match std::fs::DirBuilder::new()
            .mode(reach.folder_mode())
            .create(folder)
        {
            Ok(()) => created.push(folder.to_path_buf()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::file("created", folder, error)),
        }
    }
    if path.is_dir() {
        return Ok(created);
    }
    Err(Error::file(
        "created",
        path,
        io::ErrorKind::NotADirectory.into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("exists").permissions().mode() & 0o777
    }

    #[test]
    fn what_only_the_owner_may_read_gets_mode_0600() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
        write_whole(&path, b"new", Reach::Owner).expect("written");
        assert_eq!(
            (
                fs::read_to_string(&path).expect("read").as_str(),
                mode(&path)
            ),
            ("new", 0o600)
        );
        assert!(
            !create_file(&path, b"x", Reach::Owner).expect("no failure"),
            "overwritten"
        );
        let deep = folder.path().join("b/c");
        assert_eq!(
            create_folder(&deep, Reach::Owner).expect("created").len(),
            2
        );
        assert_eq!(mode(&deep), 0o700);
        assert_eq!(
            create_folder(&deep, Reach::Owner).expect("there"),
            Vec::<PathBuf>::new()
        );
    }

    #[test]
    fn a_committed_file_keeps_its_mode_and_a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("a"), folder.path().join("l"));
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("changed");
        std::os::unix::fs::symlink(&path, &link).expect("linked");
        write_whole(&link, b"new", Reach::Everyone).expect("written");
        assert_eq!(
            (
                fs::read_to_string(&path).expect("read").as_str(),
                mode(&path)
            ),
            ("new", 0o640)
        );
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(
            fs::read_dir(folder.path()).expect("read").count(),
            2,
            "a temporary file is left"
        );
    }

    #[test]
    fn text_that_is_not_utf8_is_refused_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a");
        fs::write(&path, b"a\nb\n\xff").expect("written");
        let error = read_text(&path).expect_err("not UTF-8");
        assert!(
            error
                .say
                .as_str()
                .ends_with("is not UTF-8 text: see line 3"),
            "{error}"
        );
        assert_eq!(
            read_text(&folder.path().join("none")).expect("no failure"),
            None
        );
    }
}
