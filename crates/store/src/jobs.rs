//! Jobs: long work that has a name, an owner and an end, whatever becomes of the process that does it.
//!
//! Every step of the state machine is a compare-and-set on the row's state. A running job belongs to the process and the
//! attempt that started it: who holds its [`Lease`] may write to it, and one that comes back from the dead may not. A job is
//! changed only under the permission it was created with; under any other it is missing.

mod owner;
mod rows;
mod steps;

pub use owner::Owner;
pub use steps::{cancel, create, finish, start};

use crate::error::StoreError;
use crate::paging::{Listed, Paging};
use crate::transactions::{Mode, Tx};
use domain::{Code, JobId, JobState, LoadId, Timestamp};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use security::Implies;
use security::permissions::SourceView;
use serde_json::{Map, Value};

/// A failure is told in at most this many characters; the log has the rest.
pub(crate) const ERROR_CHARS_MAX: usize = 4_000;
/// Running jobs that one look for lost ones considers.
const RUNNING_MAX: u64 = 10_000;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Syncs one source.
    Sync,
}

impl JobKind {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sync => "sync",
        }
    }

    fn from_stored(text: &str) -> Option<Self> {
        [Self::Sync].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A job to create.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub kind: JobKind,
    /// What it works on: the source of a sync. Only one job of a kind runs on a target at a time.
    pub target: String,
    pub load_id: Option<LoadId>,
    /// The same actor's second job of the kind with the same key is the first one.
    pub idempotency_key: Option<String>,
    /// What it was asked to do, in words that hold no secret.
    pub options: Map<String, Value>,
}

impl NewJob {
    /// Returns a job of `kind` on `target`, without a load id, a key or options.
    pub fn new(kind: JobKind, target: impl Into<String>) -> Self {
        let target = target.into();
        Self {
            kind,
            target,
            load_id: None,
            idempotency_key: None,
            options: Map::new(),
        }
    }
}

/// What [`create`] made or found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    pub id: JobId,
    /// False when the idempotency key was known: the job is the earlier one.
    pub is_new: bool,
}

/// The right to write to a running job: which attempt it is, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub job: JobId,
    /// Grows with every start; a write of an earlier attempt is refused.
    pub attempt: u32,
}

/// Why a job or a sync failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A [`Code`]; kept as text, because a newer version may have written it.
    pub code: String,
    /// Already redacted.
    pub text: String,
}

impl Failure {
    /// Returns the failure `code`, told by `text`, which the caller has redacted; it is cut at 4,000 characters.
    pub fn new(code: Code, text: &str) -> Self {
        let text = text.chars().take(ERROR_CHARS_MAX).collect();
        Self {
            code: code.as_str().to_owned(),
            text,
        }
    }
}

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobEnd {
    Succeeded,
    Failed(Failure),
    Cancelled,
    /// Its process died, and the work is known not to have been done.
    Interrupted,
}

impl JobEnd {
    /// Returns the state the job ends in.
    pub const fn state(&self) -> JobState {
        match self {
            Self::Succeeded => JobState::Succeeded,
            Self::Failed(_) => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
            Self::Interrupted => JobState::Interrupted,
        }
    }
}

/// What became of the wish to cancel a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not started, and never will.
    AtOnce,
    /// It runs; its owner learns of the wish with the next heartbeat.
    Asked,
}

/// What the owner of a job learns when it gives a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    pub is_cancel_asked: bool,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub kind: JobKind,
    pub target: String,
    pub state: JobState,
    pub actor: String,
    pub permission: String,
    pub load_id: Option<LoadId>,
    pub options: Map<String, Value>,
    /// How often it was started.
    pub attempt: u32,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub heartbeat_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub is_cancel_asked: bool,
    /// The process that runs it, or ran it last.
    pub owner: Option<Owner>,
    pub progress: Option<Value>,
    pub failure: Option<Failure>,
}

impl Job {
    /// Returns the lease of the job's latest attempt: for settling a job whose process is gone.
    pub const fn lease(&self) -> Lease {
        Lease {
            job: self.id,
            attempt: self.attempt,
        }
    }
}

/// Which jobs are wanted; an empty filter takes all.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    pub state: Option<JobState>,
    pub target: Option<String>,
}

/// Returns the job of this id.
pub async fn find<P: Implies<SourceView>, M: Mode>(
    tx: &Tx<P, M>,
    id: JobId,
) -> Result<Option<Job>, StoreError> {
    let row = rows::Entity::find_by_id(id.as_uuid())
        .one(tx.link())
        .await?;
    row.map(rows::Model::read).transpose()
}

/// Returns the jobs that `filter` takes, newest first.
pub async fn list<P: Implies<SourceView>, M: Mode>(
    tx: &Tx<P, M>,
    filter: &JobFilter,
    paging: Paging,
) -> Result<Listed<Job>, StoreError> {
    let mut rows = rows::Entity::find();
    if let Some(state) = filter.state {
        rows = rows.filter(rows::Column::State.eq(state.as_str()));
    }
    if let Some(target) = &filter.target {
        rows = rows.filter(rows::Column::Target.eq(target));
    }
    let total = rows.clone().count(tx.link()).await?;
    let found = rows
        .order_by_desc(rows::Column::CreatedAtUs)
        .order_by_desc(rows::Column::Id)
        .limit(paging.limit)
        .offset(paging.offset)
        .all(tx.link())
        .await?;
    let items = found
        .into_iter()
        .map(rows::Model::read)
        .collect::<Result<_, _>>()?;
    Ok(Listed { items, total })
}

/// Returns the running jobs whose process is gone, oldest first. Each is to be settled: [`finish`] with its
/// [`Job::lease`], once it is known whether the work was done.
pub async fn list_lost<P: Implies<SourceView>, M: Mode>(
    tx: &Tx<P, M>,
) -> Result<Vec<Job>, StoreError> {
    let running = rows::Entity::find()
        .filter(rows::Column::State.eq(JobState::Running.as_str()))
        .order_by_asc(rows::Column::CreatedAtUs)
        .limit(RUNNING_MAX)
        .all(tx.link())
        .await?;
    let jobs: Vec<Job> = running
        .into_iter()
        .map(rows::Model::read)
        .collect::<Result<_, _>>()?;
    let here = &tx.process().owner;
    let is_lost = |job: &Job| job.owner.as_ref().is_none_or(|owner| owner.is_gone(here));
    Ok(jobs.into_iter().filter(is_lost).collect())
}
