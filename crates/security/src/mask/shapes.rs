//! What looks like a secret though nobody declared it one: a token with a provider's prefix, a password or key inside a URL.

use super::{KNOWN_PREFIXES, STARS};

/// Shorter tails of a known prefix are ordinary words.
const TAIL_CHARS_MIN: usize = 12;
/// Parameters of a URL that carry a credential.
const SECRET_PARAMS: [&str; 11] = [
    "api_key",
    "apikey",
    "api-key",
    "access_token",
    "auth_token",
    "token",
    "password",
    "passwd",
    "secret",
    "client_secret",
    "signature",
];

/// Returns `text` with everything masked that looks like a secret.
pub(super) fn mask(text: &str) -> String {
    let text = in_urls(text);
    params(&prefixed(&text))
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn prefixed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(character) = rest.chars().next() {
        let starts = !before.is_ascii_alphanumeric();
        let prefix = KNOWN_PREFIXES
            .iter()
            .find(|prefix| starts && rest.starts_with(**prefix));
        let tail = prefix.and_then(|prefix| {
            let tail = rest.strip_prefix(*prefix)?;
            let end = tail.find(|c| !is_token(c)).unwrap_or(tail.len());
            let (token, after) = tail.split_at(end);
            let is_random = token.contains(|c: char| c.is_ascii_digit())
                && token.contains(|c: char| c.is_ascii_alphabetic());
            (token.len() >= TAIL_CHARS_MIN && is_random).then_some((*prefix, after))
        });
        if let Some((prefix, after)) = tail {
            out.push_str(prefix);
            out.push_str(STARS);
            rest = after;
            before = '*';
        } else {
            out.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            before = character;
        }
    }
    out
}

/// Masks the password of `scheme://user:password@host`.
fn in_urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '`' | '<' | '>'))
            .unwrap_or(after.len());
        let word = after.get(..end).unwrap_or_default();
        // The last `@` before the path; a password that was not encoded may hold a slash, so the last of all when there is a colon first.
        let parts = word.rfind('@').and_then(|at| Some((word.find(':')?, at)));
        match parts
            .filter(|(colon, at)| colon < at && is_user(word.get(..*colon).unwrap_or_default()))
        {
            Some((colon, at)) => {
                out.push_str(word.get(..=colon).unwrap_or_default());
                out.push_str(STARS);
                rest = after.get(at..).unwrap_or_default();
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

/// Returns whether `text` can be the user in a URL: anything but the host, whose port would stand behind the colon.
fn is_user(text: &str) -> bool {
    !text.contains(['/', '?', '#', '@'])
}

/// Masks the values of a URL's parameters that carry a credential.
fn params(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['?', '&']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let Some((name, value)) = after.split_once('=') else {
            continue;
        };
        if SECRET_PARAMS
            .iter()
            .any(|param| param.eq_ignore_ascii_case(name))
        {
            out.push_str(name);
            out.push('=');
            out.push_str(STARS);
            let end = value.find(|c: char| {
                c.is_whitespace() || matches!(c, '&' | '#' | '`' | '"' | '\'' | '<' | '>')
            });
            rest = value.get(end.unwrap_or(value.len())..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_secret_is_masked_and_nothing_else() {
        let check = |text: &str, expect: &str| {
            assert_eq!(mask(text), expect.replace('*', STARS), "{text}");
            assert_eq!(mask(&mask(text)), mask(text), "{text}");
        };
        check("key sk_live_4eC39HqLyjWDarjt.", "key sk_live_*");
        check("`ghp_16C7e42F292c6912E7710c838347Ae178B4a`", "`ghp_*`");
        check(
            "postgres://u:p@ss/w?rd@h:5432/d, then",
            "postgres://u:*@h:5432/d, then",
        );
        check(
            "https://h:8080/a and me@example.com",
            "https://h:8080/a and me@example.com",
        );
        check(
            "https://h/a?x=1&api_key=abc&y=2 `?token=t`",
            "https://h/a?x=1&api_key=*&y=2 `?token=*`",
        );
        check("https://h/u:x@y", "https://h/u:x@y");
        check(
            "the pat-a-cake task-sk_live_x is compat-4",
            "the pat-a-cake task-sk_live_x is compat-4",
        );
        check("a=1&b=2 ? & = ü", "a=1&b=2 ? & = ü");
    }
}
