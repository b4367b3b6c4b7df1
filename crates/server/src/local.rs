//! Whoever sits at the machine while sign-in is switched off (`dango auth disable`): known by where a request comes from and
//! by what other websites and other users of the machine cannot send. Everybody else meets the server as ever.

use crate::hosts::{Hosts, is_loopback_name};
use crate::table::Door;
use app::identity::switch;
use app::project::Project;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use security::tokens::TokenHash;
use security::{Client, Plain};
use std::net::IpAddr;

/// Headers by which a proxy says that it is one: what it passes on comes from elsewhere.
const PASSED_ON: [&str; 4] = [
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "forwarded",
];

/// A server that was started while sign-in was off.
pub(crate) struct Local {
    token: TokenHash,
}

/// How somebody at the machine is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// He shows the token of `.dango/run/`.
    ByToken,
    /// One of our own pages asks.
    ByPage,
}

impl Local {
    pub(crate) fn new(token: &Plain<String>) -> Self {
        Self {
            token: TokenHash::of(token.expose()),
        }
    }

    /// Returns whether sign-in is still off: it may be switched on at any time.
    pub(crate) fn is_on(project: &Project) -> bool {
        !switch::is_on(project)
    }

    /// Returns how the sender of a request is known, `None` for everybody who is not at the machine.
    pub(crate) fn knows(
        &self,
        door: Door,
        hosts: &Hosts,
        client: &Client,
        request: &Request,
        bearer: Option<&Plain<String>>,
    ) -> Option<Known> {
        let headers = request.headers();
        let is_here = client.ip.is_some_and(is_loopback)
            && hosts
                .addressed(request.uri(), headers)
                .is_some_and(|host| is_loopback_name(&host))
            && !PASSED_ON.iter().any(|name| headers.contains_key(*name));
        if !is_here {
            return None;
        }
        match bearer {
            Some(token) => TokenHash::of(token.expose())
                .is(&self.token)
                .then_some(Known::ByToken),
            // DAP's port has no pages.
            None => (door == Door::Web && is_page(headers, hosts)).then_some(Known::ByPage),
        }
    }
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Browsers say so themselves, and no page can say it in their place.
fn is_page(headers: &HeaderMap, hosts: &Hosts) -> bool {
    let origin = headers.get(header::ORIGIN);
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "same-origin")
        && origin.is_none_or(|origin| {
            origin
                .to_str()
                .is_ok_and(|origin| hosts.is_our_origin(origin))
        })
}
