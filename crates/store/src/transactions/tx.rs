//! The transaction as its closure sees it, with the permission and what it may do in its type.

use super::act::Act;
use super::link::Link;
use crate::store::{Inner, Process};
use domain::Timestamp;
use security::{Actor, Allow, Event, Permission, RequestId};
use serde_json::Value;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

mod sealed {
    pub trait Sealed {}
}

/// What a transaction may do: [`Read`] or [`Write`].
pub trait Mode: sealed::Sealed + 'static {
    /// What is collected for the audit row.
    #[doc(hidden)]
    type Act: Send + Sync;
}

/// The transaction sees one snapshot and changes nothing.
pub struct Read;
/// The transaction changes rows, and its commit is audited.
pub struct Write;

impl sealed::Sealed for Read {}
impl sealed::Sealed for Write {}
impl Mode for Read {
    type Act = ();
}
impl Mode for Write {
    type Act = Mutex<Option<Act>>;
}

/// A transaction of somebody who has the permission `P`. Store functions take nothing else. Kept beyond its closure it is of
/// no use: the transaction has ended.
pub struct Tx<P: Permission, M: Mode = Write> {
    shared: Arc<Shared<M>>,
    permission: PhantomData<fn() -> P>,
}

struct Shared<M: Mode> {
    link: Link,
    who: Who,
    at: Timestamp,
    inner: Arc<Inner>,
    act: M::Act,
}

impl<P: Permission, M: Mode> Tx<P, M> {
    pub(super) fn new(link: Link, who: Who, inner: Arc<Inner>, act: M::Act) -> Self {
        let at = inner.process.clock.now();
        Self {
            shared: Arc::new(Shared {
                link,
                who,
                at,
                inner,
                act,
            }),
            permission: PhantomData,
        }
    }

    /// Returns when the transaction began: the time of every row it writes.
    pub fn at(&self) -> Timestamp {
        self.shared.at
    }

    /// Returns who was allowed in.
    pub fn actor(&self) -> &Actor {
        &self.shared.who.actor
    }

    pub(crate) fn link(&self) -> &Link {
        &self.shared.link
    }

    pub(crate) fn request(&self) -> RequestId {
        self.shared.who.request
    }

    pub(crate) fn who(&self) -> &Who {
        &self.shared.who
    }

    pub(crate) fn process(&self) -> &Process {
        &self.shared.inner.process
    }

    pub(crate) fn next_id(&self) -> Uuid {
        self.process().ids.next(self.at())
    }

    /// Returns the transaction itself again, for its closure.
    pub(super) fn share(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            permission: PhantomData,
        }
    }

    /// Undoes what was done; a connection that cannot even undo is broken, and the database undoes what it left.
    pub(super) async fn undo(&self) {
        if let Err(error) = self.link().rollback().await {
            tracing::debug!(%error, "a rollback failed");
        }
    }
}

impl<P: Permission> Tx<P> {
    /// Names what is acted on, in the audit row.
    pub fn target(&self, target: impl Into<String>) {
        self.change(|act| act.target = Some(target.into()));
    }

    /// Adds a detail to the audit row. It must hold no secret and no personal data.
    pub fn detail(&self, key: &'static str, value: impl Into<Value>) {
        self.change(|act| {
            act.details.insert(key.to_owned(), value.into());
        });
    }

    /// Adds a personal value to the audit row; it can be erased.
    pub fn personal(&self, key: &'static str, value: impl Into<String>) {
        self.change(|act| {
            act.personal.insert(key.to_owned(), value.into().into());
        });
    }

    /// Changes what the audit row will call the event, when that shows only in the transaction.
    pub fn event(&self, event: Event) {
        self.change(|act| act.event = event);
    }

    /// Takes what the audit row is made of, once.
    pub(super) fn take_act(&self) -> Option<Act> {
        self.shared
            .act
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn change(&self, change: impl FnOnce(&mut Act)) {
        // Nothing can panic while the lock is held; a poisoned one would still hold the act.
        if let Some(act) = self
            .shared
            .act
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            change(act);
        }
    }
}

/// In whose name, and for which request, a transaction is.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) actor: Actor,
    pub(crate) request: RequestId,
}

pub(crate) fn who<P: Permission>(allow: &Allow<P>) -> Who {
    Who {
        actor: allow.actor().clone(),
        request: allow.request(),
    }
}
