//! The few colours the command line uses. Nothing is said by colour alone.

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Error,
    Warning,
    Good,
    Hint,
    Heading,
    Dim,
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Palette {
    Plain,
    Colour,
}

impl Palette {
    /// Returns `text` in the colour of `style`.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let codes = match style {
            Style::Error => "1;31",
            Style::Warning => "1;33",
            Style::Good => "1;32",
            Style::Hint => "1;36",
            Style::Heading => "1",
            Style::Dim => "2",
        };
        format!("\u{1b}[{codes}m{text}\u{1b}[0m")
    }
}
