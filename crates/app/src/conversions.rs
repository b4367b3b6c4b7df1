//! Errors of the crates below, in words: the one place where the store's and the warehouse's become the user's.

use crate::error::{Error, Kind};
use crate::identity::tokens;
use domain::say::Quoted;
use domain::{Code, say};
use store::StoreError;
use warehouse::WarehouseError;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let made = match &error {
            StoreError::SchemaNewer { newest } => Self::invalid(
                Code::StoreVersion,
                say!("the metadata database has the migration ", name Quoted(newest), ", which this version does not know"),
            )
            .hint("use the version of dango that wrote it, or restore the backup its upgrade made beside it"),
            StoreError::SchemaForeign => Self::invalid(
                Code::StoreVersion,
                "the file that should be the metadata database belongs to another program",
            )
            .hint("unset DAP_DB_PATH, or let it name a file of its own"),
            StoreError::Busy { .. } => Self::unavailable(
                Code::StoreFailed,
                "the metadata database is in use by another program",
            )
            .hint("close what has `.dango/metadata.db` open and run the command again"),
            StoreError::Full(_) => {
                Self::unavailable(Code::DiskFull, "the disk of the metadata database is full")
                    .hint("free some space and run the command again")
            }
            StoreError::Corrupt(_) => {
                Self::invalid(Code::StoreFailed, "the metadata database is damaged")
                    .hint("restore `.dango/metadata.db` from a backup, or move it away: the history starts anew")
            }
            StoreError::File(_) | StoreError::Access(_) => {
                Self::invalid(Code::StoreFailed, "the metadata database cannot be read or written")
                    .hint("check who owns the folder `.dango` and the files `metadata.db*` in it, and their modes")
            }
            StoreError::JobRunning { target } => Self::conflict(
                Code::ProjectLocked,
                say!("source ", name Quoted(target), " is already being synced"),
            ),
            StoreError::Unreachable { at, .. } => Self::invalid(
                Code::StoreFailed,
                say!("the metadata database at ", name Quoted(at), " cannot be reached"),
            )
            .hint("start it, or correct DANGO_DATABASE_URL; nothing else takes its place"),
            StoreError::EmailTaken { email } => Self::conflict(
                Code::UserExists,
                say!("there is already a user ", name email),
            )
            .hint(say!("`dango user show ", *email, "` shows him; a deleted one comes back with `dango user restore`")),
            StoreError::UserMissing { id } => crate::identity::no_user(*id),
            StoreError::LastAdmin => Self::conflict(
                Code::LastAdmin,
                "nobody would be left who can sign in as an admin",
            )
            .hint("make somebody else an admin first"),
            StoreError::PasskeyTaken => {
                Self::conflict(Code::PasskeyExists, "the passkey is registered already")
                    .hint("use it to sign in, or take another device")
            }
            StoreError::PasskeysTooMany { max } => Self::conflict(
                Code::PasskeyExists,
                say!("there are ", *max, " passkeys, which is the limit"),
            )
            .hint("remove one that you no longer use"),
            StoreError::TokensTooMany { max } => tokens::too_many(*max),
            StoreError::LoginTaken => {
                Self::conflict(Code::LoginExists, "this login is linked to another account")
                    .hint("unlink it there first")
            }
            StoreError::LastWayIn => {
                Self::conflict(Code::LastWayIn, "nothing would be left to sign in with")
                    .hint("set a password, or add a passkey or a login, first")
            }
            StoreError::Oneself => {
                Self::conflict(Code::NotOneself, "nobody does this to himself")
                    .hint("let another admin do it")
            }
            _ => Self::new(Kind::Bug, Code::StoreFailed, "the metadata database failed"),
        };
        made.caused_by(error)
    }
}

