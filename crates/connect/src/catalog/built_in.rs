//! The types that need code: files, databases, and the REST source that a project describes itself.

use super::{Connector, Engine, Field};
use domain::ConnectorName;

/// Returns the built-in types.
pub(super) fn connectors() -> Vec<Connector> {
    [
        connector(
            "local_files",
            "Local files",
            "CSV, TSV, JSON, JSONL and Parquet files of a folder, one table per pattern.",
            Engine::Files,
            file_fields("*"),
        ),
        connector(
            "csv",
            "CSV files",
            "CSV files of a folder; the same as `local_files` with `*.csv`.",
            Engine::Files,
            file_fields("*.csv"),
        ),
        connector(
            "postgres",
            "PostgreSQL",
            "Tables of a PostgreSQL database, whole schemas or chosen ones.",
            Engine::Postgres,
            database_fields(
                "5432",
                "POSTGRES_CREDENTIALS",
                "postgresql://user:password@host:5432/database",
            ),
        ),
        connector(
            "mysql",
            "MySQL and MariaDB",
            "Tables of a MySQL or MariaDB database.",
            Engine::Mysql,
            database_fields(
                "3306",
                "MYSQL_CREDENTIALS",
                "mysql://user:password@host:3306/database",
            ),
        ),
        connector(
            "rest_api",
            "REST API",
            "Any JSON API, described under `rest_api:` in sources.yml.",
            Engine::Rest,
            rest_fields(),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn connector(
    kind: &str,
    title: &str,
    summary: &str,
    engine: Engine,
    fields: Vec<Field>,
) -> Option<Connector> {
    Some(Connector {
        kind: ConnectorName::parse(kind).ok()?,
        title: title.to_owned(),
        summary: summary.to_owned(),
        engine,
        fields,
        hosts: Vec::new(),
        streams: Vec::new(),
        api: None,
    })
}

fn field(name: &str, help: impl Into<String>) -> Field {
    Field {
        name: name.to_owned(),
        aliases: Vec::new(),
        secret: false,
        required: false,
        default: None,
        env: None,
        help: help.into(),
    }
}

impl Field {
    fn aliases(mut self, aliases: &[&str]) -> Self {
        self.aliases = aliases.iter().map(ToString::to_string).collect();
        self
    }

    fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn default(mut self, default: &str) -> Self {
        self.default = Some(default.to_owned());
        self
    }

    fn env(mut self, env: &str) -> Self {
        self.env = Some(env.to_owned());
        self
    }
}

fn file_fields(pattern: &str) -> Vec<Field> {
    vec![
        field(
            "directory",
            "The folder the files are in, relative to the project.",
        )
        .required(),
        field(
            "file_pattern",
            "Which files to take; `**/` also looks into folders below.",
        )
        .default(pattern),
    ]
}

fn database_fields(port: &str, env: &str, example: &str) -> Vec<Field> {
    let url = format!("The whole connection as a URL, instead of the fields below: `{example}`.");
    vec![
        field("credentials", url)
            .aliases(&["url", "connection_string", "dsn", "connection_url"])
            .secret()
            .env(env),
        field("host", "The server's name or address.").aliases(&["hostname"]),
        field("port", "The server's port.").default(port),
        field("database", "The database to read.").aliases(&["dbname", "db"]),
        field(
            "username",
            "Who signs in; a user that may only read is enough.",
        )
        .aliases(&["user"]),
        field("password", "The user's password.").secret(),
        field(
            "sslmode",
            "Whether TLS is used: `disable`, `prefer`, `require` (what counts without it, but for this machine), `verify-ca` or `verify-full`.",
        )
        .aliases(&["ssl_mode"]),
        field(
            "sslrootcert",
            "A file with the certificate that signed the server's, beside the system's.",
        )
        .aliases(&["ssl_ca"]),
    ]
}

fn rest_fields() -> Vec<Field> {
    vec![
        field(
            "base_url",
            "Where every path starts: `https://api.example.com/v1`.",
        )
        .aliases(&["url"])
        .required(),
        field(
            "endpoints",
            "The paths to read, separated by commas: `orders, customers`; how to page and what to merge by is added in sources.yml.",
        ),
        field(
            "auth_type",
            "How requests are signed: `none`, `bearer`, `api_key`, `basic`, `custom_header` or `oauth2_client_credentials`.",
        )
        .default("none"),
        field(
            "auth_token",
            "The bearer token or API key, if the API wants one.",
        )
        .aliases(&["api_key", "token", "access_token", "api_token"])
        .secret()
        .env("API_TOKEN"),
        field("basic_username", "The user name for Basic authentication.").aliases(&["username"]),
        field("basic_password", "The password for Basic authentication.")
            .aliases(&["password"])
            .secret(),
        field("client_id", "The client id for OAuth client credentials."),
        field(
            "client_secret",
            "The client secret for OAuth client credentials.",
        )
        .secret(),
    ]
}
