//! Text that a user may read.
//!
//! A [`Say`] is made of literals and of values that implement [`Shown`]. A driver's or the operating system's error does
//! not implement it, so an internal text cannot reach a user by accident: showing one is a decision made in this file.

use std::fmt::{self, Display};

/// A value that may stand in a text for users: names, ids, limits, times, counts.
pub trait Shown {
    /// Appends the value as users read it.
    fn show(&self, out: &mut String);
}

impl<T: Shown + ?Sized> Shown for &T {
    fn show(&self, out: &mut String) {
        (**self).show(out);
    }
}

/// A sentence for a user.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Say(String);

impl Say {
    /// Starts a sentence with a literal.
    pub fn new(literal: &'static str) -> Self {
        Self(literal.to_owned())
    }

    /// Appends a literal.
    pub fn text(mut self, literal: &'static str) -> Self {
        self.0.push_str(literal);
        self
    }

    /// Appends a value.
    pub fn value(mut self, value: &(impl Shown + ?Sized)) -> Self {
        value.show(&mut self.0);
        self
    }

    /// Appends a value in backticks, as names are written. A name stays on its line: one with a line break could pass
    /// itself off as another message.
    pub fn name(mut self, value: &(impl Shown + ?Sized)) -> Self {
        self.0.push('`');
        let start = self.0.len();
        value.show(&mut self.0);
        if self
            .0
            .get(start..)
            .is_some_and(|name| name.contains(['\n', '\t']))
        {
            let name = self.0.split_off(start);
            self.0
                .push_str(&name.replace('\n', "\\n").replace('\t', "\\t"));
        }
        self.0.push('`');
        self
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Say {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Say {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl From<&'static str> for Say {
    fn from(literal: &'static str) -> Self {
        Self::new(literal)
    }
}

impl Shown for Say {
    fn show(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// Text that came from a user's own file, command line or database (a name, a path, a header, a line of SQL) and may be
/// shown back to that user. Control characters are escaped, and it is cut at [`Quoted::CHARS_MAX`] characters.
pub struct Quoted<'a>(pub &'a str);

impl Quoted<'_> {
    /// Longer text is cut here and marked with `…`.
    pub const CHARS_MAX: usize = 300;
}

/// Text that another process of this program said to its user already, a [`Say`] there: the server's, told again by the
/// command line. It is as long as it is there.
pub struct Retold<'a>(pub &'a str);

impl Shown for Retold<'_> {
    fn show(&self, out: &mut String) {
        out.extend(
            self.0
                .chars()
                .filter(|c| !is_deceptive(*c) || matches!(c, '\n' | '\t')),
        );
    }
}

/// Returns whether a character does something to the text around it instead of standing for itself: control characters, line
/// separators, and those that change the direction of writing.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Shown for Quoted<'_> {
    fn show(&self, out: &mut String) {
        for (count, character) in self.0.chars().enumerate() {
            if count == Self::CHARS_MAX {
                out.push('…');
                return;
            }
            if is_deceptive(character) && character != '\n' && character != '\t' {
                out.extend(character.escape_unicode());
            } else {
                out.push(character);
            }
        }
    }
}

/// Returns `count` of something, with the plural where it belongs: `1 table`, `2 tables`.
pub fn counted(count: usize, noun: &'static str) -> Say {
    let said = Say::default().value(&count).text(" ").text(noun);
    if count == 1 { said } else { said.text("s") }
}

macro_rules! shown_by_display {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::say::Shown for $type {
            fn show(&self, out: &mut String) {
                // Writing into a String cannot fail.
                let _ = std::fmt::Write::write_fmt(out, format_args!("{self}"));
            }
        }
    )+};
}
pub(crate) use shown_by_display;

shown_by_display!(u8, u16, u32, u64, usize, i32, i64);

impl Shown for std::path::Path {
    fn show(&self, out: &mut String) {
        Quoted(&self.to_string_lossy()).show(out);
    }
}

impl Shown for std::path::PathBuf {
    fn show(&self, out: &mut String) {
        self.as_path().show(out);
    }
}

impl Shown for crate::Timestamp {
    fn show(&self, out: &mut String) {
        out.push_str(&self.to_rfc3339());
    }
}

/// Builds a [`Say`] from literals, `{name}` values shown in backticks with `name:`, and plain values.
///
/// ```
/// use domain::{say, say::Quoted};
/// let say = say!("secret ", name Quoted("warehouse"), " is still used by ", 2u32, " sources");
/// assert_eq!(say.as_str(), "secret `warehouse` is still used by 2 sources");
/// ```
#[macro_export]
macro_rules! say {
    ($literal:literal $(, $($rest:tt)*)?) => {
        $crate::say_more!($crate::say::Say::new($literal) $(, $($rest)*)?)
    };
}

/// Appends the rest of a [`say!`]: used by that macro only.
#[doc(hidden)]
#[macro_export]
macro_rules! say_more {
    ($say:expr $(,)?) => { $say };
    ($say:expr, $literal:literal $(, $($rest:tt)*)?) => {
        $crate::say_more!($crate::say::Say::value_or_text($say, $literal) $(, $($rest)*)?)
    };
    ($say:expr, name $value:expr $(, $($rest:tt)*)?) => {
        $crate::say_more!($say.name(&$value) $(, $($rest)*)?)
    };
    ($say:expr, $value:expr $(, $($rest:tt)*)?) => {
        $crate::say_more!($say.value(&$value) $(, $($rest)*)?)
    };
}

/// What may stand as a literal inside [`say!`]: text, or a number.
#[doc(hidden)]
pub trait Literal {
    fn append(self, out: &mut String);
}

impl Literal for &'static str {
    fn append(self, out: &mut String) {
        out.push_str(self);
    }
}

impl<T: Shown> Literal for T {
    fn append(self, out: &mut String) {
        self.show(out);
    }
}

impl Say {
    #[doc(hidden)]
    pub fn value_or_text(mut self, literal: impl Literal) -> Self {
        literal.append(&mut self.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_made_of_literals_and_shown_values() {
        let said = say!("source ", name Quoted("a\u{7}b"), " has ", 3_u32, " tables");
        assert_eq!(said.as_str(), "source `a\\u{7}b` has 3 tables");
    }

    #[test]
    fn quoted_text_cannot_rearrange_what_stands_around_it() {
        let said = say!("", Quoted("a\u{1b}[31m\u{202e}b\u{2066}\u{2028}c"));
        assert_eq!(said.as_str(), "a\\u{1b}[31m\\u{202e}b\\u{2066}\\u{2028}c");
    }

    #[test]
    fn one_thing_is_not_several() {
        for (count, expect) in [(0, "0 tables"), (1, "1 table"), (2, "2 tables")] {
            assert_eq!(counted(count, "table").as_str(), expect);
        }
    }

    #[test]
    fn quoted_text_is_cut() {
        let said = say!("", Quoted(&"x".repeat(1000)));
        assert_eq!(said.as_str().chars().count(), Quoted::CHARS_MAX + 1);
    }
}
