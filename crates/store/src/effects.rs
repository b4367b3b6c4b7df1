//! Effects outside the metadata database (a file written, a warehouse rewritten): an audit row says the intent before, and
//! another the outcome after. What a crash leaves without an outcome is found at the next start.

mod rows;

use crate::audit::Phase;
use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Act, Tx, who};
use domain::Timestamp;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use security::permissions::PlatformManage;
use security::{Allow, Event, Permission};
use uuid::Uuid;

/// Effects under way that one look returns; one process has a handful.
const LIMIT_MAX: u64 = 500;

/// How an effect ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// A part was done, and then it failed.
    Partly,
    Failed,
    /// The process died, and nothing tells whether it was done.
    Unknown,
}

impl Outcome {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// An effect that was announced and has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an effect needs an outcome"]
pub struct Effect {
    pub id: Uuid,
    pub event: Event,
    pub target: Option<String>,
    pub started_at: Timestamp,
}

impl Store {
    /// Announces an effect: the audit log holds its intent before it happens.
    pub async fn begin_effect<P: Permission>(
        &self,
        allow: &Allow<P>,
        act: impl Into<Act>,
    ) -> Result<Effect, StoreError> {
        let act = act.into();
        let id = self.inner.process.ids.next(self.inner.process.clock.now());
        let (event, target) = (act.event, act.target.clone());
        self.run_tx(allow, act.of_effect(id, Phase::Intent), async |tx| {
            let owner = &tx.process().owner;
            let row = rows::ActiveModel {
                id: Set(id.into()),
                event: Set(event.as_str().to_owned()),
                permission: Set(P::NAME.to_owned()),
                target: Set(target.clone()),
                started_at_us: Set(tx.at().as_micros()),
                owner_pid: Set(i64::from(owner.pid)),
                owner_started: Set(owner.started),
                owner_boot: Set(owner.boot.clone()),
            };
            rows::Entity::insert(row)
                .exec_without_returning(tx.link())
                .await?;
            Ok(Effect {
                id,
                event,
                target: target.clone(),
                started_at: tx.at(),
            })
        })
        .await
    }

    /// Writes how an effect ended, by whoever was allowed to begin it.
    pub async fn finish_effect<P: Permission>(
        &self,
        allow: &Allow<P>,
        effect: Effect,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        self.end_effect(allow, &effect, outcome, Some(P::NAME))
            .await
    }

    /// Returns the effects whose process is gone, oldest first.
    pub async fn find_lost_effects(
        &self,
        allow: &Allow<PlatformManage>,
    ) -> Result<Vec<Effect>, StoreError> {
        let rows = self
            .run_read(allow, async |tx| {
                let rows = rows::Entity::find()
                    .order_by_asc(rows::Column::Id)
                    .limit(LIMIT_MAX);
                Ok::<_, StoreError>(rows.all(tx.link()).await?)
            })
            .await?;
        let lost = |row: &rows::Model| match row.owner() {
            Some(owner) => owner.is_gone(self.owner()),
            None => true,
        };
        rows.into_iter()
            .filter(lost)
            .map(rows::Model::read)
            .collect()
    }

    /// Writes the outcome of an effect whose process is gone.
    pub async fn settle_effect(
        &self,
        allow: &Allow<PlatformManage>,
        effect: Effect,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        self.end_effect(allow, &effect, outcome, None).await
    }

    /// The row in `effects` says that the outcome is missing; it goes in the transaction that writes it.
    async fn end_effect<P: Permission>(
        &self,
        allow: &Allow<P>,
        effect: &Effect,
        outcome: Outcome,
        permission: Option<&'static str>,
    ) -> Result<(), StoreError> {
        let mut act = Act::new(effect.event).detail("outcome", outcome.as_str());
        act.target.clone_from(&effect.target);
        let act = act.of_effect(effect.id, Phase::Outcome);
        self.write(who(allow), Some(act), async |tx: Tx<P>| {
            let mut row =
                rows::Entity::delete_many().filter(rows::Column::Id.eq(effect.id.to_string()));
            if let Some(permission) = permission {
                row = row.filter(rows::Column::Permission.eq(permission));
            }
            match row.exec(tx.link()).await?.rows_affected {
                1 => Ok(()),
                _ => Err(StoreError::EffectFinished),
            }
        })
        .await
    }
}
