//! The key that signs the next checkpoint, on disk. Each key signs once: before it does, the next one is made and stored;
//! afterwards it is overwritten. Whatever instant a crash comes at, one of the two files holds the key that is expected.

use crate::error::{Error, Result};
use crate::files::{self, Reach};
use crate::project::Project;
use fs_err as fs;
use security::audit_chain::{AuditKey, PublicKey};
use security::{Entropy, Plain};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The keys of a project.
pub(super) struct KeyRing {
    folder: PathBuf,
}

/// A key that may sign now.
pub(super) struct Held {
    pub(super) key: AuditKey,
    /// Whether it is another one than the last checkpoint names, because that one is gone.
    pub(super) is_renewed: bool,
}

impl KeyRing {
    pub(super) fn of(project: &Project) -> Self {
        Self {
            folder: project.keys_dir(),
        }
    }

    /// Returns the public half of the key that a checkpoint may be signed with, as far as there is one.
    pub(super) fn public(&self, expected: Option<PublicKey>) -> Result<Option<PublicKey>> {
        let current = read(&self.current())?;
        let current = current.map(|key| key.public());
        if expected.is_none() || current == expected {
            return Ok(current);
        }
        let next = read(&self.next())?.map(|key| key.public());
        Ok(if next == expected { next } else { current })
    }

    /// Returns the key that the last checkpoint names; the first one, or another one when that is gone, is made.
    pub(super) fn take(&self, expected: Option<PublicKey>, entropy: &dyn Entropy) -> Result<Held> {
        files::create_folder(&self.folder, Reach::Owner)?;
        let current = read(&self.current())?;
        if let Some(key) = current
            && expected.is_none_or(|expected| key.public() == expected)
        {
            return Ok(Held {
                key,
                is_renewed: false,
            });
        }
        if let Some(key) = read(&self.next())?
            && Some(key.public()) == expected
        {
            // The checkpoint was written, and then the process died.
            self.advance()?;
            return Ok(Held {
                key,
                is_renewed: false,
            });
        }
        let key = AuditKey::generate(entropy);
        write(&self.current(), &key)?;
        Ok(Held {
            key,
            is_renewed: expected.is_some(),
        })
    }

    /// Stores the key that comes next, beside the one that signs now.
    pub(super) fn store_next(&self, key: &AuditKey) -> Result<()> {
        write(&self.next(), key)
    }

    /// Overwrites the key that has signed, and puts the next one in its place.
    pub(super) fn advance(&self) -> Result<()> {
        let current = self.current();
        overwrite(&current).map_err(|error| Error::file("overwritten", &current, error))?;
        domain::fault::point("audit key overwritten");
        let next = self.next();
        let moved =
            fs::rename(&next, &current).and_then(|()| fs::File::open(&self.folder)?.sync_all());
        moved.map_err(|error| Error::file("renamed", &next, error))
    }

    fn current(&self) -> PathBuf {
        self.folder.join("audit.key")
    }

    fn next(&self) -> PathBuf {
        self.folder.join("audit.key.next")
    }
}

/// Reads a key; what is missing, or was torn or overwritten, is none.
fn read(path: &Path) -> Result<Option<AuditKey>> {
    let text = files::read_text(path)?.map(Plain::new);
    Ok(text.as_ref().and_then(AuditKey::from_stored))
}

fn write(path: &Path, key: &AuditKey) -> Result<()> {
    files::write_whole(path, key.to_stored().expose().as_bytes(), Reach::Owner)
}

/// Writes zeros over a file. A disk that writes elsewhere than it is told keeps the old bytes until it reuses them.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = match fs::OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; bytes.min(4096)])?;
    file.sync_all()
}
