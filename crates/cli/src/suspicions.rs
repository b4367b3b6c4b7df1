//! Secrets typed where none belongs. A command line stands in the shell's history and in `ps` already; at least nothing we
//! say repeats it: whatever on it looks like a credential is masked in every message and in the log.

use security::mask::STARS;
use security::{Redactor, mask};
use std::ffi::OsString;

/// Generated keys and tokens are at least this long; names people choose rarely are and mix all three kinds of characters.
const TOKEN_BYTES_MIN: usize = 20;

/// Teaches `redactor` every word, or value of a `KEY=VALUE`, that looks like a credential.
pub(crate) fn learn(words: &[OsString], redactor: &Redactor) {
    let texts = words.iter().skip(1).filter_map(|word| word.to_str());
    for text in texts {
        // The value of a `KEY=VALUE`; base64 ends with `=` and is none.
        let key_and_value = text.trim_end_matches('=').split_once('=');
        let value = key_and_value
            .and_then(|(key, _)| text.get(key.len() + 1..))
            .unwrap_or(text);
        let secrets = Some(value).filter(|text| is_suspicious(text));
        for secret in secrets.into_iter().chain(password(text)) {
            redactor.learn_typed(secret);
        }
    }
}

fn is_suspicious(text: &str) -> bool {
    // Masked with its prefix, it begins like the keys of a known provider.
    mask(text) != STARS || is_token(text)
}

fn is_token(text: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| text.bytes().any(|byte| kind(&byte));
    text.len() >= TOKEN_BYTES_MIN
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-+=".contains(&byte))
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Returns the password of a URL.
fn password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_credential_is_masked_and_nothing_else() {
        let check = |word: &str, expect: &str| {
            let redactor = Redactor::new();
            learn(&["dango".into(), word.into()], &redactor);
            assert_eq!(redactor.redact(word), expect);
        };
        check("sk_live_short", "sk_live_***************");
        check("api_key=sk_live_short", "api_key=sk_live_***************");
        check(
            "postgresql://u:hunter2@host/x",
            "postgresql://u:***************@host/x",
        );
        check(
            "--password=Abcdefghij0123456789",
            "--password=***************",
        );
        for harmless in [
            "sync",
            "--full-refresh",
            "shop_orders_2024",
            "SELECT count(*) FROM raw_shop.orders",
            "/tmp/Report2024/Out.parquet",
            "07b6b93-43b8-419e-bdf7-d65062f1ca7a",
            "https://api.example.com/v1",
            "directory=data/orders",
        ] {
            check(harmless, harmless);
        }
    }
}
