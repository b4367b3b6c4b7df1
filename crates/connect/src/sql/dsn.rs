//! Database addresses in URL form: `postgresql://user:password@host:port/database?sslmode=require`.

use security::Plain;
use url::Url;

/// What a URL says; every part may be missing.
pub(super) struct Dsn {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<Plain<String>>,
    pub(super) options: Vec<(String, String)>,
}

impl Dsn {
    /// Reads a URL whose scheme is one of `schemes`, with or without SQLAlchemy's `+driver`; `None` when it is not one. The
    /// text may hold a password, so nothing of it is ever repeated.
    pub(super) fn parse(text: &str, schemes: &[&str]) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        // Without the slashes everything behind the scheme would be a path.
        if !text.contains("://") {
            return None;
        }
        let dialect = url.scheme().split('+').next().unwrap_or_default();
        if !schemes.contains(&dialect) {
            return None;
        }
        let filled = |text: String| Some(text).filter(|text| !text.is_empty());
        let host = url.host_str().map(|host| host.trim_matches(['[', ']']));
        Some(Self {
            host: host.map(decode).and_then(filled),
            port: url.port(),
            database: filled(decode(url.path().trim_start_matches('/'))),
            user: filled(decode(url.username())),
            password: url.password().map(|password| Plain::new(decode(password))),
            options: url
                .query_pairs()
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        })
    }

    /// Returns the value of the first of `names` among the URL's options.
    pub(super) fn option(&self, names: &[&str]) -> Option<&str> {
        let named = |(name, _): &&(String, String)| names.contains(&name.as_str());
        self.options
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }
}

/// Decodes `%41`; what is not a valid sequence stays as it is, for a password may well hold a bare `%`.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                out.push(decoded);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMES: [&str; 2] = ["postgresql", "postgres"];

    #[test]
    fn urls_are_read_as_sqlalchemy_and_libpq_write_them() {
        let check = |text: &str, expect: [&str; 5]| {
            let dsn = Dsn::parse(text, &SCHEMES).expect("a URL");
            let port = dsn.port.map(|port| port.to_string());
            let password = dsn
                .password
                .as_ref()
                .map(|password| password.expose().clone());
            let got = [dsn.host, port, dsn.database, dsn.user, password];
            assert_eq!(
                got.map(Option::unwrap_or_default),
                expect.map(str::to_owned),
                "{text}"
            );
        };
        check("postgresql://u:p@h:5433/d", ["h", "5433", "d", "u", "p"]);
        check(
            "postgresql+psycopg2://u:p%40%2F@h/d",
            ["h", "", "d", "u", "p@/"],
        );
        check("postgres://u@[::1]/my%20db", ["::1", "", "my db", "u", ""]);
        check("postgres://h", ["h", "", "", "", ""]);
        check(
            "postgresql://u:100%@h/d?sslmode=require",
            ["h", "", "d", "u", "100%"],
        );
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for text in [
            "",
            "h:5432/d",
            "mysql://u@h/d",
            "host=h user=u",
            "https://h/",
            "postgres:/h/d",
        ] {
            assert!(Dsn::parse(text, &SCHEMES).is_none(), "{text}");
        }
    }

    #[test]
    fn options_are_found_by_any_of_their_names() {
        let dsn = Dsn::parse("postgres://h/d?sslmode=require&x=1", &SCHEMES).expect("a URL");
        assert_eq!(dsn.option(&["ssl-mode", "sslmode"]), Some("require"));
        assert_eq!(dsn.option(&["sslrootcert"]), None);
    }
}
