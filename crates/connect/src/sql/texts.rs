//! A row of a database's catalog: texts alone.

/// One row of texts.
pub(super) struct Texts(pub(super) Vec<Option<String>>);

impl Texts {
    /// Returns the value in column `index`, `None` when it is null.
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        self.0.get(index).and_then(Option::as_deref)
    }

    /// Returns the value in column `index`, empty when it is null.
    pub(super) fn text(&self, index: usize) -> String {
        self.get(index).unwrap_or_default().to_owned()
    }

    /// Returns whether column `index` is true.
    pub(super) fn is_true(&self, index: usize) -> bool {
        matches!(self.get(index), Some("t" | "true" | "1" | "YES"))
    }

    /// Returns the number in column `index`.
    pub(super) fn number<T: std::str::FromStr>(&self, index: usize) -> Option<T> {
        self.get(index).and_then(|text| text.parse().ok())
    }
}
