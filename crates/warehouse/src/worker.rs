//! The worker: the one process that holds the warehouse's file. It knows no secret and no network, and no path but that file's
//! folder, its spill directory and what the machine tells about itself.
//!
//! A control loop reads requests from the channel. Each query gets a thread and a connection of its own, each load
//! transaction a thread that keeps its connection; the watch interrupts what is late or no longer wanted. When the channel
//! ends the parent is gone, and the worker ends with it: what was not committed never happened.
//!
//! # Invariants
//! - Standard input and output are never used: a query could make the engine write to them.
//! - User SQL reaches the engine only through [`crate::gate`].
//! - A statement that has not stopped [`watch::GRACE`] after an interrupt costs the worker its life.

mod files;
mod ingest;
mod open;
mod plain;
mod queries;
mod sessions;
mod snapshots;
mod values;
mod watch;

use crate::duck::{Connection, Database, EngineError};
use crate::wire::{Act, Fault, Outcome, Reply, Request, Status, VERSION};
pub(crate) use files::copy_to_parquet;
use queries::{Gated, Query};
use sandbox::{Channel, SandboxError};
use sessions::Sessions;
use snapshots::Snapshots;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use watch::Watch;

/// A query's tree may be thousands of levels deep, in the engine's recursion and in the gate's. Only touched pages count.
const STACK_BYTES: usize = 64 << 20;
/// How long closing waits for statements that were cancelled; after that the WAL stays and is replayed next time.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
const CLOSE_PAUSE: Duration = Duration::from_millis(2);

/// Serves requests until the channel ends or asks to close.
pub(crate) fn serve(channel: &Channel) {
    let Ok(Some((first, _))) = channel.recv::<Request>() else {
        return;
    };
    let id = first.id;
    let opened = match first.act {
        Act::Open(_) if first.version != VERSION => Err(Fault::protocol("the versions differ")),
        Act::Open(open) => Engine::open(channel.clone(), &open),
        _ => Err(Fault::protocol("the first request must be open")),
    };
    match opened {
        Ok(engine) => {
            engine.answer(id, || Ok(Outcome::done(0)));
            engine.run();
        }
        // The parent reads why; if it is gone nobody wants to know.
        Err(fault) => drop(channel.send(
            &Reply {
                id,
                outcome: Outcome::Failed(fault),
            },
            &[],
        )),
    }
}

/// Everything the worker's threads share.
pub(crate) struct Engine {
    channel: Channel,
    database: Mutex<Option<Database>>,
    path: PathBuf,
    memory_bytes: u64,
    threads: usize,
    watch: Watch,
    sessions: Sessions,
    /// Load statements that run now.
    loading: AtomicUsize,
    snapshots: Snapshots,
}

impl Engine {
    fn open(channel: Channel, open: &crate::wire::Open) -> Result<Arc<Self>, Fault> {
        let database = open::open(open)?;
        Ok(Arc::new(Self {
            watch: Watch::start(channel.clone()),
            channel,
            database: Mutex::new(Some(database)),
            path: open.path.clone(),
            memory_bytes: open.memory_mb << 20,
            threads: open.threads,
            sessions: Sessions::default(),
            loading: AtomicUsize::new(0),
            snapshots: Snapshots::default(),
        }))
    }

    fn run(self: &Arc<Self>) {
        while let Ok(Some((request, fds))) = self.channel.recv::<Request>() {
            let id = request.id;
            if let Act::Close = request.act {
                self.close(id);
                return;
            }
            if let Err(fault) = self.handle(request, fds) {
                self.answer(id, || Err(fault));
            }
        }
        // Nobody is left to work for, and threads may be inside the engine.
        watch::end_process();
    }

    fn handle(self: &Arc<Self>, request: Request, fds: Vec<OwnedFd>) -> Result<(), Fault> {
        let id = request.id;
        if request.version != VERSION {
            return Err(Fault::protocol("the versions differ"));
        }
        let stream = fds.into_iter().next().map(UnixStream::from);
        let needed = |stream: Option<UnixStream>| {
            stream.ok_or_else(|| Fault::protocol("the request carries no stream"))
        };
        match request.act {
            Act::Query { sql, limits } => {
                let query = Query {
                    id,
                    sql,
                    limits,
                    gated: Gated::Yes,
                };
                self.start_query(query, needed(stream)?)
            }
            Act::Read { sql, limits } => {
                let query = Query {
                    id,
                    sql,
                    limits,
                    gated: Gated::No,
                };
                self.start_query(query, needed(stream)?)
            }
            Act::Begin { session } => sessions::begin(self, id, session),
            Act::Session { session, step } => self.sessions.pass(session, id, step, stream),
            Act::Cancel { request } => {
                self.watch.cancel(request);
                Ok(())
            }
            Act::Status => self.spawn(id, |engine| engine.status().map(Outcome::Status)),
            Act::Open(_) | Act::Close => Err(Fault::protocol("the request has no place here")),
        }
    }

