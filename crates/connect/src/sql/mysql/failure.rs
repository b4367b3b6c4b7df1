//! MySQL's and MariaDB's errors in words for the user.

use super::super::place::{Place, broken};
use crate::failure::{Failure, FailureKind};
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

/// Returns what `error` means at `at`.
pub(super) fn failure(error: Error, at: &Place) -> Failure {
    let failure = match &error {
        Error::Database(answer) => {
            let number = answer
                .try_downcast_ref()
                .map_or(0, MySqlDatabaseError::number);
            answered(number, answer.message(), at)
        }
        other => broken(other, at),
    };
    failure.caused_by(error)
}

/// Returns what the error number means (MySQL's and MariaDB's error references).
fn answered(number: u16, message: &str, at: &Place) -> Failure {
    let new = |kind: FailureKind, what: &'static str| at.answer(kind, what, message);
    match number {
        // ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR
        1045 | 1698 => new(FailureKind::Unauthorized, " refused user or password: ")
            .hint("set the right one with `dango secrets set`; an account may be tied to a host, and to TLS (`sslmode: required`)"),
        // ER_SECURE_TRANSPORT_REQUIRED
        3159 => new(FailureKind::Unauthorized, " lets users in over TLS only: ")
            .hint("set `sslmode: required`"),
        // ER_MUST_CHANGE_PASSWORD, ER_ACCOUNT_HAS_BEEN_LOCKED
        1820 | 1862 | 3118 | 4151 => new(FailureKind::Unauthorized, " does not let this user in: "),
        // ER_HOST_IS_BLOCKED, ER_HOST_NOT_PRIVILEGED
        1129 | 1130 => new(FailureKind::Forbidden, " does not let this machine in: "),
        // ER_BAD_DB_ERROR
        1049 => new(FailureKind::Missing, " has no such database: ")
            .hint("correct `database`; `SHOW DATABASES` lists those there are"),
        // ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR, ER_SPECIFIC_ACCESS_DENIED_ERROR,
        // ER_VIEW_INVALID
        1044 | 1142 | 1143 | 1227 | 1356 => {
            new(FailureKind::Forbidden, " may not be read by this user: ").hint("grant it SELECT")
        }
        // ER_NO_SUCH_TABLE, ER_BAD_FIELD_ERROR, ER_TABLE_DEF_CHANGED, ER_BAD_TABLE_ERROR
        1146 | 1054 | 1412 | 1051 if at.is_reading => {
            new(FailureKind::Changed, " was changed while it was read: ").hint("sync again")
        }
        1146 | 1054 => new(FailureKind::Missing, " is not there: "),
        // ER_CON_COUNT_ERROR, ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED,
        // ER_CONNECTION_KILLED
        1040 | 1053 | 1077 | 1203 | 1226 | 1927 => {
            new(FailureKind::Unreachable, ": the server ended the connection: ")
                .hint("sync again when it is back")
        }
        // ER_LOCK_WAIT_TIMEOUT
        1205 => new(FailureKind::Failed, " is locked by somebody else: ").hint("sync again later"),
        _ => new(FailureKind::Failed, ": the server says: "),
    }
}
