//! What the database has: tables, columns and keys. A server shows its users only what they have a right on.

use super::super::choice::{Choice, Choices};
use super::super::place::Place;
use super::super::plan::{Found, Table};
use super::super::texts::Texts;
use super::Session;
use super::rows::fetch;
use super::select::text;
use super::types::{Described, Wire, column};
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::{Quoted, Say};
use std::collections::{BTreeMap, BTreeSet};

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) found: Found,
    engine: String,
    is_view: bool,
    rows_estimated: Option<u64>,
}

/// Table and schema, by which the parts of a description are put together.
type Name = (String, String);

/// Returns `asked` as the server writes them: on some, names differ in case from what was asked for.
pub(super) async fn schemas(
    session: &mut Session,
    place: &Say,
    asked: &[String],
) -> Result<Vec<String>, Failure> {
    let sql = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA".to_owned();
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let known: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    let find = |asked: &String| {
        let exact = known.iter().find(|known| *known == asked);
        exact.or_else(|| {
            known
                .iter()
                .find(|known| known.to_lowercase() == asked.to_lowercase())
        })
    };
    let missing = |asked: &String| {
        Failure::new(
            FailureKind::Missing,
            say!("", *place, ": there is no database ", name Quoted(asked), " that this user can see"),
        )
        .hint("check `database` and `schema` in .dango/sources.yml, and what is granted to the user")
    };
    asked
        .iter()
        .map(|asked| find(asked).cloned().ok_or_else(|| missing(asked)))
        .collect()
}

/// Returns the tables and views of `schemas`, and of those that `choices` name.
pub(super) async fn tables(
    session: &mut Session,
    schemas: &[String],
    choices: &Choices,
) -> Result<Vec<Relation>, Failure> {
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
        "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS,
            UNIX_TIMESTAMP(CREATE_TIME) FROM information_schema.TABLES
        WHERE TABLE_SCHEMA IN ({}) ORDER BY TABLE_SCHEMA, TABLE_NAME",
        literals(all.into_iter())
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let relation = |row: &Texts| {
        let is_view = row.get(2).is_some_and(|kind| kind.contains("VIEW"));
        let is_default = matches!(row.get(2), Some("BASE TABLE" | "SYSTEM VERSIONED"));
        Relation {
            found: Found {
                schema: row.text(0),
                name: row.text(1),
                is_default,
                age_rank: row.number(5).unwrap_or_default(),
            },
            engine: row.text(3),
            is_view,
            rows_estimated: row.number(4),
        }
    };
    Ok(rows
        .iter()
        .filter(|row| row.get(2) != Some("SEQUENCE"))
        .map(relation)
        .collect())
}

