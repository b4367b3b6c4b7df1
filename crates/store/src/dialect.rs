//! Everything in which the databases differ. No other module may ask which one it talks to.

use crate::error::StoreError;
use crate::location::DatabaseUrl;
use sea_orm::sea_query::{ColumnDef, Expr};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, IsolationLevel,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, sqlx,
};
use std::path::Path;
use std::time::Duration;

/// How long one statement waits for another process's lock; DAP's value.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// One writes, the others read its last snapshot; each costs a thread.
const SQLITE_CONNECTIONS_MAX: u32 = 4;
/// How long a server may take to answer at all; DAP's value.
const POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Names the lock that processes take which bring the schema up to date: any number that is nobody else's.
const MIGRATION_LOCK: i64 = 0x64_61_6e_67_6f;
/// Names the lock of the process that gives rows of the audit log their place.
const SEQUENCING_LOCK: i64 = MIGRATION_LOCK + 1;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// To see whose file it is; nothing of it is changed.
    Look,
    Write,
}

/// Connects to the `SQLite` file at `path`, which must exist.
pub(crate) async fn connect_sqlite(
    path: &Path,
    access: Access,
) -> Result<DatabaseConnection, DbErr> {
    // The path is given beside the URL, because a URL would need it in UTF-8.
    let mut options = ConnectOptions::new("sqlite://metadata.db");
    let path = path.to_path_buf();
    options
        .max_connections(SQLITE_CONNECTIONS_MAX)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite.filename(&path).busy_timeout(SQLITE_BUSY_TIMEOUT);
            if access == Access::Look {
                return sqlite.read_only(true);
            }
            sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                // macOS flushes the drive's cache only when asked to; elsewhere this does nothing.
                .pragma("fullfsync", "ON")
        });
    Database::connect(options).await
}

/// Connects to a Postgres server.
pub(crate) async fn connect_postgres(url: &DatabaseUrl) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url.expose());
    options
        .min_connections(url.pool.connections_min)
        .max_connections(url.pool.connections_max)
        .connect_timeout(POSTGRES_CONNECT_TIMEOUT)
        .acquire_timeout(POSTGRES_CONNECT_TIMEOUT)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(|postgres| postgres.application_name("dango"));
    Database::connect(options).await
}

/// Returns how the transaction begins that changes the schema, and the statement by which it waits for others that do. Where
/// it waits, what it reads afterwards must not be a snapshot from before.
pub(crate) fn migration(backend: DbBackend) -> (TransactionOptions, Option<Statement>) {
    if backend == DbBackend::Sqlite {
        return (write_options(backend), None);
    }
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::ReadCommitted),
        ..TransactionOptions::default()
    };
    let sql = "SELECT pg_advisory_xact_lock($1)";
    let lock = Statement::from_sql_and_values(backend, sql, [MIGRATION_LOCK.into()]);
    (options, Some(lock))
}

/// Returns how a transaction that writes begins. `SQLite` takes its lock at once: taken later, at the first write, it would
/// fail without waiting when somebody else wrote since.
pub(crate) fn write_options(backend: DbBackend) -> TransactionOptions {
    match backend {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        },
        _ => TransactionOptions {
            isolation_level: Some(IsolationLevel::Serializable),
            ..TransactionOptions::default()
        },
    }
}

/// Returns how a transaction begins that gives rows of the audit log their place, and the statement by which it waits for
/// others that do. It is no part of the serializable ones: it alone writes these columns, and must not make others repeat.
pub(crate) fn sequencing(backend: DbBackend) -> (TransactionOptions, Option<Statement>) {
    if backend == DbBackend::Sqlite {
        return (write_options(backend), None);
    }
    let options = TransactionOptions {
        isolation_level: Some(IsolationLevel::ReadCommitted),
        ..TransactionOptions::default()
    };
    let sql = "SELECT pg_advisory_xact_lock($1)";
    let lock = Statement::from_sql_and_values(backend, sql, [SEQUENCING_LOCK.into()]);
    (options, Some(lock))
}

