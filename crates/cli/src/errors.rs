//! How a command stops: an error with what, why and what next; and the one place that turns its kind into an exit code.

use app::error::{Error, Kind};
use domain::say::Quoted;
use domain::{Code, Say, say};
use std::io;

/// Why a command ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// An error that is still to be told.
    Failed(Error),
    /// Everything was told already; the exit code is that of this kind and code.
    Told(Kind, Code),
    /// Whoever read our stdout went away (`dango query … | head`): nobody is left to tell.
    PipeClosed,
}

impl Stop {
    /// Returns the exit code.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(error) => exit_code(error.kind, error.code),
            Self::Told(kind, code) => exit_code(*kind, *code),
            Self::PipeClosed => 0,
        }
    }

    /// Returns the stop of a command that was interrupted.
    pub(crate) fn interrupted() -> Self {
        Self::Failed(Error::new(
            Kind::Interrupted,
            Code::Interrupted,
            "interrupted",
        ))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let source = error.source.as_ref();
        let closed = source
            .and_then(|source| source.downcast_ref::<io::Error>())
            .is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe);
        // Whoever reads had enough: `dango audit export | head`.
        if closed && error.code == Code::OutputFailed {
            return Self::PipeClosed;
        }
        Self::Failed(error)
    }
}

impl From<io::Error> for Stop {
    /// Only writing to stdout ends here; other files have their own messages.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::PipeClosed;
        }
        let say = say!(
            "the output could not be written: ",
            Quoted(&error.kind().to_string())
        );
        Self::Failed(Error::new(Kind::Invalid, Code::OutputFailed, say))
    }
}

/// Returns the exit code of an error: the only place that knows it.
pub(crate) const fn exit_code(kind: Kind, code: Code) -> u8 {
    match (kind, code) {
        (_, Code::UsageInvalid | Code::InputNeeded) => 2,
        // DAP's: its containers end so.
        (_, Code::SigningKeyMissing) => 64,
        (_, Code::Interrupted) | (Kind::Interrupted, _) => 130,
        (Kind::Invalid | Kind::Limit, _) => 1,
        (Kind::Unauthenticated | Kind::Denied, _) => 3,
        (Kind::NotFound, _) => 4,
        (Kind::Conflict | Kind::Locked, _) => 5,
        (Kind::Budget, _) => 6,
        (Kind::NoSigningKey, _) => 64,
        (Kind::Bug, _) => 70,
        (Kind::Unavailable, _) => 75,
    }
}

/// Returns the error of an argument that does not fit.
pub(crate) fn usage(say: impl Into<Say>, hint: impl Into<Say>) -> Stop {
    Stop::Failed(Error::new(Kind::Invalid, Code::UsageInvalid, say).hint(hint))
}

/// Returns the error of a question that cannot be asked: `what` is missing and `flag` would give it.
pub(crate) fn input_needed(what: &'static str, flag: &str) -> Stop {
    let say = say!("")
        .text(what)
        .text(" is needed, and there is no terminal to ask on (or `--no-input` was given)");
    let hint = say!("give it with ", name Quoted(flag));
    Stop::Failed(Error::new(Kind::Invalid, Code::InputNeeded, say).hint(hint))
}

/// Returns the error of a file of the user's that cannot be read.
pub(crate) fn unreadable(error: &io::Error) -> Stop {
    // fs_err puts the path into its text.
    let say = say!("", Quoted(&error.to_string()));
    let kind = if error.kind() == io::ErrorKind::NotFound {
        Kind::NotFound
    } else {
        Kind::Invalid
    };
    Stop::Failed(Error::new(kind, Code::FileAccess, say))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_exit_code() {
        let check =
            |kind, code, expect| assert_eq!(exit_code(kind, code), expect, "{kind:?} {code}");
        check(Kind::Invalid, Code::ConfigInvalid, 1);
        check(Kind::Invalid, Code::UsageInvalid, 2);
        check(Kind::Invalid, Code::InputNeeded, 2);
        check(Kind::Denied, Code::PermissionDenied, 3);
        check(Kind::Unauthenticated, Code::SourceUnauthorized, 3);
        check(Kind::NotFound, Code::SourceNotFound, 4);
        check(Kind::Conflict, Code::ProjectLocked, 5);
        check(Kind::Locked, Code::AccountLocked, 5);
        check(Kind::NoSigningKey, Code::SigningKeyMissing, 64);
        check(Kind::Limit, Code::QueryTimeout, 1);
        check(Kind::Budget, Code::Bug, 6);
        check(Kind::Bug, Code::Bug, 70);
        check(Kind::Unavailable, Code::SourceUnreachable, 75);
        check(Kind::Invalid, Code::Interrupted, 130);
        assert_eq!(Stop::PipeClosed.exit_code(), 0);
    }
}
