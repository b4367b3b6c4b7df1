//! What the database has: tables, columns, keys and what may be read of them, asked inside the snapshot.

use super::super::choice::{Choice, Choices};
use super::super::place::Place;
use super::super::plan::{Found, Table};
use super::super::texts::Texts;
use super::Session;
use super::rows::fetch;
use super::types::{Described, Wire, column};
use crate::failure::{Failure, FailureKind};
use domain::names::quote_literal;
use domain::say;
use domain::say::{Quoted, Say};
use std::collections::{BTreeMap, BTreeSet};

/// A table or view, and what this user may do with it.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) found: Found,
    oid: String,
    /// Whether all of it may be read, at least a column, or nothing.
    may_read: bool,
    may_read_part: bool,
    /// Whether other tables inherit from it, whose rows are read with its own.
    has_heirs: bool,
    rows_estimated: Option<u64>,
}

/// Returns the tables and views of `schemas`, and of the schemas that `choices` name.
pub(super) async fn tables(
    session: &mut Session,
    place: &Say,
    schemas: &[String],
    choices: &Choices,
) -> Result<Vec<Relation>, Failure> {
    check_schemas(session, place, schemas).await?;
    let named = choices
        .named
        .iter()
        .filter_map(|choice| choice.name.split_once('.'));
    let all: BTreeSet<&str> = schemas
        .iter()
        .map(String::as_str)
        .chain(named.map(|(schema, _)| schema))
        .collect();
    let sql = format!(
        "SELECT n.nspname::text, c.relname::text, c.oid::text, (c.relkind IN ('r', 'p') AND NOT c.relispartition)::text,
            pg_catalog.has_table_privilege(c.oid, 'SELECT')::text,
            pg_catalog.has_any_column_privilege(c.oid, 'SELECT')::text, c.reltuples::bigint::text,
            (c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid))::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND n.nspname IN ({})
        ORDER BY n.nspname, c.relname",
        literals(all.into_iter())
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    Ok(rows
        .iter()
        .map(|row| Relation {
            found: Found {
                schema: row.text(0),
                name: row.text(1),
                is_default: row.is_true(3),
                // Tables are numbered as they are made.
                age_rank: row.number(2).unwrap_or_default(),
            },
            oid: row.text(2),
            may_read: row.is_true(4),
            may_read_part: row.is_true(5),
            has_heirs: row.is_true(7),
            rows_estimated: row.number(6),
        })
        .collect())
}

