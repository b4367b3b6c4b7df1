//! The Landlock wall: only the named paths, and for each only what its kind of work needs.

use crate::SandboxError;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope,
};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The newest rules this build knows. All are handled, so whatever no rule below grants is denied; an older kernel leaves
/// out what it does not know.
const NEWEST: ABI = ABI::V9;

/// What the database engine and the allocator ask about the machine. Without the first, the engine aborts the process when it
/// opens a database.
const MACHINE: [&str; 3] = [
    "/proc/self/cgroup",
    "/sys/fs/cgroup",
    "/proc/sys/vm/overcommit_memory",
];

/// Restricts this thread, and every thread it starts, to the paths.
pub(super) fn restrict(read: &[PathBuf], write: &[PathBuf]) -> Result<(), SandboxError> {
    let refused = |source| SandboxError::Landlock { source };
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(refused)?;
    for path in read {
        let (fd, kind) = pin(path, OFlags::empty())?;
        rules = rules
            .add_rule(PathBeneath::new(&fd, reading(kind)))
            .map_err(refused)?;
    }
    for path in write {
        let (fd, kind) = pin_written(path)?;
        rules = rules
            .add_rule(PathBeneath::new(&fd, writing(kind)))
            .map_err(refused)?;
    }
    for path in MACHINE.map(Path::new) {
        // A container may hide it; then the engine must do without, and says so itself.
        let Ok((fd, kind)) = pin(path, OFlags::empty()) else {
            continue;
        };
        rules = rules
            .add_rule(PathBeneath::new(&fd, reading(kind)))
            .map_err(refused)?;
        // A rule is about an inode, and /proc makes a new one when memory got scarce and it forgot the old: the open descriptor
        // keeps it. Tried: without this line the engine aborts after `echo 2 > /proc/sys/vm/drop_caches`.
        std::mem::forget(fd);
    }
    rules.restrict_self().map_err(refused)?;
    Ok(())
}

fn reading(kind: FileType) -> BitFlags<AccessFs> {
    if kind.is_dir() {
        AccessFs::ReadFile | AccessFs::ReadDir
    } else {
        AccessFs::ReadFile.into()
    }
}

fn writing(kind: FileType) -> BitFlags<AccessFs> {
    let file = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
    if !kind.is_dir() {
        return file;
    }
    file | AccessFs::ReadDir
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::RemoveDir
}

/// Opens a path that may be written. A directory may be reached through a link, to another disk for instance; a file, which
/// the parent has just made, may not: somebody else has put the link there.
fn pin_written(path: &Path) -> Result<(OwnedFd, FileType), SandboxError> {
    let (fd, kind) = pin(path, OFlags::NOFOLLOW)?;
    if kind != FileType::Symlink {
        return Ok((fd, kind));
    }
    let (fd, kind) = pin(path, OFlags::empty())?;
    if kind.is_dir() {
        Ok((fd, kind))
    } else {
        Err(unusable(path)(Errno::LOOP))
    }
}

/// Opens a path only to name it, and tells what it is.
fn pin(path: &Path, follow: OFlags) -> Result<(OwnedFd, FileType), SandboxError> {
    let fd = open(path, OFlags::PATH | OFlags::CLOEXEC | follow, Mode::empty())
        .map_err(unusable(path))?;
    let kind = FileType::from_raw_mode(fstat(&fd).map_err(unusable(path))?.st_mode);
    Ok((fd, kind))
}

fn unusable(path: &Path) -> impl FnOnce(Errno) -> SandboxError {
    |errno| SandboxError::Path {
        path: path.to_owned(),
        source: errno.into(),
    }
}
