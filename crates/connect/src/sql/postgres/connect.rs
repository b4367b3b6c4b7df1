//! Signing in, and the snapshot.

use super::super::place::{CONNECT_TIMEOUT, Place};
use super::super::settings::{Dialect, Server};
use super::failure::failure;
use super::{Session, rows};
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use std::net::SocketAddr;

pub(super) const DIALECT: Dialect = Dialect {
    schemes: &["postgresql", "postgres"],
    port_default: 5432,
    example: "postgresql://user:password@host:5432/database",
    tls_options: &["sslmode", "ssl-mode"],
    certificate_options: &["sslrootcert"],
};

/// Every statement's settings, so that values look the same whatever the server's defaults. Names that this version does
/// not know are left out.
const SESSION: &str = "SELECT pg_catalog.set_config(s.name, s.value, true) FROM (VALUES
    ('DateStyle', 'ISO, MDY'), ('TimeZone', 'UTC'), ('IntervalStyle', 'postgres'), ('bytea_output', 'hex'),
    ('extra_float_digits', '3'), ('standard_conforming_strings', 'on'), ('jit', 'off'), ('lock_timeout', '60s'),
    ('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0')
    ) s(name, value) WHERE s.name IN (SELECT k.name FROM pg_catalog.pg_settings k)";

/// Connects to the first address of the server that answers, and begins the snapshot there.
pub(super) async fn open(server: &Server, egress: &Egress) -> Result<Session, Failure> {
    let mode = tls_mode(server)?;
    let addresses = egress.check(&server.host, server.port).await?;
    let mut refused = None;
    for address in addresses {
        match sign_in(server, mode, address).await {
            Ok(connection) => return begin(server, connection).await,
            Err(failure) if failure.kind == FailureKind::Unreachable => refused = Some(failure),
            Err(failure) => return Err(failure),
        }
    }
    Err(refused
        .unwrap_or_else(|| Failure::new(FailureKind::Unreachable, "the host has no address")))
}

fn tls_mode(server: &Server) -> Result<PgSslMode, Failure> {
    match &server.tls {
        None => Ok(PgSslMode::Prefer),
        Some(mode) => mode.parse().map_err(|_| {
            Failure::new(
                FailureKind::ConfigInvalid,
                "`sslmode` is not one that PostgreSQL has",
            )
            .hint("it is disable, prefer, require, verify-ca or verify-full")
        }),
    }
}

async fn sign_in(
    server: &Server,
    mode: PgSslMode,
    address: SocketAddr,
) -> Result<PgConnection, Failure> {
    // The guard's address is used, not the name, which might resolve to another one by now. Only a certificate that is
    // checked against the name needs the name, and proves by itself who answers.
    let is_named = matches!(mode, PgSslMode::VerifyFull);
    let host = if is_named {
        server.host.clone()
    } else {
        address.ip().to_string()
    };
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&host)
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose())
        .database(&server.database)
        .ssl_mode(mode)
        .application_name("dango")
        // Connection poolers refuse start-up parameters that they do not know.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    if let Some(certificate) = &server.certificate {
        options = options.ssl_root_cert(certificate);
    }
    let at = Place::server(server);
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failure(error, &at)),
        Err(_) => Err(at.slow()),
    }
}

async fn begin(server: &Server, connection: PgConnection) -> Result<Session, Failure> {
    let at = Place::server(server);
    let mut session = Session {
        connection,
        version: 0,
    };
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
    rows::execute(&mut session, begin, &at).await?;
    rows::execute(&mut session, SESSION.to_owned(), &at).await?;
    let version = "SELECT pg_catalog.current_setting('server_version_num')".to_owned();
    let version = rows::fetch(&mut session, version, &at).await?;
    let version = version.first().and_then(|row| row.number(0));
    session.version = version.ok_or_else(|| {
        Failure::new(
            FailureKind::Protocol,
            say!("", at.say, " does not say its version"),
        )
        .hint(say!("is ", name Quoted(&server.host), " really a PostgreSQL server?"))
    })?;
    Ok(session)
}
