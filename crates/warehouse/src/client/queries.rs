//! Queries, and their rows as they come.

use super::pending::Pending;
use super::{Warehouse, unexpected};
use crate::duck::ResultColumn;
use crate::error::WarehouseError;
use crate::gate::Refusal;
use crate::masking::Masking;
use crate::render::json;
use crate::settings::QueryLimits;
use crate::stream::{ArrowReader, StreamError};
use crate::wire::{Act, Outcome};
use arrow::array::RecordBatch;
use domain::limits::SQL_BYTES_MAX;
use domain::say;
use security::permissions::{QueryExecute, SourceView};
use security::{Allow, Redactor};
use serde_json::{Map, Value};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::{OwnedRwLockReadGuard, OwnedSemaphorePermit};

/// Batches that wait for their reader; the socket holds more.
const WAITING_MAX: usize = 2;
/// Rows of a read of our own.
pub(super) const READ_ROWS_MAX: u64 = 10_000;
/// A count over a large table may take its time.
const READ_TIMEOUT: Duration = Duration::from_mins(10);
/// The worker enforces the timeout; this long after it a worker that says nothing at all is killed.
const SILENCE: Duration = Duration::from_secs(10);

/// A query's rows.
pub struct QueryResult {
    columns: Vec<ResultColumn>,
    rows: RowStream,
    timeout: Duration,
    truncated: bool,
    masking: Option<Masking>,
    _permit: OwnedSemaphorePermit,
    _open: OwnedRwLockReadGuard<()>,
}

impl Warehouse {
    /// Runs a user's query: one SELECT, through the gate, within the limits. Waits while too many run.
    pub async fn query(
        &self,
        _: &Allow<QueryExecute>,
        sql: &str,
        limits: QueryLimits,
    ) -> Result<QueryResult, WarehouseError> {
        let permit = self.query_permit(limits.timeout).await?;
        let open = self.hold_open().await;
        check_length(sql)?;
        let act = Act::Query {
            sql: sql.to_owned(),
            limits,
        };
        let (columns, rows) = self.stream(act, limits.timeout).await?;
        let timeout = limits.timeout;
        Ok(QueryResult {
            columns,
            rows,
            timeout,
            truncated: false,
            masking: None,
            _permit: permit,
            _open: open,
        })
    }

    /// Runs a small query of our own and returns its rows as JSON objects (a JSON column is the value it stands for). More than
    /// 10,000 rows are an error, never a part.
    pub async fn select(
        &self,
        _: &Allow<SourceView>,
        sql: &str,
    ) -> Result<Vec<Map<String, Value>>, WarehouseError> {
        self.read(sql, READ_ROWS_MAX).await
    }

    pub(super) async fn read(
        &self,
        sql: &str,
        rows_max: u64,
    ) -> Result<Vec<Map<String, Value>>, WarehouseError> {
        let _open = self.hold_open().await;
        let limits = read_limits(rows_max);
        let act = Act::Read {
            sql: sql.to_owned(),
            limits,
        };
        let (columns, rows) = self.stream(act, limits.timeout).await?;
        rows.objects(&columns, limits.timeout).await
    }

    pub(super) async fn query_permit(
        &self,
        timeout: Duration,
    ) -> Result<OwnedSemaphorePermit, WarehouseError> {
        let waiting = Arc::clone(&self.0.queries).acquire_owned();
        match tokio::time::timeout(timeout, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(WarehouseError::Bug("the query slots are closed".into())),
            Err(_) => Err(WarehouseError::Busy {
                say: say!(
                    "",
                    self.0.settings.user_queries_max,
                    " queries are running already, and none has ended in time"
                ),
            }),
        }
    }

    async fn stream(
        &self,
        act: Act,
        timeout: Duration,
    ) -> Result<(Vec<ResultColumn>, RowStream), WarehouseError> {
        let (ours, theirs) = sandbox::pair()?;
        let pending = self.request(act, vec![theirs]).await?;
        RowStream::open(pending, ours.into(), timeout).await
    }
}

/// Returns the limits of a read of our own: its text is ours, so only its size is limited closely.
pub(super) fn read_limits(rows_max: u64) -> QueryLimits {
    QueryLimits {
        rows_max,
        timeout: READ_TIMEOUT,
        ..QueryLimits::default()
    }
}

pub(super) fn check_length(sql: &str) -> Result<(), WarehouseError> {
    if sql.len() > SQL_BYTES_MAX {
        return Err(WarehouseError::refused(&Refusal::TooLong));
    }
    Ok(())
}

