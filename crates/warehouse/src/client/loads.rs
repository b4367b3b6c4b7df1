//! Load transactions: rows and statements that become visible together, or not at all.

use super::Warehouse;
use super::inserts::{Inserter, PendingInsert};
use super::link::Link;
use super::pending::Pending;
use super::queries::{READ_ROWS_MAX, RowStream, read_limits};
use crate::error::WarehouseError;
use crate::wire::{Act, Insert, Step};
use domain::{Column, TableRef, fault};
use security::Allow;
use security::permissions::SourceSync;
use serde_json::{Map, Value};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard};

/// A load transaction. Dropped without [`LoadTx::commit`] it is undone; after a step that failed it can only be dropped.
pub struct LoadTx {
    link: Arc<Link>,
    session: u64,
    ended: bool,
    _writer: OwnedMutexGuard<()>,
    _open: OwnedRwLockReadGuard<()>,
}

impl Warehouse {
    /// Opens a load transaction; waits until the one before has ended.
    pub async fn begin(&self, _: &Allow<SourceSync>) -> Result<LoadTx, WarehouseError> {
        let writer = Arc::clone(&self.0.writer).lock_owned().await;
        let open = self.hold_open().await;
        let session = self.0.next_session.fetch_add(1, Ordering::Relaxed);
        let pending = self.request(Act::Begin { session }, Vec::new()).await?;
        let link = Arc::clone(pending.link());
        // From here on the transaction is undone when it is dropped, also while it is being opened.
        let tx = LoadTx {
            link,
            session,
            ended: false,
            _writer: writer,
            _open: open,
        };
        pending.done().await?;
        fault::point("load.begin");
        Ok(tx)
    }
}

impl LoadTx {
    /// Runs one statement of our own and returns how many rows it changed.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, WarehouseError> {
        let pending = self
            .step(
                Step::Execute {
                    sql: sql.to_owned(),
                },
                Vec::new(),
            )
            .await?;
        let (rows, _) = pending.done().await?;
        fault::point("load.execute");
        Ok(rows)
    }

    /// Runs a small query of our own inside the transaction and returns its rows as JSON objects; more than 10,000 are an error.
    pub async fn select(&mut self, sql: &str) -> Result<Vec<Map<String, Value>>, WarehouseError> {
        let limits = read_limits(READ_ROWS_MAX);
        let (ours, theirs) = sandbox::pair()?;
        let step = Step::Select {
            sql: sql.to_owned(),
            limits,
        };
        let pending = self.step(step, vec![theirs]).await?;
        let (columns, rows) = RowStream::open(pending, ours.into(), limits.timeout).await?;
        rows.objects(&columns, limits.timeout).await
    }

    /// Starts inserting rows that this process makes: `columns` come with the batches, in that order; `constants` are further
    /// columns with one SQL literal for all rows.
    pub async fn insert(
        &mut self,
        into: &TableRef,
        columns: &[Column],
        constants: &[(String, String)],
    ) -> Result<Inserter<'_>, WarehouseError> {
        let (ours, theirs) = sandbox::pair()?;
        let pending = self.start_insert(into, columns, constants, theirs).await?;
        Inserter::start(pending, ours.into(), columns)
    }

    /// Starts inserting rows that another process writes to the other end of `stream`, as one Arrow stream of `columns`.
    pub async fn insert_from(
        &mut self,
        into: &TableRef,
        columns: &[Column],
        constants: &[(String, String)],
        stream: OwnedFd,
    ) -> Result<PendingInsert<'_>, WarehouseError> {
        let pending = self.start_insert(into, columns, constants, stream).await?;
        Ok(PendingInsert::new(pending))
    }

    /// Makes everything visible and durable.
    pub async fn commit(mut self) -> Result<(), WarehouseError> {
        fault::point("load.commit.before");
        let pending = self.step(Step::Commit, Vec::new()).await?;
        fault::point("load.commit.sent");
        // The transaction is over, whatever the answer.
        self.ended = true;
        pending.done().await?;
        fault::point("load.commit.after");
        Ok(())
    }

    /// Undoes everything.
    pub async fn rollback(mut self) -> Result<(), WarehouseError> {
        let pending = self.step(Step::Rollback, Vec::new()).await?;
        self.ended = true;
        pending.done().await.map(drop)
    }

    async fn start_insert(
        &mut self,
        into: &TableRef,
        columns: &[Column],
        constants: &[(String, String)],
        stream: OwnedFd,
    ) -> Result<Pending, WarehouseError> {
        let insert = Insert {
            into: into.clone(),
            columns: columns.to_vec(),
            constants: constants.to_vec(),
        };
        self.step(Step::Insert(insert), vec![stream]).await
    }

    /// Sends a step to the worker that holds the transaction; another worker would not know it.
    async fn step(&self, step: Step, fds: Vec<OwnedFd>) -> Result<Pending, WarehouseError> {
        let act = Act::Session {
            session: self.session,
            step,
        };
        self.link
            .send(act, fds)
            .await
            .map_err(|unsent| unsent.error)
    }
}

impl Drop for LoadTx {
    fn drop(&mut self) {
        if !self.ended && self.link.is_alive() {
            self.link.tell(Act::Session {
                session: self.session,
                step: Step::Rollback,
            });
        }
    }
}
