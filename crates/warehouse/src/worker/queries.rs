//! Running a query: gate, transaction, limits, and its rows as a stream.

use super::watch::{Stop, Watched};
use super::{Engine, memory_in_use, plain};
use crate::duck::{Connection, Rows, Statement};
use crate::gate;
use crate::settings::QueryLimits;
use crate::stream::{ArrowWriter, StreamError};
use crate::wire::{Fault, Outcome};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// How often a query that waits for a load's memory looks again.
const MEMORY_PAUSE: Duration = Duration::from_millis(50);

/// Whether the text comes from a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gated {
    Yes,
    No,
}

/// A query to run.
pub(super) struct Query {
    pub id: u64,
    pub sql: String,
    pub limits: QueryLimits,
    pub gated: Gated,
}

/// Runs `query` on a connection of its own and writes its rows to `stream`.
pub(super) fn run(engine: &Engine, query: &Query, stream: &UnixStream) -> Result<Outcome, Fault> {
    let connection = engine.connect()?;
    let timeout = Some(query.limits.timeout);
    let watched = engine
        .watch
        .enter(query.id, connection.interrupter(), Some(stream), timeout);
    let outcome = prepare(engine, &connection, query, &watched)
        .and_then(|statement| Ok(statement.execute()?))
        .and_then(|rows| send(engine, query.id, rows, query.limits, stream));
    watched.end(outcome)
}

fn prepare(
    engine: &Engine,
    connection: &Connection,
    query: &Query,
    watched: &Watched,
) -> Result<Statement, Fault> {
    match query.gated {
        Gated::No => {
            connection.execute("BEGIN TRANSACTION READ ONLY")?;
            Ok(Statement::prepare(connection, &query.sql)?)
        }
        Gated::Yes => {
            wait_for_memory(engine, connection, watched)?;
            let catalog = engine.snapshots.begin(connection)?;
            Ok(gate::prepare(connection, &catalog, &query.sql)?)
        }
    }
}

/// Waits while a load uses more than half of the memory: a query beside it would make both fail.
fn wait_for_memory(
    engine: &Engine,
    connection: &Connection,
    watched: &Watched,
) -> Result<(), Fault> {
    while engine.loading.load(Ordering::SeqCst) > 0
        && memory_in_use(connection)? > engine.memory_bytes / 2
    {
        match watched.stopped() {
            Some(Stop::Timeout) => return Err(Fault::Loading),
            Some(Stop::Cancelled) => return Err(Fault::Cancelled),
            None => {}
        }
        thread::sleep(MEMORY_PAUSE);
    }
    Ok(())
}

/// Writes the rows within the limits.
pub(super) fn send(
    engine: &Engine,
    id: u64,
    mut rows: Rows,
    limits: QueryLimits,
    stream: &UnixStream,
) -> Result<Outcome, Fault> {
    engine.reply(id, Outcome::Columns(rows.columns().to_vec()))?;
    let plan = plain::Plan::new(&rows);
    let mut writer = ArrowWriter::open(stream, plan.schema()).map_err(unwritten)?;
    let (mut sent, mut truncated) = (0_u64, false);
    while let Some(batch) = rows.next_batch()? {
        if truncated || sent >= limits.rows_max || writer.bytes() >= limits.bytes_max {
            truncated = true;
            break;
        }
        let room = usize::try_from(limits.rows_max - sent).unwrap_or(usize::MAX);
        truncated = batch.num_rows() > room;
        let batch = if truncated {
            batch.slice(0, room)
        } else {
            batch
        };
        sent += batch.num_rows() as u64;
        writer.write(&plan.apply(&batch)?).map_err(unwritten)?;
        if truncated {
            break;
        }
    }
    // Ends the statement before the reader learns that it has everything.
    drop(rows);
    writer.finish().map_err(unwritten)?;
    Ok(Outcome::Done {
        rows: sent,
        truncated,
    })
}

/// Whoever wanted the rows has closed the stream, or the rows cannot be encoded.
fn unwritten(error: StreamError) -> Fault {
    match error {
        StreamError::Io(_) => Fault::Cancelled,
        other => Fault::protocol(other.to_string()),
    }
}
