//! Requests that wait for the worker's answers.

use super::link::Link;
use super::unexpected;
use crate::error::WarehouseError;
use crate::wire::{Act, Outcome, Reply};
use sandbox::Channel;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// The answers a request can have: columns, then how it went. One more, so that a late one is never waited for.
const ANSWERS_MAX: usize = 3;

/// The requests that wait.
#[derive(Default)]
pub(super) struct Waiting {
    requests: Mutex<BTreeMap<u64, mpsc::Sender<Outcome>>>,
    is_dead: AtomicBool,
}

impl Waiting {
    /// Enters request `id` and returns where its answers will come.
    pub(super) fn enter(&self, id: u64) -> mpsc::Receiver<Outcome> {
        let (sender, answers) = mpsc::channel(ANSWERS_MAX);
        self.lock().insert(id, sender);
        answers
    }

    /// Takes request `id` out: it was not sent, or nobody is left to answer it.
    pub(super) fn forget(&self, id: u64) {
        self.lock().remove(&id);
    }

    /// Returns whether no more answers will come.
    pub(super) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    /// Hands each answer to its request until the worker is gone; then nobody gets one any more.
    pub(super) fn receive(&self, channel: &Channel) {
        while let Ok(Some((reply, _))) = channel.recv::<Reply>() {
            let mut requests = self.lock();
            let is_last = !matches!(reply.outcome, Outcome::Columns(_));
            let sender = if is_last {
                requests.remove(&reply.id)
            } else {
                requests.get(&reply.id).cloned()
            };
            drop(requests);
            if let Some(sender) = sender {
                // Whoever asked may have gone away.
                let _ = sender.try_send(reply.outcome);
            }
        }
        self.is_dead.store(true, Ordering::SeqCst);
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, mpsc::Sender<Outcome>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was sent and not answered yet.
pub(super) struct Pending {
    link: Arc<Link>,
    id: u64,
    answers: mpsc::Receiver<Outcome>,
    answered: bool,
}

impl Pending {
    pub(super) const fn new(link: Arc<Link>, id: u64, answers: mpsc::Receiver<Outcome>) -> Self {
        Self {
            link,
            id,
            answers,
            answered: false,
        }
    }

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Waits for the next answer; a failure is an error.
    pub(super) async fn next(&mut self) -> Result<Outcome, WarehouseError> {
        let outcome = self.answers.recv().await;
        self.answered = !matches!(outcome, Some(Outcome::Columns(_)));
        match outcome {
            Some(Outcome::Failed(fault)) => Err(fault.into()),
            Some(outcome) => Ok(outcome),
            None => {
                let link = Arc::clone(&self.link);
                let error = tokio::task::spawn_blocking(move || link.death()).await;
                Err(error.unwrap_or_else(|error| WarehouseError::Bug(error.to_string())))
            }
        }
    }

    /// Waits for the last answer, and returns the rows and whether there were more.
    pub(super) async fn done(mut self) -> Result<(u64, bool), WarehouseError> {
        self.finish().await
    }

    /// Like [`Pending::done`], where the request stays.
    pub(super) async fn finish(&mut self) -> Result<(u64, bool), WarehouseError> {
        loop {
            match self.next().await? {
                Outcome::Done { rows, truncated } => return Ok((rows, truncated)),
                Outcome::Columns(_) => {}
                other @ (Outcome::Status(_) | Outcome::Failed(_)) => {
                    return Err(unexpected(&other));
                }
            }
        }
    }
}

impl Drop for Pending {
    /// Nobody waits for the answer any more, so the worker need not go on.
    fn drop(&mut self) {
        if !self.answered && self.link.is_alive() {
            self.link.tell(Act::Cancel { request: self.id });
        }
    }
}
