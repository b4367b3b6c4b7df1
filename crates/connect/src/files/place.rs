//! Where a file is, and how it is called towards users: by its path beneath the source's directory.

use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::{Quoted, Shown};
use std::path::{Component, Path, PathBuf};

/// A file beneath a source's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
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
            return Err(Failure::new(
                FailureKind::ConfigInvalid,
                say!("file ", name Quoted(name), " lies outside its source's directory"),
            ));
        }
        Ok(Self {
            full: directory.join(name),
            name: name.to_owned(),
        })
    }
}

impl Shown for Place {
    fn show(&self, out: &mut String) {
        Quoted(&self.name).show(out);
    }
}
