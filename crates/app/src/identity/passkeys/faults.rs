//! Why a passkey was not taken: whoever shows it learns that it was not, and the log the rest.

use crate::Error;
use domain::Code;
use security::Event;
use security::passkeys::PasskeyError;
use store::Act;

pub(super) fn failed(error: &PasskeyError) -> Act {
    match error {
        PasskeyError::Replayed => Act::new(Event::PasskeyReplayed),
        _ => Act::new(Event::TwoFaFailed).detail("by", "passkey"),
    }
}

pub(super) fn unavailable() -> Error {
    Error::invalid(
        Code::PasskeysUnavailable,
        "passkeys need a public address with a host name and https, or localhost",
    )
    .hint("set `server.public_url` to the address people use")
}

/// Returns the error of a passkey that was not taken; why, only the log learns.
pub(super) fn refused(error: PasskeyError) -> Error {
    match error {
        PasskeyError::NoName | PasskeyError::NoTls => unavailable(),
        PasskeyError::Kept(_) => Error::bug("what was kept of a passkey cannot be read"),
        _ => not_taken(),
    }
    .caused_by(error)
}

pub(super) fn not_taken() -> Error {
    Error::invalid(Code::PasskeyRefused, "the passkey was not taken")
        .hint("try again, or sign in another way")
}

pub(super) fn over() -> Error {
    Error::invalid(
        Code::CeremonyOver,
        "that was asked too long ago, or in another browser, or answered before",
    )
    .hint("begin again")
}

pub(super) fn missing() -> Error {
    Error::not_found(Code::PasskeyNotFound, "you have no such passkey")
}