impl QueryResult {
    /// Masks the secrets that `redactor` knows in every row from here on.
    pub fn with_masking(mut self, redactor: Arc<Redactor>) -> Self {
        let mut masking = Masking::new(redactor);
        masking.names(&mut self.columns);
        self.masking = Some(masking);
        self
    }

    /// Returns how many values were masked so far.
    pub fn masked(&self) -> u64 {
        self.masking.as_ref().map_or(0, Masking::masked)
    }

    /// Returns the columns.
    pub fn columns(&self) -> &[ResultColumn] {
        &self.columns
    }

    /// Returns the next rows, `None` after the last. An error is the last that comes.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, WarehouseError>> {
        match self.rows.next(self.timeout).await {
            Ok(Some(batch)) => Some(Ok(match &mut self.masking {
                Some(masking) => masking.batch(batch),
                None => batch,
            })),
            Ok(None) => {
                self.truncated = self.rows.truncated;
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Returns whether there were more rows than the limits allow; known after the last row.
    pub const fn truncated(&self) -> bool {
        self.truncated
    }
}

/// The rows of a request as they arrive on its stream. Dropping it stops the statement.
pub(super) struct RowStream {
    pending: Pending,
    batches: mpsc::Receiver<Result<RecordBatch, StreamError>>,
    socket: UnixStream,
    finished: bool,
    pub(super) truncated: bool,
}

impl RowStream {
    /// Waits for the columns, and starts reading.
    pub(super) async fn open(
        mut pending: Pending,
        socket: UnixStream,
        timeout: Duration,
    ) -> Result<(Vec<ResultColumn>, Self), WarehouseError> {
        let unopened = |error: std::io::Error| WarehouseError::Io(error.to_string());
        let source = socket.try_clone().map_err(unopened)?;
        let (sender, batches) = mpsc::channel(WAITING_MAX);
        let columns = match in_time(&mut pending, timeout).await {
            Ok(Outcome::Columns(columns)) => columns,
            Ok(other) => return Err(unexpected(&other)),
            Err(error) => return Err(error),
        };
        thread::Builder::new()
            .name("rows".into())
            .spawn(move || receive(source, &sender))
            .map_err(unopened)?;
        Ok((
            columns,
            Self {
                pending,
                batches,
                socket,
                finished: false,
                truncated: false,
            },
        ))
    }

    /// Returns the next rows, `None` after the last.
    pub(super) async fn next(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<RecordBatch>, WarehouseError> {
        if self.finished {
            return Ok(None);
        }
        let arrived = match self.batches.recv().await {
            Some(Ok(batch)) => return Ok(Some(batch)),
            Some(Err(error)) => Err(error),
            None => Ok(()),
        };
        self.finished = true;
        // The worker knows why a stream broke off.
        match (in_time(&mut self.pending, timeout).await?, arrived) {
            (Outcome::Done { truncated, .. }, Ok(())) => {
                self.truncated = truncated;
                Ok(None)
            }
            (Outcome::Done { .. }, Err(error)) => Err(error.into()),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Returns all rows as JSON objects; more than the limit are an error.
    pub(super) async fn objects(
        mut self,
        columns: &[ResultColumn],
        timeout: Duration,
    ) -> Result<Vec<Map<String, Value>>, WarehouseError> {
        let mut objects = Vec::new();
        while let Some(batch) = self.next(timeout).await? {
            json::append_objects(&batch, columns, &mut objects);
        }
        if self.truncated {
            return Err(WarehouseError::Bug(
                "a read of our own has more rows than it may".into(),
            ));
        }
        Ok(objects)
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        if !self.finished {
            // Frees the receiving thread; it can only fail because the other end is gone.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }
}

/// Waits for an answer that the worker owes within `timeout`.
async fn in_time(pending: &mut Pending, timeout: Duration) -> Result<Outcome, WarehouseError> {
    let link = Arc::clone(pending.link());
    if let Ok(outcome) = tokio::time::timeout(timeout + SILENCE, pending.next()).await {
        return outcome;
    }
    link.kill();
    Err(WarehouseError::Timeout)
}

fn receive(source: UnixStream, sender: &mpsc::Sender<Result<RecordBatch, StreamError>>) {
    let mut reader = match ArrowReader::open(source) {
        Ok(reader) => reader,
        // Whoever asked may have gone away.
        Err(error) => return drop(sender.blocking_send(Err(error))),
    };
    loop {
        let next = match reader.next_batch() {
            Ok(Some(batch)) => Ok(batch),
            Ok(None) => return,
            Err(error) => Err(error),
        };
        let is_last = next.is_err();
        if sender.blocking_send(next).is_err() || is_last {
            return;
        }
    }
}
