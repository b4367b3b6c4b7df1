//! Taking a delimited file apart into records of cells.
//!
//! Our own, because the `csv` crate forgets whether a cell was quoted (an empty cell is NULL, a quoted one is the empty
//! text) and reads over an open quote at the end of the file. It looks at eight bytes at a time and stops only at bytes
//! that mean something.

mod marks;

use marks::Marks;

/// How cells are written in one file. All bytes are ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// The byte that takes the meaning from the next one inside quotes; the quote itself when quotes are doubled.
    pub(crate) escape: Option<u8>,
}

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Quoted,
    /// Quoted, with escapes that must be undone.
    Escaped,
    /// Not there at all: the record was short and was filled up.
    Missing,
}

/// Where a cell stands in its chunk, without its quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) form: Form,
}

/// What the next record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The record's cells were appended.
    Record,
    /// The bytes end inside the quotes that were opened at this place.
    Open(usize),
    End,
}

/// A quoted cell is followed by something other than a delimiter, at this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextAfterQuote(pub(crate) usize);

/// The records of a chunk of bytes.
pub(crate) struct Records<'a> {
    bytes: &'a [u8],
    marks: Marks<'a>,
    dialect: Dialect,
    at: usize,
}

impl<'a> Records<'a> {
    /// Starts at the byte `from`, which must be the start of a record.
    pub(crate) fn new(bytes: &'a [u8], from: usize, dialect: Dialect) -> Self {
        Self {
            bytes,
            marks: Marks::new(bytes, from, dialect),
            dialect,
            at: from,
        }
    }

    /// Returns where the next record starts.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// Appends the cells of the next record to `cells`. A line with nothing on it is not a record.
    pub(crate) fn next_into(&mut self, cells: &mut Vec<Span>) -> Result<Step, TextAfterQuote> {
        loop {
            let (first, start) = (cells.len(), self.at);
            if start >= self.bytes.len() {
                return Ok(Step::End);
            }
            let mut cell = start;
            self.at = loop {
                let quoted = self
                    .dialect
                    .quote
                    .is_some_and(|q| self.bytes.get(cell) == Some(&q));
                let (span, end) = if quoted {
                    let Some(found) = self.quoted(cell)? else {
                        cells.truncate(first);
                        return Ok(Step::Open(cell));
                    };
                    found
                } else {
                    self.plain(cell)
                };
                cells.push(span);
                if self.bytes.get(end) != Some(&self.dialect.delimiter) {
                    break self.after_newline(end);
                }
                cell = end + 1;
            };
            let blank = cells.len() == first + 1
                && cells
                    .last()
                    .is_some_and(|c| c.form == Form::Plain && c.start == c.end);
            if !blank {
                return Ok(Step::Record);
            }
            cells.truncate(first);
        }
    }

    /// Returns the cell from `start` up to the next delimiter or line end, and where that is; quotes inside are text.
    #[inline]
    fn plain(&mut self, start: usize) -> (Span, usize) {
        let end = loop {
            let Some(at) = self.marks.next() else {
                break self.bytes.len();
            };
            if self.ends_cell(self.bytes.get(at).copied()) {
                break at;
            }
        };
        (span(start, end, Form::Plain), end)
    }

    /// Returns the quoted cell that starts at `start`, and where the delimiter or line end behind it is; `None` when the
    /// quotes stay open.
    fn quoted(&mut self, start: usize) -> Result<Option<(Span, usize)>, TextAfterQuote> {
        let quote = self.dialect.quote;
        let escape = self.dialect.escape.filter(|escape| Some(*escape) != quote);
        let mut form = Form::Quoted;
        // The opening quote is the next mark.
        self.marks.next();
        let close = loop {
            let Some(at) = self.marks.next() else {
                return Ok(None);
            };
            let byte = self.bytes.get(at).copied();
            if byte == escape {
                form = Form::Escaped;
                self.marks.seek(at + 2);
            } else if byte == quote {
                let doubled = escape.is_none() && self.bytes.get(at + 1).copied() == quote;
                if !doubled {
                    break at;
                }
                form = Form::Escaped;
                self.marks.next();
            }
        };
        let after = self.bytes.get(close + 1).copied();
        if after.is_some() {
            if !self.ends_cell(after) {
                return Err(TextAfterQuote(close + 1));
            }
            self.marks.next();
        }
        Ok(Some((span(start + 1, close, form), close + 1)))
    }

    #[inline]
    fn ends_cell(&self, byte: Option<u8>) -> bool {
        matches!(byte, Some(b'\n' | b'\r')) || byte == Some(self.dialect.delimiter)
    }

