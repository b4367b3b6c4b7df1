//! The table `passkeys` as it is stored.

use super::{Passkey, StoredPasskey};
use domain::{PasskeyId, Timestamp, UserId};
use sea_orm::entity::prelude::*;
use sea_orm::value::TextUuid;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "passkeys")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TextUuid,
    pub user_id: TextUuid,
    pub name: String,
    pub credential_id: String,
    pub credential: String,
    pub counter: i64,
    pub created_at_us: i64,
    pub last_used_at_us: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(super) fn read(self) -> Passkey {
        Passkey {
            id: PasskeyId::new(self.id.0),
            owner: UserId::new(self.user_id.0),
            name: self.name,
            created_at: Timestamp::from_micros(self.created_at_us),
            last_used_at: self.last_used_at_us.map(Timestamp::from_micros),
        }
    }

    pub(super) fn read_stored(self) -> StoredPasskey {
        StoredPasskey {
            id: PasskeyId::new(self.id.0),
            owner: UserId::new(self.user_id.0),
            credential: self.credential,
        }
    }
}
