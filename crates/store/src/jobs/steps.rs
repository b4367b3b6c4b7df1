//! The steps of a job's life, each a compare-and-set.

use super::rows::{self, Column, Entity};
use super::{Cancelled, Created, Heartbeat, JobEnd, Lease, NewJob};
use crate::dialect;
use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Tx, who};
use domain::{JobId, JobState};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, UpdateMany};
use security::{Allow, Permission};
use serde_json::Value;

/// Creates a job that waits to be started; it belongs to the permission of the transaction.
pub async fn create<P: Permission>(tx: &Tx<P>, job: NewJob) -> Result<Created, StoreError> {
    let actor = tx.actor().audit_name();
    if let Some(key) = &job.idempotency_key {
        let known = Entity::find()
            .filter(Column::Actor.eq(&actor))
            .filter(Column::Kind.eq(job.kind.as_str()))
            .filter(Column::IdempotencyKey.eq(key))
            .one(tx.link())
            .await?;
        if let Some(row) = known {
            return Ok(Created {
                id: JobId::new(row.id.0),
                is_new: false,
            });
        }
    }
    let id = tx.next_id();
    let row = rows::ActiveModel {
        id: Set(id.into()),
        kind: Set(job.kind.as_str().to_owned()),
        target: Set(job.target),
        state: Set(JobState::Queued.as_str().to_owned()),
        actor: Set(actor),
        permission: Set(P::NAME.to_owned()),
        request_id: Set(tx.request().as_uuid().into()),
        idempotency_key: Set(job.idempotency_key),
        load_id: Set(job.load_id.map(|id| id.as_str().to_owned())),
        options: Set(Value::Object(job.options)),
        attempt: Set(0),
        created_at_us: Set(tx.at().as_micros()),
        ..Default::default()
    };
    Entity::insert(row)
        .exec_without_returning(tx.link())
        .await?;
    Ok(Created {
        id: JobId::new(id),
        is_new: true,
    })
}

/// Starts a queued job in the name of this process.
pub async fn start<P: Permission>(tx: &Tx<P>, id: JobId) -> Result<Lease, StoreError> {
    let row = get::<P>(tx, id).await?;
    JobState::from_stored(&row.state)
        .ok_or(StoreError::Stored {
            what: "the state of a job",
        })?
        .step(JobState::Running)?;
    let owner = &tx.process().owner;
    let started = step::<P>(id, JobState::Queued, JobState::Running)
        .col_expr(Column::Attempt, Expr::col(Column::Attempt).add(1))
        .col_expr(Column::StartedAtUs, Expr::value(tx.at().as_micros()))
        .col_expr(Column::HeartbeatAtUs, Expr::value(tx.at().as_micros()))
        .col_expr(Column::OwnerPid, Expr::value(i64::from(owner.pid)))
        .col_expr(Column::OwnerStarted, Expr::value(owner.started))
        .col_expr(Column::OwnerBoot, Expr::value(owner.boot.as_str()))
        .exec(tx.link())
        .await;
    match started {
        Err(error) if dialect::is_duplicate(&error) => {
            Err(StoreError::JobRunning { target: row.target })
        }
        Err(error) => Err(error.into()),
        Ok(done) if done.rows_affected == 1 => {
            let attempt = u32::try_from(row.attempt + 1).unwrap_or(u32::MAX);
            Ok(Lease { job: id, attempt })
        }
        Ok(_) => Err(StoreError::JobLost { id }),
    }
}

/// Ends a running job. With the lease of a job whose process is gone this settles it.
pub async fn finish<P: Permission>(
    tx: &Tx<P>,
    lease: &Lease,
    end: JobEnd,
) -> Result<(), StoreError> {
    let failure = match &end {
        JobEnd::Failed(failure) => Some(failure.clone()),
        _ => None,
    };
    let done = held::<P>(lease, end.state())
        .col_expr(Column::EndedAtUs, Expr::value(tx.at().as_micros()))
        .col_expr(
            Column::ErrorCode,
            Expr::value(failure.as_ref().map(|failure| failure.code.clone())),
        )
        .col_expr(
            Column::ErrorText,
            Expr::value(failure.map(|failure| failure.text)),
        )
        .exec(tx.link())
        .await?;
    only_one(tx, lease.job, done.rows_affected).await
}

/// Cancels a job that has not started; asks the owner of a running one to stop.
pub async fn cancel<P: Permission>(tx: &Tx<P>, id: JobId) -> Result<Cancelled, StoreError> {
    let at = tx.at().as_micros();
    let queued = step::<P>(id, JobState::Queued, JobState::Cancelled)
        .col_expr(Column::EndedAtUs, Expr::value(at))
        .exec(tx.link())
        .await?;
    if queued.rows_affected == 1 {
        return Ok(Cancelled::AtOnce);
    }
    let running = step::<P>(id, JobState::Running, JobState::Running)
        .col_expr(Column::CancelAskedAtUs, Expr::value(at))
        .exec(tx.link())
        .await?;
    if running.rows_affected == 1 {
        return Ok(Cancelled::Asked);
    }
    let row = get::<P>(tx, id).await?;
    let state = JobState::from_stored(&row.state).ok_or(StoreError::Stored {
        what: "the state of a job",
    })?;
    state.step(JobState::Cancelled)?;
    Err(StoreError::JobLost { id })
}

impl Store {
    /// Gives a sign of life of a running job, with its progress, and learns whether it should stop. It is not an act and
    /// leaves no audit row.
    pub async fn heartbeat<P: Permission>(
        &self,
        allow: &Allow<P>,
        lease: &Lease,
        progress: Option<&Value>,
    ) -> Result<Heartbeat, StoreError> {
        self.write(who(allow), None, async |tx: Tx<P>| {
            let mut beat = held::<P>(lease, JobState::Running)
                .col_expr(Column::HeartbeatAtUs, Expr::value(tx.at().as_micros()));
            if let Some(progress) = progress {
                beat = beat.col_expr(Column::Progress, Expr::value(progress.clone()));
            }
            let done = beat.exec(tx.link()).await?;
            only_one(&tx, lease.job, done.rows_affected).await?;
            let row = get::<P>(&tx, lease.job).await?;
            Ok(Heartbeat {
                is_cancel_asked: row.cancel_asked_at_us.is_some(),
            })
        })
        .await
    }
}

/// Returns the update of a job of the permission `P` from one state to another.
fn step<P: Permission>(id: JobId, from: JobState, to: JobState) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::State, Expr::value(to.as_str()))
        .filter(Column::Id.eq(id.to_string()))
        .filter(Column::Permission.eq(P::NAME))
        .filter(Column::State.eq(from.as_str()))
}

/// Returns the update of the running job that `lease` holds.
fn held<P: Permission>(lease: &Lease, to: JobState) -> UpdateMany<Entity> {
    step::<P>(lease.job, JobState::Running, to).filter(Column::Attempt.eq(lease.attempt))
}

async fn get<P: Permission>(tx: &Tx<P>, id: JobId) -> Result<rows::Model, StoreError> {
    let row = Entity::find_by_id(id.as_uuid())
        .filter(Column::Permission.eq(P::NAME))
        .one(tx.link())
        .await?;
    row.ok_or(StoreError::JobMissing { id })
}

async fn only_one<P: Permission>(tx: &Tx<P>, id: JobId, rows: u64) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    get::<P>(tx, id).await?;
    Err(StoreError::JobLost { id })
}
