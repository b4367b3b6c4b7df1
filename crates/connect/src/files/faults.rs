//! What can be wrong inside a delimited file, and how its user is told: the file, the line, why, and the setting that helps.

use super::chunks::RECORD_BYTES_MAX;
use super::input::invalid;
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use domain::limits::CELL_BYTES_MAX;
use domain::say;
use domain::say::Quoted;

/// Something wrong at a byte of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: Wrong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    Ragged {
        found: usize,
        expected: usize,
    },
    TextAfterQuote,
    OpenQuote,
    NotUtf8,
    Nul,
    CellTooLarge,
    RecordTooLarge,
    /// The cell no longer is of the type that the first pass decided.
    Changed,
}

impl Fault {
    /// Returns the failure for a fault in a chunk that starts at line `first_line`.
    pub(crate) fn to_failure(self, place: &Place, bytes: &[u8], first_line: u64) -> Failure {
        let before = bytes.get(..self.at).unwrap_or(bytes);
        let line = first_line + count_lines(before);
        let column =
            before.len() - memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1) + 1;
        match self.what {
            Wrong::Ragged { found, expected } => {
                let cells = Quoted(if found == 1 { " cell" } else { " cells" });
                let what = say!(
                    "has ",
                    found,
                    cells,
                    " in line ",
                    line,
                    " where ",
                    expected,
                    " are expected"
                );
                invalid(place, what).hint(
                    "repair the line, set `delimiter`, or let `ragged: pad` fill short lines up",
                )
            }
            Wrong::TextAfterQuote => invalid(
                place,
                say!(
                    "has text behind a closing quote in line ",
                    line,
                    ", byte ",
                    column
                ),
            )
            .hint("double the quotes inside the cell, or set `quote: none` or `escape`"),
            Wrong::OpenQuote => invalid(
                place,
                say!("ends inside the quotes that line ", line, " opens"),
            )
            .hint("close them, or set `quote: none` when quotes are ordinary text"),
            Wrong::NotUtf8 => invalid(
                place,
                say!("is not UTF-8 in line ", line, ", byte ", column),
            )
            .hint("set `encoding`, for instance to `latin1`, or save it as UTF-8"),
            Wrong::Nul => invalid(
                place,
                say!("has a NUL byte in line ", line, ", byte ", column),
            )
            .hint("it may be binary, damaged, or text that needs `encoding: utf-16le`"),
            Wrong::CellTooLarge => Failure::new(
                FailureKind::FileTooLarge,
                say!(
                    "file ",
                    name place,
                    " has a cell of more than ",
                    CELL_BYTES_MAX,
                    " bytes in line ",
                    line
                ),
            ),
            Wrong::RecordTooLarge => Failure::new(
                FailureKind::FileTooLarge,
                say!(
                    "file ",
                    name place,
                    " has a record of more than ",
                    RECORD_BYTES_MAX,
                    " bytes; it starts in line ",
                    line
                ),
            )
            .hint(
                "a quote may be left open there; set `quote: none` when quotes are ordinary text",
            ),
            Wrong::Changed => changed(place),
        }
    }
}

/// Returns the failure of a file that is no longer the one that was inspected.
pub(crate) fn changed(place: &Place) -> Failure {
    Failure::new(
        FailureKind::Changed,
        say!("file ", name place, " changed while it was read"),
    )
    .hint("run the sync again once the file is complete")
}

/// Returns the failure of bytes that are not UTF-8 or hold a NUL, which no text column can store.
pub(crate) fn check_text(bytes: &[u8]) -> Result<(), Fault> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(Fault {
            at: error.valid_up_to(),
            what: Wrong::NotUtf8,
        });
    }
    match memchr::memchr(0, bytes) {
        Some(at) => Err(Fault {
            at,
            what: Wrong::Nul,
        }),
        None => Ok(()),
    }
}

/// Returns how many lines end in `bytes`: with LF, CR LF, or the lone CR of old Macs.
pub(crate) fn count_lines(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let lone = memchr::memchr_iter(b'\r', bytes).filter(|at| bytes.get(at + 1) != Some(&b'\n'));
    (feeds + lone.count()) as u64
}

/// Returns text of a file for use in a sentence.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::new();
    domain::Shown::show(&Quoted(&String::from_utf8_lossy(bytes)), &mut text);
    text
}
