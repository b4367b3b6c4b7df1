//! The query gate: what a user's SQL text must pass before the engine sees it, and the limits it then runs under.
//!
//! Measured: with external access off, the configuration locked and a read-only transaction, DuckDB still reads its own
//! file, its WAL and its spill directory by path, writes logs, checkpoints and runs SQL out of strings, all from a statement
//! of type SELECT. So the gate does not trust the type alone:
//!
//! 1. The text is parsed by the engine's own parser into a tree (`json_serialize_sql`, which runs nothing and knows SELECT
//!    only). Exactly one statement must come out of it.
//! 2. Every node of the tree must be of a known kind: tables and views must be in the warehouse's catalog, table functions on
//!    a list, functions not on the list of those that read settings or change state. What a view or a generated column says is
//!    checked the same way. Beside a macro that is called like a function of the engine nothing runs, because the engine
//!    calls functions that stand in no tree.
//! 3. Only then is the text extracted, bound and prepared; it must be one statement of type SELECT (or EXPLAIN of one).
//! 4. It runs inside the read-only transaction in which the catalog was looked at, so nothing changes in between.
//!
//! # Invariants
//! - Unknown is refused: a construct, table function or file-like name the gate has never heard of does not run.
//! - Nothing of the text is bound before step 2 has ended; binding a table function already opens files.

mod catalog;
mod functions;
mod parsed;
mod refusal;
mod text;
mod tree;

use crate::duck::{Connection, EngineError, EngineErrorKind, Extracted, Statement, StatementKind};
pub(crate) use catalog::Catalog;
use parsed::Parsed;
pub(crate) use refusal::Refusal;
use text::Explained;

/// Why a text does not run.
#[derive(Debug)]
pub(crate) enum GateError {
    /// It asks for something that is not allowed.
    Refused(Refusal),
    /// The engine cannot parse or bind it.
    Engine(EngineError),
}

impl From<EngineError> for GateError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<Refusal> for GateError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Checks `sql` and prepares it on `connection`, which must be inside the read-only transaction that `catalog` was read in.
pub(crate) fn prepare(
    connection: &Connection,
    catalog: &Catalog,
    sql: &str,
) -> Result<Statement, GateError> {
    let explained = check(connection, catalog, sql)?;
    let extracted = Extracted::new(connection, sql)?;
    if extracted.count() != 1 {
        return Err(Refusal::Several.into());
    }
    let statement = extracted.prepare()?;
    let expected = match explained {
        Explained::No => StatementKind::Select,
        Explained::Yes => StatementKind::Explain,
    };
    if statement.kind() != expected {
        return Err(Refusal::statement(sql).into());
    }
    if statement.parameters() > 0 {
        return Err(Refusal::Parameter.into());
    }
    Ok(statement)
}

fn check(connection: &Connection, catalog: &Catalog, sql: &str) -> Result<Explained, GateError> {
    let (explained, inner) = text::split_explain(sql);
    if text::is_blank(inner) {
        return Err(Refusal::Empty.into());
    }
    if inner.contains('\0') {
        return Err(EngineError::invalid("the SQL text has a NUL character").into());
    }
    let tree = match parsed::parse(connection, inner)? {
        Parsed::Select(tree) => tree,
        Parsed::Other => return Err(Refusal::statement(inner).into()),
        Parsed::Broken(message) => {
            return Err(place_of(connection, sql, explained, message).into());
        }
    };
    if let Some(name) = catalog.stand_in() {
        return Err(Refusal::StandIn(name.to_owned()).into());
    }
    tree::check(connection, catalog, &tree, None)?;
    Ok(explained)
}

/// Returns the parser's complaint with the line and the caret, which only the extracting parser prints. A text that does not
/// parse cannot have an effect by being extracted; that only holds for the very text that did not parse.
fn place_of(
    connection: &Connection,
    sql: &str,
    explained: Explained,
    message: String,
) -> EngineError {
    let same_text = explained == Explained::No;
    match same_text.then(|| Extracted::new(connection, sql)) {
        Some(Err(error)) if error.kind == EngineErrorKind::Invalid => error,
        _ => EngineError::invalid(message),
    }
}
