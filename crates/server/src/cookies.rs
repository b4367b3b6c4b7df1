//! The two cookies of the browser's port: the session, and that this browser has signed somebody in before.

use crate::server::Server;
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
