//! Checkpoints beside the log they sign.

use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{Mode, Tx};
use domain::Timestamp;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use security::Implies;
use security::audit_chain::{Checkpoint, Digest, PublicKey};
use security::permissions::AuditView;

mod rows;

use rows::{ActiveModel, Column, Entity, Model};

impl Store {
    /// Returns the last checkpoint.
    pub async fn find_last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        let last = Entity::find().order_by_desc(Column::Number);
        let last = last.one(&self.inner.db).await?;
        last.map(Model::read).transpose()
    }

    /// Writes a checkpoint; one of its number is there at most. It is a signature over what stands there, no act.
    pub async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let _turn = self.inner.turn.lock().await;
        let row = ActiveModel {
            number: Set(checkpoint.number),
            seq: Set(checkpoint.seq),
            hash: Set(checkpoint.hash.to_string()),
            created_at_us: Set(checkpoint.at.as_micros()),
            key: Set(checkpoint.key.to_string()),
            next_key: Set(checkpoint.next_key.to_string()),
            signature: Set(checkpoint.signature.clone()),
        };
        Entity::insert(row)
            .exec_without_returning(&self.inner.db)
            .await?;
        domain::fault::point("audit checkpoint committed");
        Ok(())
    }
}

/// Returns every checkpoint after `number`, in order.
pub async fn list_checkpoints<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    number: i64,
) -> Result<Vec<Checkpoint>, StoreError> {
    let found = Entity::find()
        .filter(Column::Number.gt(number))
        .order_by_asc(Column::Number)
        .all(tx.link())
        .await?;
    found.into_iter().map(Model::read).collect()
}

impl Model {
    fn read(self) -> Result<Checkpoint, StoreError> {
        let stored = |what| StoreError::Stored { what };
        let key = |text: &str| PublicKey::parse(text).ok_or(stored("the key of a checkpoint"));
        Ok(Checkpoint {
            number: self.number,
            seq: self.seq,
            hash: Digest::parse(&self.hash).ok_or(stored("the hash of a checkpoint"))?,
            at: Timestamp::from_micros(self.created_at_us),
            key: key(&self.key)?,
            next_key: key(&self.next_key)?,
            signature: self.signature,
        })
    }
}
