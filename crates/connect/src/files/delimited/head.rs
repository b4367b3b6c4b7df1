//! The head of a delimited file: how it is written and what its columns are called.

use super::super::chunks::{Chunk, Chunks, RECORD_BYTES_MAX};
use super::super::dialect::{cell_text, is_header, sniff};
use super::super::faults::{Fault, Wrong, check_text, lossy};
use super::super::format::Format;
use super::super::inspection::Delimited;
use super::super::names::{column_names, numbered_names};
use super::super::options::FileOptions;
use super::super::place::Place;
use super::super::records::{Dialect, Records, Step};
use crate::failure::{Failure, FailureKind};
use domain::limits::COLUMNS_MAX;
use domain::say;
use domain::{TableSchema, names::normalize};

/// What the head of a file says.
pub(super) struct Head {
    pub(super) layout: Delimited,
    /// `None` where it is certain whether there is a header.
    pub(super) guess: Option<Guess>,
    pub(super) warnings: Vec<String>,
}

/// A first record that was taken for a header only because none of its cells is a number, a date or a boolean.
pub(super) struct Guess {
    /// The first names, for a sentence.
    names: String,
    /// The table has columns, and none of these names.
    is_stranger: bool,
}

impl Guess {
    fn new(cells: &[String], known: Option<&TableSchema>) -> Self {
        const SHOWN: usize = 3;
        let quoted = |cell: &String| format!("`{}`", lossy(cell.as_bytes()));
        let mut names: Vec<_> = cells.iter().take(SHOWN).map(quoted).collect();
        if cells.len() > SHOWN {
            names.push("…".into());
        }
        Self {
            names: names.join(", "),
            is_stranger: known.is_some_and(|table| !table.columns.is_empty()),
        }
    }

    /// Returns what the user should know about the guess; `all_text` says that no column shows by its type that the first
    /// record is not one of its values.
    pub(super) fn doubt(self, all_text: bool) -> Option<String> {
        let why = if self.is_stranger {
            "none of them is a column of the table"
        } else if all_text {
            "all other lines are text too"
        } else {
            return None;
        };
        Some(format!(
            "its first line was taken for the names of the columns ({}), but {why}; set `header: false` if it is data, `header: true` if not",
            self.names
        ))
    }
}

impl Delimited {
    pub(super) const fn dialect(&self) -> Dialect {
        Dialect {
            delimiter: self.delimiter,
            quote: self.quote,
            escape: self.escape,
        }
    }
}

/// Reads the head, and returns it with the first chunk, set to the first row.
pub(super) fn find(
    chunks: &mut Chunks,
    place: &Place,
    format: Format,
    options: &FileOptions,
    known: Option<&TableSchema>,
) -> Result<(Head, Chunk), Failure> {
    let start = |bytes: &[u8]| excel_line(bytes, options).map_or(0, |line| line.1);
    let mut chunk = first_chunk(chunks, start, place)?;
    let (dialect, preamble) = match excel_line(&chunk.bytes, options) {
        Some((delimiter, preamble)) => (
            Dialect {
                delimiter,
                ..sniff(&chunk.bytes, format, options)?
            },
            preamble,
        ),
        None => (sniff(&chunk.bytes, format, options)?, 0),
    };
    let (cells, behind) = first_record(chunks, &mut chunk, preamble, dialect, place)?;
    if cells.len() > COLUMNS_MAX {
        return Err(Failure::new(
            FailureKind::FileTooLarge,
            say!(
                "file ",
                name place,
                " has ",
                cells.len(),
                " columns; ",
                COLUMNS_MAX,
                " are the limit"
            ),
        )
        .hint("is `delimiter` right?"));
    }
    let mut warnings = Vec::new();
    let bytes: Vec<&[u8]> = cells.iter().map(String::as_bytes).collect();
    let is_known = names_known(&cells, known);
    let header = options
        .header
        .unwrap_or_else(|| is_header(&bytes, is_known));
    let is_guessed = header && options.header.is_none() && !is_known && !cells.is_empty();
    let guess = is_guessed.then(|| Guess::new(&cells, known));
    let columns = if cells.is_empty() {
        warnings.push("it is empty".into());
        Vec::new()
    } else if header {
        chunk.from = behind;
        let (names, warned) = column_names(&cells);
        warnings.extend(warned);
        names
    } else {
        chunk.from = preamble;
        if options.header.is_none() {
            let first = lossy(bytes.first().unwrap_or(&&b""[..]));
            warnings.push(format!(
                "no header was found, the first line starts with `{first}`; set `header: true` if it names the columns"
            ));
        }
        numbered_names(cells.len())
    };
    let Dialect {
        delimiter,
        quote,
        escape,
    } = dialect;
    let layout = Delimited {
        delimiter,
        quote,
        escape,
        preamble,
        header,
        columns,
    };
    let head = Head {
        layout,
        guess,
        warnings,
    };
    Ok((head, chunk))
}

