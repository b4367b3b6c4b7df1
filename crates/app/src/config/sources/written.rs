//! Secrets that stand in a source's block itself: a header, a token under `auth`, a parameter. They are sent to the API like any
//! credential, so an API that repeats what it was sent repeats them, and `source show` prints the block.

use crate::config::variables;
use crate::environment::{self, Environment};
use security::{Plain, Redactor};
use serde_json::Value;

/// Keys of `auth` that say how to sign in, not with what.
const AUTH_SETTINGS: [&str; 12] = [
    "type",
    "name",
    "header_name",
    "location",
    "in",
    "token_url",
    "access_token_url",
    "scope",
    "scopes",
    "client_id",
    "token_params",
    "access_token_request_data",
];
/// Headers that never carry a credential; whatever else a header is called, its value may.
const OPEN_HEADERS: [&str; 7] = [
    "accept",
    "content-",
    "user-agent",
    "cache-control",
    "prefer",
    "x-requested-with",
    "origin",
];
/// Shorter words of a header's value are kinds of credential: `Bearer`, `Token`.
const WORD_BYTES_MIN: usize = 8;

/// Teaches `redactor` every value of `block` that may be a secret.
pub(super) fn teach(block: &Value, environment: &Environment, redactor: &Redactor) {
    match block {
        Value::Object(entries) => {
            for (key, value) in entries {
                match (key.as_str(), value) {
                    ("auth", Value::Object(auth)) => {
                        for (key, value) in auth {
                            if AUTH_SETTINGS.contains(&key.as_str()) {
                                teach(value, environment, redactor);
                            } else {
                                learn(value, environment, redactor);
                            }
                        }
                    }
                    ("headers", Value::Object(headers)) => {
                        let closed = headers.iter().filter(|(name, _)| !is_open(name));
                        closed.for_each(|(_, value)| learn(value, environment, redactor));
                    }
                    (key, Value::String(_)) if is_secret_key(key) => {
                        learn(value, environment, redactor);
                    }
                    (_, value) => teach(value, environment, redactor),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| teach(item, environment, redactor)),
        _ => {}
    }
}

fn learn(value: &Value, environment: &Environment, redactor: &Redactor) {
    match value {
        Value::String(text) => learn_text(text, environment, redactor),
        Value::Array(items) => items
            .iter()
            .for_each(|item| learn(item, environment, redactor)),
        Value::Object(entries) => entries
            .values()
            .for_each(|value| learn(value, environment, redactor)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn learn_text(text: &str, environment: &Environment, redactor: &Redactor) {
    // A missing variable is told by whoever needs the value.
    let Ok(full) = variables::expand(text, environment, |_, value| {
        environment::teach(redactor, value);
    }) else {
        return;
    };
    let words = full.expose().split_whitespace();
    for word in words.filter(|word| word.len() >= WORD_BYTES_MIN && !is_placeholder(word)) {
        redactor.learn(&Plain::new(word.to_owned()));
    }
    if !is_placeholder(full.expose()) {
        environment::teach(redactor, &full);
    }
}

/// Returns whether `text` holds a `{field}`, which the connector fills in later and which hides nothing.
fn is_placeholder(text: &str) -> bool {
    let inner = text
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    inner.is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

fn is_open(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    OPEN_HEADERS.iter().any(|open| header.starts_with(open)) || header.ends_with("version")
}

/// Returns whether a setting called `key` is a secret. Narrower than for variables: `primary_key` names a column, and
/// `api_key_name` a header.
fn is_secret_key(key: &str) -> bool {
    const ENDS: [&str; 10] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "access_key",
        "private_key",
    ];
    let key = key.to_ascii_lowercase();
    ENDS.iter().any(|end| key.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use security::mask::STARS;
    use serde_json::json;

    #[test]
    fn secrets_of_a_block_are_learned_and_settings_are_not() {
        let redactor = Redactor::new();
        let environment =
            Environment::from_pairs([("LOGIN", "from-variable"), ("DAY", "2026-01-31")]);
        let block = json!({
            "base_url": "https://example.com",
            "primary_key": "order_id",
            "api_key_name": "X-Api-Key",
            "auth": {"type": "custom_header", "name": "X-Signature", "value": "Token in-auth-1", "token_params": {"client_secret": "in-params-1", "audience": "everybody"}},
            "headers": {"X-Login": "${LOGIN}", "Accept": "application/json", "Api-Version": "2026-02-03", "X-Fill": "{api_key}"},
            "endpoints": [{"params": {"access_token": "in-endpoint", "since": "${DAY}"}}],
        });
        teach(&block, &environment, &redactor);
        for secret in ["in-auth-1", "in-params-1", "from-variable", "in-endpoint"] {
            assert_eq!(redactor.redact(secret), STARS, "{secret}");
        }
        let settings = "order_id X-Api-Key custom_header X-Signature everybody application/json 2026-02-03 {api_key} 2026-01-31";
        assert_eq!(redactor.redact(settings), settings);
    }
}
