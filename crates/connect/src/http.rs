//! The one way out over HTTP: every request passes the egress guard, is bounded in time and size, and follows redirects only
//! where its credentials may go.

mod answer;
mod hosts;
mod pins;
mod retry;
mod time;

pub(crate) use answer::Answer;
pub(crate) use hosts::Hosts;
pub(crate) use retry::{Jitter, backoff, retry_after};
pub use time::{Sleeper, Sleeping, Time};

use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use pins::Pins;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, redirect};
use security::Plain;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A host that does not complete a connection by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// More redirects than this are a loop.
const REDIRECTS_MAX: usize = 5;
const USER_AGENT: &str = concat!("dango/", env!("CARGO_PKG_VERSION"));

/// What a request is signed with: it is added last, and only towards the host it was made for.
#[derive(Default)]
pub(crate) struct Signature {
    headers: Vec<(HeaderName, Plain<String>)>,
    query: Vec<(String, Plain<String>)>,
}

impl Signature {
    pub(crate) fn header(&mut self, name: HeaderName, value: &Plain<String>) {
        self.headers.push((name, copy(value)));
    }

    pub(crate) fn param(&mut self, name: &str, value: &Plain<String>) {
        self.query.push((name.to_owned(), copy(value)));
    }

    /// Adds what `other` has.
    pub(crate) fn extend(&mut self, other: &Self) {
        for (name, value) in &other.headers {
            self.header(name.clone(), value);
        }
        for (name, value) in &other.query {
            self.param(name, value);
        }
    }
}

fn copy(secret: &Plain<String>) -> Plain<String> {
    Plain::new(secret.expose().clone())
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
}

/// A client for one source.
pub(crate) struct Http {
    client: Client,
    pins: Arc<Pins>,
    hosts: Hosts,
    body_bytes_max: usize,
}

impl Http {
    /// Returns a client that talks to `hosts` alone and gives a request `timeout`.
    pub(crate) fn new(
        egress: &Egress,
        hosts: Hosts,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> Result<Self, Failure> {
        // reqwest was built without a TLS provider of its own; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pins = Arc::new(Pins::new(egress.clone()));
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .timeout(timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(redirect::Policy::none())
            .referer(false)
            // A proxy named in the environment would resolve names past the egress guard.
            .no_proxy()
            .dns_resolver(Arc::clone(&pins))
            .build()
            .map_err(|error| {
                Failure::new(FailureKind::Failed, "TLS cannot be set up on this machine")
                    .hint("install the certificates of the public authorities: `apt-get install ca-certificates`")
                    .caused_by(error)
            })?;
        Ok(Self {
            client,
            pins,
            hosts,
            body_bytes_max,
        })
    }

    /// Sends `request` once and returns the answer, whatever its status. It must start where credentials may go; redirects are
    /// followed within the hosts, and the signature goes along only where they keep scheme, host and port.
    pub(crate) async fn send(
        &self,
        mut request: Request,
        signature: &Signature,
    ) -> Result<Answer, Failure> {
        self.hosts.check_start(&request.url)?;
        let origin = request.url.origin();
        for _ in 0..=REDIRECTS_MAX {
            let signed = request.url.origin() == origin;
            let response = self.exchange(&request, signed.then_some(signature)).await?;
            let Some(target) = redirect_target(&response, &request.url)? else {
                return answer::read(response, &request.url, self.body_bytes_max).await;
            };
            if response.status() != 307 && response.status() != 308 {
                (request.method, request.body) = (Method::GET, None);
            }
            if target.origin() != origin {
                self.hosts.check(&target)?;
                // Headers and bodies may carry credentials of their own.
                request.headers.clear();
                if request.body.is_some() {
                    return Err(Failure::new(
                        FailureKind::Protocol,
                        say!("host ", name Quoted(host(&request.url)), " redirects a request with a body to another host"),
                    ));
                }
            }
            request.url = target;
        }
        Err(Failure::new(
            FailureKind::Protocol,
            say!("host ", name Quoted(host(&request.url)), " redirects in a circle"),
        ))
    }

    /// Sends `request` once, to where whoever asks has decided that it may go. An answer that leads elsewhere is none.
    pub(crate) async fn send_once(&self, request: &Request) -> Result<Answer, Failure> {
        let response = self.exchange(request, None).await?;
        if response.status().is_redirection() {
            return Err(Failure::new(
                FailureKind::Protocol,
                say!("host ", name Quoted(host(&request.url)), " redirects, which is not followed here"),
            ));
        }
        answer::read(response, &request.url, self.body_bytes_max).await
    }

    async fn exchange(
        &self,
        request: &Request,
        signature: Option<&Signature>,
    ) -> Result<reqwest::Response, Failure> {
        let port = request.url.port_or_known_default().unwrap_or(443);
        self.pins.pin(host(&request.url), port).await?;
        let mut url = request.url.clone();
        let mut headers = request.headers.clone();
        if let Some(signature) = signature {
            for (name, value) in &signature.query {
                url.query_pairs_mut().append_pair(name, value.expose());
            }
            for (name, value) in &signature.headers {
                headers.insert(name, secret_header(value.expose())?);
            }
        }
        let mut builder = self
            .client
            .request(request.method.clone(), url)
            .headers(headers);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        builder
            .send()
            .await
            .map_err(|error| answer::unreachable(&request.url, error))
    }

    /// Forgets where hosts are, so that the next request asks again: an address may have moved.
    pub(crate) fn forget_addresses(&self) {
        self.pins.forget();
    }
}

/// Returns the host of `url`, without the brackets of an IPv6 address.
pub(crate) fn host(url: &Url) -> &str {
    url.host_str()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']')
}

/// Returns `value` as a header that is never printed.
fn secret_header(value: &str) -> Result<HeaderValue, Failure> {
    let mut header = HeaderValue::from_str(value).map_err(|_| {
        Failure::new(
            FailureKind::Unauthorized,
            "the credential has a character that cannot stand in a header, a line break for instance",
        )
        .hint("store it again with `dango secrets set`, without spaces or line breaks around it")
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// Returns where an answer redirects to; `None` when it does not.
fn redirect_target(response: &reqwest::Response, from: &Url) -> Result<Option<Url>, Failure> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let Some(target) = location.and_then(|location| from.join(location).ok()) else {
        return Err(Failure::new(
            FailureKind::Protocol,
            say!("host ", name Quoted(host(from)), " redirects to nowhere"),
        ));
    };
    if from.scheme() == "https" && target.scheme() != "https" {
        return Err(Failure::new(
            FailureKind::Protocol,
            say!("host ", name Quoted(host(from)), " redirects from https to an unencrypted address"),
        ));
    }
    Ok(Some(target))
}
