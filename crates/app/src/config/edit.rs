//! Changes to `sources.yml` that keep every other byte: comments, order, blank lines, line ends.
//!
//! Lines are cut out and put in; then the new text is read and compared with what it should say. Whatever this file does not
//! understand (flow style, aliases that lead elsewhere) fails that comparison, and the user gets the lines to put in himself.

mod lines;
mod render;
mod values;

use super::read::to_json;
use super::sources::FILE;
use super::tree::{self, Entry, Node, Shape};
use crate::error::{Error, Result};
use crate::files::{self, Reach};
use crate::project::Project;
use domain::say::Quoted;
use domain::{Code, ConnectorName, Say, SourceName, say};
use lines::{Lines, blanks, comment_after};
use security::Allow;
use security::permissions::SourceManage;
use serde_json::{Map, Value};
use std::path::PathBuf;
use values::{actual_path, has, set, unset};

/// A source as it is written.
#[derive(Debug, Clone)]
pub struct NewSource {
    pub name: SourceName,
    pub kind: ConnectorName,
    pub enabled: bool,
    pub description: Option<String>,
    /// The connector's own settings.
    pub block: Map<String, Value>,
}

impl NewSource {
    fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("name".into(), self.name.as_str().into());
        map.insert("type".into(), self.kind.as_str().into());
        map.insert("enabled".into(), self.enabled.into());
        if let Some(description) = &self.description {
            map.insert("description".into(), description.clone().into());
        }
        if !self.block.is_empty() {
            map.insert(self.kind.as_str().into(), self.block.clone().into());
        }
        map.into()
    }
}

/// A change of `sources.yml`.
#[derive(Debug, Clone)]
pub enum Change<'c> {
    /// Appends a source.
    Add(&'c NewSource),
    /// Removes the source of this name.
    Remove(&'c SourceName),
    /// Sets one key of a source: `["enabled"]`, `["postgres", "host"]`.
    Set {
        name: &'c SourceName,
        path: &'c [&'c str],
        value: Value,
    },
    /// Removes one key of a source.
    Unset {
        name: &'c SourceName,
        path: &'c [&'c str],
    },
}

/// A `sources.yml` with its changes, not written yet: so that it can be checked, and all that can fail fails before.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

impl Draft {
    /// Makes all `changes` in the text of the project's `sources.yml`.
    pub fn new(
        _allow: &Allow<SourceManage>,
        project: &Project,
        changes: &[Change<'_>],
    ) -> Result<Self> {
        let path = project.sources_file();
        let before = files::read_text(&path)?;
        let text = before.clone().unwrap_or_default();
        let after = changes
            .iter()
            .try_fold(text, |text, change| rewrite(&text, change))?;
        Ok(Self {
            path,
            before,
            after,
        })
    }

    /// Returns the text as it will be.
    pub fn text(&self) -> &str {
        &self.after
    }

    /// Writes the file, as a whole or not at all.
    pub fn save(&self) -> Result<()> {
        // Somebody's editor may have saved meanwhile.
        if files::read_text(&self.path)? != self.before {
            let say = say!("", name Quoted(FILE), " was changed by somebody else meanwhile");
            return Err(Error::conflict(Code::ProjectLocked, say).hint("run the command again"));
        }
        files::write_whole(&self.path, self.after.as_bytes(), Reach::Everyone)
    }
}

/// Returns `text` with `change` made.
pub fn rewrite(text: &str, change: &Change<'_>) -> Result<String> {
    let root = tree::parse(text).map_err(|broken| {
        let mut report = super::finding::Report::new(FILE);
        report.unreadable(&broken);
        report
            .findings
            .pop()
            .map_or_else(|| Error::bug("a finding is missing"), Error::from)
    })?;
    let editor = Editor {
        lines: Lines::new(text),
        root: &root,
    };
    let sources = editor.expected(change)?;
    let mut expected = match to_json(&root) {
        Value::Null => Value::Object(Map::from_iter([("version".to_owned(), "1.0".into())])),
        whole => whole,
    };
    set(&mut expected, &["sources"], sources);
    let edited = editor
        .edit(change)
        .filter(|edited| tree::parse(edited).is_ok_and(|read| to_json(&read) == expected));
    edited.ok_or_else(|| not_editable(change))
}

fn not_editable(change: &Change<'_>) -> Error {
    let say = say!("", name Quoted(FILE), " is written in a way that cannot be changed without losing something");
    let mut snippet = String::new();
    let hint = match change {
        Change::Add(source) => {
            render::item(&mut snippet, 2, &source.to_value());
            "write this below `sources:` yourself:\n"
        }
        Change::Set { name, path, value } => {
            let value = path.iter().rev().fold(value.clone(), |value, key| {
                Value::Object(Map::from_iter([((*key).to_owned(), value)]))
            });
            let source = Map::from_iter([("name".to_owned(), Value::from(name.as_str()))]);
            let mut source = source;
            source.extend(value.as_object().cloned().unwrap_or_default());
            render::item(&mut snippet, 2, &source.into());
            "change this yourself:\n"
        }
        Change::Remove(_) | Change::Unset { .. } => "remove it there yourself",
    };
    Error::invalid(Code::ConfigInvalid, say).hint(Say::new(hint).value(&Quoted(snippet.trim_end())))
}

fn not_set(name: &SourceName, path: &[&str]) -> Error {
    let key = path.last().copied().unwrap_or_default();
    let say = say!("", name Quoted(key), " is not set in the source ", name name);
    let hint = say!("`dango source show ", *name, "` lists its settings");
    Error::invalid(Code::UsageInvalid, say).hint(hint)
}

struct Editor<'t> {
    lines: Lines<'t>,
    root: &'t Node,
}

