//! Which lines of a YAML text belong to what. Only block style is understood; whoever edits checks the result by reading it.

use super::super::tree::{Entry, Node, Place, Shape};
use std::ops::Range;

/// A text as lines, each with its line end.
pub(super) struct Lines<'t> {
    lines: Vec<&'t str>,
    /// `\r\n` when the text has it.
    pub(super) newline: &'static str,
}

/// A key of a map in block style: its lines, and where it begins in the first of them.
pub(super) struct EntrySpan {
    pub(super) lines: Range<usize>,
    pub(super) indent: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self {
            lines: text.split_inclusive('\n').collect(),
            newline,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn get(&self, index: usize) -> &'t str {
        self.lines.get(index).copied().unwrap_or_default()
    }

    /// Returns the line of an item's dash, and the blanks before it. `None` when the item is not in block style.
    pub(super) fn dash(&self, item: &Node) -> Option<(usize, usize)> {
        let place = item.place;
        let mut line = place.line as usize - 1;
        let before: String = self
            .get(line)
            .chars()
            .take(place.column as usize - 1)
            .collect();
        let mut dash = before.as_str();
        if dash.trim().is_empty() {
            // `-` stands alone on a line above.
            loop {
                line = line.checked_sub(1)?;
                let above = self.get(line).trim();
                if above == "-" || above.starts_with("- #") {
                    break;
                }
                if !above.is_empty() && !above.starts_with('#') {
                    return None;
                }
            }
            dash = self.get(line);
        }
        let indent = blanks(dash);
        let rest = dash.get(indent..)?;
        (rest.trim_end() == "-" || rest.starts_with("- ")).then_some((line, indent))
    }

    /// Returns the lines from `start` on that belong to something that begins there after `indent` blanks: deeper ones, with
    /// the blank lines and comments between them, but not those after the last.
    pub(super) fn extent(&self, start: usize, indent: usize) -> Range<usize> {
        let mut end = start + 1;
        for index in start + 1..self.len() {
            let line = self.get(index);
            let is_blank = line.trim().is_empty();
            let is_deeper = blanks(line) > indent;
            if !is_blank && !is_deeper && !line.trim_start().starts_with('#') {
                break;
            }
            if !is_blank && is_deeper {
                end = index + 1;
            }
        }
        start..end
    }

    /// Returns the span of `entry`, a key of a map in block style whose keys are `entries`.
    pub(super) fn entry(&self, entries: &[Entry], entry: &Entry) -> Option<EntrySpan> {
        let indent = Self::key_indent(entries)?;
        if entry.place.column as usize - 1 != indent {
            return None;
        }
        let start = entry.place.line as usize - 1;
        let mut lines = self.extent(start, indent);
        // A list may stand at its key's own indentation.
        if let Shape::List(items) = &entry.value.shape
            && let Some((dash, at)) = items.last().and_then(|last| self.dash(last))
            && at == indent
        {
            lines = start..self.extent(dash, indent).end;
        }
        Some(EntrySpan { lines, indent })
    }

    /// Returns how many characters stand before each key of a map in block style.
    pub(super) fn key_indent(entries: &[Entry]) -> Option<usize> {
        let first = entries.first()?.place;
        let is_block = entries
            .iter()
            .skip(1)
            .all(|e| e.place.column == first.column && e.place.line > first.line);
        is_block.then_some(first.column as usize - 1)
    }

    /// Returns the text with `lines` replaced by `by`.
    pub(super) fn replace(&self, lines: Range<usize>, by: &str) -> String {
        let mut text = String::new();
        self.lines
            .iter()
            .take(lines.start)
            .for_each(|line| text.push_str(line));
        if !text.is_empty() && !text.ends_with('\n') {
            text.push_str(self.newline);
        }
        if self.newline == "\n" {
            text.push_str(by);
        } else {
            text.push_str(&by.replace("\r\n", "\n").replace('\n', self.newline));
        }
        self.lines
            .iter()
            .skip(lines.end)
            .for_each(|line| text.push_str(line));
        text
    }
}

/// Returns how many blanks a line begins with.
pub(super) fn blanks(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns the comment that follows a value on its line, with the blanks before it.
pub(super) fn comment_after(line: &str, value: Place) -> Option<String> {
    let rest: String = line
        .trim_end()
        .chars()
        .skip(value.column as usize - 1)
        .collect();
    let quote = rest.chars().next().filter(|c| *c == '"' || *c == '\'');
    let from = match quote {
        // Past the closing quote; an escaped one inside makes the result fail the comparison, which is safe.
        Some(quote) => rest
            .rfind(&format!("{quote} "))
            .or_else(|| rest.rfind(quote))
            .map_or(0, |at| at + 1),
        None => 0,
    };
    let tail = rest.get(from..)?;
    let at = tail.find(" #")?;
    let gap = tail.get(..at)?.len() - tail.get(..at)?.trim_end().len();
    tail.get(at - gap..).map(str::to_owned)
}
