//! Databases, each with its password in another place: in each form of `secrets.toml`, in variables, in `sources.yml` by mistake.

use super::{Sweep, toml};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use testkit::servers::{DATABASE, Mariadb, Postgres, USER};

/// Adds the sources of the databases; every one has its own user and password.
pub(super) fn add(sweep: &mut Sweep, sources: &mut String, secrets: &mut BTreeMap<String, String>) {
    let postgres = Postgres::shared();
    let mariadb = Mariadb::shared();
    postgres.sql(DATABASE, "CREATE SCHEMA IF NOT EXISTS canaries; CREATE TABLE IF NOT EXISTS canaries.t AS SELECT 1 AS id; GRANT USAGE ON SCHEMA canaries TO PUBLIC; GRANT SELECT ON canaries.t TO PUBLIC");
    mariadb.sql(
        DATABASE,
        "CREATE TABLE IF NOT EXISTS canaries (id INT); INSERT INTO canaries VALUES (1)",
    );
    let role = |name: &str, password: &str| {
        let quoted = password.replace('\'', "''");
        postgres.sql(
            DATABASE,
            &format!("CREATE ROLE u_{name} LOGIN PASSWORD '{quoted}'"),
        );
    };
    let user = |name: &str, password: &str| {
        let quoted = password.replace('\\', "\\\\").replace('\'', "''");
        mariadb.sql(DATABASE, &format!("CREATE USER u_{name}@'%' IDENTIFIED BY '{quoted}'; GRANT SELECT ON {DATABASE}.* TO u_{name}@'%'"));
    };
    let (pg, my) = (postgres.port(), mariadb.port());
    let block = |kind: &str, name: &str, port: u16, schema: &str, more: &str| {
        format!(
            "  - name: {name}\n    type: {kind}\n    {kind}:\n      host: 127.0.0.1\n      port: {port}\n      database: {DATABASE}\n      username: u_{name}\n      {schema}\n{more}"
        )
    };
    let pg_block =
        |name: &str, more: &str| block("postgres", name, pg, "schemas: [canaries]", more);
    let my_block = |name: &str, more: &str| block("mysql", name, my, "tables: [canaries]", more);

    // .dlt/secrets.toml, in each of its forms.
    let value = sweep.canary(
        "postgres password in [sources.x.credentials]",
        "p\"'{}\\ü@/:%41",
    );
    role("pg_table", &value);
    sources.push_str(&pg_block("pg_table", ""));
    secrets.insert(
        "sources.pg_table.credentials".into(),
        format!("password = {}", toml(&value)),
    );
    let (value, percent) = sweep.url_canary(
        "postgres password in a URL in secrets.toml",
        "u@:/?#{}[ß]%'\"+ ~",
    );
    role("pg_url", &value);
    write!(
        sources,
        "  - name: pg_url\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    secrets.insert(
        "sources.pg_url".into(),
        format!("credentials = \"postgresql://u_pg_url:{percent}@127.0.0.1:{pg}/{DATABASE}\""),
    );
    let value = sweep.canary("mysql password by type", "m{}$y'\"ü");
    user("my_type", &value);
    sources.push_str(&my_block("my_type", ""));
    secrets.insert(
        "sources.mysql".into(),
        format!("password = {}", toml(&value)),
    );
    let (value, percent) = sweep.url_canary("mysql password in a URL", "{}@%&= é");
    user("my_url", &value);
    write!(
        sources,
        "  - name: my_url\n    type: mysql\n    mysql: {{tables: [canaries]}}\n"
    )
    .expect("a string");
    secrets.insert(
        "sources.my_url".into(),
        format!("credentials = \"mysql://u_my_url:{percent}@127.0.0.1:{my}/{DATABASE}\""),
    );

    // The environment and .env.
    let value = sweep.canary("SOURCES__X__PASSWORD", "env {}!");
    role("pg_env", &value);
    sources.push_str(&pg_block("pg_env", ""));
    sweep.variable("SOURCES__PG_ENV__PASSWORD", &value);
    let value = sweep.canary("a password in .env", "dot{}env#x");
    role("pg_dotenv", &value);
    sources.push_str(&pg_block("pg_dotenv", ""));
    sweep.project.write(
        ".env",
        &format!("SOURCES__PG_DOTENV__CREDENTIALS__PASSWORD='{value}'\n"),
    );
    let (value, percent) = sweep.url_canary(
        "the connector's variable POSTGRES_CREDENTIALS",
        "am{}bient/é",
    );
    role("pg_ambient", &value);
    write!(
        sources,
        "  - name: pg_ambient\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    sweep.variable(
        "POSTGRES_CREDENTIALS",
        &format!("postgres://u_pg_ambient:{percent}@127.0.0.1:{pg}/{DATABASE}"),
    );
    let value = sweep.canary("a JSON object in a variable", "js\\\"{}on");
    role("pg_json", &value);
    write!(
        sources,
        "  - name: pg_json\n    type: postgres\n    postgres: {{schemas: [canaries]}}\n"
    )
    .expect("a string");
    let json = serde_json::json!({"host": "127.0.0.1", "port": pg, "database": DATABASE, "username": "u_pg_json", "password": value});
    sweep.variable("SOURCES__PG_JSON__CREDENTIALS", &json.to_string());

    // In sources.yml by mistake.
    let value = sweep.canary("a password in sources.yml", "yml{}'x");
    role("pg_yml", &value);
    sources.push_str(&pg_block(
        "pg_yml",
        &format!("      password: \"{value}\"\n"),
    ));
    let (value, percent) = sweep.url_canary("a URL in sources.yml", "url{}/x");
    role("pg_yml_url", &value);
    write!(sources, "  - name: pg_yml_url\n    type: postgres\n    postgres:\n      schemas: [canaries]\n      credentials: \"postgresql://u_pg_yml_url:{percent}@127.0.0.1:{pg}/{DATABASE}\"\n").expect("a string");
    let (_, percent) = sweep.url_canary("a URL as the host", "host{}/x");
    write!(sources, "  - name: pg_host\n    type: postgres\n    postgres: {{host: \"postgresql://u:{percent}@127.0.0.1:{pg}/{DATABASE}\", database: x, username: u, schemas: [canaries]}}\n").expect("a string");

    // Refused, and not even reached.
    for (name, kind, port) in [
        ("pg_wrong", "postgres", pg),
        ("my_wrong", "mysql", my),
        ("pg_down", "postgres", 9),
        ("my_down", "mysql", 9),
    ] {
        let value = sweep.canary(name, "wr\"ong{}ü%");
        let database = if name == "pg_wrong" {
            "tls_only"
        } else {
            DATABASE
        };
        write!(sources, "  - name: {name}\n    type: {kind}\n    {kind}: {{host: 127.0.0.1, port: {port}, database: {database}, username: {USER}}}\n").expect("a string");
        secrets.insert(
            format!("sources.{name}"),
            format!("password = {}", toml(&value)),
        );
    }
    for (name, kind) in [("pg_badurl", "postgres"), ("my_badurl", "mysql")] {
        let value = sweep.canary(name, "bad{}/x");
        write!(
            sources,
            "  - name: {name}\n    type: {kind}\n    {kind}: {{}}\n"
        )
        .expect("a string");
        secrets.insert(
            format!("sources.{name}"),
            format!("credentials = \"{kind}://u:{value}@127.0.0.1:notaport/x?sslmode={value}\""),
        );
    }
}