/// Sets a chunk that starts the file to its first row, as the first pass found it.
pub(super) fn skip(
    chunks: &mut Chunks,
    place: &Place,
    layout: &Delimited,
) -> Result<Chunk, Failure> {
    let mut chunk = first_chunk(chunks, |_| layout.preamble, place)?;
    chunk.from = layout.preamble;
    if layout.header {
        chunk.from = first_record(chunks, &mut chunk, layout.preamble, layout.dialect(), place)?.1;
    }
    Ok(chunk)
}

/// Returns the delimiter that Excel's own first line `sep=;` names, and the length of that line.
fn excel_line(bytes: &[u8], options: &FileOptions) -> Option<(u8, usize)> {
    let [b's', b'e', b'p', b'=', delimiter, rest @ ..] = bytes else {
        return None;
    };
    let length = match rest {
        [b'\r', b'\n', ..] => 7,
        [b'\n' | b'\r', ..] => 6,
        _ => return None,
    };
    (options.delimiter.is_none() && delimiter.is_ascii()).then_some((*delimiter, length))
}

/// Returns the first chunk, grown until it holds a line behind `start` that is not blank: the first record, if there is one.
fn first_chunk(
    chunks: &mut Chunks,
    start: impl Fn(&[u8]) -> usize,
    place: &Place,
) -> Result<Chunk, Failure> {
    let mut chunk = chunks.next()?.unwrap_or_default();
    let mut from = start(&chunk.bytes);
    loop {
        let lines = chunk.bytes.get(from..).unwrap_or_default();
        if chunk.last || lines.iter().any(|byte| !matches!(byte, b'\n' | b'\r')) {
            return Ok(chunk);
        }
        if chunk.bytes.len() > RECORD_BYTES_MAX {
            return Err(Failure::new(
                FailureKind::FileTooLarge,
                say!(
                    "file ",
                    name place,
                    " starts with more than ",
                    RECORD_BYTES_MAX,
                    " bytes of blank lines"
                ),
            ));
        }
        from = from.max(chunk.bytes.len());
        grow(chunks, &mut chunk)?;
    }
}

/// Adds the next chunk to `chunk`.
fn grow(chunks: &mut Chunks, chunk: &mut Chunk) -> Result<(), Failure> {
    let more = chunks.next()?.unwrap_or_default();
    chunk.bytes.extend_from_slice(&more.bytes);
    chunk.last = more.last;
    Ok(())
}

/// Returns the cells of the first record and where the next one starts; the chunk grows until it holds the record.
fn first_record(
    chunks: &mut Chunks,
    chunk: &mut Chunk,
    from: usize,
    dialect: Dialect,
    place: &Place,
) -> Result<(Vec<String>, usize), Failure> {
    loop {
        let fault = |at, what, bytes: &[u8]| Fault { at, what }.to_failure(place, bytes, 1);
        let bytes = &chunk.bytes;
        let mut records = Records::new(bytes, from, dialect);
        let mut spans = Vec::new();
        let step = records.next_into(&mut spans).map_err(|behind| {
            check_text(bytes)
                .err()
                .unwrap_or(Fault {
                    at: behind.0,
                    what: Wrong::TextAfterQuote,
                })
                .to_failure(place, bytes, 1)
        })?;
        if let Step::Open(quote) = step {
            if chunk.last {
                return Err(fault(quote, Wrong::OpenQuote, bytes));
            }
            if bytes.len() > RECORD_BYTES_MAX {
                return Err(fault(quote, Wrong::RecordTooLarge, bytes));
            }
            grow(chunks, chunk)?;
            continue;
        }
        let head = bytes.get(..records.at()).unwrap_or(bytes);
        check_text(head).map_err(|wrong| wrong.to_failure(place, bytes, 1))?;
        let text =
            |span: &_| String::from_utf8_lossy(&cell_text(bytes, *span, dialect)).into_owned();
        return Ok((spans.iter().map(text).collect(), records.at()));
    }
}

/// Returns whether the record names a column that the table has already.
fn names_known(cells: &[String], known: Option<&TableSchema>) -> bool {
    known.is_some_and(|table| {
        cells
            .iter()
            .any(|cell| table.column(&normalize(cell)).is_some())
    })
}
