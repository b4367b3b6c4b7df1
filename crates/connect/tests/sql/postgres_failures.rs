//! Everything that can go wrong, each with one clear failure that shows no secret.

use crate::harness::*;
use connect::sql::postgres::Postgres;
use connect::{Egress, Failure, FailureKind, Start};
use security::Plain;
use serde_json::json;
use testkit::servers::{self, PASSWORD};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Checks a failure's kind and words, and that neither they nor the log show the password.
fn check(failure: &Failure, kind: FailureKind, expect: &str) {
    assert_eq!(failure.kind, kind, "{failure} {failure:?}");
    assert!(failure.say.as_str().contains(expect), "{failure}");
    let everything = format!("{failure} {} {failure:?}", failure.hint);
    assert!(!everything.contains(PASSWORD), "{everything}");
}

async fn refused(login: &Login<'_>) -> Failure {
    let opened = open_postgres(login, json!({})).await;
    opened.err().expect("refused")
}

#[tokio::test]
async fn who_may_not_sign_in_is_told_why() {
    let port = servers::Postgres::shared().port();
    let login = || Login::to(port, "shop");
    let failure = refused(&Login {
        password: "wrong",
        ..login()
    })
    .await;
    check(&failure, FailureKind::Unauthorized, "refused the password");
    let failure = refused(&Login {
        user: "nobody",
        ..login()
    })
    .await;
    check(
        &failure,
        FailureKind::Unauthorized,
        "password authentication failed for user \"nobody\"",
    );
    let failure = refused(&Login::to(port, "nowhere")).await;
    check(
        &failure,
        FailureKind::Missing,
        "database \"nowhere\" does not exist",
    );
    let failure = refused(&Login {
        sslmode: "sometimes",
        ..login()
    })
    .await;
    check(&failure, FailureKind::ConfigInvalid, "`sslmode`");
    let failure = refused(&Login {
        user: "",
        ..login()
    })
    .await;
    check(
        &failure,
        FailureKind::CredentialMissing,
        "source `shop` has no `username`",
    );
}

#[tokio::test]
async fn a_host_that_is_no_server_is_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let answer = async {
        let (mut socket, _) = listener.accept().await.expect("a client");
        // It is closed only when the client has given up, or the client would see a reset connection.
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("written");
        socket
    };
    let login = Login::to(port, "shop");
    let (failure, socket) = tokio::join!(refused(&login), answer);
    check(
        &failure,
        FailureKind::Protocol,
        "answered something that such a server does not",
    );
    drop((socket, listener));
    let failure = refused(&login).await;
    check(&failure, FailureKind::Unreachable, "refused the connection");
    let opened = Postgres::open(
        &source_name(),
        &json!({}),
        &login.credentials(),
        &Egress::new([]),
    )
    .await;
    check(
        &opened.err().expect("denied"),
        FailureKind::EgressDenied,
        "private address",
    );
}

#[tokio::test]
async fn a_url_is_a_way_to_sign_in_and_is_never_shown() {
    let server = servers::Postgres::shared();
    let open = async |url: String| {
        let mut credentials = connect::Credentials::new();
        credentials.insert("credentials", Plain::new(url));
        Postgres::open(
            &source_name(),
            &json!({"table_names": "all"}),
            &credentials,
            &loopback(),
        )
        .await
    };
    let url = format!(
        "postgresql+psycopg2://dango:{PASSWORD}@127.0.0.1:{}/shop",
        server.port()
    );
    open(url.clone()).await.expect("opens");
    for broken in [
        url.replace("postgresql", "mysql"),
        url.replace("://", ":/"),
        url.replace("127.0.0.1:", "127.0.0.1:x"),
    ] {
        check(
            &open(broken).await.err().expect("broken"),
            FailureKind::ConfigInvalid,
            "cannot be read",
        );
    }
    check(
        &open(url.replace("/shop", "")).await.err().expect("none"),
        FailureKind::CredentialMissing,
        "`database`",
    );
    check(
        &open(url.replace("/shop", "/nowhere"))
            .await
            .err()
            .expect("none"),
        FailureKind::Missing,
        "nowhere",
    );
}

