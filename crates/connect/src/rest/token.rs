//! The access token of OAuth client credentials: fetched when needed, kept until shortly before it ends.

use super::json;
use super::plan::ClientCredentials;
use crate::failure::{Failure, FailureKind};
use crate::http::{Answer, Request, host};
use domain::say::Quoted;
use domain::{Say, Timestamp, say};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use security::Plain;
use serde_json::Value;

/// A token is renewed this long before its end, so that it does not end on the way.
const MARGIN_SECONDS: i64 = 30;
/// A token whose answer names no end.
const LIFETIME_SECONDS_DEFAULT: i64 = 600;

/// The token that is in use.
#[derive(Default)]
pub(super) struct TokenCache {
    token: Option<(Plain<String>, Timestamp)>,
}

impl TokenCache {
    /// Forgets the token: the API refused it.
    pub(super) fn forget(&mut self) {
        self.token = None;
    }

    /// Returns the token, if it has not ended.
    pub(super) fn find(&self, now: Timestamp) -> Option<&Plain<String>> {
        let (token, until) = self.token.as_ref()?;
        (*until > now).then_some(token)
    }

    /// Keeps a token that was given out `now`.
    pub(super) fn keep(&mut self, token: Plain<String>, now: Timestamp, lifetime_seconds: i64) {
        let seconds = lifetime_seconds.saturating_sub(MARGIN_SECONDS).max(1);
        self.token = Some((token, now.plus_seconds(seconds)));
    }
}

/// Returns the request for a token. The credentials go in the body, as most servers expect (RFC 6749 §2.3.1).
pub(super) fn request(client: &ClientCredentials) -> Request {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client.client_id.expose())
        .append_pair("client_secret", client.client_secret.expose())
        .extend_pairs(client.params.iter());
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let body = Some(form.finish().into_bytes());
    Request {
        method: Method::POST,
        url: client.token_url.clone(),
        headers,
        body,
    }
}

/// Returns the token of an answer and the seconds it lives.
pub(super) fn read(
    client: &ClientCredentials,
    answer: Option<&Answer>,
) -> Result<(Plain<String>, i64), Failure> {
    let place = host(&client.token_url);
    let none =
        || unauthorized(&say!("", name Quoted(place), " answered without an `access_token`"));
    // The secret stands in the body, so a redirect that kept it must not have led elsewhere.
    let answer = answer
        .filter(|answer| answer.url.origin() == client.token_url.origin())
        .ok_or_else(none)?;
    let parsed = json::parse(&answer.body, place)?.value;
    let token = parsed.get("access_token").and_then(Value::as_str);
    let seconds = parsed.get("expires_in").and_then(Value::as_i64);
    Ok((
        Plain::new(token.ok_or_else(none)?.to_owned()),
        seconds.unwrap_or(LIFETIME_SECONDS_DEFAULT),
    ))
}

/// Returns what a token server's refusal means: where it is no passing failure, the credentials are not what it wants.
pub(super) fn refused(failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Unauthorized
        | FailureKind::Forbidden
        | FailureKind::Missing
        | FailureKind::ConfigInvalid => unauthorized(&failure.say),
        _ => failure,
    }
}

fn unauthorized(say: &Say) -> Failure {
    Failure::new(
        FailureKind::Unauthorized,
        say!("the token server gave no token: ", *say),
    )
    .hint("check `client_id`, `client_secret`, `scopes` and `token_url`")
}
