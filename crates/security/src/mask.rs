//! Masking: how a secret may be shown, and how it is removed from text that was not meant to hold it.

mod shapes;
mod views;

use crate::plain::Plain;
use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};
use views::{Decoded, View};
use zeroize::Zeroizing;

/// What stands for the hidden part of a secret; always the same length, so that it tells nothing.
pub const STARS: &str = "***************";

/// Prefixes that say what a credential is and nothing about its value, longest first where one begins another.
const KNOWN_PREFIXES: [&str; 24] = [
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "rk_test_",
    "pk_live_",
    "pk_test_",
    "whsec_",
    "sk-ant-",
    "sk-proj-",
    "sk-or-",
    "github_pat_",
    "ghp_",
    "gho_",
    "ghs_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xapp-",
    "shpat_",
    "pat-",
    "ya29.",
    "1//",
    "dango_ak_",
    "dap_",
];

/// Returns a secret as it may be shown: a known prefix, then exactly 15 stars.
pub fn mask(secret: &str) -> String {
    let prefix = KNOWN_PREFIXES
        .iter()
        .find(|prefix| secret.len() > prefix.len() && secret.starts_with(**prefix));
    format!("{}{STARS}", prefix.unwrap_or(&""))
}

/// Secrets shorter than this are not searched for in text: they would turn ordinary words into stars.
const SEARCHED_BYTES_MIN: usize = 6;
/// In data they must be longer: what people choose as a password, a table or a customer may be called as well.
const SEARCHED_IN_DATA_BYTES_MIN: usize = 12;

/// Knows the secrets that were loaded and removes them from any text, in every form they are likely to appear in.
#[derive(Default)]
pub struct Redactor {
    /// Longest first, so that a secret that contains another is replaced whole.
    known: RwLock<Vec<Known>>,
}

/// A form of a secret.
struct Known {
    form: Zeroizing<String>,
    /// What is shown in its place.
    shown: String,
    /// Whether it is masked in the user's data too.
    in_data: bool,
}

impl Redactor {
    /// Returns a redactor that knows nothing yet.
    pub const fn new() -> Self {
        Self {
            known: RwLock::new(Vec::new()),
        }
    }

    /// Remembers a secret, with its percent-encoded, base64, JSON-escaped and hex forms.
    pub fn learn(&self, secret: &Plain<String>) {
        let is_long = secret.expose().len() >= SEARCHED_IN_DATA_BYTES_MIN;
        self.remember(secret.expose(), is_long);
    }

    /// Remembers what was typed and looks like a secret. It is masked in what we say and not in data: an address in the
    /// text of a query says nothing about its rows.
    pub fn learn_typed(&self, text: &str) {
        self.remember(text, false);
    }

    fn remember(&self, value: &str, in_data: bool) {
        if value.len() < SEARCHED_BYTES_MIN {
            return;
        }
        let shown = mask(value);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for form in encodings::forms(value) {
            match known.iter_mut().find(|known| *known.form == *form) {
                Some(known) => known.in_data |= in_data,
                None => known.push(Known {
                    form,
                    shown: shown.clone(),
                    in_data,
                }),
            }
        }
        known.sort_by_key(|known| std::cmp::Reverse(known.form.len()));
    }

    /// Returns `text` with every known secret masked.
    pub fn redact(&self, text: &str) -> String {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = known.iter().collect();
        let mut clean = Cow::Borrowed(text);
        for Known { form, shown, .. } in &known {
            mask_written(&mut clean, form, shown);
            if clean.contains(CUT) {
                mask_before_cuts(&mut clean, form, shown);
            }
        }
        mask_encoded(&mut clean, &known);
        clean.into_owned()
    }

    /// Returns `text` with every known secret masked, and what merely looks like one: for messages and logs, never for data.
    pub fn redact_talk(&self, text: &str) -> String {
        shapes::mask(&self.redact(text))
    }

    /// Returns a value of the user's data with the project's long secrets masked; borrowed when it holds none.
    pub fn redact_data<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<_> = known.iter().filter(|known| known.in_data).collect();
        let mut clean = Cow::Borrowed(text);
        for Known { form, shown, .. } in &known {
            mask_written(&mut clean, form, shown);
        }
        if !known.is_empty() {
            mask_encoded(&mut clean, &known);
        }
        clean
    }
}