    /// Returns where the line behind the line end at `end` starts.
    #[inline]
    fn after_newline(&mut self, end: usize) -> usize {
        if self.bytes.get(end) == Some(&b'\r') && self.bytes.get(end + 1) == Some(&b'\n') {
            self.marks.next();
            return end + 2;
        }
        (end + 1).min(self.bytes.len())
    }
}

#[inline]
fn span(start: usize, end: usize, form: Form) -> Span {
    // A chunk is far below 4 GB (`RECORD_BYTES_MAX`).
    let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span {
        start: narrow(start),
        end: narrow(end),
        form,
    }
}

/// Appends the text of an [`Form::Escaped`] cell to `out`.
pub(crate) fn unescape(cell: &[u8], dialect: Dialect, out: &mut Vec<u8>) {
    let escape = dialect.escape.or(dialect.quote).unwrap_or(b'"');
    let mut rest = cell;
    while let Some(at) = memchr::memchr(escape, rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend(rest.get(at + 1));
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect {
        delimiter: b',',
        quote: Some(b'"'),
        escape: Some(b'"'),
    };

    fn cells(text: &str, dialect: Dialect) -> Result<(Vec<Vec<String>>, Step), TextAfterQuote> {
        let mut records = Records::new(text.as_bytes(), 0, dialect);
        let (mut spans, mut rows) = (Vec::new(), Vec::new());
        loop {
            spans.clear();
            let step = records.next_into(&mut spans)?;
            if step != Step::Record {
                return Ok((rows, step));
            }
            let text_of = |span: &Span| {
                let raw = &text.as_bytes()[span.start as usize..span.end as usize];
                let mut out = Vec::new();
                match span.form {
                    Form::Plain => out.extend_from_slice(raw),
                    Form::Quoted => out.extend([b"<", raw, b">"].concat()),
                    Form::Escaped => unescape(raw, dialect, &mut out),
                    Form::Missing => unreachable!(),
                }
                String::from_utf8(out).unwrap()
            };
            rows.push(spans.iter().map(text_of).collect());
        }
    }

    #[test]
    fn records_are_taken_apart() {
        let check = |text: &str, expect: &[&[&str]]| {
            let (rows, step) = cells(text, COMMA).unwrap();
            assert_eq!(rows, expect, "{text:?}");
            assert_eq!(step, Step::End, "{text:?}");
        };
        check("", &[]);
        check("\n\n\r\n", &[]);
        check("a", &[&["a"]]);
        check("a,b\n1,2", &[&["a", "b"], &["1", "2"]]);
        check("a,b\r\n1,2\r\n", &[&["a", "b"], &["1", "2"]]);
        check("a\r1\r", &[&["a"], &["1"]]);
        check("a,\n", &[&["a", ""]]);
        check(",\n", &[&["", ""]]);
        check("a\n\nb\n", &[&["a"], &["b"]]);
        check("\"\"\n", &[&["<>"]]);
        check("\"a,b\nc\",d\n", &[&["<a,b\nc>", "d"]]);
        check("\"say \"\"hi\"\"\",x", &[&["say \"hi\"", "x"]]);
        check("5\" pipe,it's", &[&["5\" pipe", "it's"]]);
        check(
            "aaaaaaaaaaaaaaaa,bbbbbbbb\n",
            &[&["aaaaaaaaaaaaaaaa", "bbbbbbbb"]],
        );
        check("é,ü,,ß\n", &[&["é", "ü", "", "ß"]]);
        check("\"\"\"\"\n", &[&["\""]]);
    }

    #[test]
    fn open_quotes_and_text_behind_quotes_are_found() {
        assert_eq!(cells("a\n1,\"x\ny", COMMA).unwrap().1, Step::Open(4));
        assert_eq!(cells("a,\"b\"c\n", COMMA), Err(TextAfterQuote(5)));
        assert_eq!(cells("\"b\" ,c\n", COMMA), Err(TextAfterQuote(3)));
    }

    #[test]
    fn other_quotes_and_escapes_are_honoured() {
        let none = Dialect {
            delimiter: b'|',
            quote: None,
            escape: None,
        };
        assert_eq!(cells("\"a|b\"\n", none).unwrap().0, [["\"a", "b\""]]);
        let single = Dialect {
            delimiter: b',',
            quote: Some(b'\''),
            escape: Some(b'\\'),
        };
        assert_eq!(
            cells("'it\\'s, \\\\',2\n", single).unwrap().0,
            [["it's, \\", "2"]]
        );
        assert_eq!(cells("'a\\\n','b'\n", single).unwrap().0, [["a\n", "<b>"]]);
    }
}
