//! The cookies of the browser's port: the session, that this browser has signed somebody in before, and what binds a question
//! to the browser that was asked.

use crate::server::Server;
use crate::table::Door;
use app::identity::sign_in::Entered;
use axum::http::{HeaderMap, HeaderValue, header};
use security::{Plain, Step};
use std::time::Duration;

/// The session's cookie, by DAP's name.
pub(crate) const SESSION: &str = "dap-jwt";
/// What a browser keeps to be known again: strangers who guess do not lock its owner out.
const DEVICE: &str = "dango-device";
const DEVICE_PATH: &str = "/api/auth";
const DEVICE_KEPT_FOR: Duration = Duration::from_hours(365 * 24);

/// What binds a question to the browser that was asked: without it an answer of somebody else's could be passed off on it.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    name: &'static str,
    path: &'static str,
    kept_for: Duration,
}

/// Of a round trip to an identity provider.
pub(crate) const OAUTH: Binding = Binding {
    name: "dango-oauth",
    path: "/api/auth/oauth",
    kept_for: Duration::from_mins(10),
};
/// Of a sign-in by passkey.
pub(crate) const PASSKEY: Binding = Binding {
    name: "dango-passkey",
    path: "/api/auth/passkeys",
    kept_for: Duration::from_mins(5),
};

/// Returns the header that binds a question to the browser; other doors have none.
pub(crate) fn ceremony(
    server: &Server,
    door: Door,
    binding: Binding,
    value: &Plain<String>,
) -> Option<HeaderValue> {
    let Binding {
        name,
        path,
        kept_for,
    } = binding;
    (door == Door::Web)
        .then(|| set(server, name, value, path, kept_for))
        .flatten()
}

/// Returns what the browser brings of it. Nothing binds nothing: no question is found by it.
pub(crate) fn find_or_none(headers: &HeaderMap, binding: Binding) -> Plain<String> {
    find(headers, binding.name).unwrap_or_else(|| Plain::new(String::new()))
}

/// Returns the header that takes it away.
pub(crate) fn forget(server: &Server, binding: Binding) -> Option<HeaderValue> {
    let nothing = Plain::new(String::new());
    set(server, binding.name, &nothing, binding.path, Duration::ZERO)
}

/// Returns the value of the cookie `name`.
pub(crate) fn find(headers: &HeaderMap, name: &str) -> Option<Plain<String>> {
    let texts = headers.get_all(header::COOKIE).iter();
    let mut pairs = texts
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(found, _)| *found == name)?;
    Some(Plain::new(value.to_owned()))
}

/// Returns what the browser kept from an earlier sign-in.
pub(crate) fn device(headers: &HeaderMap) -> Option<Plain<String>> {
    find(headers, DEVICE)
}

/// Returns whether an answer sets the session's cookie, or takes it away.
pub(crate) fn sets_session(headers: &HeaderMap) -> bool {
    let mut set = headers.get_all(header::SET_COOKIE).iter();
    set.any(|value| {
        let rest = value.as_bytes().strip_prefix(SESSION.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"="))
    })
}

/// Returns the header that sets the session's cookie. It is kept as long as a session may be idle: one that has expired is
/// good for nothing but to be renewed.
pub(crate) fn session(server: &Server, value: &Plain<String>) -> Option<HeaderValue> {
    set(server, SESSION, value, "/", server.app().session_idle())
}

/// Returns the headers that let somebody in who has signed in.
pub(crate) fn entry(server: &Server, entered: &Entered) -> Vec<HeaderValue> {
    let known = set(
        server,
        DEVICE,
        &entered.device,
        DEVICE_PATH,
        DEVICE_KEPT_FOR,
    );
    // Whoever knows a password and has no second factor to show is not its owner yet.
    let known = known.filter(|_| entered.step != Some(Step::SecondFactor));
    session(server, &entered.cookie)
        .into_iter()
        .chain(known)
        .collect()
}

/// Returns the header that takes the session's cookie away.
pub(crate) fn ended(server: &Server) -> Option<HeaderValue> {
    set(
        server,
        SESSION,
        &Plain::new(String::new()),
        "/",
        Duration::ZERO,
    )
}

fn set(
    server: &Server,
    name: &str,
    value: &Plain<String>,
    path: &str,
    kept_for: Duration,
) -> Option<HeaderValue> {
    let secure = if server.hosts.is_https() {
        "; Secure"
    } else {
        ""
    };
    let (value, seconds) = (value.expose(), kept_for.as_secs());
    let text = Plain::new(format!(
        "{name}={value}; HttpOnly; SameSite=Lax; Path={path}; Max-Age={seconds}{secure}"
    ));
    let mut header = HeaderValue::from_str(text.expose()).ok()?;
    header.set_sensitive(true);
    Some(header)
}
