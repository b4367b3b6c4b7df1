//! The sequencer: rows that are committed and have no place yet get one, with the hash that hangs them on the row before.
//!
//! Which rows those are is asked anew each time, by the empty `seq`, never by a number that was reached: a row that is
//! committed late is not skipped, it comes after those that were committed before it.

use super::rows::{self, Column, Entity};
use crate::dialect;
use crate::error::StoreError;
use crate::store::Store;
use crate::transactions::{ATTEMPTS_MAX, Mode, Tx, pause};
use sea_orm::sea_query::Order;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    TransactionTrait,
};
use security::audit_chain::verifier::Kept;
use security::audit_chain::{Content, Digest, Stored, commitment, new_salt};
use security::permissions::AuditView;
use security::{Entropy, Implies};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Rows of one transaction: it holds the right to write meanwhile.
const ROWS_MAX: u64 = 500;
/// What a value of `personal` is called among all personal values.
const PERSONAL: &str = "personal.";

/// The last record of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: Digest,
}

impl Store {
    /// Gives every committed row of the audit log its place; returns how many got one. Any number of processes may do so at
    /// once. It is no act of anybody, and changes no row that has its place.
    pub async fn sequence(&self, entropy: &dyn Entropy) -> Result<u64, StoreError> {
        self.write_floods(Some(self.inner.process.clock.now()))
            .await;
        let mut sequenced = 0;
        while self.has_waiting().await? {
            sequenced += self.sequence_page(entropy).await?;
        }
        Ok(sequenced)
    }

    /// Returns the last record of the chain.
    pub async fn find_head(&self) -> Result<Option<Head>, StoreError> {
        head(&self.inner.db).await
    }