#[tokio::test]
async fn tls_is_used_where_it_is_asked_for() {
    let server = servers::Postgres::shared();
    let login = |sslmode| Login {
        sslmode,
        ..Login::to(server.port(), "tls_only")
    };
    check(
        &refused(&login("disable")).await,
        FailureKind::Unauthorized,
        "over TLS only",
    );
    assert_eq!(
        refused(&login("disable")).await.hint.as_str(),
        "set `sslmode: require`"
    );
    for mode in ["", "prefer", "require"] {
        open_postgres(&login(mode), json!({})).await.expect(mode);
    }
    check(
        &refused(&login("verify-full")).await,
        FailureKind::Protocol,
        "no encrypted connection",
    );
    let certificate = server.certificate().display().to_string();
    for mode in ["verify-ca", "verify-full", ""] {
        let mut credentials = login(mode).credentials();
        credentials.insert("sslrootcert", Plain::new(certificate.clone()));
        Postgres::open(&source_name(), &json!({}), &credentials, &loopback())
            .await
            .expect(mode);
    }
    let mut credentials = login("").credentials();
    credentials.insert("sslrootcert", Plain::new("no/such.pem".to_owned()));
    let opened = Postgres::open(&source_name(), &json!({}), &credentials, &loopback()).await;
    check(
        &opened.err().expect("no file"),
        FailureKind::ConfigInvalid,
        "`no/such.pem` cannot be read",
    );
}

#[tokio::test]
async fn a_server_without_tls_gets_no_password_where_tls_is_required() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let port = listener.local_addr().expect("bound").port();
    // It declines encryption and listens to what the client says then.
    let answer = async {
        let (mut socket, _) = listener.accept().await.expect("a client");
        socket.read_exact(&mut [0; 8]).await.expect("a request");
        socket.write_all(b"N").await.expect("written");
        let mut said = Vec::new();
        socket.read_to_end(&mut said).await.expect("read");
        said
    };
    let login = Login {
        sslmode: "require",
        ..Login::to(port, "shop")
    };
    let (failure, said) = tokio::join!(refused(&login), answer);
    check(&failure, FailureKind::Protocol, "the server has no TLS");
    assert!(failure.hint.as_str().contains("`sslmode: disable`"));
    assert_eq!(said, b"");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let database = postgres_database("missing");
    psql(database, "CREATE TABLE orders(id int)");
    let mut source = postgres(database, json!({"schema": "pubic"})).await;
    check(
        &source.streams(&[]).await.expect_err("none"),
        FailureKind::Missing,
        "no schema `pubic`",
    );
    let mut source = postgres(database, json!({"table_names": ["oders"]})).await;
    let failure = source.streams(&[]).await.expect_err("none");
    check(&failure, FailureKind::Missing, "no table `oders`");
    assert_eq!(failure.hint.as_str(), "did you mean `orders`?");
}

