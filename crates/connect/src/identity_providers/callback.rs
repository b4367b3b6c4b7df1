//! What a browser brings back from a provider.

use security::Plain;
use url::form_urlencoded;

/// The parameters of the way back (RFC 6749 §4.1.2, RFC 9207). None of them is to be believed yet.
#[derive(Default)]
pub struct Callback {
    pub state: Option<Plain<String>>,
    pub code: Option<Plain<String>>,
    /// Why the provider gives no code.
    pub error: Option<String>,
    /// Who says so.
    pub issuer: Option<String>,
}

impl Callback {
    /// Reads the query of the request. A parameter that stands twice stands not at all (RFC 6749 §3.1).
    pub fn parse(query: &str) -> Self {
        let once = |name: &str| {
            let mut values = form_urlencoded::parse(query.as_bytes())
                .filter(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned());
            let value = values.next();
            value.filter(|value| !value.is_empty() && values.next().is_none())
        };
        Self {
            state: once("state").map(Plain::new),
            code: once("code").map(Plain::new),
            error: once("error"),
            issuer: once("iss"),
        }
    }

    /// Returns the hash of the `state`, by which what was kept is found.
    pub fn key(&self) -> Option<security::tokens::TokenHash> {
        let state = self.state.as_ref()?;
        Some(security::tokens::TokenHash::of(state.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_twice_or_is_empty_stands_not_at_all() {
        let read = |query: &str| {
            let back = Callback::parse(query);
            let text = |value: Option<Plain<String>>| value.map(|value| value.expose().clone());
            (text(back.state), text(back.code), back.error, back.issuer)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("code=a%2Bb&state=s&iss=https%3A%2F%2Fi"),
            (some("s"), some("a+b"), None, some("https://i"))
        );
        assert_eq!(
            read("state=s&state=t&code=&error=access_denied"),
            (None, None, some("access_denied"), None)
        );
        assert_eq!(read(""), (None, None, None, None));
    }
}
