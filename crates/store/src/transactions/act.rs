//! What a transaction does, for its audit row.

use crate::audit::Phase;
use domain::{Email, UserId};
use security::Event;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The details of one audit row, as JSON; more would be a document, not a note.
pub const DETAILS_BYTES_MAX: usize = 16 << 10;

/// An act: the event, what it is about, and details. None of it may hold a secret; personal data stands apart, so that it
/// can be erased.
#[derive(Debug, Clone)]
pub struct Act {
    pub(crate) event: Event,
    pub(crate) target: Option<String>,
    pub(crate) details: Map<String, Value>,
    pub(crate) personal: Map<String, Value>,
    pub(crate) effect: Option<(Uuid, Phase)>,
    /// Whom it concerns, when nobody has signed in yet.
    pub(crate) subject: Option<(UserId, Email)>,
}

impl Act {
    /// Returns the act of `event`.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            target: None,
            details: Map::new(),
            personal: Map::new(),
            effect: None,
            subject: None,
        }
    }

    /// Names what is acted on.
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Adds a detail.
    pub fn detail(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a personal value: an address, free text. The address somebody tried to sign in with is called `email`.
    pub fn personal(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.personal.insert(key.to_owned(), value.into().into());
        self
    }

    /// Names whom it concerns who has not signed in yet, as the row's user.
    pub fn subject(mut self, user: UserId, email: &Email) -> Self {
        self.subject = Some((user, email.clone()));
        self
    }

    pub(crate) fn of_effect(mut self, id: Uuid, phase: Phase) -> Self {
        self.effect = Some((id, phase));
        self
    }
}

impl From<Event> for Act {
    fn from(event: Event) -> Self {
        Self::new(event)
    }
}