async fn check_schemas(
    session: &mut Session,
    place: &Say,
    schemas: &[String],
) -> Result<(), Failure> {
    let sql = format!(
        "SELECT n.nspname::text, pg_catalog.has_schema_privilege(n.oid, 'USAGE')::text
        FROM pg_catalog.pg_namespace n WHERE n.nspname IN ({})",
        literals(schemas.iter().map(String::as_str))
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    for schema in schemas {
        let Some(row) = rows.iter().find(|row| row.get(0) == Some(schema)) else {
            let say = say!("", *place, ": the database has no schema ", name Quoted(schema));
            return Err(Failure::new(FailureKind::Missing, say)
                .hint("check `schema` in .dango/sources.yml"));
        };
        if !row.is_true(1) {
            let say =
                say!("", *place, ": this user may not look into schema ", name Quoted(schema));
            return Err(
                Failure::new(FailureKind::Forbidden, say).hint("grant it USAGE on the schema")
            );
        }
    }
    Ok(())
}

/// Returns columns and keys of the `chosen` ones of `relations`. Those of which nothing can be read are left out with a
/// notice, unless they were named.
pub(super) async fn describe(
    session: &mut Session,
    relations: &[Relation],
    chosen: Vec<(Found, Choice)>,
    notices: &mut Vec<String>,
) -> Result<Vec<(Table<Wire>, Choice)>, Failure> {
    let mut readable = Vec::new();
    for (found, choice) in chosen {
        let origin = found.origin();
        let Some(relation) = relations
            .iter()
            .find(|relation| relation.found.origin() == origin)
        else {
            continue;
        };
        if relation.may_read || relation.may_read_part {
            readable.push((relation, choice));
        } else if choice.is_every() {
            notices.push(
                say!("", name Quoted(&origin), " is left out: this user may not read it")
                    .to_string(),
            );
        } else {
            let say = say!("table ", name Quoted(&origin), " may not be read by this user");
            return Err(
                Failure::new(FailureKind::Forbidden, say).hint("grant it SELECT on the table")
            );
        }
    }
    if readable.is_empty() {
        return Ok(Vec::new());
    }
    let oids: Vec<&str> = readable
        .iter()
        .map(|(relation, _)| relation.oid.as_str())
        .collect();
    let mut columns = columns(session, &oids.join(", ")).await?;
    let mut keys = keys(session, &oids.join(", ")).await?;
    let mut tables = Vec::new();
    for (relation, choice) in readable {
        let described = columns.remove(&relation.oid).unwrap_or_default();
        let origin = relation.found.origin();
        let hidden: Vec<_> = described.iter().filter(|(_, may_read)| !may_read).collect();
        for (described, _) in &hidden {
            let (column, table) = (Quoted(&described.name), Quoted(&origin));
            let notice = say!("column ", name column, " of ", name table, " is left out: this user may not read it");
            notices.push(notice.to_string());
        }
        let columns: Vec<_> = described
            .iter()
            .filter(|(_, may_read)| *may_read)
            .map(|(d, _)| column(d))
            .collect();
        if columns.is_empty() {
            notices
                .push(say!("", name Quoted(&origin), " is left out: it has no column").to_string());
            continue;
        }
        let is_read = |name: &String| columns.iter().any(|column| column.name == *name);
        let mut unique_key = keys
            .remove(&relation.oid)
            .filter(|key| key.iter().all(is_read))
            .unwrap_or_default();
        if relation.has_heirs && !unique_key.is_empty() {
            // No key of PostgreSQL reaches across tables, and rows that share one by chance would replace each other.
            unique_key.clear();
            let notice = say!("", name Quoted(&origin), " is read with the rows of the tables that inherit from it, for which its key does not hold: it has none here");
            notices.push(notice.to_string());
        }
        let (found, rows_estimated) = (relation.found.clone(), relation.rows_estimated);
        tables.push((
            Table {
                found,
                columns,
                unique_key,
                rows_estimated,
            },
            choice,
        ));
    }
    Ok(tables)
}

/// Returns the columns of each table in their order, with whether they may be read. A domain counts as what it is made of.
async fn columns(
    session: &mut Session,
    oids: &str,
) -> Result<BTreeMap<String, Vec<(Described, bool)>>, Failure> {
    let sql = format!(
        "WITH RECURSIVE chain(domain, base, typmod) AS (
            SELECT t.oid, t.typbasetype, t.typtypmod FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
            UNION ALL
            SELECT c.domain, t.typbasetype, CASE WHEN c.typmod >= 0 THEN c.typmod ELSE t.typtypmod END
            FROM chain c JOIN pg_catalog.pg_type t ON t.oid = c.base WHERE t.typtype = 'd'),
        plain AS (
            SELECT c.domain, c.base, c.typmod FROM chain c JOIN pg_catalog.pg_type t ON t.oid = c.base
            WHERE t.typtype <> 'd')
        SELECT a.attrelid::text, a.attname::text, t.oid::text, t.typtype::text, t.typcategory::text,
            COALESCE(p.typmod, a.atttypmod)::text,
            pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')::text
        FROM pg_catalog.pg_attribute a LEFT JOIN plain p ON p.domain = a.atttypid
            JOIN pg_catalog.pg_type t ON t.oid = COALESCE(p.base, a.atttypid)
        WHERE a.attrelid IN ({oids}) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attrelid, a.attnum"
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let mut columns: BTreeMap<String, Vec<(Described, bool)>> = BTreeMap::new();
    for row in &rows {
        columns
            .entry(row.text(0))
            .or_default()
            .push((described(row), row.is_true(6)));
    }
    Ok(columns)
}

fn described(row: &Texts) -> Described {
    Described {
        name: row.text(1),
        oid: row.number(2).unwrap_or_default(),
        is_enum: row.get(3) == Some("e"),
        is_nested: row.get(3) == Some("c") || row.get(4) == Some("A"),
        modifier: row.number(5).unwrap_or(-1),
    }
}

/// Returns the columns of each table's best key in the key's order: the primary key, else the shortest unique index over
/// columns that are never null.
async fn keys(session: &mut Session, oids: &str) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let attributes = if session.version >= 110_000 {
        "indnkeyatts"
    } else {
        "indnatts"
    };
    let sql = format!(
        "SELECT i.indrelid::text, i.indexrelid::text, a.attname::text, a.attnotnull::text
        FROM pg_catalog.pg_index i
            CROSS JOIN LATERAL pg_catalog.generate_series(0, i.{attributes} - 1) AS k(n)
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n]
        WHERE i.indrelid IN ({oids}) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
            AND i.indexprs IS NULL
        ORDER BY i.indrelid, i.indisprimary DESC, i.{attributes}, i.indexrelid, k.n"
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for index in rows.chunk_by(|a, b| a.get(1) == b.get(1)) {
        if let Some(first) = index
            .first()
            .filter(|_| index.iter().all(|row| row.is_true(3)))
        {
            let columns = || index.iter().map(|row| row.text(2)).collect();
            keys.entry(first.text(0)).or_insert_with(columns);
        }
    }
    Ok(keys)
}

fn literals<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(quote_literal).collect::<Vec<_>>().join(", ")
}
