//! Everything that can go wrong with MySQL, each with one clear failure that shows no secret.

use crate::harness::*;
use connect::sql::mysql::Mysql;
use connect::{Egress, Failure, FailureKind, Start};
use serde_json::json;
use testkit::servers::{self, PASSWORD};

fn check(failure: &Failure, kind: FailureKind, expect: &str) {
    assert_eq!(failure.kind, kind, "{failure} {failure:?}");
    assert!(failure.say.as_str().contains(expect), "{failure}");
    let everything = format!("{failure} {} {failure:?}", failure.hint);
    assert!(!everything.contains(PASSWORD), "{everything}");
}

async fn refused(login: &Login<'_>) -> Failure {
    let opened = open_mysql(login, json!({})).await;
    opened.err().expect("refused")
}

#[tokio::test]
async fn who_may_not_sign_in_is_told_why() {
    let port = servers::Mariadb::shared().port();
    let login = || Login::to(port, "shop");
    let failure = refused(&Login {
        password: "wrong",
        ..login()
    })
    .await;
    check(
        &failure,
        FailureKind::Unauthorized,
        "refused user or password: Access denied for user 'dango'",
    );
    let failure = refused(&Login::to(port, "nowhere")).await;
    check(&failure, FailureKind::Missing, "Unknown database 'nowhere'");
    let failure = refused(&Login {
        sslmode: "sometimes",
        ..login()
    })
    .await;
    check(&failure, FailureKind::ConfigInvalid, "`sslmode`");
    let failure = refused(&Login {
        sslmode: "required",
        ..login()
    })
    .await;
    check(&failure, FailureKind::Protocol, "the server has no TLS");
    assert!(failure.hint.as_str().contains("`sslmode: disable`"));
    let opened = Mysql::open(
        &source_name(),
        &json!({}),
        &login().credentials(),
        &Egress::new([]),
    )
    .await;
    check(
        &opened.err().expect("denied"),
        FailureKind::EgressDenied,
        "private address",
    );
    let free = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let closed = free.local_addr().expect("bound").port();
    drop(free);
    check(
        &refused(&Login::to(closed, "shop")).await,
        FailureKind::Unreachable,
        "refused the connection",
    );
    let failure = refused(&Login::to(servers::Postgres::shared().port(), "shop")).await;
    assert!(
        matches!(
            failure.kind,
            FailureKind::Protocol | FailureKind::Unreachable
        ),
        "{failure}"
    );
}

#[tokio::test]
async fn what_is_not_there_or_may_not_be_read_is_named() {
    let database = mysql_database("missing");
    mariadb(database, "CREATE TABLE orders(id int, secret text); CREATE TABLE closed(id int);
        CREATE USER reader@'%' IDENTIFIED BY 'reader-canary'; GRANT SELECT (id) ON missing.orders TO reader@'%'; GRANT INSERT ON missing.closed TO reader@'%'");
    let mut source = mysql(database, json!({"schema": "elsewhere"})).await;
    check(
        &source.streams(&[]).await.expect_err("none"),
        FailureKind::Missing,
        "no database `elsewhere`",
    );
    let mut source = mysql(database, json!({"table_names": ["oders"]})).await;
    let failure = source.streams(&[]).await.expect_err("none");
    check(&failure, FailureKind::Missing, "no table `oders`");
    assert_eq!(failure.hint.as_str(), "did you mean `orders`?");
    let port = servers::Mariadb::shared().port();
    let login = Login {
        user: "reader",
        password: "reader-canary",
        ..Login::to(port, database)
    };
    let mut source = open_mysql(&login, json!({})).await.expect("opens");
    let streams = source.streams(&[]).await.expect("streams");
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].schema.as_ref().expect("known").columns.len(), 1);
    let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
    result.expect("reads");
    assert_eq!(
        warnings(&pages),
        ["`missing.closed` is left out: this user may read no column of it"]
    );
    let block = json!({"table_names": ["closed"]});
    let mut source = open_mysql(&login, block).await.expect("opens");
    check(
        &source.streams(&[]).await.expect_err("denied"),
        FailureKind::Forbidden,
        "`missing.closed` may not be read",
    );
    let failure = refused(&Login {
        database: "shop",
        ..login
    })
    .await;
    check(
        &failure,
        FailureKind::Forbidden,
        "Access denied for user 'reader'",
    );
}

#[tokio::test]
async fn a_table_that_changes_after_it_was_looked_at_is_not_read() {
    let database = mysql_database("changed");
    for (index, change) in [
        "DROP TABLE t%",
        "ALTER TABLE t% DROP COLUMN v, FORCE",
        "ALTER TABLE t% RENAME COLUMN v TO w",
        "RENAME TABLE t% TO gone%",
        "ALTER TABLE t% MODIFY v text",
        "TRUNCATE t%",
    ]
    .into_iter()
    .enumerate()
    {
        let named = |sql: &str| sql.replace('%', &index.to_string());
        mariadb(
            database,
            &named(
                "CREATE TABLE t%(id int, v int); INSERT INTO t% SELECT seq, seq FROM seq_1_to_10",
            ),
        );
        let mut source = mysql(database, json!({"table_names": [named("t%")]})).await;
        let streams = source.streams(&[]).await.expect("streams");
        mariadb(database, &named(change));
        let (pages, result) = read(&mut source, &streams[0], Start::default()).await;
        let failure = result
            .err()
            .unwrap_or_else(|| panic!("{change}: {:?}", rows(&pages)));
        check(&failure, FailureKind::Changed, "table `changed.t");
    }
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_is_unreachable() {
    let server = servers::Mariadb::start();
    server.sql(
        "shop",
        "CREATE TABLE big AS SELECT seq, REPEAT('x', 500) v FROM seq_1_to_200000",
    );
    let login = Login::to(server.port(), "shop");
    let mut server = Some(server);
    for is_killed in [true, false] {
        let mut source = open_mysql(&login, json!({})).await.expect("opens");
        let streams = source.streams(&[]).await.expect("streams");
        let (out, mut pages) = tokio::sync::mpsc::channel(1);
        let cut = async {
            pages.recv().await.expect("a first page");
            match &server {
                Some(server) if is_killed => {
                    let id = server.sql("shop", "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT 0,%'");
                    server.sql(
                        "shop",
                        &format!("KILL {}", id.lines().next().expect("the reader")),
                    );
                }
                _ => drop(server.take()),
            }
            while pages.recv().await.is_some() {}
        };
        let (result, ()) = tokio::join!(source.read(&streams[0], Start::default(), out), cut);
        check(
            &result.expect_err("cut"),
            FailureKind::Unreachable,
            "table `shop.big`",
        );
    }
}

#[tokio::test]
async fn a_value_beyond_the_limit_is_refused_by_name() {
    let database = mysql_database("too_large");
    mariadb(
        database,
        "CREATE TABLE t(id int, v longblob); INSERT INTO t VALUES (1, REPEAT('x', 67108865))",
    );
    let mut source = mysql(database, json!({})).await;
    let streams = source.streams(&[]).await.expect("streams");
    let (_, result) = read(&mut source, &streams[0], Start::default()).await;
    check(
        &result.expect_err("too large"),
        FailureKind::FileTooLarge,
        "column `v` is larger than 64 MiB",
    );
}
