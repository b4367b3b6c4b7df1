//! Words that programs write where a value is missing. They make a column of numbers text, because they are values until the
//! user says otherwise with `null_values`; so the user is told which column, which word and what it would be without.

use domain::ColumnType;

/// As they are spelled, because `null_values` is taken by the letter.
const WORDS: [&str; 21] = [
    "NA", "N/A", "n/a", "na", "N.A.", "n.a.", "#N/A", "NULL", "null", "Null", "None", "none",
    "NaN", "nan", "nil", "\\N", "-", "--", "?", ".", "(null)",
];
/// Columns that are named; a warning is no list of all.
const COLUMNS_SHOWN: usize = 5;

/// The words that stand in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NullWords(u32);

impl NullWords {
    pub(crate) const NONE: Self = Self(0);

    /// Takes a cell in and returns whether it is one of the words.
    pub(crate) fn add(&mut self, cell: &[u8]) -> bool {
        let at = WORDS.iter().position(|word| word.as_bytes() == cell);
        self.0 |= at.map_or(0, |at| 1 << at);
        at.is_some()
    }

    pub(crate) const fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = &'static str> {
        let words = WORDS.iter().enumerate();
        words
            .filter(move |(at, _)| self.0 & (1 << at) != 0)
            .map(|(_, word)| *word)
    }
}

/// Returns the warning about columns that are text only because of such words: each with its words and the type it would have.
pub(crate) fn warning(columns: &[(&str, NullWords, ColumnType)]) -> Option<String> {
    if columns.is_empty() {
        return None;
    }
    let mut all = NullWords::NONE;
    let mut shown = Vec::new();
    for (name, words, kind) in columns {
        all.merge(*words);
        let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
        shown.push(format!("{name} ({}, otherwise {kind})", quoted.join(", ")));
    }
    if shown.len() > COLUMNS_SHOWN {
        let more = shown.len() - COLUMNS_SHOWN;
        shown.truncate(COLUMNS_SHOWN);
        shown.push(format!("{more} more"));
    }
    let listed: Vec<_> = all.iter().map(|word| format!("{word:?}")).collect();
    Some(format!(
        "text only because of words for a missing value: {}; `null_values: [{}]` reads them as NULL",
        shown.join(", "),
        listed.join(", ")
    ))
}
