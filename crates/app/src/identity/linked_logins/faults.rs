//! Why somebody does not come in by a provider.

use super::Provider;
use crate::Error;
use connect::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Code, say};

/// Returns the error of a provider that did not say who somebody is.
pub(super) fn refused(failure: Failure) -> Error {
    let (say, hint) = (failure.say.clone(), failure.hint.clone());
    let error = match failure.kind {
        FailureKind::Unreachable | FailureKind::Failed | FailureKind::RateLimited => {
            Error::unavailable(Code::LoginRefused, say)
        }
        FailureKind::EgressDenied => Error::invalid(Code::EgressDenied, say),
        _ => Error::invalid(Code::LoginRefused, say),
    };
    error.hint(hint).caused_by(failure)
}

/// Returns the one error of everybody who has no account here, or may not use it.
pub(super) fn unknown(provider: &Provider) -> Error {
    Error::invalid(
        Code::LoginUnknown,
        say!("nobody here signs in with this login of ", name Quoted(provider.name())),
    )
    .hint("sign in another way and link it in your account, or ask an admin to invite you")
}

pub(super) fn over() -> Error {
    Error::invalid(
        Code::CeremonyOver,
        "that was asked too long ago, or in another browser, or answered before",
    )
    .hint("begin again")
}
