//! Where a database is, who signs in, and what is read: a source's block together with its credentials.

use super::block::Block;
use super::choice::Choices;
use super::dsn::Dsn;
use crate::credentials::Credentials;
use crate::failure::{Failure, FailureKind, invalid};
use domain::say::{Quoted, Say};
use domain::{SourceName, say};
use security::Plain;
use serde_json::Value;

/// The names of each field, ours first.
const URL: &[&str] = &[
    "credentials",
    "url",
    "connection_string",
    "connection_url",
    "dsn",
];
const HOST: &[&str] = &["host", "hostname"];
const PORT: &[&str] = &["port"];
const DATABASE: &[&str] = &["database", "dbname", "db"];
const USER: &[&str] = &["username", "user"];
const PASSWORD: &[&str] = &["password"];
const TLS: &[&str] = &["sslmode", "ssl_mode"];
const CERTIFICATE: &[&str] = &["sslrootcert", "ssl_ca"];
const SCHEMAS: &[&str] = &["schemas", "schema"];
const FIELDS: [&[&str]; 8] = [URL, HOST, PORT, DATABASE, USER, PASSWORD, TLS, CERTIFICATE];

/// What differs between the kinds of database.
pub(super) struct Dialect {
    pub(super) schemes: &'static [&'static str],
    pub(super) port_default: u16,
    /// How the URL form looks, for messages.
    pub(super) example: &'static str,
    pub(super) tls_options: &'static [&'static str],
    pub(super) certificate_options: &'static [&'static str],
}

/// A server, and how to sign in there.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: Plain<String>,
    /// The TLS mode in libpq's words.
    pub(super) tls: Option<String>,
    /// A file with the certificates to trust beside the system's.
    pub(super) certificate: Option<String>,
}

/// Everything a source of this kind is told.
pub(super) struct Settings {
    pub(super) server: Server,
    /// The schemas to read, in the user's order; empty for the default.
    pub(super) schemas: Vec<String>,
    pub(super) choices: Choices,
}

impl Settings {
    /// Reads `block` and `credentials`. A URL wins over single fields, which may carry a connector's defaults.
    pub(super) fn read(
        dialect: &Dialect,
        source: &SourceName,
        block: &Value,
        credentials: &Credentials,
    ) -> Result<Self, Failure> {
        // First: a misspelt key would otherwise be told as a missing one.
        check(source, block)?;
        let place = say!("source ", name Quoted(source.as_str()));
        let mut reader = open_block(&place, block)?;
        let mut fields = Fields {
            block: &mut reader,
            credentials,
        };
        let server = read_server(dialect, source, &place, &mut fields)?;
        let schemas = reader.texts(SCHEMAS)?.unwrap_or_default();
        let choices = Choices::read(&place, &mut reader)?;
        reader.finish()?;
        Ok(Self {
            server,
            schemas,
            choices,
        })
    }
}

/// Returns a reader of `block`. getdango keeps everything below `generic_config`; both forms are read.
fn open_block<'a>(place: &Say, block: &'a Value) -> Result<Block<'a>, Failure> {
    let mut reader = Block::new(place.clone(), block)?;
    if let Some(nested) = reader.value("generic_config") {
        reader.finish()?;
        reader = Block::new(place.clone(), nested)?;
    }
    // Names where the credential is found; whoever resolved the credentials has followed it.
    reader.value("credentials_env");
    Ok(reader)
}

/// Checks a source's block as far as that is possible without its credentials and without a connection.
pub(super) fn check(source: &SourceName, block: &Value) -> Result<(), Failure> {
    let place = say!("source ", name Quoted(source.as_str()));
    let mut reader = open_block(&place, block)?;
    for names in FIELDS {
        reader.text(names)?;
    }
    reader.texts(SCHEMAS)?;
    Choices::read(&place, &mut reader)?;
    reader.finish()
}

/// The two places a field may come from: the credentials first.
struct Fields<'a, 'b> {
    block: &'a mut Block<'b>,
    credentials: &'a Credentials,
}

