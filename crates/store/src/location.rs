//! Where the metadata database is, when it is not a file of the project.

use security::Plain;
use url::Url;

/// Connections to a server; DAP's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    pub connections_min: u32,
    pub connections_max: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            connections_min: 4,
            connections_max: 10,
        }
    }
}

/// The address of a database on a Postgres server. It holds a password, so it cannot be printed; [`DatabaseUrl::place`] can.
pub struct DatabaseUrl {
    url: Plain<String>,
    place: String,
    pub pool: Pool,
}

/// Why a text is not the address of a Postgres database. The text itself is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("it is not a URL")]
    Malformed,
    #[error("it does not begin with `postgresql://`, `postgres://` or `postgresql+asyncpg://`")]
    Scheme,
    #[error("it names no host")]
    Host,
    #[error("it names no database")]
    Database,
}

impl DatabaseUrl {
    /// Reads `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, also with the scheme `postgres` or, as DAP writes it,
    /// `postgresql+asyncpg`.
    pub fn parse(text: &Plain<String>, pool: Pool) -> Result<Self, BadUrl> {
        let text = text.expose().trim();
        let (scheme, rest) = text.split_once("://").ok_or(BadUrl::Malformed)?;
        if !matches!(scheme, "postgres" | "postgresql" | "postgresql+asyncpg") {
            return Err(BadUrl::Scheme);
        }
        let url = Plain::new(format!("postgresql://{rest}"));
        let parsed = Url::parse(url.expose()).map_err(|_| BadUrl::Malformed)?;
        let host = parsed
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(BadUrl::Host)?;
        let database = parsed.path().trim_start_matches('/');
        if database.is_empty() {
            return Err(BadUrl::Database);
        }
        let place = format!("{host}:{}/{database}", parsed.port().unwrap_or(5432));
        Ok(Self { url, place, pool })
    }

    /// Returns host, port and database, without credentials.
    pub fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn expose(&self) -> &str {
        self.url.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, BadUrl> {
        let url = DatabaseUrl::parse(&Plain::new(text.to_owned()), Pool::default())?;
        assert!(url.expose().starts_with("postgresql://"));
        Ok(url.place().to_owned())
    }

    #[test]
    fn every_spelling_of_the_heritage_is_read_and_none_shows_its_password() {
        for text in [
            "postgresql://ada:s3cret@db.example.com/dango",
            "postgres://ada:s3cret@db.example.com:5432/dango",
            "postgresql+asyncpg://ada:s3cret@db.example.com:5432/dango",
            " postgresql://ada:s3cret@db.example.com/dango?sslmode=require\n",
        ] {
            assert_eq!(
                parse(text).as_deref(),
                Ok("db.example.com:5432/dango"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, expect) in [
            ("", BadUrl::Malformed),
            ("dango", BadUrl::Malformed),
            ("mysql://ada@db/dango", BadUrl::Scheme),
            ("sqlite:///state.db", BadUrl::Scheme),
            ("postgresql://", BadUrl::Host),
            ("postgresql:///dango", BadUrl::Host),
            ("postgresql://db.example.com", BadUrl::Database),
            ("postgresql://db.example.com:port/dango", BadUrl::Malformed),
        ] {
            assert_eq!(parse(text), Err(expect), "{text}");
        }
    }
}
