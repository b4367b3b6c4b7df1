//! Where a server is.

use crate::{Error, Result};
use domain::say::Quoted;
use domain::{Code, say};
use std::fmt;
use url::Url;

/// The address of a server: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// Reads an address as people write it: `dango.example.com` is `https://dango.example.com`, and the API's own address is
    /// the server's.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |why: &'static str| {
            let say = say!("", name Quoted(text), " is no address of a server: ").text(why);
            Error::invalid(Code::ServerUrlInvalid, say)
                .hint("it has the form `https://dango.example.com`")
        };
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        // The text may hold a password, so the parser's words are not repeated.
        let mut url = Url::parse(&whole).map_err(|_| wrong("it is no URL"))?;
        if !text.contains("://") && connect::remote::is_this_machine(&url) {
            let plain = whole.replacen("https://", "http://", 1);
            url = Url::parse(&plain).map_err(|_| wrong("it is no URL"))?;
        }
        if !url.username().is_empty() || url.password().is_some() {
            let say = "the address of a server holds a name or a password";
            return Err(Error::invalid(Code::ServerUrlInvalid, say)
                .hint("leave them out: `dango login` asks for a token"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        let is_safe = match url.scheme() {
            "https" => true,
            "http" => connect::remote::is_this_machine(&url),
            _ => return Err(wrong("it begins with something else than https")),
        };
        if !is_safe {
            return Err(wrong("a token would go there without encryption"));
        }
        if !matches!(url.path().trim_end_matches('/'), "" | "/api")
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong("something follows its host and port"));
        }
        url.set_path("");
        Ok(Self(url))
    }

    /// Returns the address without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    pub(super) const fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the name of the file in which a login there is kept: different for each address, and harmless as a name.
    pub(super) fn file_name(&self) -> String {
        let port = self.0.port_or_known_default().unwrap_or_default();
        let host = self.0.host_str().unwrap_or_default();
        let host: String = host
            .chars()
            .map(|c| match c {
                'a'..='z' | '0'..='9' | '.' | '-' => c,
                _ => '_',
            })
            .collect();
        format!("{}-{host}-{port}.json", self.0.scheme())
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
