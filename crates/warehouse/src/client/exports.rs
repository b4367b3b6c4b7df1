//! A query's rows into a file, through a process of its own that can touch nothing but that file.

use super::link::{cage, data_dir, keep_owner_and_mode};
use super::pending::Pending;
use super::{Warehouse, blocking, unexpected};
use crate::duck::ResultColumn;
use crate::error::WarehouseError;
use crate::masking::Masking;
use crate::settings::QueryLimits;
use crate::stream::{ArrowReader, ArrowWriter, StreamError};
use crate::wire::{Act, Outcome};
pub use crate::writer::ExportFormat;
use crate::writer::{WRITER_ROLE, WriteReply, WriteRequest};
use sandbox::Child;
use security::permissions::QueryExecute;
use security::{Allow, Redactor};
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit};

/// What an export wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ExportReport {
    pub rows: u64,
    /// Whether there were more rows than the limits allow.
    pub truncated: bool,
    pub bytes: u64,
    /// Values that were masked because they hold a secret.
    pub masked: u64,
}

/// Where an export goes, and which secrets may not go with it.
pub struct ExportTarget<'p> {
    pub path: &'p Path,
    pub format: ExportFormat,
    pub redactor: Arc<Redactor>,
}

/// An export whose rows are on their way. Dropping it stops the query.
struct PendingExport {
    pending: Pending,
    columns: Vec<ResultColumn>,
    _permit: OwnedSemaphorePermit,
    _open: OwnedRwLockReadGuard<()>,
}

impl Warehouse {
    /// Runs a user's query as [`Warehouse::query`] does, and lets the worker write its rows to `stream` as an Arrow stream.
    async fn export(
        &self,
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

    /// Runs a user's query and writes its rows to the target's file, replacing it. It appears whole or not at all.
    ///
    /// The rows pass through this process, because neither the worker nor the writer knows the secrets to mask in them.
    pub async fn export_file(
        &self,
        _: &Allow<QueryExecute>,
        sql: &str,
        limits: QueryLimits,
        target: ExportTarget<'_>,
    ) -> Result<ExportReport, WarehouseError> {
        let partial = Partial::create(target.path)?;
        let (for_worker, from_worker) = sandbox::pair()?;
        let (to_writer, for_writer) = sandbox::pair()?;
        let export = self.export(sql, limits, for_worker).await?;
        let child = self.start_writer(partial.path()).await?;
        let mut masking = Masking::new(target.redactor);
        let mut columns = export.columns.clone();
        masking.names(&mut columns);
        let request = WriteRequest {
            path: partial.path().to_owned(),
            format: target.format,
            columns,
            memory_mb: self.0.settings.memory_mb,
        };
        let relayed = blocking(move || Ok(relay(from_worker, to_writer, masking)));
        let written = blocking(move || write(&child, &request, &for_writer));
        let (sent, relayed, written) = tokio::join!(export.pending.done(), relayed, written);
        // When the writer failed, the query was cancelled because nobody took its rows.
        let (rows, truncated) = match (sent, &written) {
            (Err(WarehouseError::Cancelled), Err(_)) => (0, false),
            (sent, _) => sent?,
        };
        written?;
        let masked = relayed??;
        let bytes = partial.publish()?;
        Ok(ExportReport {
            rows,
            truncated,
            bytes,
            masked,
        })
    }

    async fn start_writer(&self, path: &Path) -> Result<Child, WarehouseError> {
        let cage = cage(&self.0.settings, WRITER_ROLE, vec![path.to_owned()]);
        let launcher = self.0.launcher.clone();
        blocking(move || Ok(launcher.spawn(&cage)?)).await
    }
}

/// Hands the rows on, masked, and returns how many values were. Each end learns from its own socket that the other has failed.
fn relay(from: OwnedFd, to: OwnedFd, mut masking: Masking) -> Result<u64, StreamError> {
    let mut reader = ArrowReader::open(UnixStream::from(from))?;
    let mut writer = ArrowWriter::open(UnixStream::from(to), &reader.schema())?;
    while let Some(batch) = reader.next_batch()? {
        writer.write(&masking.batch(batch))?;
    }
    writer.finish()?;
    Ok(masking.masked())
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
        )) => Err(of_output(fault.into())),
        None => Err(WarehouseError::WorkerDied {
            detail: child.wait().to_string(),
        }),
    }
}

/// The writer has no file but the output.
fn of_output(error: WarehouseError) -> WarehouseError {
    match error {
        WarehouseError::Io(text) => WarehouseError::Output(text),
        other => other,
    }
}

/// A file that is not complete yet; removed when it is dropped before that.
struct Partial {
    file: tempfile::NamedTempFile,
    /// Where it goes: the file itself, when a symbolic link was named.
    target: PathBuf,
    /// What stands there now.
    old: Option<std::fs::Metadata>,
}

impl Partial {
    fn create(target: &Path) -> Result<Self, WarehouseError> {
        let (target, old) = find_target(target)?;
        // A new file gets the mode that every new file gets, a replaced one keeps its own.
        let mode = if old.is_some() { 0o600 } else { 0o666 };
        let file = tempfile::Builder::new()
            .prefix(".dango-")
            .suffix(".tmp")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(data_dir(&target))
            .map_err(|error| WarehouseError::Output(error.to_string()))?;
        Ok(Self { file, target, old })
    }

    fn path(&self) -> &Path {
        self.file.path()
    }

    fn publish(self) -> Result<u64, WarehouseError> {
        let publish = || {
            let file = self.file.as_file();
            if let Some(old) = &self.old {
                keep_owner_and_mode(file, old)?;
            }
            file.sync_all()?;
            let bytes = file.metadata()?.len();
            self.file.persist(&self.target)?;
            Ok(bytes)
        };
        publish().map_err(|error: std::io::Error| WarehouseError::Output(error.to_string()))
    }
}

/// Returns the file that `path` means and what it is now. Only files are replaced: in the place of a device, a pipe or a
/// link nobody expects one.
fn find_target(path: &Path) -> Result<(PathBuf, Option<std::fs::Metadata>), WarehouseError> {
    let unusable = |error: std::io::Error| match error.kind() {
        // A link to nothing.
        ErrorKind::NotFound => WarehouseError::NotAFile,
        _ => WarehouseError::Output(error.to_string()),
    };
    let target = match fs_err::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => fs_err::canonicalize(path).map_err(unusable)?,
        Ok(_) => path.to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((path.to_owned(), None)),
        Err(error) => return Err(WarehouseError::Output(error.to_string())),
    };
    let found = fs_err::symlink_metadata(&target).map_err(unusable)?;
    if found.is_file() {
        Ok((target, Some(found)))
    } else {
        Err(WarehouseError::NotAFile)
    }
}
