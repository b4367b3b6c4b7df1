//! The audit log's chain: personal values that can be erased, what stands for them in the chain, and signed checkpoints.

use crate::dialect;
use sea_orm::sea_query::{Alias, ColumnDef, Table, TableCreateStatement};
use sea_orm_migration::schema::{big_integer, json_binary_null, string_len, text};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        let mut columns = vec![
            json_binary_null("personal"),
            json_binary_null("salts"),
            json_binary_null("commitments"),
        ];
        columns.extend(dialect::commit_order_column(schema.get_database_backend()));
        for column in columns {
            schema.alter_table(add(column)).await?;
        }
        schema.create_table(checkpoints()).await
    }
}

/// `SQLite` adds one column at a time.
fn add(column: ColumnDef) -> sea_orm::sea_query::TableAlterStatement {
    Table::alter()
        .table(Alias::new("audit_log"))
        .add_column(column)
        .take()
}

fn checkpoints() -> TableCreateStatement {
    Table::create()
        .table("audit_checkpoints")
        .col(big_integer("number").primary_key())
        .col(big_integer("seq"))
        .col(string_len("hash", 64))
        .col(big_integer("created_at_us"))
        .col(text("key"))
        .col(text("next_key"))
        .col(text("signature"))
        .take()
}