impl<'t> Editor<'t> {
    fn items(&self) -> &'t [Node] {
        match self.root.get("sources").map(|list| &list.shape) {
            Some(Shape::List(items)) => items,
            _ => &[],
        }
    }

    fn position(&self, name: &SourceName) -> Option<usize> {
        self.items()
            .iter()
            .position(|item| match item.get("name").map(|name| &name.shape) {
                Some(Shape::Text(text)) => text.eq_ignore_ascii_case(name.as_str()),
                _ => false,
            })
    }

    fn get(&self, name: &SourceName) -> Result<usize> {
        self.position(name).ok_or_else(|| {
            Error::not_found(Code::SourceNotFound, say!("there is no source ", name name))
                .hint("`dango source list` shows what there is")
        })
    }

    /// Returns what `sources:` must say after the change.
    fn expected(&self, change: &Change<'_>) -> Result<Value> {
        let mut list: Vec<Value> = self.items().iter().map(to_json).collect();
        match change {
            Change::Add(source) => {
                if self.position(&source.name).is_some() {
                    let say = say!("there is a source ", name source.name, " already");
                    return Err(Error::conflict(Code::SourceExists, say)
                        .hint("take another name, or change it with `dango source edit`"));
                }
                list.push(source.to_value());
            }
            Change::Remove(name) => {
                list.remove(self.get(name)?);
            }
            Change::Set { name, path, value } => {
                let at = self.get(name)?;
                if let Some(item) = list.get_mut(at) {
                    let path = actual_path(self.items().get(at), path);
                    set(item, &path, value.clone());
                }
            }
            Change::Unset { name, path } => {
                let at = self.get(name)?;
                let path = actual_path(self.items().get(at), path);
                if let Some(item) = list.get_mut(at) {
                    if !has(item, &path) {
                        return Err(not_set(name, &path));
                    }
                    unset(item, &path);
                }
            }
        }
        // An emptied list leaves `sources:` with nothing below it.
        Ok(if list.is_empty() {
            Value::Null
        } else {
            Value::Array(list)
        })
    }

    /// Returns the new text, `None` when the old one is not understood.
    fn edit(&self, change: &Change<'_>) -> Option<String> {
        match change {
            Change::Add(source) => self.add(&source.to_value()),
            Change::Remove(name) => {
                let (lines, _) = self.span(self.position(name)?)?;
                Some(self.lines.replace(lines, ""))
            }
            Change::Set { name, path, value } => {
                let at = self.position(name)?;
                let item = self.items().get(at)?;
                self.set(
                    item,
                    self.span(at)?.0.end,
                    &actual_path(Some(item), path),
                    value,
                )
            }
            Change::Unset { name, path } => {
                let item = self.items().get(self.position(name)?)?;
                self.unset(item, &actual_path(Some(item), path))
            }
        }
    }

    /// Returns the lines of an item, and the blanks before its dash.
    fn span(&self, index: usize) -> Option<(std::ops::Range<usize>, usize)> {
        let (line, indent) = self.lines.dash(self.items().get(index)?)?;
        Some((self.lines.extent(line, indent), indent))
    }

    fn add(&self, source: &Value) -> Option<String> {
        let item = |indent| {
            let mut text = String::new();
            render::item(&mut text, indent, source);
            text
        };
        if let Some(last) = self.items().len().checked_sub(1) {
            let (lines, indent) = self.span(last)?;
            // Sources that stand apart keep standing apart.
            let before = last.checked_sub(1).and_then(|index| self.span(index));
            let is_apart = before.is_some_and(|(before, _)| {
                (before.end..lines.start).any(|line| self.lines.get(line).trim().is_empty())
            });
            let text = if is_apart {
                format!("\n{}", item(indent))
            } else {
                item(indent)
            };
            return Some(self.lines.replace(lines.end..lines.end, &text));
        }
        let end = self.lines.len();
        match &self.root.shape {
            Shape::Null => Some(self.lines.replace(
                end..end,
                &format!("version: \"1.0\"\nsources:\n{}", item(2)),
            )),
            Shape::Map(entries) => match entries.iter().find(|entry| entry.key == "sources") {
                None => Some(
                    self.lines
                        .replace(end..end, &format!("sources:\n{}", item(2))),
                ),
                Some(entry) => self.add_first(entry, &item(2)),
            },
            _ => None,
        }
    }

    /// Puts the first source below a `sources:` that has nothing or `[]`.
    fn add_first(&self, entry: &Entry, item: &str) -> Option<String> {
        let line = entry.place.line as usize - 1;
        let (key, rest) = self.lines.get(line).trim_end().split_once(':')?;
        let rest = rest.trim();
        let comment = match rest.strip_prefix('[') {
            Some(inner) => inner.trim_start().strip_prefix(']')?.trim(),
            None => rest,
        };
        if !comment.is_empty() && !comment.starts_with('#') {
            return None;
        }
        let gap = if comment.is_empty() { "" } else { " " };
        Some(
            self.lines
                .replace(line..line + 1, &format!("{key}:{gap}{comment}\n{item}")),
        )
    }

    /// Sets the key at `path` of the map `node`, whose lines end before `end`.
    fn set(&self, node: &Node, end: usize, path: &[&str], value: &Value) -> Option<String> {
        let (key, deeper) = path.split_first()?;
        let Shape::Map(entries) = &node.shape else {
            return None;
        };
        let wrapped = deeper.iter().rev().fold(value.clone(), |value, key| {
            Value::Object(Map::from_iter([((*key).to_owned(), value)]))
        });
        let Some(entry) = entries.iter().find(|entry| entry.key == *key) else {
            let indent = Lines::key_indent(entries)?;
            let mut text = String::new();
            render::entry(&mut text, indent, key, &wrapped);
            return Some(self.lines.replace(end..end, &text));
        };
        let span = self.lines.entry(entries, entry)?;
        if !deeper.is_empty() && matches!(&entry.value.shape, Shape::Map(map) if !map.is_empty()) {
            return self.set(&entry.value, span.lines.end, deeper, value);
        }
        let mut text = String::new();
        render::entry(&mut text, span.indent, key, &wrapped);
        let first = self.lines.get(span.lines.start);
        // The key may stand behind its item's dash.
        let before: String = first.chars().take(span.indent).collect();
        let text = format!("{before}{}", text.get(span.indent..)?);
        let comment = (span.lines.len() == 1)
            .then(|| comment_after(first, entry.value.place))
            .flatten();
        let text = match comment {
            Some(comment) if text.matches('\n').count() == 1 => {
                format!("{}{comment}\n", text.trim_end())
            }
            _ => text,
        };
        Some(self.lines.replace(span.lines, &text))
    }

    fn unset(&self, node: &Node, path: &[&str]) -> Option<String> {
        let (key, deeper) = path.split_first()?;
        let Shape::Map(entries) = &node.shape else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.key == *key)?;
        if !deeper.is_empty() {
            return self.unset(&entry.value, deeper);
        }
        let span = self.lines.entry(entries, entry)?;
        let is_behind_dash = blanks(self.lines.get(span.lines.start)) != span.indent;
        (!is_behind_dash).then(|| self.lines.replace(span.lines, ""))
    }
}

#[cfg(test)]
mod tests;
