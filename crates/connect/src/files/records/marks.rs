//! Finding the bytes that mean something, eight bytes at a time.

use super::Dialect;

/// The places of all bytes that mean something, found eight bytes at a time (exact, unlike the usual carry trick).
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    needles: [u64; 5],
    /// Where the current word starts, and the marks left in it: the high bit of each matching byte.
    base: usize,
    mask: u64,
}

const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const ONES: u64 = 0x0101_0101_0101_0101;

impl<'a> Marks<'a> {
    pub(super) fn new(bytes: &'a [u8], from: usize, dialect: Dialect) -> Self {
        let quote = dialect.quote.unwrap_or(b'\n');
        let escape = dialect
            .escape
            .filter(|_| dialect.quote.is_some())
            .unwrap_or(b'\n');
        let needles = [dialect.delimiter, b'\n', b'\r', quote, escape];
        let mut marks = Self {
            bytes,
            needles: needles.map(|byte| u64::from(byte) * ONES),
            base: from,
            mask: 0,
        };
        marks.mask = marks.load();
        marks
    }

    /// Starts again at the byte `at`.
    pub(super) fn seek(&mut self, at: usize) {
        self.base = at.min(self.bytes.len());
        self.mask = self.load();
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += 8;
            if self.base >= self.bytes.len() {
                self.base = self.bytes.len();
                return None;
            }
            self.mask = self.load();
        }
        let at = self.base + (self.mask.trailing_zeros() / 8) as usize;
        self.mask &= self.mask - 1;
        Some(at)
    }

    #[inline]
    fn load(&self) -> u64 {
        let rest = self.bytes.get(self.base..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => rest
                .iter()
                .rev()
                .fold(0, |word, byte| (word << 8) | u64::from(*byte)),
        };
        let found = self.needles.map(|needle| equal_bytes(word ^ needle));
        found.into_iter().fold(0, |marks, found| marks | found)
    }
}

/// Returns the high bit of each byte of `word` that is zero.
#[inline]
const fn equal_bytes(word: u64) -> u64 {
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_exact_at_every_offset() {
        let dialect = Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            escape: Some(b'"'),
        };
        let text: Vec<u8> = (0..4096_u32)
            .map(|i| b"ab,c\"\n\r\x8c\xac-+"[(i * i % 11) as usize])
            .collect();
        for from in 0..40 {
            let mut marks = Marks::new(&text, from, dialect);
            let found: Vec<_> = std::iter::from_fn(|| marks.next()).collect();
            let expect: Vec<_> = (from..text.len())
                .filter(|at| b",\"\n\r".contains(&text[*at]))
                .collect();
            assert_eq!(found, expect, "from {from}");
        }
    }
}
