//! Rows on their way into a table: a stream on one side, the table function `dango_ingest(slot)` on the other.
//!
//! The function is registered for the whole engine and so visible to every connection; the gate's list of table functions
//! leaves it out. Measured: one `INSERT … SELECT` from a table function is 1.1 to 1.2 times DuckDB's own CSV load; the
//! Appender takes 1.6 to 1.8 times, because it compresses on one thread.

use super::values::{check_schema, check_values};
use crate::duck::{Database, EngineError};
use crate::stream::{ArrowReader, StreamError};
use crate::wire::Fault;
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use domain::Column;
use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::vtab::{BindInfo, InitInfo, TableFunctionInfo, VTab};
use std::collections::BTreeMap;
use std::error::Error;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The function's name in SQL.
pub(super) const FUNCTION: &str = "dango_ingest";
/// Rows of one chunk of the engine (`STANDARD_VECTOR_SIZE`).
const CHUNK_ROWS: usize = 2_048;
/// Decoded batches that wait for the engine. More only cost memory (measured).
const WAITING_MAX: usize = 2;

/// The slots in use. A table function has no other way to find its stream: its arguments come out of SQL, where a pointer
/// would let any SQL read any memory.
static SLOTS: Mutex<BTreeMap<u64, Arc<Feed>>> = Mutex::new(BTreeMap::new());
static NEXT_SLOT: AtomicU64 = AtomicU64::new(1);

/// Registers the table function.
pub(super) fn register(database: &Database) -> Result<(), EngineError> {
    let unregistered = |error: duckdb::Error| EngineError::from_message(error.to_string());
    let connection = database.crate_connection().map_err(unregistered)?;
    connection
        .register_table_function::<Ingest>(FUNCTION)
        .map_err(unregistered)
}

/// A stream that waits in a slot, until it is dropped.
pub(super) struct Slot {
    pub number: u64,
    feed: Arc<Feed>,
    stream: UnixStream,
    decoder: Option<JoinHandle<()>>,
}

struct Feed {
    schema: SchemaRef,
    threads: usize,
    cursor: Mutex<Cursor>,
    fault: Mutex<Option<Fault>>,
}

struct Cursor {
    source: Receiver<Result<Option<RecordBatch>, StreamError>>,
    batch: Option<RecordBatch>,
    offset: usize,
    ended: bool,
}

impl Slot {
    /// Reads the stream's schema, compares it with `columns` (where there are any), and starts decoding.
    pub(super) fn open(
        stream: UnixStream,
        columns: Option<&[Column]>,
        threads: usize,
    ) -> Result<Self, StreamError> {
        let mut reader = ArrowReader::open(stream.try_clone().map_err(StreamError::Io)?)?;
        let schema = reader.schema();
        columns.map_or(Ok(()), |columns| check_schema(&schema, columns))?;
        let (batches, source) = sync_channel(WAITING_MAX);
        let decoder = thread::Builder::new()
            .name("ingest".into())
            .spawn(move || decode(&mut reader, &batches))
            .map_err(StreamError::Io)?;
        let cursor = Cursor {
            source,
            batch: None,
            offset: 0,
            ended: false,
        };
        let feed = Arc::new(Feed {
            schema,
            threads,
            cursor: Mutex::new(cursor),
            fault: Mutex::default(),
        });
        let number = NEXT_SLOT.fetch_add(1, Ordering::Relaxed);
        slots().insert(number, Arc::clone(&feed));
        Ok(Self {
            number,
            feed,
            stream,
            decoder: Some(decoder),
        })
    }

    /// Returns what was wrong with the stream, when that is why the statement failed.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.feed
            .fault
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the stream's columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.feed.schema
    }

    /// Returns whether the stream was read to its end.
    pub(super) fn is_drained(&self) -> bool {
        self.feed
            .cursor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        slots().remove(&self.number);
        // Frees a decoder that waits for bytes, and one that waits for room.
        let _ = self.stream.shutdown(Shutdown::Both);
        let mut cursor = self
            .feed
            .cursor
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        cursor.source = sync_channel(0).1;
        drop(cursor);
        if let Some(decoder) = self.decoder.take() {
            // It panics only by a bug of ours, and then has sent nothing more.
            let _ = decoder.join();
        }
    }
}

fn slots() -> std::sync::MutexGuard<'static, BTreeMap<u64, Arc<Feed>>> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn decode(
    reader: &mut ArrowReader<UnixStream>,
    batches: &SyncSender<Result<Option<RecordBatch>, StreamError>>,
) {
    loop {
        let next = reader.next_batch().and_then(|batch| {
            batch.as_ref().map_or(Ok(()), check_values)?;
            Ok(batch)
        });
        let is_last = !matches!(next, Ok(Some(_)));
        if batches.send(next).is_err() || is_last {
            return;
        }
    }
}

impl Feed {
    /// Returns at most a chunk of rows, `None` after the stream's marker.
    fn next_chunk(&self) -> Result<Option<RecordBatch>, String> {
        let mut cursor = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if cursor.ended {
                return Ok(None);
            }
            if let Some(batch) = &cursor.batch
                && cursor.offset < batch.num_rows()
            {
                let rows = CHUNK_ROWS.min(batch.num_rows() - cursor.offset);
                let chunk = batch.slice(cursor.offset, rows);
                cursor.offset += rows;
                return Ok(Some(chunk));
            }
            cursor.batch = match cursor.source.recv() {
                Ok(Ok(Some(batch))) => Some(batch),
                Ok(Ok(None)) => {
                    cursor.ended = true;
                    None
                }
                Ok(Err(error)) => return Err(self.fail(error)),
                Err(_) => return Err(self.fail(StreamError::Truncated)),
            };
            cursor.offset = 0;
        }
    }

    fn fail(&self, error: StreamError) -> String {
        let text = error.with_cause();
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        fault.get_or_insert_with(|| error.into());
        text
    }
}

struct Ingest;

impl VTab for Ingest {
    type InitData = ();
    type BindData = Arc<Feed>;

    fn bind(bind: &BindInfo) -> Result<Arc<Feed>, Box<dyn Error>> {
        let number = bind.get_parameter(0).to_uint64();
        let feed = slots()
            .get(&number)
            .cloned()
            .ok_or("there is no stream in this slot")?;
        for (index, field) in feed.schema.fields().iter().enumerate() {
            let kind = duckdb::vtab::to_duckdb_logical_type_for_field(field)?;
            bind.add_result_column(&format!("c{index}"), kind);
        }
        Ok(feed)
    }

    fn init(init: &InitInfo) -> Result<(), Box<dyn Error>> {
        let feed = init.get_bind_data::<Arc<Feed>>();
        init.set_max_threads(threads_of(feed));
        Ok(())
    }

    fn func(
        func: &TableFunctionInfo<Self>,
        output: &mut DataChunkHandle,
    ) -> Result<(), Box<dyn Error>> {
        if let Some(chunk) = func.get_bind_data().next_chunk()? {
            return duckdb::vtab::record_batch_to_duckdb_data_chunk(&chunk, output);
        }
        output.set_len(0);
        Ok(())
    }

    fn parameters() -> Option<Vec<LogicalTypeHandle>> {
        Some(vec![LogicalTypeHandle::from(LogicalTypeId::UBigint)])
    }
}

#[expect(
    unsafe_code,
    reason = "the crate hands bind data to init as a raw pointer"
)]
fn threads_of(feed: *const Arc<Feed>) -> u64 {
    // SAFETY: the pointer is null or to the bind data that `bind` made, which lives as long as the statement.
    unsafe { feed.as_ref() }.map_or(1, |feed| feed.threads as u64)
}
