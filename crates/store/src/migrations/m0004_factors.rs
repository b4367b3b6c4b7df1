//! Second factors, passkeys, logins with identity providers, and what happens between asking a browser and its answer.
//!
//! `oauth_accounts` has DAP's name, and its columns as far as they fit: a provider's own tokens are not kept. Times of it are
//! microseconds, as everywhere.

use super::columns::{cascade, id, id_null, index, unique};
use sea_orm::sea_query::{Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, string, string_len, string_null, text,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_factors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            totp_secrets(),
            totp_setups(),
            recovery_codes(),
            passkeys(),
            ceremonies(),
            oauth_accounts(),
        ] {
            schema.create_table(table).await?;
        }
        for made in [
            index("recovery_codes_user", "recovery_codes", &["user_id"]),
            index("passkeys_user", "passkeys", &["user_id"]),
            unique("passkeys_credential", "passkeys", &["credential_id"]),
            index("ceremonies_user", "ceremonies", &["user_id"]),
            index("ceremonies_expires", "ceremonies", &["expires_at_us"]),
            index("oauth_accounts_user", "oauth_accounts", &["user_id"]),
            index(
                "oauth_accounts_name",
                "oauth_accounts",
                &["oauth_name", "account_id"],
            ),
            unique(
                "oauth_accounts_subject",
                "oauth_accounts",
                &["issuer", "account_id"],
            ),
        ] {
            schema.create_index(made).await?;
        }
        Ok(())
    }
}

/// The secret somebody's authenticator app holds; `last_step` is the step of the last code that was taken.
fn totp_secrets() -> TableCreateStatement {
    let mut user = cascade("totp_secrets_user", "totp_secrets", "user_id", "users");
    Table::create()
        .table("totp_secrets")
        .col(id("user_id").primary_key())
        .col(text("secret"))
        .col(big_integer("enabled_at_us"))
        .col(big_integer("last_step"))
        .foreign_key(&mut user)
        .take()
}

/// A secret that is shown and not yet proven; the one in use stays in use until then.
fn totp_setups() -> TableCreateStatement {
    let mut user = cascade("totp_setups_user", "totp_setups", "user_id", "users");
    Table::create()
        .table("totp_setups")
        .col(id("user_id").primary_key())
        .col(id("setup_id"))
        .col(text("secret"))
        .col(big_integer("expires_at_us"))
        .foreign_key(&mut user)
        .take()
}

fn recovery_codes() -> TableCreateStatement {
    let mut user = cascade("recovery_codes_user", "recovery_codes", "user_id", "users");
    Table::create()
        .table("recovery_codes")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(text("code_hash"))
        .col(big_integer("created_at_us"))
        .col(big_integer_null("used_at_us"))
        .foreign_key(&mut user)
        .take()
}

/// `credential` is the public key as JSON; `counter` grows with each use of a key that counts.
fn passkeys() -> TableCreateStatement {
    let mut user = cascade("passkeys_user", "passkeys", "user_id", "users");
    Table::create()
        .table("passkeys")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string("name"))
        .col(string("credential_id"))
        .col(text("credential"))
        .col(big_integer("counter"))
        .col(big_integer("created_at_us"))
        .col(big_integer_null("last_used_at_us"))
        .foreign_key(&mut user)
        .take()
}

/// A row is gone when its ceremony is: taken, or over.
fn ceremonies() -> TableCreateStatement {
    let mut user = cascade("ceremonies_user", "ceremonies", "user_id", "users");
    Table::create()
        .table("ceremonies")
        .col(string_len("key_hash", 64).primary_key())
        .col(string("kind"))
        .col(id_null("user_id"))
        .col(string_len("browser_hash", 64))
        .col(text("state"))
        .col(big_integer("expires_at_us"))
        .foreign_key(&mut user)
        .take()
}

fn oauth_accounts() -> TableCreateStatement {
    let mut user = cascade("oauth_accounts_user", "oauth_accounts", "user_id", "users");
    Table::create()
        .table("oauth_accounts")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string("oauth_name"))
        .col(string("issuer"))
        .col(string("account_id"))
        .col(string_null("account_email"))
        .col(big_integer("linked_at_us"))
        .col(big_integer_null("last_used_at_us"))
        .foreign_key(&mut user)
        .take()
}
