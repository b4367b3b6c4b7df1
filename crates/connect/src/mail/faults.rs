//! Why mail was not sent. The server's own words are dropped: they name people.

use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Email, say};
use lettre::transport::smtp::Error;

const HINT: &str =
    "an admin checks the mail settings; until then, an admin makes the link and hands it over";

/// What the log learns of an answer of the mail server.
#[derive(Debug, thiserror::Error)]
#[error("the mail server answered {code}")]
struct Answered {
    code: String,
}

/// Returns whether no server was reached, so that another address may be tried.
pub(super) fn is_connection(error: &Error) -> bool {
    error.status().is_none() && !error.is_response() && !error.is_client() && !error.is_tls()
}

/// Returns what an error of the transport means.
pub(super) fn failed(host: &str, error: &Error) -> Failure {
    let host = Quoted(host);
    if let Some(code) = error.status() {
        let code = code.to_string();
        let kind = if error.is_transient() {
            FailureKind::Failed
        } else {
            FailureKind::Forbidden
        };
        return Failure::new(
            kind,
            say!("mail server ", name host, " did not take the mail: it answered ", Quoted(&code)),
        )
        .hint(HINT)
        .caused_by(Answered { code });
    }
    let what = if error.is_tls() {
        "TLS with mail server "
    } else if error.is_timeout() {
        return slow(host.0);
    } else {
        "the connection to mail server "
    };
    Failure::new(
        FailureKind::Unreachable,
        say!("").text(what).name(&host).text(" failed"),
    )
    .hint(HINT)
}

pub(super) fn slow(host: &str) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        say!("mail server ", name Quoted(host), " did not answer in time"),
    )
    .hint(HINT)
}

/// The address of the server cannot be found, or is not to be contacted.
pub(super) fn unreachable(host: &str, failure: Failure) -> Failure {
    Failure {
        say: say!("mail server ", name Quoted(host), " cannot be reached: ", failure.say),
        ..failure
    }
}

pub(super) fn without_tls(host: &str) -> Failure {
    Failure::new(
        FailureKind::EgressDenied,
        say!("mail would leave this machine for ", name Quoted(host), " without encryption"),
    )
    .hint("set the mail server's security to `starttls` or `tls`")
}

pub(super) fn undeliverable(email: &Email) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("mail servers do not take the address ", name * email),
    )
    .hint("an admin gives the account an address that takes mail")
}

pub(super) fn too_long(bytes_max: usize) -> Failure {
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("a mail has at most ", bytes_max, " bytes"),
    )
}

pub(super) fn unwritable(error: lettre::error::Error) -> Failure {
    Failure::new(FailureKind::ConfigInvalid, "the mail cannot be written").caused_by(error)
}
