//! Signing in, and the snapshot.

use super::super::place::{CONNECT_TIMEOUT, Place};
use super::super::settings::{Dialect, Server};
use super::failure::failure;
use super::{Session, rows};
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
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

/// Reads the TLS mode, in MySQL's words or libpq's.
fn tls_mode(server: &Server) -> Result<MySqlSslMode, Failure> {
    let mode = server
        .tls
        .as_deref()
        .unwrap_or("preferred")
        .to_ascii_lowercase()
        .replace('_', "-");
    match mode.as_str() {
        "disable" | "disabled" => Ok(MySqlSslMode::Disabled),
        "prefer" | "preferred" => Ok(MySqlSslMode::Preferred),
        "require" | "required" => Ok(MySqlSslMode::Required),
        "verify-ca" => Ok(MySqlSslMode::VerifyCa),
        "verify-full" | "verify-identity" => Ok(MySqlSslMode::VerifyIdentity),
        _ => Err(Failure::new(
            FailureKind::ConfigInvalid,
            "`sslmode` is not one that MySQL has",
        )
        .hint("it is disabled, preferred, required, verify-ca or verify-identity")),
    }
}

async fn sign_in(
    server: &Server,
    mode: MySqlSslMode,
    address: SocketAddr,
) -> Result<MySqlConnection, Failure> {
    // The guard's address is used, not the name, which might resolve to another one by now. Only a certificate that is
    // checked against the name needs the name, and proves by itself who answers.
    let is_named = matches!(mode, MySqlSslMode::VerifyIdentity);
    let host = if is_named {
        server.host.clone()
    } else {
        address.ip().to_string()
    };
    let mut options = MySqlConnectOptions::new()
        .host(&host)
        .port(server.port)
        .username(&server.user)
        .password(server.password.expose())
        .database(&server.database)
        .ssl_mode(mode)
        .charset("utf8mb4")
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .statement_cache_capacity(0)
        .disable_statement_logging();
    if let Some(certificate) = &server.certificate {
        options = options.ssl_ca(certificate);
    }
    let at = Place::server(server);
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(failure(error, &at)),
        Err(_) => Err(at.slow()),
    }
}

async fn begin(server: &Server, connection: MySqlConnection) -> Result<Session, Failure> {
    let at = Place::server(server);
    let mut session = Session {
        connection,
        version: String::new(),
    };
    let version = rows::fetch(&mut session, "SELECT VERSION()".into(), &at).await?;
    session.version = version.first().map(|row| row.text(0)).unwrap_or_default();
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
