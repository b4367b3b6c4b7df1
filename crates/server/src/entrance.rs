//! The door itself: what holds for every request before it has a route, and for every answer after it.

use crate::cors;
use crate::hosts::is_loopback_name;
use crate::passage::{self, Origin};
use crate::problem::Problem;
use crate::routes::pages;
use crate::server::Server;
use crate::table::{Door, Table};
use app::{Error, Result};
use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Code;
use futures_util::FutureExt as _;
use security::{Client, RequestId, admit};
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use tower::ServiceExt as _;

/// Text of a client that goes into the audit log is cut here.
const USER_AGENT_CHARS_MAX: usize = 300;

/// Who is at the other end of a connection.
#[derive(Debug, Clone)]
pub enum Peer {
    /// An address of the network.
    Address(IpAddr),
    /// A user of this machine, at the unix socket.
    User(String),
}

/// Makes inline style of this answer's page good, and no other's.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(pub(crate) String);

/// One door of the server.
#[derive(Clone)]
pub struct Entrance {
    server: Server,
    door: Door,
    router: Router,
}

impl Entrance {
    /// Returns the door with what the table puts behind it.
    pub fn new(server: &Server, door: Door, table: &Table) -> Self {
        Self {
            server: server.clone(),
            door,
            router: table.router(door, server),
        }
    }

    /// Answers a request, whatever happens.
    pub async fn answer(&self, peer: Peer, request: Request) -> Response {
        let id = self.server.app().new_request();
        let wanted = request.headers().clone();
        let worked = AssertUnwindSafe(self.work(id, peer, request)).catch_unwind();
        let response = match worked.await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => problem.into_response(),
            // The hook has written down where it happened.
            Err(_) => Problem::new(Error::bug("a request panicked")).into_response(),
        };
        self.finish(id, &wanted, response)
    }

    async fn work(
        &self,
        id: RequestId,
        peer: Peer,
        mut request: Request,
    ) -> Result<Response, Problem> {
        let origin = self.origin(id, peer, request.headers());
        if self.door != Door::Socket {
            let addressed = self
                .server
                .hosts
                .addressed(request.uri(), request.headers());
            let Some(host) = addressed else {
                let error = Error::invalid(Code::HostUnknown, "the request is for another host");
                let error = error.hint(
                    "`server.public_url` and `server.hosts` in `.dango/project.yml` name this one",
                );
                return Err(Problem::with_status(StatusCode::MISDIRECTED_REQUEST, error));
            };
            if let Some(moved) = self.to_localhost(&host, &request) {
                return Ok(moved);
            }
            if self.door == Door::Dap && cors::is_preflight(request.method(), request.headers()) {
                let mut answer = StatusCode::NO_CONTENT.into_response();
                answer
                    .headers_mut()
                    .extend(cors::PREFLIGHT.map(|(name, value)| (Some(name), value)));
                return Ok(answer);
            }
            if !is_free(request.uri().path()) {
                let counted = self.server.rates.address(origin.client.ip);
                let allow = admit(origin.client.clone(), id);
                passage::limit(&self.server, &allow, None, counted).await?;
            }
        }
        let is_page = self.is_for_page(&request);
        request.extensions_mut().insert(origin);
        let answered = self.router.clone().oneshot(request).await;
        let answered = answered.unwrap_or_else(|never| match never {});
        Ok(if is_page && answered.status() == StatusCode::NOT_FOUND {
            pages::missing()
        } else {
            answered
        })
    }

    fn origin(&self, request: RequestId, peer: Peer, headers: &HeaderMap) -> Origin {
        let agent = headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        let user_agent = agent.map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect());
        let (ip, operator) = match peer {
            Peer::Address(ip) => (Some(self.server.proxies.client(ip, headers)), None),
            Peer::User(name) => (None, Some(name)),
        };
        Origin {
            client: Client {
                ip,
                user_agent,
                device_of: None,
            },
            request,
            operator,
        }
    }

    /// Returns whether somebody looks at a page, and not a program at something else.
    fn is_for_page(&self, request: &Request) -> bool {
        let path = request.uri().path();
        self.door == Door::Web
            && request.method() == Method::GET
            && !path.starts_with("/api/")
            && !path.starts_with("/assets/")
            && accepts_html(request.headers())
    }

    /// Passkeys need a domain, so people who typed the address are sent to its name.
    fn to_localhost(&self, host: &str, request: &Request) -> Option<Response> {
        let is_page = host != "localhost" && is_loopback_name(host) && self.is_for_page(request);
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let url = format!("http://localhost:{}{path}", self.server.hosts.port());
        let to = is_page
            .then(|| HeaderValue::from_str(&url).ok())
            .flatten()?;
        Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response())
    }

    fn finish(&self, id: RequestId, wanted: &HeaderMap, mut response: Response) -> Response {
        let said = response.extensions_mut().remove::<Problem>();
        let problem = said.or_else(|| {
            let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
            is_bare
                .then(|| Problem::of_status(response.status()))
                .flatten()
        });
        if let Some(problem) = problem {
            problem.log(id);
            let mut rendered = problem.render(id);
            for name in [header::ALLOW, header::SET_COOKIE] {
                for value in response.headers().get_all(&name) {
                    rendered.headers_mut().append(&name, value.clone());
                }
            }
            response = rendered;
        }
        let nonce = response.extensions_mut().remove::<Nonce>();
        let is_https = self.server.hosts.is_https();
        let headers = response.headers_mut();
        protect(headers, nonce.as_ref(), is_https && self.door == Door::Web);
        if self.door == Door::Dap {
            headers.extend(
                self.server
                    .origins
                    .headers(wanted)
                    .into_iter()
                    .map(|(name, value)| (Some(name), value)),
            );
        }
        if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
            headers.insert("x-request-id", value);
        }
        response
    }
}

/// Load balancers ask all the time, and a page takes several files; what they ask costs nothing.
fn is_free(path: &str) -> bool {
    let is_polled = matches!(
        path,
        "/" | "/health" | "/api/health" | "/health/ready" | "/api/health/ready"
    );
    is_polled || path.starts_with("/assets/")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")))
}

/// Adds the headers that keep an answer from being used for anything else.
fn protect(headers: &mut HeaderMap, nonce: Option<&Nonce>, is_https: bool) {
    const FIXED: [(HeaderName, &str); 7] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("x-permitted-cross-domain-policies"),
            "none",
        ),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let policy = match nonce {
        None => HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        Some(Nonce(nonce)) => HeaderValue::from_str(&format!(
            "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data:; \
             font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        ))
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
    };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if is_https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000; includeSubDomains"),
        );
    }
}
