//! Where something went wrong, and what a broken connection means: the same for every database.

use super::settings::Server;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::{Quoted, Say};
use sqlx::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// A server that has sent nothing for so long is gone; sorting a large table takes minutes.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_hours(1);

/// What was being done, for messages.
pub(super) struct Place {
    pub(super) say: Say,
    /// Whether a missing table or column means that it was there a moment ago.
    pub(super) is_reading: bool,
}

impl Place {
    /// Returns the server itself.
    pub(super) fn server(server: &Server) -> Self {
        let say =
            say!("the database server ", name Quoted(&server.host), " (port ", server.port, ")");
        Self {
            say,
            is_reading: false,
        }
    }

    /// Returns the questions about what the database has.
    pub(super) fn catalog() -> Self {
        Self {
            say: say!("the database's catalog"),
            is_reading: false,
        }
    }

    /// Returns the reading of a table that was found before.
    pub(super) fn table(origin: &str) -> Self {
        Self {
            say: say!("table ", name Quoted(origin)),
            is_reading: true,
        }
    }

    /// Returns a failure here; `what` goes on where the place's name ends.
    pub(super) fn failure(&self, kind: FailureKind, what: &'static str) -> Failure {
        Failure::new(kind, Say::default().value(&self.say).text(what))
    }

    /// Returns a failure here that ends with what the server said about it. The server speaks about the user's own
    /// database, so its sentence may be shown; the driver's may not, for it can name anything.
    pub(super) fn answer(&self, kind: FailureKind, what: &'static str, said: &str) -> Failure {
        Failure::new(
            kind,
            Say::default()
                .value(&self.say)
                .text(what)
                .value(&Quoted(said)),
        )
    }

    /// Returns the failure of a server that stopped answering.
    pub(super) fn silent(&self) -> Failure {
        self.failure(FailureKind::Unreachable, " has not answered for an hour")
    }

    /// Returns the failure of a server that did not let us in in time.
    pub(super) fn slow(&self) -> Failure {
        self.failure(
            FailureKind::Unreachable,
            " did not let us in within 30 seconds",
        )
    }
}

/// Waits for an answer, but not for ever.
pub(super) async fn within<T>(
    at: &Place,
    meaning: fn(Error, &Place) -> Failure,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(ANSWER_TIMEOUT, answer).await {
        Ok(answered) => answered.map_err(|error| meaning(error, at)),
        Err(_) => Err(at.silent()),
    }
}

/// Returns what an `error` that is not the server's own means.
pub(super) fn broken(error: &Error, at: &Place) -> Failure {
    match error {
        // So a certificate that is not trusted is told.
        Error::Io(error) if error.kind() == ErrorKind::InvalidData => unencrypted(at),
        Error::Io(error) => unreachable(error.kind(), at),
        Error::Tls(error) if error.to_string() == NO_TLS => without_tls(at),
        Error::Tls(_) => unencrypted(at),
        _ => at.failure(
            FailureKind::Protocol,
            " answered something that such a server does not",
        ),
    }
}

/// What the driver says of a server that refuses an encrypted connection which was required.
const NO_TLS: &str = "server does not support TLS";

fn without_tls(at: &Place) -> Failure {
    at.failure(
        FailureKind::Protocol,
        ": no encrypted connection could be made, for the server has no TLS",
    )
    .hint("switch TLS on at the server; or, if you trust every network in between with the password, set `sslmode: disable` (or `prefer`, which takes TLS as soon as it is there)")
}

fn unencrypted(at: &Place) -> Failure {
    at.failure(FailureKind::Protocol, ": no encrypted connection could be made")
        .hint("`sslmode` says how much is asked for: `require` needs a server with TLS, `verify-full` a certificate that this machine trusts (`sslrootcert`)")
}

fn unreachable(kind: ErrorKind, at: &Place) -> Failure {
    let what = match kind {
        ErrorKind::ConnectionRefused => " refused the connection",
        ErrorKind::TimedOut => " did not answer in time",
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            ": the connection was cut"
        }
        _ => " cannot be reached",
    };
    at.failure(FailureKind::Unreachable, what)
        .hint("check that the server runs and that host and port are right")
}
