//! Names: what a source, a table and a column may be called, and dlt's snake_case for names that come from outside.

use crate::say::{Quoted, Shown, shown_by_display};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name of a source or connector, in bytes. With the prefix `raw_` it stays below Postgres' 63.
pub const NAME_BYTES_MAX: usize = 55;
/// Longest table or column name, in bytes; longer ones are shortened with a hash by [`normalize`].
pub const IDENTIFIER_BYTES_MAX: usize = 63;

/// The column that says from which file a row came: its path beneath the source's directory.
pub const FILENAME_COLUMN: &str = "_dango_filename";
/// Columns that a load adds by itself: a source's own column of such a name gets another one.
pub const COLUMNS_RESERVED: [&str; 6] = [
    "_dlt_id",
    "_dlt_load_id",
    "_dlt_parent_id",
    "_dlt_list_idx",
    "_dlt_root_id",
    FILENAME_COLUMN,
];

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name is longer than {NAME_BYTES_MAX} characters")]
    TooLong,
    #[error("the name has the character {0:?}; only letters, digits and _ are allowed")]
    Character(char),
    #[error("the name starts with a digit or _; it must start with a letter")]
    Start,
    #[error("the name is reserved for a command")]
    Reserved,
}

impl Shown for NameError {
    fn show(&self, out: &mut String) {
        Quoted(&self.to_string()).show(out);
    }
}

/// Words that `dango auth WORD` means otherwise, so no source may be called so.
const RESERVED: [&str; 6] = ["status", "list", "check", "remove", "refresh", "setup"];

fn check_name(text: &str) -> Result<String, NameError> {
    let name = text.to_ascii_lowercase();
    let first = name.chars().next().ok_or(NameError::Empty)?;
    if name.len() > NAME_BYTES_MAX {
        return Err(NameError::TooLong);
    }
    if let Some(bad) = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && *c != '_')
    {
        return Err(NameError::Character(bad));
    }
    if !first.is_ascii_lowercase() {
        return Err(NameError::Start);
    }
    Ok(name)
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a name, lower-casing it.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let check: fn(&str) -> Result<String, NameError> = $check;
                check(text).map(Self)
            }

            /// Returns the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        shown_by_display!($name);
    };
}

name_type!(
    /// The name of a source in `sources.yml`: letters, digits and `_`, starting with a letter, kept in lower case.
    SourceName,
    |text| {
        let name = check_name(text)?;
        if RESERVED.contains(&name.as_str()) { Err(NameError::Reserved) } else { Ok(name) }
    }
);
name_type!(
    /// The name of a source type: `postgres`, `local_files`, `stripe`, or a connector file of the user's own.
    ConnectorName,
    check_name
);
name_type!(
    /// The name of a table in the warehouse, already in dlt's snake_case.
    TableName,
    |text| {
        if text.is_empty() { return Err(NameError::Empty); }
        Ok(normalize(text))
    }
);

impl SourceName {
    /// Returns the warehouse schema of this source: `raw_<source>`.
    pub fn schema(&self) -> String {
        format!("raw_{}", self.0)
    }
}

/// A table of the warehouse: `schema.table`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableRef {
    pub schema: String,
    pub table: String,
}

impl TableRef {
    /// Returns the table `table` of schema `schema`.
    pub fn new(schema: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            table: table.into(),
        }
    }

    /// Returns `"schema"."table"`, quoted for SQL.
    pub fn to_sql(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.table)
        )
    }
}

impl fmt::Display for TableRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.schema, self.table)
    }
}
shown_by_display!(TableRef);

