//! What the session cookie holds: a JSON Web Token (RFC 7519) that names a session and its generation. The session itself is
//! a row in the store; a token alone opens nothing.

use crate::plain::Plain;
use data_encoding::HEXLOWER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The audience DAP's tokens have.
pub const AUDIENCE: &str = "fastapi-users:auth";
/// The audience of what a browser keeps after a sign-in, to be known again.
const DEVICE_AUDIENCE: &str = "dango:device";
/// Bytes of a signing secret at least (RFC 7518 §3.2: as long as the hash).
const SECRET_BYTES_MIN: usize = 32;
/// A secret that takes fewer guesses than this (as a power of ten) is one that stands in a guide somewhere. The estimate
/// ends at 19.
const SECRET_GUESSES_LOG10_MIN: f64 = 18.0;
/// Characters of a secret that are weighed; more cost time and change nothing.
const WEIGHED_CHARS_MAX: usize = 100;
/// A longer token is not ours.
const TOKEN_BYTES_MAX: usize = 4096;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    /// The user.
    pub sub: Uuid,
    /// The session's row.
    pub sid: Uuid,
    /// The session's generation: grows with each renewal.
    #[serde(rename = "gen")]
    pub generation: u64,
    /// [`AUDIENCE`].
    aud: Vec<String>,
    /// Seconds since 1970.
    pub iat: i64,
    /// Seconds since 1970.
    pub exp: i64,
}

impl SessionClaims {
    /// Returns the claims of a token that is good from `iat` for `ttl_seconds`.
    pub fn new(user: Uuid, session: Uuid, generation: u64, iat: i64, ttl_seconds: u32) -> Self {
        Self {
            sub: user,
            sid: session,
            generation,
            aud: vec![AUDIENCE.to_owned()],
            iat,
            exp: iat.saturating_add(i64::from(ttl_seconds)),
        }
    }

    /// Returns whether the token is over at `now`, in seconds since 1970. One that is over may only be renewed.
    pub const fn is_expired(&self, now: i64) -> bool {
        now >= self.exp
    }

    /// Returns whether half of its time is over: then it is renewed.
    pub const fn is_half_over(&self, now: i64) -> bool {
        now >= self.iat.saturating_add((self.exp - self.iat) / 2)
    }
}

/// What a browser that has signed somebody in keeps: it proves nothing but that.
#[derive(Debug, Serialize, Deserialize)]
struct DeviceClaims {
    sub: Uuid,
    aud: String,
    exp: i64,
}

/// Why a secret cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is empty")]
    Empty,
    #[error("it has fewer than {SECRET_BYTES_MIN} bytes")]
    Short,
    #[error("it is easy to guess")]
    Weak,
}

/// A key that signs tokens.
pub struct SigningKey {
    id: String,
    secret: Plain<Vec<u8>>,
}

impl SigningKey {
    /// Takes a secret that an operator gave; refuses one that is short or easy to guess.
    pub fn from_text(text: &Plain<String>) -> Result<Self, KeyError> {
        let secret = text.expose();
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        if secret.len() < SECRET_BYTES_MIN {
            return Err(KeyError::Short);
        }
        let weighed: String = secret.chars().take(WEIGHED_CHARS_MAX).collect();
        if zxcvbn::zxcvbn(&weighed, &[]).guesses_log10() < SECRET_GUESSES_LOG10_MIN {
            return Err(KeyError::Weak);
        }
        Ok(Self::from_bytes(secret.as_bytes().to_vec()))
    }

    /// Takes a secret that was generated.
    pub fn from_bytes(secret: Vec<u8>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"dango signing key id\0");
        hash.update(&secret);
        let id = HEXLOWER.encode(hash.finalize().get(..6).unwrap_or_default());
        Self {
            id,
            secret: Plain::new(secret),
        }
    }

    /// Returns the `kid` of its tokens, which tells nothing about the secret.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A token that nobody here has signed, or that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct BadToken;

/// The key that signs, and those whose tokens are still taken.
pub struct Keyring {
    current: SigningKey,
    previous: Vec<SigningKey>,
}

impl Keyring {
    /// Returns the keyring of `current` and the keys before it.
    pub const fn new(current: SigningKey, previous: Vec<SigningKey>) -> Self {
        Self { current, previous }
    }

    /// Signs `claims`.
    pub fn sign(&self, claims: &SessionClaims) -> Result<Plain<String>, BadToken> {
        self.sign_any(claims)
    }

    /// Signs what a browser keeps that has signed `user` in, good until `exp` in seconds since 1970.
    pub fn sign_device(&self, user: Uuid, exp: i64) -> Result<Plain<String>, BadToken> {
        self.sign_any(&DeviceClaims {
            sub: user,
            aud: DEVICE_AUDIENCE.to_owned(),
            exp,
        })
    }

    /// Returns who has signed in with the browser that keeps `token`.
    pub fn read_device(&self, token: &str, now: i64) -> Result<Uuid, BadToken> {
        let claims: DeviceClaims = self.read_any(token, DEVICE_AUDIENCE)?;
        (now < claims.exp).then_some(claims.sub).ok_or(BadToken)
    }