    fn start_query(self: &Arc<Self>, query: Query, stream: UnixStream) -> Result<(), Fault> {
        self.spawn(query.id, move |engine| {
            queries::run(engine, &query, &stream)
        })
    }

    /// Runs `work` in a thread of its own and sends what it returns.
    fn spawn(
        self: &Arc<Self>,
        id: u64,
        work: impl FnOnce(&Arc<Self>) -> Result<Outcome, Fault> + Send + 'static,
    ) -> Result<(), Fault> {
        let engine = Arc::clone(self);
        thread::Builder::new()
            .name(format!("request-{id}"))
            .stack_size(STACK_BYTES)
            .spawn(move || engine.answer(id, || work(&engine)))
            .map(drop)
            .map_err(|error| Fault::protocol(format!("no thread can be started: {error}")))
    }

    /// Sends what `work` returns, whatever happens in it.
    fn answer(&self, id: u64, work: impl FnOnce() -> Result<Outcome, Fault>) {
        let outcome = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Fault::protocol("the worker's thread panicked")));
        let outcome = outcome.unwrap_or_else(Outcome::Failed);
        let is_fatal = matches!(&outcome, Outcome::Failed(fault) if fault.is_fatal());
        if let Err(fault) = self.reply(id, outcome) {
            // Whoever asked waits for an answer; this one is short.
            let _ = self.reply(id, Outcome::Failed(fault));
        }
        if is_fatal {
            watch::end_process();
        }
    }

    /// Sends an answer. The only failure is that no frame is long enough for it.
    fn reply(&self, id: u64, outcome: Outcome) -> Result<(), Fault> {
        let too_long = match &outcome {
            Outcome::Columns(columns) => {
                format!(
                    "the result has {} columns, and their names and types are more than an answer can carry",
                    columns.len()
                )
            }
            _ => "the answer is longer than it may be".to_owned(),
        };
        match self.channel.send(&Reply { id, outcome }, &[]) {
            Err(SandboxError::FrameTooLong { .. }) => Err(EngineError::limit(too_long).into()),
            // A parent that is gone ends the control loop; there is nobody else to tell.
            _ => Ok(()),
        }
    }

    fn connect(&self) -> Result<Connection, Fault> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        let database = database
            .as_ref()
            .ok_or_else(|| Fault::protocol("the file is closed"))?;
        Ok(database.connect()?)
    }

    fn status(&self) -> Result<Status, Fault> {
        let connection = self.connect()?;
        let rows = connection.texts(
            "SELECT block_size * free_blocks FROM pragma_database_size() WHERE database_name = current_database()",
            &[],
        )?;
        let free = rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next())
            .flatten();
        let size = |path: &std::path::Path| fs_err::metadata(path).map_or(0, |found| found.len());
        Ok(Status {
            file_bytes: size(&self.path),
            wal_bytes: size(&wal_of(&self.path)),
            free_bytes: free.and_then(|text| text.parse().ok()).unwrap_or(0),
            memory_bytes: memory_in_use(&connection)?,
            memory_limit_bytes: self.memory_bytes,
        })
    }

    /// Closes the file, which also moves the WAL into it.
    fn close(&self, id: u64) {
        self.sessions.end();
        self.watch.cancel_all();
        let database = self
            .database
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut waited = Duration::ZERO;
        while database.as_ref().is_some_and(Database::is_shared) && waited < CLOSE_TIMEOUT {
            thread::sleep(CLOSE_PAUSE);
            waited += CLOSE_PAUSE;
        }
        let is_running = database.as_ref().is_some_and(Database::is_shared);
        drop(database);
        self.answer(id, || Ok(Outcome::done(0)));
        if is_running {
            // A statement that does not stop is inside the engine, and no destructor may run under it.
            watch::end_process();
        }
    }
}

/// Returns the path of the write-ahead log that DuckDB keeps beside the file `path`.
pub(crate) fn wal_of(path: &std::path::Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push(".wal");
    wal.into()
}

/// Returns the memory that statements hold: not the cached blocks of the file, which are dropped as soon as somebody needs
/// the room.
fn memory_in_use(connection: &Connection) -> Result<u64, EngineError> {
    let text = connection.text(
        "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory() WHERE tag NOT IN ('BASE_TABLE', 'METADATA')",
        &[],
    )?;
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
}
