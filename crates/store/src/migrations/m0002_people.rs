//! Users, their sessions, tokens and links, and who fails too often.
//!
//! Everything a user owns goes with his row (`DELETE FROM users WHERE id = …` is enough); the audit log stays. Table and
//! column names that DAP's documents name are kept: `api_tokens.token_prefix`, `token_hash`, `revoked_at`.

use super::columns::{cascade, id, id_null, index, unique};
use sea_orm::sea_query::{Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, json_binary_null, string, string_len,
    string_null, text_null,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for table in [users(), sessions(), api_tokens(), links(), attempts()] {
            schema.create_table(table).await?;
        }
        for made in [
            unique("users_email", "users", &["email"]),
            index("sessions_user", "sessions", &["user_id"]),
            index("sessions_expires", "sessions", &["expires_at_us"]),
            index("api_tokens_user", "api_tokens", &["user_id"]),
            index("api_tokens_prefix", "api_tokens", &["token_prefix"]),
            unique("api_tokens_hash", "api_tokens", &["token_hash"]),
            index("links_user", "links", &["user_id"]),
            unique("links_hash", "links", &["token_hash"]),
            index("attempts_account", "attempts", &["account"]),
            index("attempts_updated", "attempts", &["updated_at_us"]),
        ] {
            schema.create_index(made).await?;
        }
        Ok(())
    }
}

/// A user without `password_hash` was invited, or signs in elsewhere.
fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(id("id").primary_key())
        .col(string("email"))
        .col(text_null("password_hash"))
        .col(string("role"))
        .col(boolean("is_active"))
        .col(boolean("is_verified"))
        .col(boolean("must_change_password"))
        .col(boolean("has_second_factor"))
        .col(big_integer("created_at_us"))
        .col(big_integer("updated_at_us"))
        .col(big_integer_null("last_login_at_us"))
        .col(big_integer_null("password_changed_at_us"))
        .col(big_integer_null("deleted_at_us"))
        .take()
}

/// `generation` grows with each renewal of the cookie; `proven_at_us` is when the person last showed who he is.
fn sessions() -> TableCreateStatement {
    let mut user = cascade("sessions_user", "sessions", "user_id", "users");
    Table::create()
        .table("sessions")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string("stage"))
        .col(big_integer("generation"))
        .col(big_integer("created_at_us"))
        .col(big_integer("renewed_at_us"))
        .col(big_integer("seen_at_us"))
        .col(big_integer("proven_at_us"))
        .col(big_integer("expires_at_us"))
        .col(big_integer_null("ended_at_us"))
        .col(string_null("ended_because"))
        .col(string_null("ip"))
        .col(text_null("user_agent"))
        .foreign_key(&mut user)
        .take()
}

fn api_tokens() -> TableCreateStatement {
    let mut user = cascade("api_tokens_user", "api_tokens", "user_id", "users");
    Table::create()
        .table("api_tokens")
        .col(id("id").primary_key())
        .col(id("user_id"))
        .col(string("name"))
        .col(string_len("token_prefix", 8))
        .col(string_len("token_hash", 64))
        .col(json_binary_null("scopes"))
        .col(json_binary_null("networks"))
        .col(big_integer("created_at"))
        .col(big_integer_null("expires_at"))
        .col(big_integer_null("last_used_at"))
        .col(big_integer_null("revoked_at"))
        .foreign_key(&mut user)
        .take()
}

/// Single-use links: an invite, a password reset. The first admin's link belongs to nobody.
fn links() -> TableCreateStatement {
    let mut user = cascade("links_user", "links", "user_id", "users");
    Table::create()
        .table("links")
        .col(id("id").primary_key())
        .col(id_null("user_id"))
        .col(string("kind"))
        .col(string_len("token_hash", 64))
        .col(big_integer("created_at_us"))
        .col(big_integer("expires_at_us"))
        .col(big_integer_null("used_at_us"))
        .foreign_key(&mut user)
        .take()
}

/// Failures that are counted: `account` is a hash of what they were against, so that no address of a stranger is kept; `key`
/// is one of what and from where.
fn attempts() -> TableCreateStatement {
    Table::create()
        .table("attempts")
        .col(string_len("key", 64).primary_key())
        .col(string_len("account", 64))
        .col(integer("failures"))
        .col(big_integer_null("locked_until_us"))
        .col(big_integer("updated_at_us"))
        .take()
}
