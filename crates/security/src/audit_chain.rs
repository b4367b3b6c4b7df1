//! The chain of the audit log: what of a record enters its hash, how records hang together, and the signed checkpoints that
//! hold the chain. Pure: whoever has the rows can verify them.
//!
//! A record's hash is `SHA-256("dango audit record 1\n" ‖ previous hash ‖ content)`, where the content is JSON with sorted
//! keys. Its place is not part of the content: it follows from the previous hash. Personal values enter as
//! `SHA-256(salt ‖ value)`, so that value and salt can be erased and the record still holds.

pub mod anchors;
pub mod checkpoints;
pub mod verifier;

pub use anchors::{Anchor, BadAnchor};
pub use checkpoints::{AuditKey, Checkpoint, PublicKey};
pub use verifier::{Fault, Proof, Stored, Verifier};

use crate::entropy::{self, Entropy};
use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;

/// What a record's hash begins with: another format would be another word.
const RECORD: &[u8] = b"dango audit record 1\n";

/// A SHA-256, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What the first record names as its previous hash.
    pub const START: Self = Self([0; 32]);

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// Returns the SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Makes the salt of one personal value, as hexadecimal digits.
pub fn new_salt(entropy: &dyn Entropy) -> String {
    HEXLOWER.encode(&entropy::bytes::<16>(entropy))
}

/// Returns what stands for a personal value in its record: without the salt nobody can find the value by trying.
pub fn commitment(salt: &str, value: &str) -> Digest {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update(value.as_bytes());
    Digest(hash.finalize().into())
}

/// What of a record enters its hash.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Content {
    pub id: String,
    /// Microseconds since 1970.
    pub at_us: i64,
    pub event: String,
    pub event_type: String,
    pub dango_version: String,
    pub actor: String,
    pub user_id: Option<String>,
    pub permission: String,
    pub target: Option<String>,
    pub request_id: String,
    pub effect_id: Option<String>,
    pub phase: Option<String>,
    pub details: Option<Value>,
    /// What stands for the personal values, by name.
    pub personal: BTreeMap<String, Digest>,
}

impl Content {
    /// Returns the hash of the record that follows the one of the hash `previous`.
    pub fn hash(&self, previous: Digest) -> Digest {
        let mut hash = Sha256::new();
        hash.update(RECORD);
        hash.update(previous.0);
        hash.update(self.canonical().as_bytes());
        Digest(hash.finalize().into())
    }

    /// Returns the content as it is hashed: JSON without blanks, keys sorted at every level.
    pub fn canonical(&self) -> String {
        // Texts, numbers and maps with text keys always serialize.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        value.sort_all_objects();
        value.to_string()
    }
}

#[cfg(test)]
pub(crate) mod tests;
