//! Rows on their way into a load transaction, as one Arrow stream per insert.

use super::blocking;
use super::loads::LoadTx;
use super::pending::Pending;
use crate::column_types;
use crate::error::WarehouseError;
use crate::stream::{ArrowWriter, StreamError};
use arrow::array::RecordBatch;
use domain::{Column, fault};
use std::marker::PhantomData;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::thread;
use tokio::sync::mpsc;

/// Batches that wait for the socket.
const WAITING_MAX: usize = 2;

/// Rows that another process is writing. Dropped before [`PendingInsert::finish`] it stops, and the transaction has failed.
pub struct PendingInsert<'tx> {
    pending: Pending,
    tx: PhantomData<&'tx mut LoadTx>,
}

impl PendingInsert<'_> {
    pub(super) const fn new(pending: Pending) -> Self {
        Self {
            pending,
            tx: PhantomData,
        }
    }

    /// Waits until the stream has ended and returns how many rows were inserted.
    pub async fn finish(self) -> Result<u64, WarehouseError> {
        let (rows, _) = self.pending.done().await?;
        fault::point("load.insert");
        Ok(rows)
    }
}

/// Rows that this process is writing. Dropped before [`Inserter::finish`] it stops, and the transaction has failed.
pub struct Inserter<'tx> {
    pending: Option<Pending>,
    columns: Vec<Column>,
    batches: Option<mpsc::Sender<RecordBatch>>,
    writer: Option<thread::JoinHandle<Result<(), StreamError>>>,
    socket: UnixStream,
    tx: PhantomData<&'tx mut LoadTx>,
}

impl Inserter<'_> {
    pub(super) fn start(
        pending: Pending,
        socket: UnixStream,
        columns: &[Column],
    ) -> Result<Self, WarehouseError> {
        let io = |error: std::io::Error| WarehouseError::Io(error.to_string());
        let sink = socket.try_clone().map_err(io)?;
        let (sender, batches) = mpsc::channel(WAITING_MAX);
        let of_thread = columns.to_vec();
        let writer = thread::Builder::new()
            .name("inserter".into())
            .spawn(move || {
                let written = write_all(&sink, batches, &of_thread);
                if written.is_err() {
                    // The worker would wait for the rest for ever. It can only fail because the worker is gone.
                    let _ = sink.shutdown(Shutdown::Both);
                }
                written
            })
            .map_err(io)?;
        Ok(Self {
            pending: Some(pending),
            columns: columns.to_vec(),
            batches: Some(sender),
            writer: Some(writer),
            socket,
            tx: PhantomData,
        })
    }

    /// Hands rows over; waits while the worker is behind.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<(), WarehouseError> {
        let schema = batch.schema();
        let fields = schema.fields();
        let fits = fields.len() == self.columns.len()
            && fields
                .iter()
                .zip(&self.columns)
                .all(|(field, column)| column_types::fits(field.data_type(), column.kind));
        if !fits {
            return Err(WarehouseError::Bug(
                "a batch does not have the columns of its insert".into(),
            ));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let sent = match &self.batches {
            Some(batches) => batches.send(batch).await,
            None => return Err(WarehouseError::Bug("the insert has ended".into())),
        };
        if sent.is_ok() {
            return Ok(());
        }
        // The worker has closed the stream, and says why.
        Err(self.end().await.err().unwrap_or_else(|| {
            WarehouseError::Stream("the worker stopped reading before the end".into())
        }))
    }

    /// Ends the stream and returns how many rows were inserted.
    pub async fn finish(mut self) -> Result<u64, WarehouseError> {
        let rows = self.end().await?;
        fault::point("load.insert");
        Ok(rows)
    }

    async fn end(&mut self) -> Result<u64, WarehouseError> {
        drop(self.batches.take());
        let (Some(pending), Some(writer)) = (self.pending.take(), self.writer.take()) else {
            return Err(WarehouseError::Bug("the insert has ended".into()));
        };
        // What the worker says goes first: it knows why it stopped reading.
        let answered = pending.done().await;
        // Frees the writing thread when the worker has not read everything.
        let _ = self.socket.shutdown(Shutdown::Both);
        let written = blocking(move || match writer.join() {
            Ok(written) => Ok(written?),
            Err(_) => Err(WarehouseError::Bug("the writing thread panicked".into())),
        })
        .await;
        let (rows, _) = answered?;
        written?;
        Ok(rows)
    }
}

impl Drop for Inserter<'_> {
    fn drop(&mut self) {
        if self.pending.is_some() {
            // The stream must break off before its marker: the thread would write it when the channel closes.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }
}

/// Writes the batches as one stream. The schema is the first batch's: text may come in more than one Arrow type.
fn write_all(
    sink: &UnixStream,
    mut batches: mpsc::Receiver<RecordBatch>,
    columns: &[Column],
) -> Result<(), StreamError> {
    let first = batches.blocking_recv();
    let schema = first
        .as_ref()
        .map_or_else(|| column_types::schema(columns), RecordBatch::schema);
    let mut writer = ArrowWriter::open(sink, &schema)?;
    let mut next = first;
    while let Some(batch) = next {
        if batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.data_type())
            .ne(schema.fields().iter().map(|field| field.data_type()))
        {
            return Err(StreamError::Unusable("its batches have different types"));
        }
        writer.write(&batch)?;
        fault::point("load.batch");
        next = batches.blocking_recv();
    }
    writer.finish()?;
    Ok(())
}
