//! A query's rows into a file, through a process of its own that can touch nothing but that file.

use super::link::{cage, data_dir};
use super::pending::Pending;
use super::{Warehouse, blocking, unexpected};
use crate::duck::ResultColumn;
use crate::error::WarehouseError;
use crate::settings::QueryLimits;
use crate::wire::{Act, Outcome};
pub use crate::writer::ExportFormat;
use crate::writer::{WRITER_ROLE, WriteReply, WriteRequest};
use sandbox::Child;
use security::Allow;
use security::permissions::QueryExecute;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit};

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportReport {
    pub rows: u64,
    /// Whether there were more rows than the limits allow.
    pub truncated: bool,
    pub bytes: u64,
}

/// An export whose rows are on their way to another process. Dropping it stops the query.
pub struct PendingExport {
    pending: Pending,
    columns: Vec<ResultColumn>,
    _permit: OwnedSemaphorePermit,
    _open: OwnedRwLockReadGuard<()>,
}

impl PendingExport {
    /// Returns the columns.
    pub fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// Waits until all rows were written, and returns how many, and whether there were more.
    pub async fn finish(self) -> Result<(u64, bool), WarehouseError> {
        self.pending.done().await
    }
}

impl Warehouse {
    /// Runs a user's query as [`Warehouse::query`] does, and lets the worker write its rows to `stream` as an Arrow stream.
    pub async fn export(
        &self,
        _: &Allow<QueryExecute>,
        sql: &str,
        limits: QueryLimits,
        stream: OwnedFd,
    ) -> Result<PendingExport, WarehouseError> {
        let permit = self.query_permit(limits.timeout).await?;
        let open = self.hold_open().await;
        super::queries::check_length(sql)?;
        let act = Act::Query {
            sql: sql.to_owned(),
            limits,
        };
        let mut pending = self.request(act, vec![stream]).await?;
        match pending.next().await? {
            Outcome::Columns(columns) => Ok(PendingExport {
                pending,
                columns,
                _permit: permit,
                _open: open,
            }),
            other => Err(unexpected(&other)),
        }
    }

    /// Runs a user's query and writes its rows to the file `path`, replacing it. It appears whole or not at all.
    pub async fn export_file(
        &self,
        allow: &Allow<QueryExecute>,
        sql: &str,
        limits: QueryLimits,
        path: &Path,
        format: ExportFormat,
    ) -> Result<ExportReport, WarehouseError> {
        let partial = Partial::create(path)?;
        let (for_worker, for_writer) = sandbox::pair()?;
        let export = self.export(allow, sql, limits, for_worker).await?;
        let child = self.start_writer(&partial.path).await?;
        let request = WriteRequest {
            path: partial.path.clone(),
            format,
            columns: export.columns().to_vec(),
            memory_mb: self.0.settings.memory_mb,
        };
        let written = blocking(move || write(&child, &request, &for_writer));
        let (sent, written) = tokio::join!(export.finish(), written);
        // When the writer failed, the query was cancelled because nobody took its rows.
        let (rows, truncated) = match (sent, &written) {
            (Err(WarehouseError::Cancelled), Err(_)) => (0, false),
            (sent, _) => sent?,
        };
        written?;
        let bytes = partial.publish(path)?;
        Ok(ExportReport {
            rows,
            truncated,
            bytes,
        })
    }

    async fn start_writer(&self, path: &Path) -> Result<Child, WarehouseError> {
        let cage = cage(&self.0.settings, WRITER_ROLE, vec![path.to_owned()]);
        let launcher = self.0.launcher.clone();
        blocking(move || Ok(launcher.spawn(&cage)?)).await
    }
}

fn write(child: &Child, request: &WriteRequest, stream: &OwnedFd) -> Result<(), WarehouseError> {
    child.channel.send(request, &[stream.as_fd()])?;
    match child.channel.recv::<WriteReply>()? {
        Some((WriteReply { failed: None }, _)) => Ok(()),
        Some((
            WriteReply {
                failed: Some(fault),
            },
            _,
        )) => Err(fault.into()),
        None => Err(WarehouseError::WorkerDied {
            detail: child.wait().to_string(),
        }),
    }
}

/// A file that is not complete yet; removed when it is dropped before that.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn create(target: &Path) -> Result<Self, WarehouseError> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = data_dir(target).join(format!(".{name}.partial"));
        fs_err::write(&path, b"").map_err(|error| WarehouseError::Io(error.to_string()))?;
        Ok(Self { path })
    }

    fn publish(self, target: &Path) -> Result<u64, WarehouseError> {
        let publish = || {
            let file = fs_err::File::open(&self.path)?;
            file.sync_all()?;
            fs_err::rename(&self.path, target)?;
            Ok(file.metadata()?.len())
        };
        publish().map_err(|error: std::io::Error| WarehouseError::Io(error.to_string()))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After `publish` there is nothing to remove.
        let _ = fs_err::remove_file(&self.path);
    }
}