    async fn has_waiting(&self) -> Result<bool, StoreError> {
        let one = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::Seq.is_null())
            .limit(1)
            .into_tuple::<String>()
            .one(&self.inner.db)
            .await?;
        Ok(one.is_some())
    }

    async fn sequence_page(&self, entropy: &dyn Entropy) -> Result<u64, StoreError> {
        let _turn = self.inner.turn.lock().await;
        let mut attempt = 1;
        loop {
            match self.try_sequence(entropy).await {
                Err(error) if dialect::is_conflict_of(&error) && attempt < ATTEMPTS_MAX => {
                    pause(attempt).await;
                    attempt += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_sequence(&self, entropy: &dyn Entropy) -> Result<u64, StoreError> {
        let backend = self.backend();
        let (options, lock) = dialect::sequencing(backend);
        let db = self.inner.db.begin_with_options(options).await?;
        if let Some(lock) = lock {
            db.execute_raw(lock).await?;
        }
        let found = Entity::find()
            .filter(Column::Seq.is_null())
            .order_by(dialect::commit_order(backend), Order::Asc)
            .limit(ROWS_MAX)
            .all(&db)
            .await?;
        let (mut seq, mut last) = match head(&db).await? {
            Some(head) => (head.seq, head.hash),
            None => (0, Digest::START),
        };
        let count = found.len() as u64;
        for row in found {
            seq += 1;
            last = chain(&db, row, seq, last, entropy).await?;
        }
        domain::fault::point("audit sequence commit");
        db.commit().await?;
        domain::fault::point("audit sequenced");
        Ok(count)
    }
}

/// Writes a row's place and hashes; returns its hash.
async fn chain(
    db: &impl ConnectionTrait,
    row: rows::Model,
    seq: i64,
    previous: Digest,
    entropy: &dyn Entropy,
) -> Result<Digest, StoreError> {
    let id = row.id.0.to_string();
    let (mut salts, mut commitments) = (Map::new(), BTreeMap::new());
    for (name, value) in row.personal_values() {
        let salt = new_salt(entropy);
        commitments.insert(name.clone(), commitment(&salt, &value));
        salts.insert(name, salt.into());
    }
    let json = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
    let named = commitments.iter();
    let committed = named.map(|(name, made)| (name.clone(), made.to_string().into()));
    let committed = json(committed.collect());
    let hash = row.into_content(commitments).hash(previous);
    Entity::update_many()
        .filter(Column::Id.eq(id))
        .set(rows::ActiveModel {
            seq: sea_orm::ActiveValue::Set(Some(seq)),
            prev_hash: sea_orm::ActiveValue::Set(Some(previous.to_string())),
            hash: sea_orm::ActiveValue::Set(Some(hash.to_string())),
            salts: sea_orm::ActiveValue::Set(json(salts)),
            commitments: sea_orm::ActiveValue::Set(committed),
            ..Default::default()
        })
        .exec(db)
        .await?;
    Ok(hash)
}

async fn head(db: &impl ConnectionTrait) -> Result<Option<Head>, StoreError> {
    let last = Entity::find()
        .filter(Column::Seq.is_not_null())
        .order_by_desc(Column::Seq)
        .one(db)
        .await?;
    let head = last.and_then(|row| {
        let hash = Digest::parse(row.hash.as_deref()?)?;
        Some(Head {
            seq: row.seq?,
            hash,
        })
    });
    Ok(head)
}

/// Returns the records after `seq`, in order, as the chain sees them; at most `limit`.
pub async fn list_chained<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    seq: i64,
    limit: u64,
) -> Result<Vec<Stored>, StoreError> {
    let found = after(tx, seq, limit).await?;
    found.into_iter().map(rows::Model::into_stored).collect()
}

pub(super) async fn after<P: Implies<AuditView>, M: Mode>(
    tx: &Tx<P, M>,
    seq: i64,
    limit: u64,
) -> Result<Vec<rows::Model>, StoreError> {
    let found = Entity::find()
        .filter(Column::Seq.gt(seq))
        .order_by_asc(Column::Seq)
        .limit(limit);
    Ok(found.all(tx.link()).await?)
}

impl rows::Model {
    /// Returns the personal values that are there, by name.
    pub(super) fn personal_values(&self) -> BTreeMap<String, String> {
        let columns = [
            ("email", &self.email),
            ("ip", &self.ip),
            ("user_agent", &self.user_agent),
        ];
        let columns = columns
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        let further = self.personal.as_ref().and_then(Value::as_object);
        let further = further.into_iter().flatten().map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (format!("{PERSONAL}{name}"), text)
        });
        columns.chain(further).collect()
    }

    fn into_content(self, personal: BTreeMap<String, Digest>) -> Content {
        Content {
            id: self.id.0.to_string(),
            at_us: self.created_at_us,
            event: self.event,
            event_type: self.event_type,
            dango_version: self.dango_version,
            actor: self.actor,
            user_id: self.user_id,
            permission: self.permission,
            target: self.target,
            request_id: self.request_id.0.to_string(),
            effect_id: self.effect_id,
            phase: self.phase,
            details: self.event_data,
            personal,
        }
    }

    /// Returns the row as the chain sees it. What cannot be read is left out: the hash will not fit then.
    fn into_stored(self) -> Result<Stored, StoreError> {
        let seq = self.seq.ok_or(StoreError::Stored {
            what: "the place of an audit row",
        })?;
        let digest = |text: &Option<String>| text.as_deref().and_then(Digest::parse);
        let (previous, hash) = (digest(&self.prev_hash), digest(&self.hash));
        let texts = |json: &Option<Value>| -> BTreeMap<String, String> {
            let object = json.as_ref().and_then(Value::as_object);
            let texts = object.into_iter().flatten();
            texts
                .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
                .collect()
        };
        let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
        for (name, value) in self.personal_values() {
            kept.entry(name).or_default().value = Some(value);
        }
        for (name, salt) in texts(&self.salts) {
            kept.entry(name).or_default().salt = Some(salt);
        }
        let personal = texts(&self.commitments)
            .into_iter()
            .filter_map(|(name, text)| Some((name, Digest::parse(&text)?)))
            .collect();
        Ok(Stored {
            seq,
            previous,
            hash,
            content: self.into_content(personal),
            kept,
        })
    }
}
