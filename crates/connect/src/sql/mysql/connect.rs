//! Signing in, and the snapshot.

use super::super::connect::{Tls, horizon_micros, host_for, let_in, other_kind};
use super::super::place::Place;
use super::super::settings::{Dialect, Server};
use super::failure::failure;
use super::{Session, rows};
use crate::failure::Failure;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::{ConnectOptions, MySqlConnection};
use std::net::SocketAddr;

pub(super) const DIALECT: Dialect = Dialect {
    schemes: &["mysql", "mariadb"],
    port_default: 3306,
    example: "mysql://user:password@host:3306/database",
    tls_options: &["sslmode", "ssl-mode", "ssl_mode"],
    certificate_options: &["ssl-ca", "ssl_ca", "sslrootcert"],
};

/// What makes values and statements mean the same whatever the server's defaults: no mode changes quoting or padding.
const SESSION: &str = "SET SESSION sql_mode = '', time_zone = '+00:00'";
/// Settings that not every server has: none may cut a result short, and a slow reader is waited for.
const LIMITS: [&str; 10] = [
    "sql_select_limit = 18446744073709551615",
    "sql_big_selects = 1",
    "net_write_timeout = 3600",
    "net_read_timeout = 3600",
    "wait_timeout = 28800",
    "lock_wait_timeout = 60",
    "max_statement_time = 0",
    "max_execution_time = 0",
    "idle_transaction_timeout = 0",
    "idle_readonly_transaction_timeout = 0",
];

/// Signs in at `address` and begins the snapshot.
pub(super) async fn open(
    server: &Server,
    tls: Tls,
    address: SocketAddr,
) -> Result<Session, Failure> {
    let mut options = MySqlConnectOptions::new()
        .host(&host_for(server, tls, address))
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose())
        .database(&server.database)
        .ssl_mode(mode(tls))
        .charset("utf8mb4")
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    if let Some(certificate) = &server.certificate {
        options = options.ssl_ca(certificate);
    }
    let at = Place::server(server);
    let connection = let_in(&at, failure, options.connect()).await?;
    begin(server, connection).await
}

const fn mode(tls: Tls) -> MySqlSslMode {
    match tls {
        Tls::Disable => MySqlSslMode::Disabled,
        Tls::Prefer => MySqlSslMode::Preferred,
        Tls::Require => MySqlSslMode::Required,
        Tls::VerifyCa => MySqlSslMode::VerifyCa,
        Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
    }
}

async fn begin(server: &Server, connection: MySqlConnection) -> Result<Session, Failure> {
    let at = Place::server(server);
    let mut session = Session {
        connection,
        version: String::new(),
        horizon_micros: 0,
    };
    let rows = rows::fetch(
        &mut session,
        "SELECT VERSION(), UNIX_TIMESTAMP()".into(),
        &at,
    )
    .await?;
    let told = rows
        .first()
        .and_then(|row| Some((row.get(0)?, row.number(1)?)));
    let (version, now_seconds) = told.ok_or_else(|| other_kind(server, "MySQL"))?;
    version.clone_into(&mut session.version);
    session.horizon_micros = horizon_micros(now_seconds);
    rows::execute(&mut session, SESSION.into(), &at).await?;
    for limit in LIMITS {
        rows::try_execute(&mut session, format!("SET SESSION {limit}"), &at).await?;
    }
    for statement in [
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ] {
        rows::execute(&mut session, statement.into(), &at).await?;
    }
    Ok(session)
}
