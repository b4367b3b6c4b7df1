//! Programs that ask to be let in, and wait for somebody who decides (RFC 8628).

use super::columns::{cascade, id_null, index, unique};
use sea_orm::sea_query::{Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, json_binary, string, string_len, string_null,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0005_device_sign_ins"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        schema.create_table(device_sign_ins()).await?;
        for made in [
            unique("device_sign_ins_code", "device_sign_ins", &["code_hash"]),
            index("device_sign_ins_user", "device_sign_ins", &["user_id"]),
            index(
                "device_sign_ins_expires",
                "device_sign_ins",
                &["expires_at_us"],
            ),
        ] {
            schema.create_index(made).await?;
        }
        Ok(())
    }
}

/// A row is gone when its token was handed out, or when it is over. `user_id` is who approved it.
fn device_sign_ins() -> TableCreateStatement {
    let mut user = cascade(
        "device_sign_ins_user",
        "device_sign_ins",
        "user_id",
        "users",
    );
    Table::create()
        .table("device_sign_ins")
        .col(string_len("device_hash", 64).primary_key())
        .col(string_len("code_hash", 64))
        .col(string("name"))
        .col(json_binary("scopes"))
        .col(integer("days"))
        .col(string_null("ip"))
        .col(string("state"))
        .col(id_null("user_id"))
        .col(big_integer("created_at_us"))
        .col(big_integer("expires_at_us"))
        .col(big_integer_null("polled_at_us"))
        .foreign_key(&mut user)
        .take()
}
