//! `_dlt_id`: what child rows hang from. Derived, not drawn, so that a row read again has the same id.

use serde_json::Value;

/// Characters of an id: 84 bits, as dlt's.
const ID_CHARACTERS: usize = 14;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What the ids of rows without a primary key are derived from, besides their position. A stream that is replaced whole
/// takes a constant, so that unchanged data keeps its ids; one that is appended to takes something that is new in each load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdSeed(String);

impl IdSeed {
    /// Returns the seed `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The id of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowId([u8; ID_CHARACTERS]);

impl RowId {
    /// Returns the id as text.
    pub(super) fn as_str(&self) -> &str {
        // The alphabet is ASCII, so this never falls back.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the id of the row of `table` that `key` identifies, `None` when a part of the key is missing.
    pub(super) fn of_key<'a>(
        table: &str,
        key: impl Iterator<Item = Option<&'a Value>>,
    ) -> Option<Self> {
        let mut hasher = start(b"key", table);
        for part in key {
            match part? {
                Value::Null => return None,
                Value::String(text) => feed(&mut hasher, b's', text.as_bytes()),
                Value::Number(number) => feed(&mut hasher, b'n', number.as_str().as_bytes()),
                other => feed(&mut hasher, b'j', other.to_string().as_bytes()),
            }
        }
        Some(finish(&hasher))
    }

    /// Returns the id of the `row`-th row of `table` after `position`.
    pub(super) fn of_position(table: &str, seed: &IdSeed, position: &str, row: u64) -> Self {
        let mut hasher = start(b"position", table);
        feed(&mut hasher, b's', seed.0.as_bytes());
        feed(&mut hasher, b'p', position.as_bytes());
        hasher.update(&row.to_le_bytes());
        finish(&hasher)
    }

    /// Returns the id of the `index`-th item of a list of this row, in the child table `table`.
    pub(super) fn child(&self, table: &str, index: i64) -> Self {
        let mut hasher = start(b"child", table);
        hasher.update(&self.0).update(&index.to_le_bytes());
        finish(&hasher)
    }
}

fn start(purpose: &[u8], table: &str) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    feed(&mut hasher, b'!', purpose);
    feed(&mut hasher, b't', table.as_bytes());
    hasher
}

/// Feeds a part with its kind and length, so that no two lists of parts look alike.
fn feed(hasher: &mut blake3::Hasher, kind: u8, part: &[u8]) {
    hasher
        .update(&[kind])
        .update(&(part.len() as u64).to_le_bytes())
        .update(part);
}

fn finish(hasher: &blake3::Hasher) -> RowId {
    let digest = hasher.finalize();
    let mut id = [0; ID_CHARACTERS];
    for (character, byte) in id.iter_mut().zip(digest.as_bytes()) {
        *character = ALPHABET
            .get(usize::from(byte & 63))
            .copied()
            .unwrap_or(b'A');
    }
    RowId(id)
}

/// Returns 6 hexadecimal digits that tell `text` from others with the same snake_case name.
pub(super) fn spelling_tag(text: &str) -> String {
    blake3::hash(text.as_bytes())
        .to_hex()
        .chars()
        .take(6)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_key_has_the_same_id_and_another_key_another() {
        let id = |table: &str, key: &[Value]| RowId::of_key(table, key.iter().map(Some));
        assert_eq!(id("t", &[json!("a")]), id("t", &[json!("a")]));
        assert_ne!(id("t", &[json!("a")]), id("u", &[json!("a")]));
        assert_ne!(id("t", &[json!("1")]), id("t", &[json!(1)]));
        assert_ne!(
            id("t", &[json!("ab"), json!("c")]),
            id("t", &[json!("a"), json!("bc")])
        );
        assert_eq!(id("t", &[json!(null)]), None);
        assert_eq!(RowId::of_key("t", [None].into_iter()), None);
        let parent = RowId::of_position("t", &IdSeed::new("s"), "page 1", 7);
        assert_eq!(parent.as_str().len(), ID_CHARACTERS);
        assert_ne!(parent.child("t__l", 0), parent.child("t__l", 1));
    }
}
