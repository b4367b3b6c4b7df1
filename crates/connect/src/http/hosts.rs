//! The hosts a source may talk to.

use super::host;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use url::Url;

/// A list of hosts; `*.example.com` stands for every host below `example.com`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    names: Vec<String>,
    /// Hosts that may be talked to without TLS: those whose private addresses are allowed.
    plain: Vec<String>,
}

impl Hosts {
    /// Returns the list of `names`.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            names: names.into_iter().map(str::to_ascii_lowercase).collect(),
            plain: Vec::new(),
        }
    }

    /// Also lets `host` through.
    pub(crate) fn add(&mut self, host: &str) {
        if !self.contains(host) {
            self.names.push(host.to_ascii_lowercase());
        }
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
