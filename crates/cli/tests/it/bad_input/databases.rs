//! Databases that are down, refuse, or change while they are read.

use super::{Bench, Case, fingerprint};
use crate::project::{Project, SHOP};
use std::net::TcpListener;
use testkit::servers::{DATABASE, Mariadb, PASSWORD, Postgres, USER};

/// Returns the keys of a database source, without the braces.
fn keys(kind: &str, port: u16, database: &str, more: &str) -> String {
    format!(
        "type: {kind}, {kind}: {{host: 127.0.0.1, port: {port}, database: {database}, username: {USER}, {more}}}"
    )
}

fn secrets(password: &str) -> String {
    format!("[sources.bad]\npassword = \"{password}\"\n")
}

const SECRETS: &str = ".dlt/secrets.toml";

/// The cases that both kinds of database have in common.
fn cases(kind: &'static str, port: u16) -> Vec<Case> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let closed = listener.local_addr().expect("bound").port();
    drop(listener);
    let ask = |name, port, database: &str, more: &str| {
        Case::sync(name, &keys(kind, port, database, more))
            .with(SECRETS, secrets(PASSWORD))
            .hides(PASSWORD)
    };
    vec![
        ask("down", closed, DATABASE, "").fails(
            75,
            "source_unreachable",
            &["127.0.0.1", &closed.to_string()],
        ),
        Case::sync("wrong password", &keys(kind, port, DATABASE, ""))
            .with(SECRETS, secrets("canary-wrong-one"))
            .hides("canary-wrong-one")
            .fails(
                1,
                "source_unauthorized",
                &["127.0.0.1", "dango secrets set"],
            ),
        ask("unknown database", port, "nowhere", "").fails(
            4,
            "source_missing",
            &["nowhere", "correct `database`"],
        ),
        ask("unknown table", port, DATABASE, "tables: [ordres]").fails(
            4,
            "source_missing",
            &["`ordres`", "did you mean"],
        ),
        ask(
            "unknown cursor",
            port,
            DATABASE,
            "tables: [{name: orders, cursor: changed}]",
        )
        .fails(1, "config_invalid", &["`changed`"]),
        ask(
            "a column that is not there",
            port,
            DATABASE,
            "tables: [{name: orders, primary_key: [nr]}]",
        )
        .fails(1, "config_invalid", &["`nr`"]),
        ask(
            "TLS is asked for and not there",
            port,
            "shop",
            "sslmode: nonsense",
        )
        .fails(1, "config_invalid", &["`sslmode`"]),
    ]
}

const TABLES: &str = "DROP TABLE IF EXISTS orders; CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1), (2);";

#[test]
fn a_postgres_database_that_cannot_be_read_is_told_so() {
    let server = Postgres::shared();
    server.sql(DATABASE, TABLES);
    server.sql(
        DATABASE,
        "DROP TABLE IF EXISTS private; DROP ROLE IF EXISTS guest; CREATE TABLE private (id INT); INSERT INTO private VALUES (1); \
         CREATE ROLE guest LOGIN PASSWORD 'canary-guest';",
    );
    let mut cases = cases("postgres", server.port());
    cases.push(
        Case::sync(
            "not allowed",
            &format!(
                "type: postgres, postgres: {{host: 127.0.0.1, port: {}, database: {DATABASE}, username: guest, tables: [private]}}",
                server.port()
            ),
        )
        .with(SECRETS, secrets("canary-guest"))
        .hides("canary-guest")
        .fails(1, "source_forbidden", &["private"]),
    );
    Bench::new().check(cases);
}

#[test]
fn a_mysql_database_that_cannot_be_read_is_told_so() {
    let server = Mariadb::shared();
    server.sql(DATABASE, TABLES);
    Bench::new().check(cases("mysql", server.port()));
}

#[test]
fn nothing_of_a_connection_comes_from_the_environment() {
    let server = Postgres::shared();
    server.sql(
        DATABASE,
        "CREATE SCHEMA environment; CREATE TABLE environment.t AS SELECT 1 AS id;",
    );
    let project = Project::new();
    let source = keys(
        "postgres",
        server.port(),
        DATABASE,
        "schemas: [environment]",
    );
    project.write(
        ".dango/sources.yml",
        &format!("version: \"1.0\"\nsources:\n  - {{name: bad, {source}}}\n"),
    );
    project.write(SECRETS, &secrets(PASSWORD));
    let ignored = [
        ("PGHOST", "203.0.113.1"),
        ("PGHOSTADDR", "203.0.113.1"),
        ("PGPORT", "1"),
        ("PGUSER", "nobody"),
        ("PGPASSWORD", "wrong"),
        ("PGDATABASE", "nowhere"),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", "/no/such.pem"),
        ("PGAPPNAME", "nobody"),
    ];
    project.run_with(&["sync"], "", &ignored).succeeded();
    for (variable, value) in [
        ("PGOPTIONS", "-c search_path=elsewhere"),
        ("PGSSLCERT", "/no/such.pem"),
        ("PGSSLKEY", "/no/such.key"),
    ] {
        let ran = project.run_with(&["sync"], "", &[(variable, value)]);
        let hint = format!("env -u {variable} dango");
        assert!(
            ran.stderr.contains(&hint) && ran.stderr.contains("config_invalid"),
            "{ran:#?}"
        );
    }
}

/// Another session holds the first table until the sync waits for it, drops the second, and lets go.
#[test]
fn a_table_that_is_dropped_while_its_database_is_read_undoes_the_sync() {
    const CHANGE: &str = "BEGIN; LOCK TABLE gone.a_first IN ACCESS EXCLUSIVE MODE; \
        DO $$ BEGIN FOR i IN 1..6000 LOOP \
            EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'gone.a_first'::regclass); \
            PERFORM pg_sleep(0.01); \
        END LOOP; END $$; \
        DROP TABLE gone.b_second; COMMIT;";
    const HELD: &str = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' \
        AND relation = 'gone.a_first'::regclass";
    let server = Postgres::shared();
    server.sql(
        DATABASE,
        "DROP SCHEMA IF EXISTS gone CASCADE; CREATE SCHEMA gone; CREATE TABLE gone.a_first AS SELECT 1 AS id; \
         CREATE TABLE gone.b_second AS SELECT 2 AS id;",
    );
    let project = Project::synced_shop();
    let before = fingerprint(&project);
    let source = keys("postgres", server.port(), DATABASE, "schemas: [gone]");
    project.write(
        ".dango/sources.yml",
        &format!("{SHOP}  - {{name: bad, {source}}}\n"),
    );
    project.write(SECRETS, &secrets(PASSWORD));
    let mut change = server.psql(DATABASE, CHANGE).spawn().expect("psql starts");
    while server.sql(DATABASE, HELD).trim() != "1" {}
    let ran = project.run(&["sync", "bad"]);
    assert!(change.wait().expect("psql ends").success());
    let ran = ran.failed(75, "source_changed");
    assert!(
        ran.stderr.contains("b_second") && ran.stderr.contains("hint: "),
        "{ran:#?}"
    );
    assert_eq!(fingerprint(&project), before);
    // What is left can be read.
    project.run(&["sync", "bad"]).succeeded();
}