impl From<WarehouseError> for Error {
    /// Returns the error of a statement of our own: what the engine said about it may hold a value of somebody, and is for
    /// nobody to read but the log, which gets it without values.
    fn from(error: WarehouseError) -> Self {
        let made = match &error {
            WarehouseError::Invalid(text) if is_about_a_value(text) => Self::bug(
                "a value does not fit the type of its column; what was not committed is undone",
            ),
            WarehouseError::Invalid(_)
            | WarehouseError::Refused { .. }
            | WarehouseError::Limit(_) => Self::bug(
                "the warehouse refused a statement of dango's own; what was not committed is undone",
            ),
            WarehouseError::Timeout => Self::unavailable(
                Code::WarehouseBusy,
                "the warehouse did not answer in time; what was not committed is undone",
            )
            .hint("run the command again when the machine has less to do"),
            other => told_alike(other),
        };
        made.caused_by(for_the_log(error))
    }
}

impl Error {
    /// Returns the error of a user's own query: about that, the engine's words are for them.
    pub fn of_query(error: WarehouseError) -> Self {
        let made = match &error {
            WarehouseError::Refused { say, hint } => {
                Self::invalid(Code::QueryRefused, say.clone()).hint(hint.clone())
            }
            WarehouseError::Invalid(text) => {
                Self::invalid(Code::QueryInvalid, say!("", Quoted(text))).hint(
                    if text.starts_with("Catalog Error: Table") {
                        "`dango db status` lists the tables there are"
                    } else {
                        "correct the SQL and run it again; it is DuckDB's dialect"
                    },
                )
            }
            WarehouseError::Timeout => Self::limit(
                Code::QueryTimeout,
                "the query ran longer than allowed and was stopped",
            )
            .hint("give it more time with `--timeout SECONDS`"),
            WarehouseError::Limit(text) => Self::limit(Code::QueryRefused, say!("", Quoted(text)))
                .hint("select fewer columns, or less of each"),
            other => told_alike(other),
        };
        made.caused_by(error)
    }
}

/// Returns the error of what can happen to any statement, whoever wrote it.
fn told_alike(error: &WarehouseError) -> Error {
    match error {
        WarehouseError::Cancelled => Error::interrupted(),
        WarehouseError::Memory(_) => {
            Error::limit(Code::QueryMemory, "the statement needs more memory than the warehouse may use")
                .hint("raise `platform.memory_limit_mb` in `.dango/project.yml`")
        }
        WarehouseError::Busy { say } => {
            Error::unavailable(Code::WarehouseBusy, say.clone()).hint("run it again in a moment")
        }
        WarehouseError::Locked(_) => {
            Error::conflict(Code::WarehouseLocked, "the warehouse file is held by another program")
                .hint("close the program that has it open (a DuckDB shell, a notebook), then run the command again")
        }
        WarehouseError::Corrupt(_) => {
            Error::invalid(Code::WarehouseCorrupt, "the warehouse file is damaged; nothing was written to it")
                .hint("restore it from a backup, or move it away and sync again")
        }
        WarehouseError::Version(_) => Error::invalid(
            Code::WarehouseVersion,
            "the warehouse file was written by another version of DuckDB than 1.5",
        )
        .hint("use the version of dango that wrote it, or move it away and sync again"),
        WarehouseError::WorkerDied { .. } => Error::unavailable(
            Code::WorkerDied,
            "the warehouse's process ended in the middle; what was not committed is undone",
        )
        .hint("run the command again; `.dango/logs/dango.jsonl` has its last words"),
        WarehouseError::DiskFull(_) => {
            Error::unavailable(Code::DiskFull, "the disk is full; what was not committed is undone")
                .hint("free some space and run the command again")
        }
        WarehouseError::Stream(_) => Error::unavailable(
            Code::WorkerDied,
            "the rows did not arrive whole; what was not committed is undone",
        )
        .hint("run the command again"),
        WarehouseError::Io(_) => {
            Error::invalid(Code::FileAccess, "the warehouse file cannot be read or written")
                .hint("check who owns the folder `data` and its mode")
        }
        WarehouseError::Output(_) | WarehouseError::NotAFile => {
            Error::invalid(Code::OutputFailed, "the output could not be written")
                .hint("check that its folder exists and may be written")
        }
        WarehouseError::Sandbox(_) => {
            Error::invalid(Code::SandboxMissing, "the warehouse's process cannot be started")
                .hint("`dango doctor` says what is missing")
        }
        WarehouseError::Bug(_)
        | WarehouseError::Invalid(_)
        | WarehouseError::Refused { .. }
        | WarehouseError::Limit(_)
        | WarehouseError::Timeout => Error::bug("the warehouse answered something unexpected"),
    }
}

