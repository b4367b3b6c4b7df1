//! The one error of the use cases: made where its meaning is known, turned into a status or an exit code by the doors.

use connect::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Code, Say, say};
use security::{Denied, Reason, Step};
use serde::{Deserialize, Serialize};
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;

/// What kind of error it is: decides the HTTP status and the exit code, and nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What was asked for, or a configuration, does not hold.
    Invalid,
    /// Nobody is signed in.
    Unauthenticated,
    /// The actor may know that it exists, and may not do it.
    Denied,
    /// There is no such thing, or the actor may not know of it.
    NotFound,
    /// It exists already, or somebody else is at work on it.
    Conflict,
    /// Too many failures; the same may succeed later.
    Locked,
    /// A limit was met.
    Limit,
    /// The budget is spent.
    Budget,
    /// Something outside does not answer; the same may succeed later.
    Unavailable,
    /// There is nothing to sign sessions with, and nothing may be made up.
    NoSigningKey,
    /// The user stopped it.
    Interrupted,
    /// A fault of ours.
    Bug,
}

/// An error as every door shows it: what happened, what to do next, and the cause for the log alone.
#[derive(Debug)]
pub struct Error {
    pub kind: Kind,
    pub code: Code,
    /// What happened, with the name of the thing in backticks, and why.
    pub say: Say,
    /// The next command or the exact setting; empty when there is nothing to add.
    pub hint: Say,
    /// Everything that speaks against a value, when there may be several things.
    pub issues: Vec<Say>,
    /// When the same may succeed.
    pub retry_after_seconds: Option<u64>,
    /// The cause, for the log: its text may say what a user must not read.
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(code: Code, say: impl Into<Say>) -> Self {
            Self::new(Kind::$kind, code, say)
        }
    )+};
}

impl Error {
    /// Returns an error without a hint.
    pub fn new(kind: Kind, code: Code, say: impl Into<Say>) -> Self {
        Self {
            kind,
            code,
            say: say.into(),
            hint: Say::default(),
            issues: Vec::new(),
            retry_after_seconds: None,
            source: None,
        }
    }

    constructors! {
        /// Returns the error of something that does not hold.
        invalid => Invalid;
        /// Returns the error of something the actor may not do.
        denied => Denied;
        /// Returns the error of something that is not there.
        not_found => NotFound;
        /// Returns the error of something that exists already or is being worked on.
        conflict => Conflict;
        /// Returns the error of too many failures.
        locked => Locked;
        /// Returns the error of a limit that was met.
        limit => Limit;
        /// Returns the error of something that may succeed later.
        unavailable => Unavailable;
    }

