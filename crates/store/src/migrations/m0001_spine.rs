//! Jobs, the history of syncs, the audit log, and effects that are under way.
//!
//! UUIDs are their 36 characters of text and times are microseconds since 1970 in both databases, so that the same SQL,
//! typed by hand too, finds the same rows.

use super::columns::{cascade, id, id_null, index, unique};
use sea_orm::sea_query::{ConditionalStatement as _, Expr, ExprTrait, Table, TableCreateStatement};
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, json_binary, json_binary_null, string, string_null,
    text_null,
};
use sea_orm_migration::{DbErr, MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_spine"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, schema: &SchemaManager) -> Result<(), DbErr> {
        for table in [jobs(), sync_runs(), audit_log(), effects()] {
            schema.create_table(table).await?;
        }
        for (name, table, columns) in [
            ("jobs_created", "jobs", &["created_at_us"][..]),
            (
                "sync_runs_source",
                "sync_runs",
                &["source", "started_at_us"],
            ),
            ("sync_runs_started", "sync_runs", &["started_at_us"]),
            ("audit_log_user", "audit_log", &["user_id", "event_type"]),
            ("audit_log_created", "audit_log", &["created_at_us"]),
        ] {
            schema.create_index(index(name, table, columns)).await?;
        }
        schema
            .create_index(unique(
                "jobs_idempotency",
                "jobs",
                &["actor", "kind", "idempotency_key"],
            ))
            .await?;
        schema
            .create_index(unique("audit_log_seq", "audit_log", &["seq"]))
            .await?;
        // Two jobs never work on the same thing at once, whatever their owners believe.
        let mut running = unique("jobs_running", "jobs", &["kind", "target"]);
        running.and_where(Expr::col("state").eq("running"));
        schema.create_index(running).await
    }
}

fn jobs() -> TableCreateStatement {
    Table::create()
        .table("jobs")
        .col(id("id").primary_key())
        .col(string("kind"))
        .col(string("target"))
        .col(string("state"))
        .col(string("actor"))
        .col(string("permission"))
        .col(id("request_id"))
        .col(string_null("idempotency_key"))
        .col(string_null("load_id"))
        .col(json_binary("options"))
        .col(integer("attempt"))
        .col(big_integer("created_at_us"))
        .col(big_integer_null("started_at_us"))
        .col(big_integer_null("heartbeat_at_us"))
        .col(big_integer_null("cancel_asked_at_us"))
        .col(big_integer_null("ended_at_us"))
        .col(big_integer_null("owner_pid"))
        .col(big_integer_null("owner_started"))
        .col(string_null("owner_boot"))
        .col(json_binary_null("progress"))
        .col(string_null("error_code"))
        .col(text_null("error_text"))
        .take()
}

fn sync_runs() -> TableCreateStatement {
    let mut job = cascade("sync_runs_job", "sync_runs", "job_id", "jobs");
    Table::create()
        .table("sync_runs")
        .col(id("id").primary_key())
        .col(id("job_id").unique_key())
        .col(string("source"))
        .col(string_null("load_id"))
        .col(big_integer("started_at_us"))
        .col(big_integer("ended_at_us"))
        .col(string("outcome"))
        .col(big_integer("rows_inserted"))
        .col(big_integer("rows_updated"))
        .col(big_integer("rows_deleted"))
        .col(big_integer("bytes_read"))
        .col(json_binary("tables"))
        .col(json_binary("schema_changes"))
        .col(json_binary("warnings"))
        .col(string_null("error_code"))
        .col(text_null("error_text"))
        .col(json_binary("options"))
        .foreign_key(&mut job)
        .take()
}

/// `seq`, `prev_hash` and `hash` are empty until the row is sequenced. `user_id` refers to nothing, so that a row outlives
/// its user; `email`, `ip` and `user_agent` stand apart from `event_data`, so that they can be erased.
fn audit_log() -> TableCreateStatement {
    Table::create()
        .table("audit_log")
        .col(id("id").primary_key())
        .col(big_integer_null("seq"))
        .col(string_null("prev_hash"))
        .col(string_null("hash"))
        .col(big_integer("created_at_us"))
        .col(string("event"))
        .col(string("event_type"))
        .col(string("dango_version"))
        .col(id_null("user_id"))
        .col(string("actor"))
        .col(string("permission"))
        .col(text_null("target"))
        .col(id("request_id"))
        .col(id_null("effect_id"))
        .col(string_null("phase"))
        .col(json_binary_null("event_data"))
        .col(string_null("email"))
        .col(string_null("ip"))
        .col(text_null("user_agent"))
        .take()
}

fn effects() -> TableCreateStatement {
    Table::create()
        .table("effects")
        .col(id("id").primary_key())
        .col(string("event"))
        .col(string("permission"))
        .col(text_null("target"))
        .col(big_integer("started_at_us"))
        .col(big_integer("owner_pid"))
        .col(big_integer("owner_started"))
        .col(string("owner_boot"))
        .take()
}
