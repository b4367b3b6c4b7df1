//! Secrets that are shown once and stored as a hash: API tokens, invites, reset links, the state of an OAuth sign-in.
//!
//! They are 256 random bits, so an unsalted SHA-256 is enough: there is nothing to guess.

use crate::entropy::{self, Entropy};
use crate::plain::Plain;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};
use std::fmt;

/// What every API token begins with.
pub const API_TOKEN_MARK: &str = "dap_";
/// What an API token of Dango (getdango) begins with; migrated ones keep working.
pub const DANGO_TOKEN_MARK: &str = "dango_ak_";
/// Characters of an API token, after its mark, by which a row is found and a person recognises it.
pub const TOKEN_PREFIX_CHARS: usize = 8;
/// Characters that 32 bytes make in base64.
const RANDOM_CHARS: usize = 43;

/// The SHA-256 of a token, in hexadecimal: what is stored.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// Returns the hash of the whole token `raw`.
    pub fn of(raw: &str) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(raw.as_bytes())))
    }

    /// Takes a hash over that was stored.
    pub const fn from_stored(hash: String) -> Self {
        Self(hash)
    }

    /// Returns the 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether both are the same, in a time that does not depend on where they differ.
    pub fn is(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), other.0.as_bytes()).into()
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A token that was just made. The plain text is shown once and then gone.
pub struct NewToken {
    pub raw: Plain<String>,
    pub hash: TokenHash,
}

impl NewToken {
    /// Makes a single-use token for a link.
    pub fn for_link(entropy: &dyn Entropy) -> Self {
        Self::marked(entropy, "")
    }

    /// Makes an API token: `dap_` and 43 characters.
    pub fn for_api(entropy: &dyn Entropy) -> Self {
        Self::marked(entropy, API_TOKEN_MARK)
    }

    fn marked(entropy: &dyn Entropy, mark: &str) -> Self {
        let random = BASE64URL_NOPAD.encode(&entropy::bytes::<32>(entropy));
        let raw = format!("{mark}{random}");
        Self {
            hash: TokenHash::of(&raw),
            raw: Plain::new(raw),
        }
    }
}

/// Returns the stored prefix of an API token, `None` for what cannot be one.
pub fn api_token_prefix(raw: &str) -> Option<&str> {
    let random = raw
        .strip_prefix(API_TOKEN_MARK)
        .or_else(|| raw.strip_prefix(DANGO_TOKEN_MARK))?;
    let is_ours = random.len() == RANDOM_CHARS
        && random
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    random.get(..TOKEN_PREFIX_CHARS).filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;

    #[test]
    fn an_api_token_has_the_form_of_dap_and_is_stored_by_prefix_and_hash() {
        let entropy = Counting::default();
        let token = NewToken::for_api(&entropy);
        let raw = token.raw.expose();
        assert!(raw.starts_with("dap_"));
        assert_eq!(raw.len(), 4 + RANDOM_CHARS);
        assert_eq!(api_token_prefix(raw), raw.get(4..12));
        assert!(token.hash.is(&TokenHash::of(raw)));
        assert_eq!(token.hash.as_str().len(), 64);
        let other = NewToken::for_api(&entropy);
        assert!(!token.hash.is(&other.hash));
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        let good = format!("dap_{}", "a".repeat(RANDOM_CHARS));
        assert_eq!(api_token_prefix(&good), Some("aaaaaaaa"));
        for raw in [
            "",
            "dap_",
            "dap_short",
            &format!("dup_{}", "a".repeat(RANDOM_CHARS)),
            &format!("{good}a"),
            &format!("dap_{}%", "a".repeat(RANDOM_CHARS - 1)),
            &format!("dap_{}", "ä".repeat(RANDOM_CHARS)),
        ] {
            assert_eq!(api_token_prefix(raw), None, "{raw}");
        }
    }

    #[test]
    fn the_hash_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(TokenHash::of("abc").as_str(), hash);
    }
}
