//! Recovery codes that wait, with the secret they were shown beside, for the first code of the app.

use sea_orm::sea_query::Table;
use sea_orm_migration::schema::text_null;
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_setup_codes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let change = Table::alter()
            .table("totp_setups")
            .add_column(text_null("code_hashes"))
            .take();
        schema.alter_table(change).await
    }
}
