//! Load transactions: each has a thread that keeps its connection and takes its steps in order.

use super::ingest::{FUNCTION, Slot};
use super::{Engine, STACK_BYTES, queries};
use crate::duck::{Connection, EngineError};
use crate::wire::{Fault, Insert, Outcome, Step};
use domain::names::quote_identifier;
use domain::{ColumnType, fault};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Open load transactions. The client opens one at a time; the others are of clients that are going away.
const SESSIONS_MAX: usize = 8;
/// Steps of a transaction that wait. The client sends the next when it has the answer to the last.
const STEPS_MAX: usize = 4;

/// What is committed before a load writes: nothing that lasts. When it closes the file, DuckDB cuts off what a load left there
/// that was undone, but only if something was committed since it opened it; on a full disk it could not be committed later.
const TRACE: [&str; 4] = [
    "BEGIN TRANSACTION",
    "CREATE SCHEMA _dango_trace",
    "DROP SCHEMA _dango_trace",
    "COMMIT",
];

struct Job {
    id: u64,
    step: Step,
    stream: Option<UnixStream>,
}

/// The open load transactions.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<BTreeMap<u64, SyncSender<Job>>>,
    /// Held by the one that may write: the next begins when the last is committed or undone, also when its client has given
    /// it up and is not waiting for that.
    turn: Mutex<()>,
}

impl Sessions {
    /// Hands a step to its transaction.
    pub(super) fn pass(
        &self,
        session: u64,
        id: u64,
        step: Step,
        stream: Option<UnixStream>,
    ) -> Result<(), Fault> {
        let sessions = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(jobs) = sessions.get(&session) else {
            return Err(Fault::protocol("there is no such load transaction"));
        };
        jobs.try_send(Job { id, step, stream })
            .map_err(|error| match error {
                TrySendError::Full(_) => Fault::protocol("too many steps at once"),
                TrySendError::Disconnected(_) => Fault::protocol("the load transaction has ended"),
            })
    }

    /// Ends all of them; what they have not committed is undone.
    pub(super) fn end(&self) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn remove(&self, session: u64) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&session);
    }
}

/// Opens load transaction `session`.
pub(super) fn begin(engine: &Arc<Engine>, id: u64, session: u64) -> Result<(), Fault> {
    let (jobs, queue) = sync_channel(STEPS_MAX);
    let mut sessions = engine
        .sessions
        .open
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if sessions.len() >= SESSIONS_MAX {
        return Err(Fault::protocol("too many load transactions at once"));
    }
    sessions.insert(session, jobs);
    drop(sessions);
    let of_thread = Arc::clone(engine);
    let started = thread::Builder::new()
        .name(format!("load-{session}"))
        .stack_size(STACK_BYTES)
        .spawn(move || {
            serve(&of_thread, id, &queue);
            of_thread.sessions.remove(session);
        });
    started.map(drop).map_err(|error| {
        engine.sessions.remove(session);
        Fault::protocol(format!("no thread can be started: {error}"))
    })
}

fn serve(engine: &Engine, id: u64, queue: &Receiver<Job>) {
    let _turn = engine
        .sessions
        .turn
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut connection = None;
    engine.answer(id, || {
        let opened = engine.connect()?;
        TRACE
            .iter()
            .try_for_each(|step| opened.execute(step).map(drop))?;
        opened.execute("BEGIN TRANSACTION")?;
        connection = Some(opened);
        Ok(Outcome::done(0))
    });
    let Some(connection) = connection else { return };
    // Dropping the connection rolls back what was not committed.
    let failed = Cell::new(false);
    while let Ok(job) = queue.recv() {
        let is_last = matches!(job.step, Step::Commit | Step::Rollback);
        engine.answer(job.id, || match job.step {
            Step::Rollback => take(engine, &connection, job),
            _ => attempt(&failed, || take(engine, &connection, job)),
        });
        if is_last {
            return;
        }
    }
}

/// Runs a step, unless one before it has failed: the engine lets a transaction go on after some errors, but a load with a
/// failed step is no load. A step counts as failed until it has returned well, so also when it panics.
fn attempt<T>(failed: &Cell<bool>, step: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    if failed.replace(true) {
        return Err(EngineError::invalid("the load transaction has failed already").into());
    }
    let outcome = step();
    failed.set(outcome.is_err());
    outcome
}

