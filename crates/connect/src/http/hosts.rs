//! The hosts a source may talk to, and where its credentials may go.

use super::host;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use url::{Origin, Url};

/// A list of hosts; `*.example.com` stands for every host below `example.com`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Hosts that may be talked to without TLS: those whose private addresses are allowed.
    plain: Vec<String>,
    /// The API and its token server, as they were described: scheme, host and port.
    origins: Vec<Origin>,
}

impl Hosts {
    /// Returns the list of `names`.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            names: names.into_iter().map(str::to_ascii_lowercase).collect(),
            ..Self::default()
        }
    }

    /// Lets requests start at the origin of `url`, and its host through.
    pub(crate) fn trust(&mut self, url: &Url) {
        if !self.contains(host(url)) {
            self.names.push(host(url).to_ascii_lowercase());
        }
        self.origins.push(url.origin());
    }

    /// Lets `host` be talked to without TLS.
    pub(crate) fn allow_plain(&mut self, host: &str) {
        self.plain.push(host.to_ascii_lowercase());
    }

    /// Returns whether `host` is in the list.
    pub(crate) fn contains(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(domain) => host
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.')),
            None => *name == host,
        })
    }

    /// Refuses a URL where a request must not start, because what signs it must not go there: anything but the described
    /// origins, and the listed hosts on HTTPS' own port.
    pub(crate) fn check_start(&self, url: &Url) -> Result<(), Failure> {
        self.check(url)?;
        let is_listed_tls = url.scheme() == "https" && url.port().is_none();
        if is_listed_tls || self.origins.contains(&url.origin()) {
            return Ok(());
        }
        let origin = url.origin().ascii_serialization();
        Err(Failure::new(
            FailureKind::Protocol,
            say!("the API points to ", name Quoted(&origin), ", where the credentials of this source may not go"),
        )
        .hint("only `base_url` itself, and the connector's hosts over `https://`, are asked for pages"))
    }

    /// Makes a link `https://` that leads from an origin with TLS to the same host without: an API behind a proxy that ends
    /// TLS often writes such links, and means the same page.
    pub(crate) fn secure(&self, link: &mut Url) {
        let named = link.host().map(|name| name.to_owned());
        let has_tls = |origin: &Origin| matches!(origin, Origin::Tuple(scheme, name, _) if scheme == "https" && Some(name) == named.as_ref());
        if link.scheme() == "http" && self.origins.iter().any(has_tls) {
            // From http to https it cannot fail: both are special schemes with a host.
            let _ = link.set_scheme("https");
        }
    }

    /// Refuses a URL that leads elsewhere, or somewhere without TLS.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Failure> {
        let host = host(url);
        if !self.contains(host) {
            return Err(Failure::new(
                FailureKind::Protocol,
                say!("the API points to host ", name Quoted(host), ", which this source may not talk to"),
            )
            .hint("only the hosts of the connector, or of `base_url`, are contacted"));
        }
        match url.scheme() {
            "https" => Ok(()),
            "http"
                if self
                    .plain
                    .iter()
                    .any(|plain| plain.eq_ignore_ascii_case(host)) =>
            {
                Ok(())
            }
            "http" => Err(Failure::new(
                FailureKind::EgressDenied,
                say!("host ", name Quoted(host), " would be talked to without encryption"),
            )
            .hint("use `https://`; `http://` is for hosts in `egress.allow_private`")),
            _ => Err(Failure::new(
                FailureKind::Protocol,
                say!("host ", name Quoted(host), " would be talked to in something else than HTTP"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[test]
    fn requests_start_only_where_credentials_may_go() {
        let mut hosts = Hosts::new(["api.example.com", "*.shop.example"]);
        hosts.trust(&url("https://api.example.com:8443/v1/"));
        hosts.trust(&url("http://localhost:8000/token"));
        hosts.allow_plain("localhost");
        let check = |text: &str, expect: bool| {
            assert_eq!(hosts.check_start(&url(text)).is_ok(), expect, "{text}");
        };
        check("https://api.example.com:8443/items", true);
        check("https://api.example.com/items", true);
        check("https://eu.shop.example/items", true);
        check("http://localhost:8000/items", true);
        check("https://api.example.com:444/items", false);
        check("http://api.example.com/items", false);
        check("https://eu.shop.example:8443/items", false);
        check("http://localhost:8001/items", false);
        check("http://localhost/items", false);
        check("https://localhost:8000/items", false);
        check("https://elsewhere.example/items", false);
    }

    #[test]
    fn a_link_without_tls_below_an_origin_with_tls_gets_it() {
        let check = |base: &str, link: &str, expect: &str| {
            let mut hosts = Hosts::default();
            hosts.trust(&url(base));
            let mut link = url(link);
            hosts.secure(&mut link);
            assert_eq!(link.as_str(), expect, "{base}");
        };
        let base = "https://api.example.com/v1/";
        check(
            base,
            "http://api.example.com/x?p=2",
            "https://api.example.com/x?p=2",
        );
        check(
            base,
            "http://API.example.com/x",
            "https://api.example.com/x",
        );
        check(
            base,
            "http://api.example.com:8080/x",
            "https://api.example.com:8080/x",
        );
        check(
            base,
            "http://other.example.com/x",
            "http://other.example.com/x",
        );
        check(
            "http://api.example.com/",
            "http://api.example.com/x",
            "http://api.example.com/x",
        );
    }

    #[test]
    fn only_listed_hosts_are_contacted_and_only_with_tls() {
        let mut hosts = Hosts::new(["api.example.com", "*.shop.example", "127.0.0.1"]);
        hosts.allow_plain("127.0.0.1");
        let check = |url: &str, expect: bool| {
            let url = Url::parse(url).expect("a URL");
            assert_eq!(hosts.check(&url).is_ok(), expect, "{url}");
        };
        check("https://api.example.com/x", true);
        check("https://API.example.com:8443/x", true);
        check("http://api.example.com/x", false);
        check("https://example.com/", false);
        check("https://api.example.com.evil.example/", false);
        check("https://a.shop.example/", true);
        check("https://shop.example/", false);
        check("https://notshop.example/", false);
        check("http://127.0.0.1:8080/", true);
        check("ftp://api.example.com/", false);
        check("https://api.example.com@evil.example/", false);
    }
}