#[tokio::test]
async fn what_may_not_be_read_is_left_out_or_refused() {
    let database = postgres_database("privileges");
    psql(database, "CREATE ROLE reader LOGIN PASSWORD 'reader-canary'; CREATE TABLE open(id int PRIMARY KEY, secret text, shown text);
        CREATE TABLE closed(id int); CREATE SCHEMA locked; INSERT INTO open VALUES (1, 'x', 'y');
        GRANT SELECT (id, shown) ON open TO reader; CREATE TABLE free(id int); GRANT SELECT ON free TO reader");
    let port = servers::Postgres::shared().port();
    let login = Login {
        user: "reader",
        password: "reader-canary",
        ..Login::to(port, database)
    };
    let open = async |block| open_postgres(&login, block).await.expect("opens");
    let mut source = open(json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    assert_eq!(
        streams.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
        ["free", "open"]
    );
    let (pages, result) = read(&mut source, &streams[1], Start::default()).await;
    result.expect("reads");
    assert_eq!(rows(&pages), ["id=1 shown=y"]);
    assert_eq!(
        warnings(&pages),
        [
            "`public.closed` is left out: this user may not read it",
            "column `secret` of `public.open` is left out: this user may not read it"
        ]
    );
    let failure = open(json!({"table_names": ["closed"]}))
        .await
        .streams(&[])
        .await
        .expect_err("denied");
    check(
        &failure,
        FailureKind::Forbidden,
        "`public.closed` may not be read",
    );
    let failure = open(json!({"schema": "locked"}))
        .await
        .streams(&[])
        .await
        .expect_err("denied");
    check(
        &failure,
        FailureKind::Forbidden,
        "may not look into schema `locked`",
    );
    let mut source = open(json!({"table_names": ["free"]})).await;
    let streams = source.streams(&[]).await.expect("streams");
    psql(database, "REVOKE SELECT ON free FROM reader");
    let (_, result) = read(&mut source, &streams[0], Start::default()).await;
    check(
        &result.expect_err("denied"),
        FailureKind::Forbidden,
        "permission denied for table free",
    );
}

#[tokio::test]
async fn a_table_that_changes_after_it_was_looked_at_is_not_read() {
    let database = postgres_database("changed");
    for (index, change) in [
        "DROP TABLE t%",
        "ALTER TABLE t% DROP COLUMN v",
        "ALTER TABLE t% RENAME COLUMN v TO w",
        "ALTER TABLE t% RENAME TO gone%",
        "ALTER TABLE t% ALTER COLUMN v TYPE bigint",
        "TRUNCATE t%",
        "BEGIN; TRUNCATE t%; INSERT INTO t% VALUES (1, 1, 1); COMMIT",
        "ALTER TABLE t% ALTER COLUMN n TYPE numeric(12,2); UPDATE t% SET n = 1234567890",
        "VACUUM FULL t%",
    ]
    .into_iter()
    .enumerate()
    {
        let named = |sql: &str| sql.replace('%', &index.to_string());
        psql(
            database,
            &named(
                "CREATE TABLE t%(id int, v int, n numeric(4,2)); INSERT INTO t% SELECT i, i, 1 FROM generate_series(1, 10) i",
            ),
        );
        let mut source = postgres(database, json!({"table_names": [named("t%")]})).await;
        let streams = source.streams(&[]).await.expect("streams");
        psql(database, &named(change));
        let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
        match result {
            // Digits that a column got after the snapshot are not in the snapshot.
            Ok(()) => assert!(
                change.contains("numeric") && column(&pages, "n")[0] == "1.00",
                "{change}"
            ),
            Err(failure) => check(&failure, FailureKind::Changed, "table `public.t"),
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_is_unreachable() {
    let server = servers::Postgres::start();
    server.sql(
        "shop",
        "CREATE TABLE big AS SELECT i, repeat('x', 500) v FROM generate_series(1, 200000) i",
    );
    let login = Login::to(server.port(), "shop");
    let open = async || open_postgres(&login, json!({})).await.expect("opens");
    let mut server = Some(server);
    for is_terminated in [true, false] {
        let mut source = open().await;
        let streams = source.streams(&[]).await.expect("streams");
        let (out, mut pages) = tokio::sync::mpsc::channel(1);
        let cut = async {
            pages.recv().await.expect("a first page");
            match &server {
                Some(server) if is_terminated => {
                    server.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dango'");
                }
                _ => drop(server.take()),
            }
            while pages.recv().await.is_some() {}
        };
        let (result, ()) = tokio::join!(source.read(&streams[0], Start::default(), out), cut);
        check(
            &result.expect_err("cut"),
            FailureKind::Unreachable,
            "table `public.big`",
        );
    }
}

#[tokio::test]
async fn text_that_cannot_become_utf8_is_refused_by_name() {
    let server = servers::Postgres::shared();
    server.sql(
        "postgres",
        "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0",
    );
    server.sql(
        "postgres",
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    );
    psql(
        "latin",
        "CREATE TABLE t(v text); INSERT INTO t VALUES ('Grüße')",
    );
    let mut source = postgres("latin", json!({})).await;
    assert_eq!(rows(&read_whole(&mut source, "t").await), ["v=Grüße"]);
    psql(
        "ascii",
        "CREATE TABLE t(ok text, v text); INSERT INTO t VALUES ('fine', E'\\xe9')",
    );
    let mut source = postgres("ascii", json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let (_, result) = read(&mut source, &streams[0], Start::default()).await;
    check(
        &result.expect_err("no UTF-8"),
        FailureKind::Protocol,
        "table `public.t` holds text that the server cannot turn into UTF-8",
    );
}

#[tokio::test]
async fn a_value_beyond_the_limit_is_refused_by_name() {
    let database = postgres_database("too_large");
    psql(
        database,
        "CREATE TABLE t(id int, v text); INSERT INTO t VALUES (1, repeat('x', 64 * 1024 * 1024 + 1))",
    );
    let mut source = postgres(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let (_, result) = read(&mut source, &streams[0], Start::default()).await;
    check(
        &result.expect_err("too large"),
        FailureKind::FileTooLarge,
        "column `v` is larger than 64 MiB",
    );
}