/// Returns whether the engine refused a value, not the statement.
fn is_about_a_value(text: &str) -> bool {
    [
        "Conversion Error",
        "Out of Range Error",
        "Invalid Input Error",
    ]
    .iter()
    .any(|class| text.starts_with(class))
}

/// Returns the error as the log may have it.
fn for_the_log(error: WarehouseError) -> WarehouseError {
    match error {
        WarehouseError::Invalid(text) => WarehouseError::Invalid(without_values(&text)),
        WarehouseError::WorkerDied { detail } if detail.contains("Error") => {
            let detail = without_values(&detail);
            WarehouseError::WorkerDied { detail }
        }
        other => other,
    }
}

/// Returns the engine's words as far as they cannot hold a value; names of tables and columns stay.
pub(crate) fn without_values(text: &str) -> String {
    // Further lines repeat the statement, with its literals.
    let line = text.lines().next().unwrap_or_default();
    let about_names = ["Binder Error", "Catalog Error", "Parser Error"];
    if about_names.iter().any(|class| line.starts_with(class)) {
        return line.to_owned();
    }
    let plain = line.split(['\'', '"', '`']).next().unwrap_or_default();
    let digit = |c: char| if c.is_ascii_digit() { '#' } else { c };
    plain.chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what a user reads of a statement of our own that failed, and what the log gets.
    #[track_caller]
    fn check(error: WarehouseError, code: Code, say: &str, logged: &str) {
        let error = Error::from(error);
        assert_eq!(error.code, code);
        assert!(error.say.as_str().contains(say), "{error:?}");
        assert!(!error.hint.as_str().contains("--timeout"), "{error:?}");
        let cause = error
            .source
            .map_or_else(String::new, |cause| cause.to_string());
        assert_eq!(cause, logged);
    }

    #[test]
    fn the_engines_words_about_our_own_statements_reach_nobody() {
        let invalid = |text: &str| WarehouseError::Invalid(text.into());
        check(
            invalid(
                "Conversion Error: Could not convert string 'abc' to INT64\n\nLINE 1: INSERT … 'abc'",
            ),
            Code::Bug,
            "a value does not fit",
            "Conversion Error: Could not convert string ",
        );
        check(
            invalid(
                "Conversion Error: Type INT64 with value 4711 can't be cast because it is out of range",
            ),
            Code::Bug,
            "a value does not fit",
            "Conversion Error: Type INT## with value #### can",
        );
        check(
            invalid(
                "Binder Error: Table \"t\" does not have a column named \"b\"\n\nLINE 1: … 'abc'",
            ),
            Code::Bug,
            "a statement of dango's own",
            "Binder Error: Table \"t\" does not have a column named \"b\"",
        );
        check(
            WarehouseError::WorkerDied {
                detail: "FATAL Error: Failed on 'abc'".into(),
            },
            Code::WorkerDied,
            "ended in the middle",
            "the warehouse's process ended (FATAL Error: Failed on )",
        );
        check(
            WarehouseError::Timeout,
            Code::WarehouseBusy,
            "in time",
            "the query ran longer than allowed",
        );
        let memory = WarehouseError::Memory("could not allocate 256 kB".into());
        let logged = memory.to_string();
        check(memory, Code::QueryMemory, "more memory", &logged);
    }

    #[test]
    fn a_users_own_query_keeps_the_engines_words() {
        let check = |text: &str, hint: &str| {
            let error = Error::of_query(WarehouseError::Invalid(text.into()));
            assert_eq!(error.say.as_str(), text);
            assert!(error.hint.as_str().contains(hint), "{error:?}");
        };
        check(
            "Conversion Error: Could not convert string 'abc' to INT64",
            "correct the SQL",
        );
        check(
            "Catalog Error: Table with name x does not exist!",
            "dango db status",
        );
        check(
            "Catalog Error: Scalar Function with name x does not exist!",
            "correct the SQL",
        );
    }
}