impl Fields<'_, '_> {
    fn find(&mut self, names: &[&'static str]) -> Result<Option<String>, Failure> {
        let written = self.block.text(names)?;
        let known = names
            .iter()
            .find_map(|name| self.credentials.get(name))
            .map(str::to_owned);
        Ok(known.or(written))
    }
}

fn read_server(
    dialect: &Dialect,
    source: &SourceName,
    place: &Say,
    fields: &mut Fields<'_, '_>,
) -> Result<Server, Failure> {
    let url = fields.find(URL)?.map(Plain::new);
    let dsn = match &url {
        None => None,
        Some(url) => Some(Dsn::parse(url.expose(), dialect.schemes).ok_or_else(|| {
            invalid(say!("the database URL of ", *place, " cannot be read"))
                .hint(say!("it looks like ", name Quoted(dialect.example), "; special characters in the password are written as %XX"))
        })?),
    };
    let host = fields.find(HOST)?;
    let port = fields.find(PORT)?;
    let database = fields.find(DATABASE)?;
    let user = fields.find(USER)?;
    let password = fields.find(PASSWORD)?.map(Plain::new);
    let tls = fields.find(TLS)?;
    let certificate = fields.find(CERTIFICATE)?;

    let from_url = dsn.as_ref();
    let option = |names: &[&str]| {
        from_url
            .and_then(|dsn| dsn.option(names))
            .map(str::to_owned)
    };
    let (url_tls, url_certificate) = (
        option(dialect.tls_options),
        option(dialect.certificate_options),
    );
    let url_port = from_url.and_then(|dsn| dsn.port);
    let (mut url_host, mut url_database, mut url_user, mut url_password) = (None, None, None, None);
    if let Some(dsn) = dsn {
        (url_host, url_database) = (dsn.host, dsn.database);
        (url_user, url_password) = (dsn.user, dsn.password);
    }
    let missing = |field: &'static str| {
        Failure::new(
            FailureKind::CredentialMissing,
            say!("", *place, " has no ", name Quoted(field)),
        )
        .hint(say!(
            "give it with `--set ",
            Quoted(field),
            "=…` (`dango source edit ",
            *source,
            " --set …` for a source that is there), or the whole connection as the secret `credentials`"
        ))
    };
    Ok(Server {
        host: url_host.or(host).ok_or_else(|| missing("host"))?,
        port: match (url_port, port) {
            (Some(port), _) => port,
            (None, None) => dialect.port_default,
            (None, Some(port)) => port
                .trim()
                .parse()
                .map_err(|_| invalid(say!("", *place, ": `port` must be a port number")))?,
        },
        database: url_database
            .or(database)
            .ok_or_else(|| missing("database"))?,
        user: url_user.or(user).ok_or_else(|| missing("username"))?,
        password: url_password
            .or(password)
            .unwrap_or_else(|| Plain::new(String::new())),
        tls: url_tls.or(tls),
        certificate: url_certificate.or(certificate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SourceName;
    use serde_json::json;

    #[test]
    fn a_block_is_checked_without_credentials() {
        let source = SourceName::parse("shop").expect("valid");
        let expect = |block: Value, expect: Option<&str>| {
            let failure = check(&source, &block).err();
            assert_eq!(
                failure.as_ref().map(|failure| failure.say.as_str()),
                expect,
                "{block}"
            );
        };
        expect(Value::Null, None);
        expect(
            json!({"host": "h", "port": 5432, "schema": "public", "table_names": ["a"]}),
            None,
        );
        expect(
            json!({"generic_config": {"credentials_env": "X", "schema": "s"}}),
            None,
        );
        expect(
            json!([]),
            Some("source `shop` is not a map of keys and values"),
        );
        expect(
            json!({"schmea": "s"}),
            Some("source `shop` has an unknown key `schmea`"),
        );
        expect(
            json!({"generic_config": {}, "schema": "s"}),
            Some("source `shop` has an unknown key `schema`"),
        );
    }
}
