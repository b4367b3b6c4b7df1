//! What an answer that is no success means, and what the user is told.

use super::spec::{ErrorRule, Then};
use crate::failure::{Failure, FailureKind};
use crate::http::Answer;
use domain::say::Quoted;
use domain::{Say, say};
use security::Redactor;
use serde_json::Value;

/// What to do about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    /// There are no records here.
    Skip,
    Retry,
    Fail,
}

/// Returns what to do about an answer of `status` with `body`.
pub(super) fn judge(rules: &[ErrorRule], answer: &Answer) -> Verdict {
    if (200..300).contains(&answer.status) {
        return Verdict::Take;
    }
    match rule(rules, answer).map(|rule| rule.then) {
        Some(Then::Skip) => Verdict::Skip,
        Some(Then::Retry) => Verdict::Retry,
        Some(Then::Fail) => Verdict::Fail,
        // A refusal that says when to come back is a limit on the rate, whatever its number.
        None if answer.status == 403 && answer.headers.contains_key("retry-after") => {
            Verdict::Retry
        }
        None => match answer.status {
            // Not implemented, not this version, a loop, a network that wants a login: the next answer would be the same.
            501 | 505 | 506 | 508 | 510 | 511 => Verdict::Fail,
            408 | 425 | 429 | 500..=599 => Verdict::Retry,
            _ => Verdict::Fail,
        },
    }
}

fn rule<'a>(rules: &'a [ErrorRule], answer: &Answer) -> Option<&'a ErrorRule> {
    rules.iter().find(|rule| {
        rule.status == answer.status
            && rule
                .contains
                .as_ref()
                .is_none_or(|text| contains(&answer.body, text))
    })
}

fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty()
        || body
            .windows(text.len())
            .any(|window| window == text.as_bytes())
}

/// Returns the failure of an answer: `place` is the host and the path as the description writes it.
pub(super) fn failure(
    rules: &[ErrorRule],
    answer: &Answer,
    place: &str,
    redactor: &Redactor,
) -> Failure {
    let (kind, hint) = meaning(answer.status);
    let mut say = say!("", name Quoted(place), " answered with HTTP ", answer.status);
    let message = match rule(rules, answer).and_then(|rule| rule.message.clone()) {
        Some(message) => Some(message),
        None => message(&answer.body),
    };
    if let Some(message) = message {
        // One line: the server's text must not look like our hint.
        let message = redactor.redact(&message);
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        say = say!("", say, ": ", Quoted(&message));
    }
    Failure::new(kind, say).hint(hint)
}

/// More of an error's text is not even looked at.
const MESSAGE_CHARS_MAX: usize = 10_000;

fn meaning(status: u16) -> (FailureKind, Say) {
    match status {
        401 => (
            FailureKind::Unauthorized,
            Say::new(
                "the credential is wrong, expired or revoked: store a new one with `dango secrets set`",
            ),
        ),
        402 | 403 => (
            FailureKind::Forbidden,
            Say::new("the credential may not read this: give it the right at the provider"),
        ),
        404 | 410 => (
            FailureKind::Missing,
            Say::new(
                "there is nothing at this address: check `base_url` and the endpoint's `path`",
            ),
        ),
        429 => (
            FailureKind::RateLimited,
            Say::new("the API wants fewer requests: sync again later, or set a lower `rate_limit`"),
        ),
        500..=599 => (
            FailureKind::Failed,
            Say::new("the API has a problem of its own: sync again later"),
        ),
        408 | 425 => (
            FailureKind::Failed,
            Say::new("the API was too slow for its own request: sync again later"),
        ),
        // Asking the same again would be answered the same: no reason to try later.
        _ => (
            FailureKind::ConfigInvalid,
            Say::new(
                "the API does not accept the request: check the endpoint's `path` and `params`",
            ),
        ),
    }
}

/// Returns the sentence in an error's body, where APIs usually put it.
fn message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let places = [
        "/error/message",
        "/error/detail",
        "/message",
        "/error_description",
        "/detail",
        "/title",
        "/errors/0/message",
        "/errors/0/detail",
        "/errors/0",
        "/error",
        "/Message",
    ];
    let found = places
        .iter()
        .find_map(|place| body.pointer(place)?.as_str());
    // Longer than what is shown: it is redacted first and cut then, or half a secret would stay.
    found.map(|text| text.chars().take(MESSAGE_CHARS_MAX).collect())
}
