//! What the server is called: which `Host` it answers to, and which origin its own pages have. Nothing is ever built from a
//! request's `Host`.

use app::{Error, Result};
use axum::http::{HeaderMap, Uri, header};
use domain::say::Quoted;
use domain::{Code, say};
use url::Url;

/// The names of the server.
#[derive(Debug, Clone)]
pub(crate) struct Hosts {
    port: u16,
    public: Option<Url>,
    further: Vec<String>,
}

impl Hosts {
    /// Returns the names of a server on `port` that others call `public_url`, and by further names.
    pub(crate) fn new(port: u16, public_url: Option<&str>, further: &[String]) -> Result<Self> {
        let public = match public_url {
            None => None,
            Some(text) => {
                let url = Url::parse(text)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some());
                Some(url.ok_or_else(|| {
                    Error::invalid(
                        Code::ConfigInvalid,
                        say!("`server.public_url` is ", name Quoted(text), ", which is no web address"),
                    )
                    .hint("write it as `https://dango.example.com`")
                })?)
            }
        };
        let further = further
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect();
        Ok(Self {
            port,
            public,
            further,
        })
    }

    /// Returns the address to tell people.
    pub(crate) fn url(&self) -> String {
        match &self.public {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", self.port),
        }
    }

    /// Returns the port of the pages.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether browsers reach it encrypted.
    pub(crate) fn is_https(&self) -> bool {
        self.public
            .as_ref()
            .is_some_and(|url| url.scheme() == "https")
    }

    /// Returns whether all its names are this machine's own.
    pub(crate) fn is_loopback(&self) -> bool {
        let public = self.public.as_ref().and_then(Url::host_str);
        let named = public
            .into_iter()
            .chain(self.further.iter().map(String::as_str));
        named.into_iter().all(is_loopback_name)
    }

    /// Returns whether a page of this origin is ours.
    pub(crate) fn is_our_origin(&self, origin: &str) -> bool {
        let public = self.public.as_ref();
        let is_public = public.is_some_and(|url| url.origin().ascii_serialization() == origin);
        is_public || origin == format!("http://localhost:{}", self.port)
    }

    /// Returns the host that a request is addressed to, when it is one of ours.
    pub(crate) fn addressed(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let mut values = headers.get_all(header::HOST).iter();
        let named = values.next()?.to_str().ok()?;
        if values.next().is_some() {
            return None;
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str() != named)
        {
            return None;
        }
        let host = host_of(named)?.to_ascii_lowercase();
        let is_ours = is_loopback_name(&host)
            || self.public.as_ref().and_then(Url::host_str) == Some(&host)
            || self.further.contains(&host);
        is_ours.then_some(host)
    }
}

/// Returns the host of `host:port`.
fn host_of(named: &str) -> Option<&str> {
    let host = match named.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            port.parse::<u16>().ok()?;
            host
        }
        _ => named,
    };
    (!host.is_empty()).then_some(host)
}

/// Returns whether a host is this machine whatever a name server says.
pub(crate) fn is_loopback_name(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_our_own_names_are_answered() {
        let hosts = Hosts::new(
            8800,
            Some("https://dango.example.com/"),
            &["Data.internal".to_owned()],
        )
        .expect("a URL");
        let check = |host: &'static str, expect: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            let found = hosts.addressed(&Uri::from_static("/x"), &headers);
            assert_eq!(found.as_deref(), expect, "{host}");
        };
        check("localhost:8800", Some("localhost"));
        check("LOCALHOST", Some("localhost"));
        check("127.0.0.1:1", Some("127.0.0.1"));
        check("[::1]:8800", Some("[::1]"));
        check("[::1]", Some("[::1]"));
        check("dango.example.com", Some("dango.example.com"));
        check("data.internal:9", Some("data.internal"));
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "",
            ":8800",
            "localhost:x",
            "10.0.0.7",
            "localhost:8800:9",
        ] {
            check(foreign, None);
        }
        assert_eq!(hosts.url(), "https://dango.example.com");
        assert!(Hosts::new(1, Some("ftp://x"), &[]).is_err());
        assert!(
            hosts
                .addressed(&Uri::from_static("/x"), &HeaderMap::new())
                .is_none()
        );
    }
}