/// Returns `name` as a quoted SQL identifier; embedded quotes are doubled (SQL-92 §5.2).
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns `text` as a quoted SQL string literal; embedded quotes are doubled.
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns `text` in dlt's snake_case naming convention, so that models written for dlt find their columns: camel case is
/// split, everything but ASCII letters and digits becomes `_`, a leading digit gets a `_`, trailing `_` become `x`, runs of
/// `_` shrink to one, and a name beyond [`IDENTIFIER_BYTES_MAX`] is shortened around a hash of the whole.
pub fn normalize(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 4);
    let characters: Vec<char> = text.trim().chars().collect();
    for (index, &character) in characters.iter().enumerate() {
        let replaced = match character {
            '+' | '*' => 'x',
            '-' => '_',
            '@' => 'a',
            '|' => 'l',
            c if c.is_ascii_alphanumeric() || c == '_' => c,
            _ => '_',
        };
        if replaced.is_ascii_uppercase() {
            let previous = index.checked_sub(1).and_then(|at| characters.get(at));
            let next = characters.get(index + 1);
            let starts_word = previous
                .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
                || (previous.is_some_and(char::is_ascii_uppercase)
                    && next.is_some_and(char::is_ascii_lowercase));
            if starts_word && !name.ends_with('_') {
                name.push('_');
            }
            name.push(replaced.to_ascii_lowercase());
        } else if replaced != '_' || !name.ends_with('_') {
            name.push(replaced);
        }
    }
    while name.ends_with('_') && name.len() > 1 {
        name.pop();
        name.push('x');
    }
    if name.is_empty() || name == "_" {
        "_x".clone_into(&mut name);
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    shorten(name)
}

/// Returns `name`, which is ASCII as normalised names are, shortened to [`IDENTIFIER_BYTES_MAX`] bytes: its middle is
/// replaced by 10 digits of its FNV-1a hash.
pub fn shorten(name: String) -> String {
    if name.len() <= IDENTIFIER_BYTES_MAX {
        return name;
    }
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let tag = format!("_{:010x}_", hash & 0xff_ffff_ffff);
    let kept = IDENTIFIER_BYTES_MAX - tag.len();
    // The name is ASCII after normalisation, so any byte is a character boundary.
    let (head, tail) = (
        name.get(..kept - kept / 2),
        name.get(name.len() - kept / 2..),
    );
    format!(
        "{}{tag}{}",
        head.unwrap_or_default(),
        tail.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_names_become_snake_case() {
        let check = |text: &str, expect: &str| assert_eq!(normalize(text), expect, "{text}");
        check("OrderID", "order_id");
        check("orderTotal", "order_total");
        check("HTTPServer", "http_server");
        check("Order Total (€)", "order_totalx");
        check("2024", "_2024");
        check("a__b", "a_b");
        check("", "_x");
        check("é", "_x");
        check("bob's kit", "bob_s_kit");
        check("_dlt_id", "_dlt_id");
    }

    #[test]
    fn long_names_are_shortened_and_stay_apart() {
        let (a, b) = ("x".repeat(80) + "a", "x".repeat(80) + "b");
        assert_eq!(normalize(&a).len(), IDENTIFIER_BYTES_MAX);
        assert_ne!(normalize(&a), normalize(&b));
    }

    #[test]
    fn source_names_are_checked() {
        assert_eq!(
            SourceName::parse("Shop_1").map(|n| n.to_string()),
            Ok("shop_1".into())
        );
        for (text, error) in [
            ("", NameError::Empty),
            ("../x", NameError::Character('.')),
            ("a/b", NameError::Character('/')),
            ("1a", NameError::Start),
            ("_a", NameError::Start),
            ("status", NameError::Reserved),
        ] {
            assert_eq!(SourceName::parse(text), Err(error), "{text}");
        }
        assert_eq!(SourceName::parse(&"a".repeat(56)), Err(NameError::TooLong));
    }

    #[test]
    fn identifiers_and_literals_are_quoted() {
        assert_eq!(
            TableRef::new("raw_a", "b\"c").to_sql(),
            "\"raw_a\".\"b\"\"c\""
        );
        assert_eq!(quote_literal("it's"), "'it''s'");
    }
}
