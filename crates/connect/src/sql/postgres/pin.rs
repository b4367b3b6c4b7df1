//! Whether a table is still what the snapshot says.

use super::super::place::Place;
use super::super::plan::Found;
use super::super::select::relation;
use super::Session;
use super::rows::{execute, fetch};
use crate::failure::{Failure, FailureKind};
use domain::names::quote_literal;
use domain::say;

/// Makes sure that what the snapshot shows of a table is what the table was: a rewrite or a truncation by somebody else
/// leaves an older snapshot with an empty table (PostgreSQL's documentation, "Caveats" of MVCC).
pub(super) async fn pin(session: &mut Session, found: &Found) -> Result<(), Failure> {
    let at = Place::table(&found.origin());
    let identity = relation::<Session>(found);
    let kind = format!(
        "SELECT c.relkind::text, c.oid::text, pg_catalog.has_table_privilege(c.oid, 'SELECT')::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = {} AND c.relname = {}",
        quote_literal(&found.schema),
        quote_literal(&found.name)
    );
    let kind = fetch(session, kind, &at).await?;
    let Some(row) = kind.first() else {
        return Ok(());
    };
    // Nothing but a table can be locked, and only by who may read all of it.
    if !matches!(row.get(0), Some("r" | "p")) || !row.is_true(2) {
        return Ok(());
    }
    execute(
        session,
        format!("LOCK TABLE {identity} IN ACCESS SHARE MODE"),
        &at,
    )
    .await?;
    // The catalog's rows are the snapshot's, the function's answer is of now.
    let sql = format!(
        "WITH RECURSIVE tree(oid) AS (
            SELECT {}::pg_catalog.oid UNION
            SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree t ON i.inhparent = t.oid)
        SELECT pg_catalog.count(*)::text FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid
        WHERE c.relkind = 'r' AND c.relfilenode <> 0
            AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid)",
        row.text(1)
    );
    let rewritten = fetch(session, sql, &at).await?;
    if rewritten.first().and_then(|row| row.get(0)) == Some("0") {
        return Ok(());
    }
    let say = say!(
        "",
        at.say,
        " was rewritten or emptied by somebody else while the source was read"
    );
    Err(Failure::new(FailureKind::Changed, say).hint("sync again"))
}
