//! PostgreSQL's errors in words for the user.

use super::super::place::{Place, broken};
use crate::failure::{Failure, FailureKind};
use sqlx::Error;

/// Returns what `error` means at `at`.
pub(super) fn failure(error: Error, at: &Place) -> Failure {
    let failure = match &error {
        Error::Database(answer) => {
            answered(&answer.code().unwrap_or_default(), answer.message(), at)
        }
        other => broken(other, at),
    };
    failure.caused_by(error)
}

/// Returns what the SQLSTATE `code` means (PostgreSQL's appendix A).
fn answered(code: &str, message: &str, at: &Place) -> Failure {
    let new = |kind: FailureKind, what: &'static str| at.answer(kind, what, message);
    match code {
        "28P01" => new(FailureKind::Unauthorized, " refused the password: ")
            .hint("set the right one with `dango secrets set`"),
        "28000" if message.contains("no encryption") => new(
            FailureKind::Unauthorized,
            " lets this user in over TLS only: ",
        )
        .hint("set `sslmode: require`"),
        "28000" => new(FailureKind::Unauthorized, " does not let this user in: "),
        "3D000" => new(FailureKind::Missing, " has no such database: ")
            .hint("correct `database`; `psql --list` shows those there are"),
        "42501" => new(FailureKind::Forbidden, " may not be read by this user: ")
            .hint("grant it USAGE on the schema and SELECT on the table"),
        "42P01" | "42703" | "3F000" | "XX000" if at.is_reading => {
            new(FailureKind::Changed, " was changed while it was read: ").hint("sync again")
        }
        "42P01" | "42703" | "3F000" => new(FailureKind::Missing, " is not there: "),
        "57P01" | "57P02" | "57P03" | "57P05" | "53300" | "25P03" => new(
            FailureKind::Unreachable,
            ": the server ended the connection: ",
        )
        .hint("sync again when it is back"),
        "55P03" => {
            new(FailureKind::Failed, " is locked by somebody else: ").hint("sync again later")
        }
        "40001" | "57014" => new(FailureKind::Failed, ": the server stopped the statement: ")
            .hint("sync again later"),
        "22P05" | "22021" => new(
            FailureKind::Protocol,
            " holds text that the server cannot turn into UTF-8: ",
        ),
        _ if code.starts_with("08") => {
            new(FailureKind::Unreachable, ": the connection was cut: ").hint("sync again")
        }
        _ => new(FailureKind::Failed, ": the server says: "),
    }
}