    fn sign_any(&self, claims: &impl Serialize) -> Result<Plain<String>, BadToken> {
        let header = Header {
            kid: Some(self.current.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(self.current.secret.expose());
        let token = jsonwebtoken::encode(&header, claims, &key).map_err(|_| BadToken)?;
        Ok(Plain::new(token))
    }

    /// Returns what `token` says, when one of the keys has signed it. Whether its time is over is the caller's question.
    pub fn read(&self, token: &str) -> Result<SessionClaims, BadToken> {
        self.read_any(token, AUDIENCE)
    }

    fn read_any<T: for<'de> Deserialize<'de>>(
        &self,
        token: &str,
        audience: &str,
    ) -> Result<T, BadToken> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(BadToken);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| BadToken)?;
        let key = self.find(header.kid.as_deref()).ok_or(BadToken)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        // It would ask the machine's clock; ours is a parameter.
        validation.validate_exp = false;
        let key = DecodingKey::from_secret(key.secret.expose());
        let read = jsonwebtoken::decode::<T>(token, &key, &validation);
        Ok(read.map_err(|_| BadToken)?.claims)
    }

    /// A token without a key's name may only be the current key's.
    fn find(&self, id: Option<&str>) -> Option<&SigningKey> {
        let Some(id) = id else {
            return Some(&self.current);
        };
        std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SigningKey {
        SigningKey::from_bytes(vec![byte; 32])
    }

    fn claims() -> SessionClaims {
        SessionClaims::new(Uuid::from_u128(1), Uuid::from_u128(2), 3, 1_000, 900)
    }

    #[test]
    fn a_token_is_read_by_the_keys_that_may() {
        let token = Keyring::new(key(1), Vec::new())
            .sign(&claims())
            .expect("signs");
        let read = |ring: &Keyring| ring.read(token.expose());
        assert_eq!(read(&Keyring::new(key(1), Vec::new())), Ok(claims()));
        assert_eq!(read(&Keyring::new(key(2), vec![key(1)])), Ok(claims()));
        assert_eq!(read(&Keyring::new(key(2), Vec::new())), Err(BadToken));
    }

    #[test]
    fn a_device_is_known_and_is_no_session() {
        let ring = Keyring::new(key(1), Vec::new());
        let user = Uuid::from_u128(1);
        let device = ring.sign_device(user, 2_000).expect("signs");
        assert_eq!(ring.read_device(device.expose(), 1_999), Ok(user));
        assert_eq!(ring.read_device(device.expose(), 2_000), Err(BadToken));
        assert_eq!(ring.read(device.expose()), Err(BadToken));
        let session = ring.sign(&claims()).expect("signs");
        assert_eq!(ring.read_device(session.expose(), 0), Err(BadToken));
    }

    #[test]
    fn time_is_the_callers() {
        let claims = claims();
        assert!(!claims.is_half_over(1_449) && claims.is_half_over(1_450));
        assert!(!claims.is_expired(1_899) && claims.is_expired(1_900));
    }

    #[test]
    fn what_was_changed_or_signed_otherwise_is_refused() {
        let ring = Keyring::new(key(1), Vec::new());
        let token = ring.sign(&claims()).expect("signs");
        let [header, body, signature]: [&str; 3] = token
            .expose()
            .split('.')
            .collect::<Vec<_>>()
            .try_into()
            .expect("three");
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        let unsigned = encode(r#"{"alg":"none","typ":"JWT"}"#);
        let asymmetric = encode(r#"{"alg":"RS256","typ":"JWT"}"#);
        let other_audience = {
            let mut other = claims();
            other.aud = vec!["fastapi-users:reset".into()];
            ring.sign(&other).expect("signs")
        };
        for bad in [
            String::new(),
            "a.b.c".into(),
            format!("{header}.{body}."),
            format!(
                "{header}.{body}.{}",
                signature.replace(['a', 'b', 'c'], "d")
            ) + "x",
            format!("{unsigned}.{body}."),
            format!("{unsigned}.{body}.{signature}"),
            format!("{asymmetric}.{body}.{signature}"),
            format!("{header}.{}.{signature}", encode("{}")),
            other_audience.expose().clone(),
            "x".repeat(TOKEN_BYTES_MAX + 1),
        ] {
            assert_eq!(ring.read(&bad), Err(BadToken), "{bad}");
        }
    }

    #[test]
    fn a_secret_from_a_guide_does_not_sign() {
        let check = |text: &str| SigningKey::from_text(&Plain::new(text.to_owned())).map(drop);
        assert_eq!(check(""), Err(KeyError::Empty));
        assert_eq!(check("change-me"), Err(KeyError::Short));
        assert_eq!(check(&"changeme".repeat(4)), Err(KeyError::Weak));
        assert_eq!(check(&"0".repeat(64)), Err(KeyError::Weak));
        assert_eq!(
            check("abcdefghijklmnopqrstuvwxyz0123456789"),
            Err(KeyError::Weak)
        );
        assert_eq!(check("pX0kq-3VbY7wT9-sLm2Rz8Nc4Hf6Jd1Gu5"), Ok(()));
    }
}
