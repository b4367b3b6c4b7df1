//! Compaction: a copy of the file without the space that nothing uses, put in its place.

use super::link::{cage, data_dir, keep_owner_and_mode};
use super::{ALONE_TIMEOUT, Warehouse, blocking};
use crate::compactor::{COMPACTOR_ROLE, CompactReply, CompactRequest};
use crate::error::WarehouseError;
use crate::worker::wal_of;
use domain::fault;
use sandbox::{Cage, Launcher};
use security::Allow;
use security::permissions::PlatformManage;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactReport {
    pub tables: u64,
    pub rows: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
}

impl Warehouse {
    /// Copies the warehouse into a new file, compares what both declare and how many rows they have, and puts the new one in
    /// the place of the old. Waits for what runs; nothing else runs meanwhile. Whenever it is cut off, the old file is still
    /// there, whole.
    pub async fn compact(
        &self,
        _: &Allow<PlatformManage>,
    ) -> Result<CompactReport, WarehouseError> {
        let busy = |_| WarehouseError::Busy {
            say: "queries or loads are running; compaction needs the warehouse for itself".into(),
        };
        let alone = async {
            let writer = Arc::clone(&self.0.writer).lock_owned().await;
            (writer, Arc::clone(&self.0.open).write_owned().await)
        };
        let _alone = tokio::time::timeout(ALONE_TIMEOUT, alone)
            .await
            .map_err(busy)?;
        self.end_worker().await?;
        let settings = self.0.settings.clone();
        let launcher = self.0.launcher.clone();
        let dirs = vec![
            data_dir(&settings.path).to_owned(),
            settings.temp_dir.clone(),
        ];
        let cage = cage(&settings, COMPACTOR_ROLE, dirs);
        let request = CompactRequest {
            to: copy_of(&settings.path),
            from: settings.path,
            temp_dir: settings.temp_dir,
            memory_mb: settings.memory_mb,
            threads: settings.threads,
        };
        blocking(move || compact(&launcher, &cage, &request)).await
    }
}

fn copy_of(path: &Path) -> PathBuf {
    let mut copy = path.as_os_str().to_owned();
    copy.push(".compact");
    copy.into()
}

fn compact(
    launcher: &Launcher,
    cage: &Cage,
    request: &CompactRequest,
) -> Result<CompactReport, WarehouseError> {
    let io = |error: std::io::Error| WarehouseError::Io(error.to_string());
    for dir in &cage.write {
        fs_err::create_dir_all(dir).map_err(io)?;
    }
    // An earlier attempt may have been cut off.
    remove(&request.to)
        .and_then(|()| remove(&wal_of(&request.to)))
        .map_err(io)?;
    let bytes_before = fs_err::metadata(&request.from).map_err(io)?.len();
    let child = launcher.spawn(cage)?;
    child.channel.send(request, &[])?;
    let (tables, rows) = match child.channel.recv::<CompactReply>()? {
        Some((CompactReply::Copied { tables, rows }, _)) => (tables, rows),
        Some((CompactReply::Failed(fault), _)) => {
            drop(child);
            remove(&request.to).map_err(io)?;
            return Err(fault.into());
        }
        None => {
            return Err(WarehouseError::WorkerDied {
                detail: child.wait().to_string(),
            });
        }
    };
    // It has closed both files when it has ended.
    child.wait();
    fault::point("compact.copied");
    let bytes_after = replace(&request.from, &request.to).map_err(io)?;
    fault::point("compact.replaced");
    Ok(CompactReport {
        tables,
        rows,
        bytes_before,
        bytes_after,
    })
}

/// Puts the copy in the place of the file. A log that still stood beside the old file would be taken for the new one's.
fn replace(file: &Path, copy: &Path) -> std::io::Result<u64> {
    let wal = wal_of(file);
    if fs_err::metadata(&wal).is_ok_and(|found| found.len() > 0) {
        return Err(std::io::Error::other(format!(
            "`{}` still holds changes",
            wal.display()
        )));
    }
    remove(&wal)?;
    let new = fs_err::File::open(copy)?;
    keep_owner_and_mode(new.file(), &fs_err::metadata(file)?)?;
    new.sync_all()?;
    fault::point("compact.synced");
    fs_err::rename(copy, file)?;
    fs_err::File::open(data_dir(file))?.sync_all()?;
    Ok(new.metadata()?.len())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