fn take(engine: &Engine, connection: &Connection, job: Job) -> Result<Outcome, Fault> {
    let Job { id, step, stream } = job;
    let needed = || Fault::protocol("the request carries no stream");
    let timeout = match &step {
        Step::Select { limits, .. } => Some(limits.timeout),
        _ => None,
    };
    // Neither can be interrupted half-way, and the client always waits for both.
    match step {
        Step::Commit => return Ok(Outcome::done(commit(engine, connection)?)),
        Step::Rollback => return Ok(Outcome::done(connection.execute("ROLLBACK")?)),
        Step::Execute { .. } | Step::Select { .. } | Step::Insert(_) => {}
    }
    let watched = engine
        .watch
        .enter(id, connection.interrupter(), stream.as_ref(), timeout);
    let loading = Loading::begin(&engine.loading);
    let outcome = match step {
        Step::Execute { sql } => connection
            .execute(&sql)
            .map(Outcome::done)
            .map_err(Fault::from),
        Step::Select { sql, limits } => stream.ok_or_else(needed).and_then(|stream| {
            queries::send(engine, id, connection.rows(&sql, &[])?, limits, &stream)
        }),
        Step::Insert(plan) => stream
            .ok_or_else(needed)
            .and_then(|stream| insert(engine, connection, &plan, stream)),
        Step::Commit | Step::Rollback => Err(Fault::protocol("the step has no place here")),
    };
    drop(loading);
    watched.end(outcome)
}

/// A load statement that runs; counted until it is dropped, also by a panic.
struct Loading<'a>(&'a AtomicUsize);

impl<'a> Loading<'a> {
    fn begin(running: &'a AtomicUsize) -> Self {
        running.fetch_add(1, Ordering::SeqCst);
        Self(running)
    }
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn commit(engine: &Engine, connection: &Connection) -> Result<u64, EngineError> {
    fault::point("worker.commit.before");
    let outcome = engine.snapshots.commit(|| connection.execute("COMMIT"));
    fault::point("worker.commit.after");
    outcome
}

/// Loads a stream with one statement. A stream that breaks off fails it, and with it the transaction.
fn insert(
    engine: &Engine,
    connection: &Connection,
    plan: &Insert,
    stream: UnixStream,
) -> Result<Outcome, Fault> {
    let slot = Slot::open(stream, Some(&plan.columns), engine.threads)?;
    match connection.execute(&insert_sql(plan, slot.number)) {
        Ok(rows) if slot.is_drained() => Ok(Outcome::done(rows)),
        Ok(_) => Err(Fault::Stream("not all of its rows were read".into())),
        Err(error) => Err(slot.fault().unwrap_or(Fault::Engine(error))),
    }
}

fn insert_sql(plan: &Insert, slot: u64) -> String {
    let names = plan.columns.iter().map(|column| &column.name);
    let names: Vec<_> = names
        .chain(plan.constants.iter().map(|(name, _)| name))
        .map(|name| quote_identifier(name))
        .collect();
    let value = |(index, column): (usize, &domain::Column)| match column.kind {
        // These travel as text; the cast checks each value.
        ColumnType::Uuid | ColumnType::Json => {
            format!("CAST(c{index} AS {})", column.kind.to_sql())
        }
        _ => format!("c{index}"),
    };
    let values = plan.columns.iter().enumerate().map(value);
    let values: Vec<_> = values
        .chain(plan.constants.iter().map(|(_, literal)| literal.clone()))
        .collect();
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {FUNCTION}({slot}::UBIGINT)",
        plan.into.to_sql(),
        names.join(", "),
        values.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_load_ends_with_the_first_step_that_fails_or_panics() {
        let check = |step: fn() -> Result<(), Fault>| {
            let failed = Cell::new(false);
            assert!(attempt(&failed, || Ok(())).is_ok());
            assert!(attempt(&failed, || Ok(())).is_ok());
            let outcome = catch_unwind(AssertUnwindSafe(|| attempt(&failed, step)));
            assert!(!matches!(outcome, Ok(Ok(()))));
            let next = attempt(&failed, || Ok(()));
            assert!(matches!(next, Err(Fault::Engine(_))), "{next:?}");
        };
        check(|| Err(Fault::Cancelled));
        check(|| panic!("a bug"));
    }

    #[test]
    fn a_statement_that_panics_does_not_count_for_ever() {
        let running = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _loading = Loading::begin(&running);
            assert_eq!(running.load(Ordering::SeqCst), 1);
            panic!("a bug")
        }));
        assert!(panicked.is_err());
        assert_eq!(running.load(Ordering::SeqCst), 0);
    }
}