    /// Returns the error of a command that the user stopped.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, Code::Interrupted, "interrupted")
            .hint("run the same command again: it continues")
    }

    /// Returns a fault of ours; `say` names the step that failed.
    pub fn bug(say: impl Into<Say>) -> Self {
        Self::new(Kind::Bug, Code::Bug, say).hint(
            "run it again with `DANGO_LOG=debug` and report what `.dango/logs/dango.jsonl` says",
        )
    }

    /// Returns the error of a file or folder that could not be read or written; `act` is what was tried ("read", "write").
    pub fn file(act: &'static str, path: &Path, error: io::Error) -> Self {
        let say = say!(
            "",
            name path,
            " could not be ",
            Say::new(act),
            ": ",
            Say::new(reason(error.kind()))
        );
        let made = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::unavailable(Code::DiskFull, say)
                    .hint("free some space and run the command again")
            }
            io::ErrorKind::NotFound => Self::not_found(Code::FileAccess, say)
                .hint("check its name and the folder it should be in"),
            io::ErrorKind::IsADirectory => Self::invalid(Code::FileAccess, say)
                .hint("a file belongs there: move the folder away"),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::invalid(Code::FileAccess, say)
                    .hint(say!("check who owns ", name path, " and its mode"))
            }
            _ => Self::invalid(Code::FileAccess, say)
                .hint("`dango doctor` looks at all files of the project"),
        };
        made.caused_by(error)
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<Say>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds everything that speaks against a value.
    pub fn issues(mut self, issues: Vec<Say>) -> Self {
        self.issues = issues;
        self
    }

    /// Adds when the same may succeed.
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds the cause, for the log.
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns what happened and what to do next, as history keeps it.
    pub fn with_hint(&self) -> String {
        if self.hint.is_empty() {
            self.say.to_string()
        } else {
            format!("{}\nhint: {}", self.say, self.hint)
        }
    }

    /// Returns the error as every `--json` output shows it.
    pub fn to_json(&self) -> serde_json::Value {
        let hint = (!self.hint.is_empty()).then(|| self.hint.as_str());
        serde_json::json!({"code": self.code.as_str(), "message": self.say.as_str(), "hint": hint})
    }

    /// Returns the whole chain of causes, outermost first. For the log alone.
    pub fn chain(&self) -> String {
        let mut text = self.say.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

/// Returns why an operation on a file failed, in words of ours: the system's text may repeat a path or worse.
fn reason(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => "it does not exist",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::AlreadyExists => "it exists already",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a part of the path is not a folder",
        io::ErrorKind::InvalidData => "it is not UTF-8 text",
        io::ErrorKind::FileTooLarge => "it is too large",
        io::ErrorKind::InvalidFilename => "the name is not allowed here",
        _ => "the operating system refused (the log has its words)",
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say.fmt(out)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

impl Error {
    /// Returns the error of somebody whose access ended while he waited for an answer.
    pub fn access_ended() -> Self {
        let say = "the access ended while this was under way";
        Self::new(Kind::Unauthenticated, Code::Unauthenticated, say)
            .hint("sign in again, and ask an admin if you may do less than before")
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        let needs = say!("this needs the permission ", name Quoted(denied.permission));
        let made = match denied.reason {
            Reason::Anonymous => Self::new(
                Kind::Unauthenticated,
                Code::Unauthenticated,
                "nobody is signed in",
            )
            .hint("sign in, or send an API token as `Authorization: Bearer TOKEN`"),
            Reason::Role => {
                Self::denied(Code::PermissionDenied, needs).hint("an admin can give it to you")
            }
            Reason::SessionOnly => Self::denied(Code::PermissionDenied, needs)
                .hint("an API token never has it: sign in and do it there"),
            Reason::Step(Step::SecondFactor) => Self::new(
                Kind::Unauthenticated,
                Code::SecondFactorPending,
                "the second factor is still to be shown",
            )
            .hint("show it to finish signing in"),
            Reason::Step(Step::ChangePassword) => Self::denied(
                Code::PasswordChangeRequired,
                "the password must be changed first",
            )
            .hint("change it; everything else is open after that"),
            Reason::Step(Step::Enrol) => Self::denied(
                Code::SecondFactorRequired,
                "a second factor must be set up first",
            )
            .hint("set one up; everything else is open after that"),
            Reason::Stale => Self::denied(
                Code::ReauthenticationRequired,
                "this needs a proof of who you are that is at most a few minutes old",
            )
            .hint("prove it with `POST /auth/reauthenticate` and repeat the request"),
        };
        made.caused_by(denied)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let (kind, code) = match failure.kind {
            FailureKind::Unreachable => (Kind::Unavailable, Code::SourceUnreachable),
            // Not `Denied`: it is the provider that refuses its credential, not we who refuse the actor.
            FailureKind::Unauthorized => (Kind::Invalid, Code::SourceUnauthorized),
            FailureKind::Forbidden => (Kind::Invalid, Code::SourceForbidden),
            FailureKind::Missing => (Kind::NotFound, Code::SourceMissing),
            FailureKind::RateLimited => (Kind::Unavailable, Code::SourceRateLimited),
            FailureKind::Failed => (Kind::Unavailable, Code::SourceFailed),
            FailureKind::Protocol => (Kind::Invalid, Code::SourceProtocol),
            FailureKind::Changed => (Kind::Unavailable, Code::SourceChanged),
            FailureKind::EgressDenied => (Kind::Denied, Code::EgressDenied),
            FailureKind::FileInvalid => (Kind::Invalid, Code::FileInvalid),
            FailureKind::FileTooLarge => (Kind::Limit, Code::FileTooLarge),
            FailureKind::ConfigInvalid => (Kind::Invalid, Code::ConfigInvalid),
            FailureKind::CredentialMissing => (Kind::Invalid, Code::CredentialMissing),
        };
        Self {
            kind,
            code,
            say: failure.say,
            hint: failure.hint,
            issues: Vec::new(),
            retry_after_seconds: None,
            source: failure.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_words_stay_in_the_chain() {
        let error = Error::file(
            "written",
            Path::new("a b"),
            io::Error::new(io::ErrorKind::StorageFull, "os said secret"),
        );
        assert_eq!(
            error.say.as_str(),
            "`a b` could not be written: the disk is full"
        );
        assert_eq!(
            (error.kind, error.code),
            (Kind::Unavailable, Code::DiskFull)
        );
        assert!(!error.to_string().contains("secret"));
        assert!(error.chain().ends_with("os said secret"));
    }

    #[test]
    fn a_failure_keeps_its_words_and_gets_its_code() {
        let failure = Failure::new(FailureKind::Missing, "no table")
            .hint("look")
            .caused_by("inner");
        let error = Error::from(failure);
        assert_eq!(
            (error.kind, error.code),
            (Kind::NotFound, Code::SourceMissing)
        );
        assert_eq!(
            (error.say.as_str(), error.hint.as_str()),
            ("no table", "look")
        );
        assert!(error.source.is_some());
    }
}
