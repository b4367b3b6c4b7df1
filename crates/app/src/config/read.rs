//! Reading typed values out of a tree: every mistake becomes a finding with its place, and reading goes on.

use super::finding::{Report, Severity, nearest};
use super::tree::{Entry, Node, Place, Shape};
use super::variables;
use crate::environment::Environment;
use domain::say::Quoted;
use domain::{Code, Say, say};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// A map that is being read, key by key.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    /// The keys above, joined by dots, with a dot at the end; empty at the top.
    path: String,
    taken: BTreeSet<&'static str>,
}

impl<'n> Fields<'n> {
    /// Opens `node` as a map; nothing at all is an empty one.
    pub(super) fn open(node: &'n Node, path: &str, report: &mut Report) -> Option<Self> {
        let entries = match &node.shape {
            Shape::Map(entries) => entries.as_slice(),
            Shape::Null => &[],
            other => {
                report.error(
                    node.place,
                    wrong(path, "a map of keys and values", other),
                    "",
                );
                return None;
            }
        };
        check_duplicates(entries, report);
        let path = if path.is_empty() {
            String::new()
        } else {
            format!("{path}.")
        };
        Some(Self {
            entries,
            path,
            taken: BTreeSet::new(),
        })
    }

    /// Returns `key` with the keys above it.
    pub(super) fn path(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    /// Returns the value of `key`, which is thereby known; `None` when it is not there or is nothing.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.taken.insert(key);
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value).filter(|node| node.shape != Shape::Null)
    }

    /// Returns the keys that are there and were not taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'n Entry> {
        self.entries
            .iter()
            .filter(|entry| !self.taken.contains(entry.key.as_str()))
    }

    /// Accepts `keys` and reports those that are there as having no effect.
    pub(super) fn accept_unused(&mut self, keys: &[&'static str], report: &mut Report) {
        for key in keys {
            if let Some(node) = self.take(key) {
                let say = say!("", name Quoted(&self.path(key)), " is accepted and has no effect in this version");
                report.add(Severity::Notice, Code::ConfigInvalid, node.place, say, "");
            }
        }
    }

    /// Reports every key that was not taken.
    pub(super) fn finish(self, report: &mut Report) {
        for entry in self.rest() {
            let say = say!("unknown key ", name Quoted(&self.path(&entry.key)));
            let hint = match nearest(&entry.key, self.taken.iter().copied()) {
                Some(near) => say!("did you mean ", name Quoted(near), "?"),
                None => self.known(),
            };
            report.error(entry.place, say, hint);
        }
    }

    fn known(&self) -> Say {
        let mut keys = self.taken.iter();
        let Some(first) = keys.next() else {
            return Say::new("no key is known here");
        };
        keys.fold(say!("known keys: ", name Quoted(first)), |said, key| {
            said.text(", ").name(&Quoted(key))
        })
    }
}

fn check_duplicates(entries: &[Entry], report: &mut Report) {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for entry in entries {
        if !seen.insert(&entry.key) {
            let say = say!("the key ", name Quoted(&entry.key), " stands twice");
            report.error(entry.place, say, "keep one of them");
        }
    }
}

fn wrong(path: &str, expected: &'static str, found: &Shape) -> Say {
    if path.is_empty() {
        return say!(
            "expected ",
            Say::new(expected),
            ", found ",
            Say::new(found.noun())
        );
    }
    say!("", name Quoted(path), " must be ", Say::new(expected), ", not ", Say::new(found.noun()))
}

/// Reads values, filling in variables.
pub(super) struct Reader<'a> {
    pub(super) report: &'a mut Report,
    pub(super) environment: &'a Environment,
}

