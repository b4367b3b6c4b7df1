//! A `secrets.toml`, read: every value by its path, with its line. The parsed document is dropped at once, and an error never
//! repeats what stands in the file.

use crate::config::Place;
use crate::error::{Error, Result};
use crate::files;
use domain::say::Quoted;
use domain::{Code, Say, say};
use security::Plain;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml_edit::{Document, Item, TableLike, Value};

/// A value of the file.
pub(crate) struct Leaf {
    /// The value as text, or what it is instead.
    pub(crate) value: std::result::Result<Plain<String>, &'static str>,
    pub(crate) line: u32,
    /// Where the value stands in the text.
    pub(crate) span: Range<usize>,
    /// Where its key stands.
    pub(crate) key: Range<usize>,
}

/// The values of a TOML file by the path of their keys.
#[derive(Default)]
pub(crate) struct SecretsFile {
    leaves: BTreeMap<Vec<String>, Leaf>,
}

impl SecretsFile {
    /// Reads the file `path`, which messages call `name`; a missing one has no values.
    pub(crate) fn load(path: &Path, name: &'static str) -> Result<Self> {
        match files::read_text(path)? {
            Some(text) => Self::parse(Plain::new(text).expose(), name),
            None => Ok(Self::default()),
        }
    }

    /// Reads the text of a file.
    pub(crate) fn parse(text: &str, name: &'static str) -> Result<Self> {
        let document = Document::parse(text).map_err(|broken| unreadable(text, name, &broken))?;
        let mut file = Self::default();
        file.collect(text, document.as_table(), &mut Vec::new());
        Ok(file)
    }

    fn collect(&mut self, text: &str, table: &dyn TableLike, path: &mut Vec<String>) {
        for (key, item) in table.iter() {
            path.push(key.to_owned());
            let key_span = table
                .key(key)
                .and_then(toml_edit::Key::span)
                .unwrap_or_default();
            if let Some(inner) = item.as_table_like() {
                self.collect(text, inner, path);
            } else if !item.is_none() {
                let span = item.span().unwrap_or_default();
                let line = place(text, span.start).line;
                let leaf = Leaf {
                    value: as_text(item),
                    line,
                    span,
                    key: key_span,
                };
                self.leaves.insert(path.clone(), leaf);
            }
            path.pop();
        }
    }

    /// Returns the value at `path`.
    pub(crate) fn find(&self, path: &[String]) -> Option<&Leaf> {
        self.leaves.get(path)
    }

    /// Returns every value with its path, in the order of the paths.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[String], &Leaf)> {
        self.leaves
            .iter()
            .map(|(path, leaf)| (path.as_slice(), leaf))
    }

    /// Returns whether something lies below `path`.
    pub(crate) fn has_below(&self, path: &[String]) -> bool {
        self.leaves
            .keys()
            .any(|key| key.len() > path.len() && key.starts_with(path))
    }
}

fn as_text(item: &Item) -> std::result::Result<Plain<String>, &'static str> {
    match item.as_value() {
        Some(Value::String(text)) => Ok(Plain::new(text.value().clone())),
        Some(Value::Integer(number)) => Ok(Plain::new(number.value().to_string())),
        Some(Value::Float(number)) => Ok(Plain::new(number.value().to_string())),
        Some(Value::Boolean(value)) => Ok(Plain::new(value.value().to_string())),
        Some(Value::Datetime(time)) => Ok(Plain::new(time.value().to_string())),
        Some(Value::Array(_)) => Err("a list"),
        _ => Err("a list of tables"),
    }
}

/// Returns the place of the byte `at`.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Place {
        line: small(line),
        column: small(column),
    }
}

