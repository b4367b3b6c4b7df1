//! Who acts.

use domain::JobId;
use std::fmt;
use uuid::Uuid;

/// A role of the team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Viewer,
    Editor,
    Admin,
}

/// The id of one request or command, the same in every log line and audit row it causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Returns the id with this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Returns the UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Who acts. There is no actor that may do everything without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody at the command line of the machine, with the rights of the project's files.
    Operator { os_user: String },
    /// A job that runs again, or later, for whom it was made.
    Job { id: JobId, os_user: String },
}

impl Actor {
    /// Returns the actor as audit rows name it: `operator:root`, `job:operator:root`.
    pub fn audit_name(&self) -> String {
        match self {
            Self::Operator { os_user } => format!("operator:{os_user}"),
            Self::Job { os_user, .. } => format!("job:operator:{os_user}"),
        }
    }
}
