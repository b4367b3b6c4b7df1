//! Lists come in pages with a maximum, whoever asks.

/// Items in a page unless the caller says otherwise.
pub const LIMIT_DEFAULT: u64 = 50;
/// Items in a page at most.
pub const LIMIT_MAX: u64 = 500;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    pub(crate) limit: u64,
    pub(crate) offset: u64,
}

impl Paging {
    /// Returns the page of at most `limit` items (cut at [`LIMIT_MAX`]) after the first `offset`.
    pub fn new(limit: u64, offset: u64) -> Self {
        // SQLite and Postgres count in i64.
        let offset_max = i64::MAX.unsigned_abs();
        Self {
            limit: limit.min(LIMIT_MAX),
            offset: offset.min(offset_max),
        }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            limit: LIMIT_DEFAULT,
            offset: 0,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    pub items: Vec<T>,
    /// Items in the whole list.
    pub total: u64,
}
