//! Anchors: what was kept elsewhere, so that a log that was replaced or cut cannot pass for the old one.

use super::{Checkpoint, Digest, PublicKey};
use domain::Timestamp;
use serde_json::Value;

/// What somebody kept away from the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// The public key that `dango init` printed, or any later one.
    Key(PublicKey),
    /// A copy of a checkpoint.
    Checkpoint(Box<Checkpoint>),
}

/// A text that holds no anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is neither a key nor a checkpoint of an audit log")]
pub struct BadAnchor {
    pub line: usize,
}

impl Anchor {
    /// Reads anchors, one a line; empty lines and lines that begin with `#` say nothing.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, BadAnchor> {
        let mut anchors = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line_text = line.trim();
            if line_text.is_empty() || line_text.starts_with('#') {
                continue;
            }
            let bad = BadAnchor { line: index + 1 };
            anchors.push(Self::parse(line_text).ok_or(bad)?);
        }
        if anchors.is_empty() {
            return Err(BadAnchor { line: 1 });
        }
        Ok(anchors)
    }

    fn parse(line: &str) -> Option<Self> {
        if let Some(key) = PublicKey::parse(line) {
            return Some(Self::Key(key));
        }
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let number = |name: &str| value.get(name).and_then(Value::as_i64);
        let checkpoint = Checkpoint {
            number: number("number")?,
            seq: number("seq")?,
            hash: Digest::parse(text("hash")?)?,
            at: Timestamp::from_rfc3339(text("at")?)?,
            key: PublicKey::parse(text("key")?)?,
            next_key: PublicKey::parse(text("next_key")?)?,
            signature: text("signature")?.to_owned(),
        };
        checkpoint
            .is_signed()
            .then(|| Self::Checkpoint(Box::new(checkpoint)))
    }
}
