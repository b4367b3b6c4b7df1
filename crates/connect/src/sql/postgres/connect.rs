//! Signing in, and the snapshot.

use super::super::connect::{Tls, horizon_micros, host_for, let_in, other_kind};
use super::super::place::Place;
use super::super::settings::{Dialect, Server};
use super::failure::failure;
use super::{Session, rows};
use crate::failure::{Failure, invalid};
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

/// Version and clock.
const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num'),
    pg_catalog.trunc(pg_catalog.date_part('epoch', pg_catalog.now()))::bigint::text";

/// Signs in at `address` and begins the snapshot.
pub(super) async fn open(
    server: &Server,
    tls: Tls,
    address: SocketAddr,
) -> Result<Session, Failure> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&host_for(server, tls, address))
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose())
        .database(&server.database)
        .ssl_mode(mode(tls))
        .application_name("dango")
        // Connection poolers refuse start-up parameters that they do not know.
        .extra_float_digits(None)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    options = match &server.certificate {
        Some(certificate) => options.ssl_root_cert(certificate),
        // The driver takes one from the environment otherwise.
        None => options.ssl_root_cert_from_pem(Vec::new()),
    };
    check_environment(&options)?;
    let at = Place::server(server);
    let connection = let_in(&at, failure, options.connect()).await?;
    begin(server, connection).await
}

const fn mode(tls: Tls) -> PgSslMode {
    match tls {
        Tls::Disable => PgSslMode::Disable,
        Tls::Prefer => PgSslMode::Prefer,
        Tls::Require => PgSslMode::Require,
        Tls::VerifyCa => PgSslMode::VerifyCa,
        Tls::VerifyFull => PgSslMode::VerifyFull,
    }
}

/// Refuses what the driver has taken from the environment and lets nobody take out again: it would change what the server
/// does for this session, or show the server a certificate that this source never named.
fn check_environment(options: &PgConnectOptions) -> Result<(), Failure> {
    // With a plain user: the driver cannot write every one of them as a URL.
    let url = options
        .clone()
        .host("localhost")
        .username("dango")
        .to_url_lossy();
    let names_file = |key: &str| url.query_pairs().any(|(name, _)| name == key);
    let variable = if options.get_options().is_some() {
        "PGOPTIONS"
    } else if names_file("sslcert") {
        "PGSSLCERT"
    } else if names_file("sslkey") {
        "PGSSLKEY"
    } else {
        return Ok(());
    };
    let variable = Quoted(variable);
    Err(invalid(say!(
        "the environment variable ", name variable, " is set, and would be used for a source that does not mention it"
    ))
    .hint(say!("run dango without it: `env -u ", variable, " dango …`")))
}

async fn begin(server: &Server, connection: PgConnection) -> Result<Session, Failure> {
    let at = Place::server(server);
    let mut session = Session {
        connection,
        version: 0,
        horizon_micros: 0,
    };
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned();
    rows::execute(&mut session, begin, &at).await?;
    rows::execute(&mut session, SESSION.to_owned(), &at).await?;
    let rows = rows::fetch(&mut session, VERSION.to_owned(), &at).await?;
    let told = rows
        .first()
        .and_then(|row| row.number(0).zip(row.number(1)));
    let (version, now_seconds) = told.ok_or_else(|| other_kind(server, "PostgreSQL"))?;
    session.version = version;
    session.horizon_micros = horizon_micros(now_seconds);
    Ok(session)
}
