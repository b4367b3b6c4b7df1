//! The exact type of a column, gathered over a whole file.

use super::cell::{Class, classify};
use super::null_words::NullWords;
use domain::ColumnType;
use domain::column::DECIMAL_PRECISION_MAX;

const TEXT: u8 = 1;
const BOOLEAN: u8 = 2;
const INTEGER: u8 = 4;
const DECIMAL: u8 = 8;
const DATE: u8 = 16;
const TIMESTAMP: u8 = 32;
const TIMESTAMP_TZ: u8 = 64;

/// What was seen in a column: every class of value, and the widest numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Shape {
    seen: u8,
    whole: u8,
    scale: u8,
    /// Words for a missing value: they are text, but the other cells go on being looked at, so that it can be told what the
    /// column would be without them.
    pub(crate) words: NullWords,
    /// Quoted cells with nothing between the quotes: the empty text, if the column turns out to be text.
    pub(crate) empty_texts: u64,
}

impl Shape {
    /// Returns the shape of a column that is text whatever its cells say.
    pub(crate) const fn text() -> Self {
        Self {
            seen: TEXT,
            whole: 0,
            scale: 0,
            words: NullWords::NONE,
            empty_texts: 0,
        }
    }

    /// Returns whether no further cell can change the type.
    #[inline]
    pub(crate) const fn is_text(&self) -> bool {
        self.seen & TEXT != 0
    }

    /// Takes a cell in; `quoted` says that it stands in quotes, where no word means a missing value.
    #[inline]
    pub(crate) fn add(&mut self, cell: &[u8], quoted: bool) {
        match classify(cell) {
            Class::Text if !quoted && self.words.add(cell) => {}
            Class::Text => self.seen |= TEXT,
            Class::Boolean => self.seen |= BOOLEAN,
            Class::Integer { digits } => {
                self.seen |= INTEGER;
                self.whole = self.whole.max(digits);
            }
            Class::Decimal { whole, scale } => {
                self.seen |= DECIMAL;
                self.whole = self.whole.max(whole);
                self.scale = self.scale.max(scale);
            }
            Class::Date => self.seen |= DATE,
            Class::Timestamp => self.seen |= TIMESTAMP,
            Class::TimestampTz => self.seen |= TIMESTAMP_TZ,
        }
    }

    /// Marks the column as text when no other type holds what was seen.
    pub(crate) fn settle(&mut self) {
        if self.kind_without_words() == Some(ColumnType::Text) {
            self.seen |= TEXT;
        }
    }

    /// Takes in what was seen in another part of the same column.
    pub(crate) fn merge(&mut self, other: Self) {
        self.seen |= other.seen;
        self.whole = self.whole.max(other.whole);
        self.scale = self.scale.max(other.scale);
        self.words.merge(other.words);
        self.empty_texts += other.empty_texts;
    }

    /// Returns the narrowest type that reproduces every cell, `None` when no cell had a value.
    pub(crate) fn kind(self) -> Option<ColumnType> {
        if self.words.is_empty() {
            self.kind_without_words()
        } else {
            Some(ColumnType::Text)
        }
    }

    /// Returns the type that the cells would have if words for a missing value were NULL.
    pub(crate) fn kind_without_words(self) -> Option<ColumnType> {
        Some(match self.seen {
            0 => return None,
            BOOLEAN => ColumnType::Boolean,
            INTEGER => ColumnType::BigInt,
            seen if seen & !(INTEGER | DECIMAL) == 0 => self.decimal(),
            DATE => ColumnType::Date,
            seen if seen & !(DATE | TIMESTAMP) == 0 => ColumnType::Timestamp,
            TIMESTAMP_TZ => ColumnType::TimestampTz,
            _ => ColumnType::Text,
        })
    }

    fn decimal(self) -> ColumnType {
        match self.whole.saturating_add(self.scale) {
            digits @ 0..=DECIMAL_PRECISION_MAX => ColumnType::Decimal {
                precision: digits.max(1),
                scale: self.scale,
            },
            _ => ColumnType::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_the_narrowest_type_of_all_its_cells() {
        let check = |cells: &[&str], expect: Option<ColumnType>| {
            let mut whole = Shape::default();
            for cell in cells {
                let mut part = Shape::default();
                part.add(cell.as_bytes(), false);
                whole.merge(part);
                whole.settle();
            }
            assert_eq!(whole.kind(), expect, "{cells:?}");
        };
        let decimal = |precision, scale| Some(ColumnType::Decimal { precision, scale });
        check(&[], None);
        check(&["1", "2"], Some(ColumnType::BigInt));
        check(&["10.75", "3"], decimal(4, 2));
        check(&["0.5", "100"], decimal(4, 1));
        check(&["12345678901234567890", "0.25"], decimal(22, 2));
        check(&[&"9".repeat(38), "0.1"], Some(ColumnType::Text));
        check(&["0.0"], decimal(1, 1));
        check(&["1", "x"], Some(ColumnType::Text));
        check(&["1", "007"], Some(ColumnType::Text));
        check(&["true", "1"], Some(ColumnType::Text));
        check(&["true", "False"], Some(ColumnType::Boolean));
        check(&["2024-01-01"], Some(ColumnType::Date));
        check(
            &["2024-01-01", "2024-01-01 10:00:00"],
            Some(ColumnType::Timestamp),
        );
        check(
            &["2024-01-01 10:00:00", "2024-01-01 10:00:00Z"],
            Some(ColumnType::Text),
        );
        check(
            &["2024-01-01T10:00:00+02:00"],
            Some(ColumnType::TimestampTz),
        );
        check(&["2024-01-01", "1"], Some(ColumnType::Text));
        check(&["NA"], Some(ColumnType::Text));
        check(&["1", "NA", "2.5"], Some(ColumnType::Text));
    }
}
