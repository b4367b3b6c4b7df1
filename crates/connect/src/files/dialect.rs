//! Finding out how a delimited file is written: its delimiter from the head, and whether its first record names columns.
//! What is guessed here is verified over the whole file: a record of another width refuses it.

use super::cell::{Class, classify};
use super::format::Format;
use super::options::FileOptions;
use super::records::{Dialect, Form, Records, Span, Step};
use crate::failure::Failure;

/// In the order in which a tie is decided.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Records of the head that are looked at.
const SNIFFED_RECORDS: usize = 200;

/// Returns the dialect of a file that begins with `head`.
pub(crate) fn sniff(
    head: &[u8],
    format: Format,
    options: &FileOptions,
) -> Result<Dialect, Failure> {
    let quote = options.quote()?;
    let escape = options.escape()?.or(quote);
    let with = |delimiter| Dialect {
        delimiter,
        quote,
        escape,
    };
    if let Some(delimiter) = options.delimiter()? {
        return Ok(with(delimiter));
    }
    if format == Format::Tsv {
        return Ok(with(b'\t'));
    }
    let taken = |delimiter: &u8| Some(*delimiter) != quote && Some(*delimiter) != escape;
    let candidates = CANDIDATES.iter().copied().filter(taken).rev();
    let best = candidates
        .map(|delimiter| (fit(head, with(delimiter)), delimiter))
        .max_by_key(|c| c.0);
    Ok(with(best.map_or(b',', |(_, delimiter)| delimiter)))
}

/// Returns how well a dialect explains the head: the share of records as wide as the first (in thousandths), then the
/// width. A dialect that finds one column only, or cannot read the head, explains nothing.
fn fit(head: &[u8], dialect: Dialect) -> (usize, usize) {
    let mut records = Records::new(head, 0, dialect);
    let (mut cells, mut width, mut total, mut equal) = (Vec::new(), 0, 0, 0);
    while total < SNIFFED_RECORDS {
        cells.clear();
        match records.next_into(&mut cells) {
            Ok(Step::Record) => {}
            // The head may end inside a cell.
            Ok(Step::Open(_) | Step::End) => break,
            Err(_) => return (0, 0),
        }
        if total == 0 {
            width = cells.len();
        }
        total += 1;
        equal += usize::from(cells.len() == width);
    }
    if width < 2 {
        (0, 0)
    } else {
        (equal * 1000 / total, width)
    }
}

/// Returns whether the first record names the columns: it does unless one of its cells is a number, a date or a boolean.
/// A record that names a column of the known table is a header in any case.
pub(crate) fn is_header(cells: &[&[u8]], names_known_column: bool) -> bool {
    let typed = |cell: &&[u8]| !cell.is_empty() && classify(cell) != Class::Text;
    names_known_column || !cells.iter().any(typed)
}

/// Returns the text of a cell.
pub(crate) fn cell_text(bytes: &[u8], span: Span, dialect: Dialect) -> Vec<u8> {
    let raw = bytes
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default();
    if span.form != Form::Escaped {
        return raw.to_vec();
    }
    let mut text = Vec::with_capacity(raw.len());
    super::records::unescape(raw, dialect, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_found_in_the_head() {
        let check = |head: &str, expect: u8| {
            let dialect = sniff(head.as_bytes(), Format::Csv, &FileOptions::default()).unwrap();
            assert_eq!(dialect.delimiter as char, expect as char, "{head:?}");
        };
        check("a,b\n1,2\n", b',');
        check("a;b\n1,5;2,5\n", b';');
        check("a\tb\n1\t2\n", b'\t');
        check("a|b|c\n1,0|2|3\n", b'|');
        check("name\nMiller, Ann\n", b',');
        check("only\n1\n", b',');
        check("a,b;c\n\"x;y\",1\n\"z\",2\n", b',');
        check("", b',');
        check("a;b;c\n\"1\n2\n", b';');
        check("a,b\n1,2\n3\n", b',');
    }

    #[test]
    fn a_record_with_values_is_no_header() {
        let check = |cells: &[&str], expect| {
            let cells: Vec<_> = cells.iter().map(|cell| cell.as_bytes()).collect();
            assert_eq!(is_header(&cells, false), expect, "{cells:?}");
        };
        check(&["id", "name"], true);
        check(&["id", ""], true);
        check(&["1", "Ann"], false);
        check(&["Ann", "2024-01-01"], false);
        check(&["Ann", "Bob"], true);
        assert!(is_header(&[b"id", b"2020"], true));
    }
}
