//! The table `ceremonies` as it is stored.

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ceremonies")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: String,
    pub kind: String,
    /// Text, because sea-orm 2.0.4 cannot read an empty `TextUuid`.
    pub user_id: Option<String>,
    pub browser_hash: String,
    pub state: String,
    pub expires_at_us: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A row holds what proves a round trip, which no log shows.
impl std::fmt::Debug for Model {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Ceremony({})", self.kind)
    }
}