/// Masks a secret of `text` as it is written.
fn mask_written(text: &mut Cow<'_, str>, secret: &str, shown: &str) {
    if text.contains(secret) {
        *text = Cow::Owned(text.replace(secret, shown));
    }
}

/// Masks the secrets of `text` that only a reader of its escapes sees.
fn mask_encoded(text: &mut Cow<'_, str>, known: &[&Known]) {
    for view in View::ALL {
        if view.changes(text) {
            mask_decoded(text, view, known);
        }
    }
}

/// What stands where a long text was cut.
const CUT: char = '…';

/// Masks the beginning of a secret that a cut took the end of.
fn mask_before_cuts(text: &mut Cow<'_, str>, secret: &str, shown: &str) {
    let mut clean = String::new();
    let mut parts = text.split(CUT).peekable();
    while let Some(part) = parts.next() {
        let cut = parts.peek().and_then(|_| {
            let lengths = (SEARCHED_BYTES_MIN..secret.len()).rev();
            lengths
                .filter_map(|length| secret.get(..length))
                .find(|start| part.ends_with(start))
        });
        match cut.and_then(|start| part.strip_suffix(start)) {
            Some(before) => clean.extend([before, shown]),
            None => clean.push_str(part),
        }
        if parts.peek().is_some() {
            clean.push(CUT);
        }
    }
    if clean != **text {
        *text = Cow::Owned(clean);
    }
}

/// Masks the secrets of `text` that are seen when it is read through `view`.
fn mask_decoded(text: &mut Cow<'_, str>, view: View, known: &[&Known]) {
    let decoded = Decoded::new(view, text);
    let mut places: Vec<((usize, usize), &str)> = Vec::new();
    for Known { form, shown, .. } in known {
        let searched = view.secret(form);
        if searched.len() >= SEARCHED_BYTES_MIN {
            let found = decoded.find(&searched).into_iter();
            places.extend(found.map(|place| (place, shown.as_str())));
        }
    }
    // From the end, so that the places before stay what they are; of two that overlap the one that reaches further.
    places.sort_by_key(|((from, to), _)| std::cmp::Reverse((*to, std::cmp::Reverse(*from))));
    let mut last = usize::MAX;
    for ((from, to), shown) in places {
        if to <= last
            && let Some((before, after)) = text.get(..from).zip(text.get(to..))
        {
            *text = Cow::Owned(format!("{before}{shown}{after}"));
            last = from;
        }
    }
}

mod encodings {
    //! The forms in which a secret turns up in URLs, headers, JSON and dumps.

    use data_encoding::BASE64;
    use std::fmt::Write as _;
    use zeroize::Zeroizing;

    /// Returns `value` itself and its encoded forms, without duplicates.
    pub(super) fn forms(value: &str) -> Vec<Zeroizing<String>> {
        let mut forms = vec![Zeroizing::new(value.to_owned())];
        let encoded = [
            percent(value, "-._~"),
            percent(value, "-._~*"),
            json(value),
            hex(value),
            Zeroizing::new(hex(value).to_ascii_uppercase()),
        ];
        let base64 = (0..3).flat_map(|offset| {
            let standard = base64(value.as_bytes(), offset);
            // RFC 4648 §5, as in tokens and URLs.
            let for_urls = Zeroizing::new(standard.replace('+', "-").replace('/', "_"));
            [standard, for_urls]
        });
        for form in encoded.into_iter().chain(base64) {
            if form.len() >= super::SEARCHED_BYTES_MIN && !forms.contains(&form) {
                forms.push(form);
            }
        }
        forms
    }