fn unreadable(text: &str, name: &'static str, broken: &toml_edit::TomlError) -> Error {
    let at = broken.span().map(|span| place(text, span.start));
    let said = say!("", name Quoted(name), " cannot be read as TOML");
    let said = match at {
        Some(at) => said
            .text(": line ")
            .value(&at.line)
            .text(", column ")
            .value(&at.column),
        None => said,
    };
    // The parser's words are shown only when nothing in them can come from the file; the error itself holds the whole text
    // and is dropped.
    let line = text
        .lines()
        .nth(at.map_or(0, |at| at.line as usize - 1))
        .unwrap_or_default();
    let message = broken.message().lines().next().unwrap_or_default();
    let said = if repeats(message, line) {
        said
    } else {
        said.text(": ").value(&Quoted(message))
    };
    Error::invalid(Code::ConfigUnreadable, said).hint(Say::new(
        "a value is text in quotes: `key = \"value\"`; use '''…''' for one with quotes or backslashes",
    ))
}

/// Returns whether a word of `message` stands in `line`.
fn repeats(message: &str, line: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let split = text.split(|c: char| !c.is_ascii_alphanumeric());
        split
            .filter(|word| word.len() >= 3)
            .map(str::to_ascii_lowercase)
            .collect()
    };
    let line = words(line);
    words(message).iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, path: &[&str]) -> Option<String> {
        let file = SecretsFile::parse(text, "secrets.toml").expect("TOML");
        let path: Vec<String> = path.iter().map(ToString::to_string).collect();
        file.find(&path).map(|leaf| match &leaf.value {
            Ok(value) => value.expose().clone(),
            Err(noun) => format!("<{noun}>"),
        })
    }

    #[test]
    fn values_are_found_in_every_way_of_writing_tables() {
        for text in [
            "[sources.a]\nk = \"v\"\n",
            "[sources]\na.k = \"v\"\n",
            "[sources]\na = { k = \"v\" }\n",
            "sources.a.k = \"v\"\n",
            "sources = { a = { k = 'v' } }\n",
            "[sources.\"a\"]\n\"k\" = '''v'''\n",
        ] {
            assert_eq!(
                value(text, &["sources", "a", "k"]).as_deref(),
                Some("v"),
                "{text}"
            );
        }
        let typed = "i = 5\nb = true\nf = 1.5\nl = [1]\nd = 2024-01-01\n[[t]]\nx = 1\n";
        for (key, expect) in [
            ("i", "5"),
            ("b", "true"),
            ("f", "1.5"),
            ("l", "<a list>"),
            ("d", "2024-01-01"),
            ("t", "<a list of tables>"),
        ] {
            assert_eq!(value(typed, &[key]).as_deref(), Some(expect), "{key}");
        }
    }

    #[test]
    fn a_broken_file_is_placed_and_never_repeated() {
        for (text, line, column) in [
            ("[sources.a]\nk = \"hunter2hunter2\n", 2, 20),
            ("k = hunter2hunter2\n", 1, 5),
            ("k = \"a\"\nk = \"hunter2hunter2\"\n", 2, 1),
            ("[hunter2hunter2\n", 1, 16),
            ("hunter2hunter2\n", 1, 15),
            ("k = \"\\hunter2hunter2\"\n", 1, 7),
            ("k = 'ok'\nx = [\"hunter2hunter2\"\n", 2, 22),
            ("k = \"v\" hunter2hunter2\n", 1, 9),
            ("[a]\n[a]\n", 2, 2),
        ] {
            let Err(error) = SecretsFile::parse(text, "secrets.toml") else {
                panic!("{text}")
            };
            let said = format!("{} {} {}", error, error.hint, error.chain());
            assert!(!said.contains("hunter2"), "{said}");
            assert!(
                said.contains(&format!("line {line}, column {column}")),
                "{text}: {said}"
            );
            assert_eq!(error.code, Code::ConfigUnreadable);
        }
    }

    #[test]
    fn lines_are_known() {
        let file = SecretsFile::parse("# x\n[sources.a]\n\nk = 1\n", "secrets.toml").expect("TOML");
        let lines: Vec<_> = file
            .iter()
            .map(|(path, leaf)| (path.join("."), leaf.line))
            .collect();
        assert_eq!(lines, [("sources.a.k".to_owned(), 4)]);
    }
}
