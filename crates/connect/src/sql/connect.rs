//! Signing in: at which address, how encrypted, and for how long.

use super::database::Session;
use super::place::Place;
use super::settings::Server;
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind, invalid};
use domain::say::Quoted;
use domain::{Say, say};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// A server that has not let us in by then will not.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// A time further ahead of the server's clock than any time zone is not one that rows are changed at: were it remembered, it
/// would hide every change until then.
const AHEAD_SECONDS_MAX: i64 = 2 * 86_400;

/// How much encryption is asked for, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    Disable,
    /// Where the server has it, without knowing who the server is.
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Tls {
    /// Reads what the user wrote, in libpq's words or MySQL's; `None` where nothing is written.
    fn configured(server: &Server) -> Result<Option<Self>, Failure> {
        let Some(written) = &server.tls else {
            return Ok(None);
        };
        let word = written.to_ascii_lowercase().replace('_', "-");
        Ok(Some(match word.as_str() {
            "disable" | "disabled" => Self::Disable,
            "allow" | "prefer" | "preferred" => Self::Prefer,
            "require" | "required" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" | "verify-identity" => Self::VerifyFull,
            _ => {
                return Err(invalid(Say::new("`sslmode` is none that there is"))
                    .hint("it is disable, prefer, require, verify-ca or verify-full"));
            }
        }))
    }

    /// Returns what is asked for where nothing is written: a server elsewhere could ask for the password in clear text, and a
    /// certificate that is named is there to be checked.
    fn usual(address: IpAddr, has_certificate: bool) -> Self {
        if has_certificate {
            Self::VerifyFull
        } else if address.to_canonical().is_loopback() {
            Self::Prefer
        } else {
            Self::Require
        }
    }
}

/// Connects to the first address of the server that answers, and begins the snapshot there.
pub(super) async fn open<S: Session>(server: &Server, egress: &Egress) -> Result<S, Failure> {
    let configured = Tls::configured(server)?;
    let has_certificate = server.certificate.is_some();
    check_certificate(server)?;
    let mut refused = None;
    for address in egress.check(&server.host, server.port).await? {
        let tls = configured.unwrap_or_else(|| Tls::usual(address.ip(), has_certificate));
        match S::open(server, tls, address).await {
            Err(failure) if failure.kind == FailureKind::Unreachable => refused = Some(failure),
            opened => return opened,
        }
    }
    Err(refused
        .unwrap_or_else(|| Failure::new(FailureKind::Unreachable, "the host has no address")))
}

/// The driver would report a file that is not there as a server that is not.
fn check_certificate(server: &Server) -> Result<(), Failure> {
    let Some(path) = &server.certificate else {
        return Ok(());
    };
    let opened = fs_err::File::open(path).map(drop);
    opened.map_err(|error| {
        invalid(say!("the certificate file ", name Quoted(path), " cannot be read"))
            .hint("`sslrootcert` is the path of a PEM file with the certificate that signed the server's")
            .caused_by(error)
    })
}

/// Returns what to connect to. The guard's address is used, not the name, which might resolve to another one by now. Only a
/// certificate that is checked against the name needs the name, and proves by itself who answers.
pub(super) fn host_for(server: &Server, tls: Tls, address: SocketAddr) -> String {
    if tls == Tls::VerifyFull {
        server.host.clone()
    } else {
        address.ip().to_string()
    }
}

/// Waits until the server lets us in, but not for ever.
pub(super) async fn let_in<T>(
    at: &Place,
    meaning: fn(sqlx::Error, &Place) -> Failure,
    connecting: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => connected.map_err(|error| meaning(error, at)),
        Err(_) => Err(at.slow()),
    }
}

/// Returns the horizon for a server whose clock shows `now_seconds` since 1970.
pub(super) const fn horizon_micros(now_seconds: i64) -> i64 {
    now_seconds
        .saturating_add(AHEAD_SECONDS_MAX)
        .saturating_mul(1_000_000)
}

/// Returns the failure of a server that does not answer the first questions as its kind does.
pub(super) fn other_kind(server: &Server, kind: &'static str) -> Failure {
    let at = Place::server(server);
    Failure::new(
        FailureKind::Protocol,
        say!("", at.say, " does not say its version and time"),
    )
    .hint(say!("is it really a ", Say::new(kind), " server?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_elsewhere_must_encrypt_unless_it_is_said_otherwise() {
        let check = |address: &str, expect| {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(Tls::usual(address, false), expect, "{address}");
            assert_eq!(Tls::usual(address, true), Tls::VerifyFull, "{address}");
        };
        check("127.0.0.1", Tls::Prefer);
        check("127.9.9.9", Tls::Prefer);
        check("::1", Tls::Prefer);
        check("::ffff:127.0.0.1", Tls::Prefer);
        check("10.0.0.5", Tls::Require);
        check("192.168.1.7", Tls::Require);
        check("203.0.113.9", Tls::Require);
        check("2001:db8::1", Tls::Require);
    }
}