/// Returns what sorts rows of the audit log in the order of their commits. `SQLite` has one writer, so its row numbers do.
/// On Postgres a number is drawn when the row is inserted, the last thing before its commit: whoever began after a commit
/// draws a higher one. Rows that are not yet seen are not numbered, whatever they drew.
pub(crate) fn commit_order(backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Sqlite => Expr::cust("rowid"),
        _ => Expr::cust("position"),
    }
}

/// Returns the column that [`commit_order`] needs, where the database has nothing of the kind.
pub(crate) fn commit_order_column(backend: DbBackend) -> Option<ColumnDef> {
    (backend != DbBackend::Sqlite).then(|| {
        let mut column = ColumnDef::new("position");
        column.custom("bigserial").not_null();
        column
    })
}

/// Returns how a transaction that only reads begins: it sees one snapshot.
pub(crate) fn read_options(backend: DbBackend) -> TransactionOptions {
    match backend {
        DbBackend::Sqlite => TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
            ..TransactionOptions::default()
        },
        _ => TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..TransactionOptions::default()
        },
    }
}

/// Returns the statement that copies a whole `SQLite` database into the empty file `to`.
pub(crate) fn copy_statement(to: &str) -> Statement {
    Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [to.into()])
}

/// Returns the statement that finds a table which is not the migrations'; `None` where a database may be shared.
pub(crate) fn foreign_tables_statement(backend: DbBackend) -> Option<Statement> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
        AND name <> 'seaql_migrations' LIMIT 1";
    (backend == DbBackend::Sqlite).then(|| Statement::from_string(backend, sql))
}

/// Returns whether one process has the database to itself: the lock of the project sees to it where it is a file.
pub(crate) fn has_one_process(backend: DbBackend) -> bool {
    backend == DbBackend::Sqlite
}

/// Returns whether the transaction lost against another one and may be repeated.
pub(crate) fn is_conflict(error: &DbErr) -> bool {
    match code(error) {
        Some(Number::Sqlite(BUSY | LOCKED)) => true,
        Some(Number::Sql(state)) => matches!(state.as_str(), "40001" | "40P01"),
        _ => false,
    }
}

/// Returns whether `error` is the store's word for a transaction that lost.
pub(crate) fn is_conflict_of(error: &StoreError) -> bool {
    match error {
        StoreError::Busy { .. } => true,
        StoreError::Database(error) => is_conflict(error),
        _ => false,
    }
}

/// Returns whether `error` says that a unique index already has the row.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_))
    )
}

/// Returns `error` as what somebody can do about it.
pub(crate) fn classify(error: DbErr) -> StoreError {
    match code(&error) {
        Some(Number::Sqlite(FULL)) => StoreError::Full(error),
        Some(Number::Sqlite(CORRUPT | NOT_A_DATABASE)) => StoreError::Corrupt(error),
        Some(Number::Sqlite(BUSY | LOCKED)) => StoreError::Busy { attempts: 1 },
        Some(Number::Sqlite(READ_ONLY | IO | CANNOT_OPEN)) => StoreError::Access(error),
        Some(Number::Sql(state)) if state == "53100" => StoreError::Full(error),
        _ => StoreError::Database(error),
    }
}

// https://www.sqlite.org/rescode.html; extended codes carry these in their lowest byte.
const BUSY: u8 = 5;
const LOCKED: u8 = 6;
const READ_ONLY: u8 = 8;
const IO: u8 = 10;
const CORRUPT: u8 = 11;
const FULL: u8 = 13;
const CANNOT_OPEN: u8 = 14;
const NOT_A_DATABASE: u8 = 26;

/// An error number of the database.
enum Number {
    Sqlite(u8),
    Sql(String),
}

fn code(error: &DbErr) -> Option<Number> {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let sqlx::Error::Database(error) = &**error else {
        return None;
    };
    let code = error.code()?;
    if error
        .try_downcast_ref::<sqlx::sqlite::SqliteError>()
        .is_some()
    {
        let extended: u32 = code.parse().ok()?;
        return u8::try_from(extended & 0xff).ok().map(Number::Sqlite);
    }
    Some(Number::Sql(code.into_owned()))
}
