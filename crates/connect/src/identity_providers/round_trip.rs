//! What is kept while a browser is at a provider.

use security::Plain;
use security::tokens::TokenHash;
use serde::{Deserialize, Serialize};
use url::Url;

/// Bytes of an address inside the app; ours have a hundred.
const RETURN_TO_BYTES_MAX: usize = 2_048;

/// Where in the app somebody goes who has signed in: never anywhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// Takes a path of this site. What browsers could read as another site (`//host`, `/\host`, a tab between the slashes)
    /// is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let is_path = !rest.starts_with(['/', '\\'])
            && text.len() <= RETURN_TO_BYTES_MAX
            && !text.chars().any(|c| c.is_control() || c == '\\');
        is_path.then(|| Self(text.to_owned()))
    }

    /// Returns the start page.
    pub fn start() -> Self {
        Self("/".to_owned())
    }

    /// Returns the path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A round trip that has begun. It is kept on the server, and taken once.
pub struct RoundTrip {
    pub(super) provider: String,
    pub(super) redirect: Url,
    pub(super) return_to: ReturnTo,
    pub(super) state: TokenHash,
    pub(super) nonce: Plain<String>,
    pub(super) verifier: Plain<String>,
}

/// The form in which it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    provider: &'a str,
    redirect: Url,
    return_to: ReturnTo,
    state: &'a str,
    nonce: &'a str,
    verifier: &'a str,
}

/// What was kept is not of a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was kept is not of a round trip")]
pub struct BadRoundTrip;

impl RoundTrip {
    /// Returns the text to keep. It holds secrets.
    pub fn to_text(&self) -> Plain<String> {
        let kept = Kept {
            provider: &self.provider,
            redirect: self.redirect.clone(),
            return_to: self.return_to.clone(),
            state: self.state.as_str(),
            nonce: self.nonce.expose(),
            verifier: self.verifier.expose(),
        };
        // Texts and a URL: writing them as JSON cannot fail.
        Plain::new(serde_json::to_string(&kept).unwrap_or_default())
    }

    /// Reads the text that was kept.
    pub fn from_text(text: &Plain<String>) -> Result<Self, BadRoundTrip> {
        let kept: Kept<'_> = serde_json::from_str(text.expose()).map_err(|_| BadRoundTrip)?;
        let return_to = ReturnTo::parse(kept.return_to.as_str()).ok_or(BadRoundTrip)?;
        Ok(Self {
            provider: kept.provider.to_owned(),
            redirect: kept.redirect,
            return_to,
            state: TokenHash::from_stored(kept.state.to_owned()),
            nonce: Plain::new(kept.nonce.to_owned()),
            verifier: Plain::new(kept.verifier.to_owned()),
        })
    }

    /// Returns with whom it was begun.
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// Returns where in the app it ends.
    pub const fn return_to(&self) -> &ReturnTo {
        &self.return_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_returns_to_this_site_alone() {
        for good in ["/", "/sources?tab=1#x", "/a//b", "/%2F%2Fevil.example"] {
            assert!(ReturnTo::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "sources",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\\b",
            &format!("/{}", "a".repeat(RETURN_TO_BYTES_MAX)),
        ] {
            assert!(ReturnTo::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_round_trip_is_kept_whole() {
        let trip = RoundTrip {
            provider: "google".into(),
            redirect: Url::parse("https://dango.example/back").expect("a URL"),
            return_to: ReturnTo::start(),
            state: TokenHash::of("state"),
            nonce: Plain::new("n".into()),
            verifier: Plain::new("v".into()),
        };
        let text = trip.to_text();
        let same = RoundTrip::from_text(&text).expect("it was kept");
        assert_eq!(same.to_text().expose(), text.expose());
        assert_eq!(
            (same.provider(), same.return_to().as_str()),
            ("google", "/")
        );
        for bad in ["", "{}", &text.expose().replace("\"/\"", "\"//evil\"")] {
            assert!(RoundTrip::from_text(&Plain::new(bad.to_owned())).is_err());
        }
    }
}
