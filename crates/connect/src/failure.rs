//! What can go wrong at a source, in words for its user.

use domain::Say;
use std::error::Error;
use std::fmt;

/// What kind of failure it is: decides the error code, the exit code and whether a retry makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No answer, or the connection was cut.
    Unreachable,
    /// The credential is wrong, expired or revoked.
    Unauthorized,
    /// The credential is known and may not read this.
    Forbidden,
    /// No such table, file, folder or address.
    Missing,
    /// Too many requests, beyond the retries.
    RateLimited,
    /// The source failed by itself (HTTP 5xx, a database error), beyond the retries.
    Failed,
    /// The answer is not what it should be.
    Protocol,
    /// The source changed while it was read.
    Changed,
    /// The address may not be contacted.
    EgressDenied,
    /// A file is not what its format says.
    FileInvalid,
    /// A cell or value is beyond the limit.
    FileTooLarge,
    /// The source's configuration does not hold.
    ConfigInvalid,
    /// A required credential is missing.
    CredentialMissing,
}

/// A failure at a source.
#[derive(Debug)]
pub struct Failure {
    pub kind: FailureKind,
    /// What happened, with the name of the thing.
    pub say: Say,
    /// What to do next; empty when there is nothing to add.
    pub hint: Say,
    /// The driver's own error, for the log alone.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// Returns a failure without a hint.
    pub fn new(kind: FailureKind, say: impl Into<Say>) -> Self {
        Self {
            kind,
            say: say.into(),
            hint: Say::default(),
            source: None,
        }
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<Say>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds the driver's own error, for the log.
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Returns the failure of a configuration that does not hold.
pub(crate) fn invalid(say: Say) -> Failure {
    Failure::new(FailureKind::ConfigInvalid, say)
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say.fmt(out)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}
