//! A server of Dango elsewhere, as the command line of another machine asks it. Whoever runs the command named the server, so
//! its private addresses are let through; without TLS only this machine itself is asked, because a token goes along.

use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::http::{Hosts, Http, Request, host};
use domain::say;
use domain::say::Quoted;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use security::Plain;
use std::net::IpAddr;
use std::time::Duration;
use url::Url;

/// Rows of one query at most, in one piece.
const BODY_BYTES_MAX: usize = 64 << 20;

/// What the server answered, whatever its status.
pub struct Answered {
    pub status: u16,
    pub body: Vec<u8>,
    /// Seconds after which the same may succeed.
    pub retry_after: Option<u64>,
}

/// The way to one server.
pub struct Remote {
    http: Http,
    server: Url,
}

/// Returns whether `url` names this machine: the one place a token goes to without TLS.
pub fn is_this_machine(url: &Url) -> bool {
    match host(url).parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host(url).eq_ignore_ascii_case("localhost"),
    }
}

impl Remote {
    /// Returns the way to the server at the origin of `server`; an answer takes `timeout` at most.
    pub fn new(server: &Url, timeout: Duration) -> Result<Self, Failure> {
        let is_safe = match server.scheme() {
            "https" => true,
            "http" => is_this_machine(server),
            _ => false,
        };
        if !is_safe {
            let host = Quoted(host(server));
            let say = say!("the server ", name host, " would be asked without encryption");
            return Err(Failure::new(FailureKind::EgressDenied, say).hint("use `https://`"));
        }
        let egress = Egress::new([host(server).to_owned()]);
        Ok(Self {
            http: Http::new(&egress, Hosts::default(), timeout, BODY_BYTES_MAX)?,
            server: server.clone(),
        })
    }

    /// Sends a request to `path`, with `body` when it is a `POST`. It goes to this server and nowhere else: a redirect is an
    /// error, because the token would go along.
    pub async fn send(
        &self,
        path: &str,
        token: Option<&Plain<String>>,
        body: Option<String>,
    ) -> Result<Answered, Failure> {
        let url = self.server.join(path).map_err(|error| {
            Failure::new(FailureKind::Protocol, "the path of a request is none").caused_by(error)
        })?;
        if url.origin() != self.server.origin() {
            let say = "the path of a request leads to another server";
            return Err(Failure::new(FailureKind::EgressDenied, say));
        }
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, bearer(token)?);
        }
        if body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = Request {
            method: if body.is_some() {
                Method::POST
            } else {
                Method::GET
            },
            url,
            headers,
            body: body.map(String::into_bytes),
        };
        let answer = self.http.send_once(&request).await?;
        let wait = answer.headers.get(RETRY_AFTER);
        Ok(Answered {
            status: answer.status,
            retry_after: wait.and_then(|value| value.to_str().ok()?.parse().ok()),
            body: answer.body,
        })
    }
}

fn bearer(token: &Plain<String>) -> Result<HeaderValue, Failure> {
    let text = Plain::new(format!("Bearer {}", token.expose()));
    let mut header = HeaderValue::from_str(text.expose()).map_err(|_| {
        Failure::new(
            FailureKind::Unauthorized,
            "the token has a character that cannot stand in a header",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_without_tls_to_this_machine_alone() {
        let check = |url: &str, expect: bool| {
            let url = Url::parse(url).expect("a URL");
            let made = Remote::new(&url, Duration::from_secs(1));
            assert_eq!(made.is_ok(), expect, "{url}");
        };
        check("https://dango.example.com", true);
        check("http://localhost:8800", true);
        check("http://127.0.0.1:7333", true);
        check("http://[::1]:7333", true);
        check("http://dango.example.com", false);
        check("http://10.0.0.7:7333", false);
        check("http://localhost.example.com", false);
        check("http://127.0.0.1.example.com", false);
        check("ftp://localhost", false);
    }

    #[tokio::test]
    async fn a_path_does_not_lead_to_another_server() {
        let url = Url::parse("http://localhost:1").expect("a URL");
        let remote = Remote::new(&url, Duration::from_secs(1)).expect("this machine");
        let token = Plain::new("dap_secret".to_owned());
        for path in [
            "https://example.com/x",
            "//example.com/x",
            "http://localhost:2/x",
        ] {
            let refused = remote.send(path, Some(&token), None).await;
            let kind = refused.err().map(|failure| failure.kind);
            assert_eq!(kind, Some(FailureKind::EgressDenied), "{path}");
        }
    }
}
