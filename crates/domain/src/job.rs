//! The life of a job: long work that survives the process that runs it.

use crate::say::shown_by_display;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// Returns the id with this UUID.
    pub const fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Returns the UUID.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}
shown_by_display!(JobId);

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// The process died while the job ran, and the work is known not to have been done.
    Interrupted,
}

/// A step that the state machine has no edge for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job cannot go from {from} to {to}")]
pub struct JobStep {
    pub from: JobState,
    pub to: JobState,
}

impl JobState {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Returns the state that was stored as `text`.
    pub fn from_stored(text: &str) -> Option<Self> {
        [
            Self::Queued,
            Self::Running,
            Self::Succeeded,
            Self::Failed,
            Self::Cancelled,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }

    /// Returns `to` when a job may go there from here.
    pub const fn step(self, to: Self) -> Result<Self, JobStep> {
        match (self, to) {
            (Self::Queued, Self::Running | Self::Cancelled)
            | (
                Self::Running,
                Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted,
            ) => Ok(to),
            (from, to) => Err(JobStep { from, to }),
        }
    }

    /// Returns whether nothing more will happen to the job.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
shown_by_display!(JobState);

#[cfg(test)]
mod tests {
    use super::JobState::*;
    use super::*;

    #[test]
    fn a_final_state_is_left_by_no_edge() {
        let all = [Queued, Running, Succeeded, Failed, Cancelled, Interrupted];
        for from in all {
            for to in all {
                assert!(
                    !(from.is_final() && from.step(to).is_ok()),
                    "{from} -> {to}"
                );
            }
            assert_eq!(JobState::from_stored(from.as_str()), Some(from));
        }
        assert_eq!(
            Queued.step(Succeeded),
            Err(JobStep {
                from: Queued,
                to: Succeeded
            })
        );
    }
}
