//! Events without a change: all that wait are written in one transaction, and each caller is answered after its commit. What
//! people do who have shown nothing is counted beyond a few rows a minute.

use super::entry::Entry;
use super::rows;
use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Act, Tx, Who, who};
use domain::Timestamp;
use sea_orm::EntityTrait;
use security::audit_floods::{Flood, Floods, Verdict};
use security::permissions::Authenticate;
use security::{Actor, Allow, Client, Event, Permission, RequestId};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Rows of one statement: 17 columns each, and `SQLite` takes 32,766 values.
const ROWS_MAX: usize = 1_000;

type Answer = Result<(), StoreError>;

/// The events that wait, and the failures that are counted.
#[derive(Default)]
pub(crate) struct Recorder {
    queue: Mutex<Queue>,
    floods: Mutex<Floods>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Entry, oneshot::Sender<Answer>)>,
    /// Whether a task is at work that will take what waits.
    is_written: bool,
}

impl Recorder {
    /// Adds an entry; returns its answer, and whether somebody has to begin to write.
    fn add(&self, entry: Entry) -> (oneshot::Receiver<Answer>, bool) {
        let (sender, answer) = oneshot::channel();
        let mut queue = locked(&self.queue);
        queue.waiting.push((entry, sender));
        let begins = !std::mem::replace(&mut queue.is_written, true);
        (answer, begins)
    }

    /// Takes what waits; when nothing does, the next entry needs another task.
    fn take(&self) -> Vec<(Entry, oneshot::Sender<Answer>)> {
        let mut queue = locked(&self.queue);
        queue.is_written = !queue.waiting.is_empty();
        let count = queue.waiting.len().min(ROWS_MAX);
        queue.waiting.drain(..count).collect()
    }
}

/// Nothing can panic while a lock is held; a poisoned one would still hold what waits.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Writes the audit row of an act that changes nothing in this database. It is there when this returns; the exception are
    /// acts of nobody beyond a number a minute, which are counted and written together.
    pub async fn record<P: Permission>(
        &self,
        allow: &Allow<P>,
        act: impl Into<Act>,
    ) -> Result<(), StoreError> {
        self.record_as(who(allow), P::NAME, act.into()).await
    }

    /// Writes down that `actor` was refused the permission `P`.
    pub async fn record_denial<P: Permission>(
        &self,
        actor: &Actor,
        request: RequestId,
        target: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut act = Act::new(Event::PermissionDenied);
        act.target = target.map(str::to_owned);
        let actor = actor.clone();
        self.record_as(Who { actor, request }, P::NAME, act).await
    }

    async fn record_as(&self, who: Who, permission: &'static str, act: Act) -> Answer {
        let now = self.inner.process.clock.now();
        if let Actor::Anonymous(client) = &who.actor {
            let floods = &self.inner.recorder.floods;
            if locked(floods).note(client.ip, act.event, now) == Verdict::Counted {
                return Ok(());
            }
        }
        self.queue(who, permission, act, now).await
    }

    async fn queue(&self, who: Who, permission: &'static str, act: Act, at: Timestamp) -> Answer {
        let entry = Entry {
            id: self.inner.process.ids.next(at),
            at,
            who,
            permission,
            act,
        };
        entry.check()?;
        let (answer, begins) = self.inner.recorder.add(entry);
        if begins {
            // A task of its own, so that a caller who goes away does not take the others' rows along.
            tokio::spawn(write_waiting(self.clone()));
        }
        answer.await.unwrap_or(Err(StoreError::Unwritten))
    }

    /// Writes down what was only counted so far, as at the end of a process.
    pub async fn write_counted(&self) {
        self.write_floods(None).await;
    }

    /// Writes a row for each address whose failures were counted in a minute that has ended by `at`, or at all without it.
    pub(crate) async fn write_floods(&self, at: Option<Timestamp>) {
        let floods = locked(&self.inner.recorder.floods).take(at);
        for flood in floods {
            let now = self.inner.process.clock.now();
            let request = RequestId::new(self.inner.process.ids.next(now));
            let client = Client {
                ip: flood.address,
                user_agent: None,
                ..Client::default()
            };
            let actor = Actor::Anonymous(client);
            let act = counted(&flood);
            let name = Authenticate::NAME;
            let written = self.queue(Who { actor, request }, name, act, now).await;
            if let Err(error) = written {
                let count = flood.count();
                tracing::warn!(%error, failure.count = count, "counted failures could not be written");
            }
        }
    }
}

fn counted(flood: &Flood) -> Act {
    Act::new(Event::FailuresCounted)
        .detail("count", flood.count())
        .detail("from", flood.from.to_rfc3339())
        .detail("events", json!(flood.events))
}

/// A task that writes. One that panics must not leave callers waiting for ever.
struct Writing(Store);

impl Drop for Writing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *locked(&self.0.inner.recorder.queue) = Queue::default();
        }
    }
}

/// Writes until nothing waits. While one transaction commits, the next ones gather.
async fn write_waiting(store: Store) {
    let writing = Writing(store);
    let store = &writing.0;
    loop {
        let batch = store.inner.recorder.take();
        if batch.is_empty() {
            return;
        }
        let (entries, callers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        match write(store, &entries).await {
            Ok(()) => callers.into_iter().for_each(|caller| {
                // Who went away knows that it may have been written.
                let _ = caller.send(Ok(()));
            }),
            Err(StoreError::Busy { attempts }) => callers.into_iter().for_each(|caller| {
                let _ = caller.send(Err(StoreError::Busy { attempts }));
            }),
            // One of them may be at fault: alone, each gets its own answer.
            Err(_) => {
                for (entry, caller) in entries.iter().zip(callers) {
                    let _ = caller.send(write(store, std::slice::from_ref(entry)).await);
                }
            }
        }
    }
}

async fn write(store: &Store, entries: &[Entry]) -> Answer {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    // Each row says itself who acted; the transaction is handed to nobody.
    let work = async |tx: Tx<Authenticate>| {
        let rows = entries.iter().cloned().map(Entry::into_row);
        rows::Entity::insert_many(rows)
            .exec_without_returning(tx.link())
            .await?;
        Ok(())
    };
    store.write(first.who.clone(), None, work).await
}