/// Returns columns and keys of the `chosen` ones of `relations`.
pub(super) async fn describe(
    session: &mut Session,
    relations: &[Relation],
    chosen: Vec<(Found, Choice)>,
    notices: &mut Vec<String>,
) -> Result<Vec<(Table<Wire>, Choice)>, Failure> {
    let schemas: BTreeSet<&str> = chosen
        .iter()
        .map(|(found, _)| found.schema.as_str())
        .collect();
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let schemas = literals(schemas.into_iter());
    let mut columns = columns(session, &schemas).await?;
    let mut keys = keys(session, &schemas).await?;
    let mut tables = Vec::new();
    for (found, choice) in chosen {
        let name = (found.schema.clone(), found.name.clone());
        let origin = found.origin();
        let columns = columns.remove(&name).unwrap_or_default();
        if columns.is_empty() && !choice.is_every() {
            let say = say!("table ", name Quoted(&origin), " may not be read by this user");
            return Err(
                Failure::new(FailureKind::Forbidden, say).hint("grant it SELECT on the table")
            );
        }
        if columns.is_empty() {
            notices.push(
                say!("", name Quoted(&origin), " is left out: this user may read no column of it")
                    .to_string(),
            );
            continue;
        }
        let is_read = |name: &String| columns.iter().any(|column| column.name == *name);
        let unique_key = keys
            .remove(&name)
            .filter(|key| key.iter().all(is_read))
            .unwrap_or_default();
        let relation = relations
            .iter()
            .find(|relation| relation.found.origin() == origin);
        if let Some(relation) =
            relation.filter(|relation| !relation.is_view && !has_snapshots(relation))
        {
            let engine = Quoted(&relation.engine);
            let notice = say!("", name Quoted(&origin), " is stored by ", engine,
                ", which has no snapshots: what is written while it is read may be seen in part");
            notices.push(notice.to_string());
        }
        let rows_estimated = relation.and_then(|relation| relation.rows_estimated);
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

fn has_snapshots(relation: &Relation) -> bool {
    matches!(
        relation.engine.as_str(),
        "InnoDB" | "ROCKSDB" | "ndbcluster" | ""
    )
}

/// Returns the columns of each table that may be read, in their order.
async fn columns(
    session: &mut Session,
    schemas: &str,
) -> Result<BTreeMap<Name, Vec<super::super::plan::TableColumn<Wire>>>, Failure> {
    let checked = checked_json(session, schemas).await?;
    let sql = format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE
        FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ({schemas}) AND PRIVILEGES LIKE '%select%'
        ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let mut columns: BTreeMap<Name, Vec<_>> = BTreeMap::new();
    for row in &rows {
        let identity = (row.text(0), row.text(1), row.text(2));
        let described = Described {
            name: row.text(2),
            data_type: row.text(3),
            column_type: row.text(4).to_ascii_lowercase(),
            precision: row.number(5),
            scale: row.number(6),
            is_checked_json: checked.contains(&identity),
        };
        columns
            .entry((row.text(0), row.text(1)))
            .or_default()
            .push(column(&described));
    }
    Ok(columns)
}

/// Returns schema, table and name of the columns that MariaDB checks to be JSON, as it does for its type `json`.
async fn checked_json(
    session: &mut Session,
    schemas: &str,
) -> Result<BTreeSet<(String, String, String)>, Failure> {
    if !session.is_mariadb() {
        return Ok(BTreeSet::new());
    }
    let sql = format!(
        "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
        WHERE CONSTRAINT_SCHEMA IN ({schemas}) AND CHECK_CLAUSE LIKE 'json_valid(%'"
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let is_whole = |row: &&Texts| {
        let clause = format!("json_valid({})", super::select::identifier(&row.text(2)));
        row.get(3).is_some_and(|check| *check == clause)
    };
    Ok(rows
        .iter()
        .filter(is_whole)
        .map(|row| (row.text(0), row.text(1), row.text(2)))
        .collect())
}

/// Returns the columns of each table's best key in the key's order: the primary key, else the shortest unique index over
/// columns that are never null.
async fn keys(
    session: &mut Session,
    schemas: &str,
) -> Result<BTreeMap<Name, Vec<String>>, Failure> {
    let sql = format!(
        "SELECT s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.COLUMN_NAME, s.NULLABLE
        FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA IN ({schemas}) AND s.NON_UNIQUE = 0
        ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX"
    );
    let rows = fetch(session, sql, &Place::catalog()).await?;
    let mut keys: BTreeMap<Name, Vec<String>> = BTreeMap::new();
    let is_same = |a: &Texts, b: &Texts| (0..3).all(|column| a.get(column) == b.get(column));
    let mut indexes: Vec<&[Texts]> = rows.chunk_by(is_same).collect();
    indexes.sort_by_key(|index| {
        (
            index
                .first()
                .is_none_or(|row| row.get(2) != Some("PRIMARY")),
            index.len(),
        )
    });
    for index in indexes {
        // An index over an expression has no column there.
        let is_key = index
            .iter()
            .all(|row| row.get(3).is_some() && !row.is_true(4));
        if let Some(first) = index.first().filter(|_| is_key) {
            let columns = || index.iter().map(|row| row.text(3)).collect();
            keys.entry((first.text(0), first.text(1)))
                .or_insert_with(columns);
        }
    }
    Ok(keys)
}

fn literals<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(text).collect::<Vec<_>>().join(", ")
}