impl Reader<'_> {
    /// Fills in the variables of `text`.
    fn expand(&mut self, text: &str, path: &str, place: Place) -> Option<String> {
        match variables::expand(text, self.environment, |_, _| {}) {
            Ok(full) => Some(full.expose().clone()),
            Err(incomplete) => {
                let (code, say, hint) = incomplete.tell(path);
                self.report.add(Severity::Error, code, place, say, hint);
                None
            }
        }
    }

    fn wrong(&mut self, node: &Node, path: &str, expected: &'static str) {
        let hint = match node.shape {
            Shape::Number(_) | Shape::Bool(_) if expected == "text" => "put it in quotes",
            _ => "",
        };
        self.report
            .error(node.place, wrong(path, expected, &node.shape), hint);
    }

    /// Reads text.
    pub(super) fn text(&mut self, node: &Node, path: &str) -> Option<String> {
        let Shape::Text(text) = &node.shape else {
            self.wrong(node, path, "text");
            return None;
        };
        self.expand(text, path, node.place)
    }

    /// Reads a truth value, in YAML's words or in those of YAML 1.1.
    pub(super) fn boolean(&mut self, node: &Node, path: &str) -> Option<bool> {
        let said = match &node.shape {
            Shape::Bool(value) => return Some(*value),
            Shape::Text(text) => self.expand(text, path, node.place)?,
            _ => String::new(),
        };
        match said.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => {
                self.wrong(node, path, "true or false");
                None
            }
        }
    }

    /// Reads a whole number within `range`.
    pub(super) fn integer(
        &mut self,
        node: &Node,
        path: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let number = match &node.shape {
            Shape::Number(number) => number.as_u64(),
            Shape::Text(text) if variables::is_template(text) => {
                self.expand(text, path, node.place)?.trim().parse().ok()
            }
            _ => None,
        };
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let say = say!("", name Quoted(path), " must be a whole number from ", *range.start(), " to ", *range.end());
        self.report.error(node.place, say, "");
        None
    }

    /// Reads a list of texts; a single text is a list of one.
    pub(super) fn texts(&mut self, node: &Node, path: &str) -> Option<Vec<String>> {
        match &node.shape {
            Shape::Text(_) => self.text(node, path).map(|text| vec![text]),
            Shape::List(items) => items.iter().map(|item| self.text(item, path)).collect(),
            _ => {
                self.wrong(node, path, "a list of texts");
                None
            }
        }
    }

    /// Reads one of `choices`.
    pub(super) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        path: &str,
        choices: &[(&'static str, T)],
    ) -> Option<T> {
        let text = self.text(node, path)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let mut names = choices.iter().map(|(name, _)| *name);
        let first = names.next().unwrap_or_default();
        let known = names.fold(say!("it is one of ", name Quoted(first)), |said, name| {
            said.text(", ").name(&Quoted(name))
        });
        let say = say!("", name Quoted(path), " cannot be ", name Quoted(&text));
        self.report.error(node.place, say, known);
        None
    }

    /// Reports every variable below `node` that has no value, and every key that stands twice.
    pub(super) fn check_below(&mut self, node: &Node, path: &str) {
        match &node.shape {
            Shape::Text(text) => {
                self.expand(text, path, node.place);
            }
            Shape::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_below(item, &format!("{path}[{index}]"));
                }
            }
            Shape::Map(entries) => {
                check_duplicates(entries, self.report);
                for entry in entries {
                    self.check_below(&entry.value, &format!("{path}.{}", entry.key));
                }
            }
            Shape::Null | Shape::Bool(_) | Shape::Number(_) => {}
        }
    }
}

/// Returns the tree as JSON, variables as written.
pub(super) fn to_json(node: &Node) -> serde_json::Value {
    match &node.shape {
        Shape::Null => serde_json::Value::Null,
        Shape::Bool(value) => (*value).into(),
        Shape::Number(number) => serde_json::Value::Number(number.clone()),
        Shape::Text(text) => text.clone().into(),
        Shape::List(items) => items.iter().map(to_json).collect(),
        Shape::Map(entries) => {
            let pair = |entry: &Entry| (entry.key.clone(), to_json(&entry.value));
            serde_json::Value::Object(entries.iter().map(pair).collect())
        }
    }
}