    fn percent(value: &str, unreserved: &str) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        for byte in value.bytes() {
            let character = char::from(byte);
            if character.is_ascii_alphanumeric() || unreserved.contains(character) {
                out.push(character);
            } else {
                // Writing into a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    }

    fn json(value: &str) -> Zeroizing<String> {
        Zeroizing::new(value.replace('\\', "\\\\").replace('"', "\\\""))
    }

    fn hex(value: &str) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        for byte in value.bytes() {
            let _ = write!(out, "{byte:02x}");
        }
        out
    }

    /// Returns the part of the base64 text (RFC 4648 §4) that `value` alone decides when `offset` unknown bytes precede it,
    /// as a user name does in a Basic header.
    fn base64(value: &[u8], offset: usize) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(vec![0; offset]);
        bytes.extend_from_slice(value);
        let mut out = Zeroizing::new(String::new());
        let groups = bytes.len() / 3 * 3;
        let whole = bytes.get(..groups).unwrap_or_default();
        // At once: a text that grows leaves copies of itself behind.
        out.reserve_exact(BASE64.encode_len(whole.len()));
        BASE64.encode_append(whole, &mut out);
        // The first characters mix in the unknown bytes; the incomplete last group mixes in whatever follows.
        Zeroizing::new(
            out.chars()
                .skip(if offset == 0 { 0 } else { offset + 1 })
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_prefix_is_kept_and_the_rest_is_fifteen_stars() {
        assert_eq!(mask("sk_live_abc"), "sk_live_***************");
        assert_eq!(mask("hunter2"), STARS);
        assert_eq!(mask(""), STARS);
        assert_eq!(mask("sk_live_"), STARS);
        assert_eq!(STARS.len(), 15);
    }

    #[test]
    fn a_learned_secret_is_removed_in_every_form() {
        let redactor = Redactor::new();
        redactor.learn(&Plain::new("p@ss/w\"rd?1".into()));
        for text in [
            "password is p@ss/w\"rd?1.",
            "https://u:p%40ss%2Fw%22rd%3F1@host/",
            r#"{"password":"p@ss/w\"rd?1"}"#,
            "704073732f772272643f31",
            "Authorization: Basic dTpwQHNzL3cicmQ/MQ==",
            "cEBzcy93InJkPzE=",
        ] {
            let clean = redactor.redact(text);
            assert!(clean.contains(STARS), "{text} -> {clean}");
        }
        assert_eq!(redactor.redact("nothing here"), "nothing here");
    }

    #[test]
    fn a_secret_escaped_by_anybodys_rules_is_removed() {
        let redactor = Redactor::new();
        redactor.learn(&Plain::new("k~ é'/\"\\z+1\nq%41>".into()));
        for text in [
            "?key=k%7e+%c3%a9'%2f%22%5Cz%2B1%0Aq%2541%3E&x",
            "?key=k~%20é%27/%22%5cz+1%0aq%2541>",
            r#"{"a":"k~ \u00e9'\/\"\\z+1\nq%41>"}"#,
            r#"{"b":"{\"a\":\"k~ é'/\\\"\\\\z+1\\nq%41>\"}"}"#,
            r#"Some("k~ é\'/\"\\z+1\nq%41>")"#,
            r"k~ \u{e9}'/\u{22}\\z+1\nq%41\u{3e}",
        ] {
            let clean = redactor.redact(text);
            assert!(
                clean.contains(STARS) && !clean.contains("41"),
                "{text} -> {clean}"
            );
        }
        for text in ["100% a+b \\ %zz \\u{zz} \\u12 \\", "é\\ü%", "%"] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn in_data_only_long_secrets_of_the_project_are_masked() {
        let redactor = Redactor::new();
        redactor.learn(&Plain::new("orders".into()));
        redactor.learn(&Plain::new("hunter2hunter2".into()));
        redactor.learn_typed("typed-on-the-command-line");
        let check = |text: &str, expect: &str| {
            assert_eq!(redactor.redact_data(text), expect.replace('*', STARS));
        };
        check("orders", "orders");
        check("typed-on-the-command-line", "typed-on-the-command-line");
        check("a hunter2hunter2 b", "a * b");
        check("hunter2hunte…", "hunter2hunte…");
        check("?k=%68unter2hunter2&", "?k=*&");
        assert_eq!(
            redactor.redact("orders typed-on-the-command-line"),
            format!("{STARS} {STARS}")
        );
        // Typed, and a secret all the same.
        redactor.learn(&Plain::new("typed-on-the-command-line".into()));
        check("typed-on-the-command-line", "*");
    }

    #[test]
    fn a_secret_that_was_cut_is_removed() {
        let redactor = Redactor::new();
        redactor.learn(&Plain::new("hunter2hunter2".into()));
        assert_eq!(
            redactor.redact("x hunter2hun…\ny"),
            format!("x {STARS}…\ny")
        );
        assert_eq!(redactor.redact("a hunt… b…"), "a hunt… b…");
    }
}
