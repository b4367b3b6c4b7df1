//! Checkpoints: a signature over the head of the chain. Each names the key of the next one, and the key that signed is
//! overwritten then: whoever breaks in later cannot sign another past.

use super::Digest;
use crate::entropy::{self, Entropy};
use crate::plain::Plain;
use data_encoding::HEXLOWER;
use domain::Timestamp;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Serialize, Serializer};
use std::fmt;

/// What the private half is stored as begins with: a person who opens the file knows what it is.
const STORED: &str = "dango-audit-private-key:";
/// What a public key as an anchor begins with.
const ANCHOR: &str = "dango-audit-key:";

/// The public half of a key that signs checkpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads a key, with or without the word before it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix(ANCHOR).unwrap_or(text);
        let bytes: [u8; 32] = HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()?;
        VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{ANCHOR}{}", HEXLOWER.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A key that signs one checkpoint. It is wiped when it is dropped.
pub struct AuditKey(SigningKey);

impl AuditKey {
    /// Makes a key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut seed = entropy::bytes::<32>(entropy);
        let key = SigningKey::from_bytes(&seed);
        zeroize::Zeroize::zeroize(&mut seed);
        Self(key)
    }

    /// Reads a key as [`AuditKey::to_stored`] wrote it.
    pub fn from_stored(text: &Plain<String>) -> Option<Self> {
        let digits = text.expose().trim().strip_prefix(STORED)?;
        let mut seed: [u8; 32] = HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok()?;
        let key = SigningKey::from_bytes(&seed);
        zeroize::Zeroize::zeroize(&mut seed);
        Some(Self(key))
    }

    /// Returns the key as its file holds it.
    pub fn to_stored(&self) -> Plain<String> {
        let digits = zeroize::Zeroizing::new(HEXLOWER.encode(self.0.as_bytes()));
        Plain::new(format!("{STORED}{}\n", *digits))
    }

    /// Returns the public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs the head of the chain: the record `seq` has the hash `hash`.
    pub fn sign(
        &self,
        number: i64,
        seq: i64,
        hash: Digest,
        at: Timestamp,
        next_key: PublicKey,
    ) -> Checkpoint {
        let key = self.public();
        let signature = self
            .0
            .sign(&message(number, seq, hash, at, key, next_key))
            .to_bytes();
        Checkpoint {
            number,
            seq,
            hash,
            at,
            key,
            next_key,
            signature: HEXLOWER.encode(&signature),
        }
    }
}

/// A signed head of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Counted from 1.
    pub number: i64,
    pub seq: i64,
    pub hash: Digest,
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    pub key: PublicKey,
    pub next_key: PublicKey,
    pub signature: String,
}

impl Checkpoint {
    /// Returns whether the signature is that of `key`.
    pub fn is_signed(&self) -> bool {
        let bytes = HEXLOWER.decode(self.signature.as_bytes()).ok();
        let Some(signature) = bytes.and_then(|bytes| Signature::from_slice(&bytes).ok()) else {
            return false;
        };
        let message = message(
            self.number,
            self.seq,
            self.hash,
            self.at,
            self.key,
            self.next_key,
        );
        self.key.0.verify_strict(&message, &signature).is_ok()
    }

    /// Returns the checkpoint as one line of JSON, as it is kept elsewhere.
    pub fn to_line(&self) -> String {
        // Numbers and texts always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands references to what `serialize_with` names"
)]
fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.to_rfc3339())
}

fn message(
    number: i64,
    seq: i64,
    hash: Digest,
    at: Timestamp,
    key: PublicKey,
    next_key: PublicKey,
) -> Vec<u8> {
    let at = at.to_rfc3339();
    format!("dango audit checkpoint 1\n{number}\n{seq}\n{hash}\n{at}\n{key}\n{next_key}\n")
        .into_bytes()
}
