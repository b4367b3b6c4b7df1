//! The records of a chunk in blocks of equal width: the shape in which columns can be worked on one after another, which
//! the processor's branch prediction likes better than cell after cell.

use super::faults::{Fault, Wrong, check_text};
use super::options::Ragged;
use super::pipeline::Taken;
use super::records::{Dialect, Form, Records, Span, Step};
use domain::limits::CELL_BYTES_MAX;

/// Records of a block: their bytes and spans stay in the processor's second cache.
const BLOCK_ROWS: usize = 256;

/// What a record must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) dialect: Dialect,
    pub(crate) width: usize,
    pub(crate) ragged: Ragged,
}

/// Hands the records of `bytes` to `each`, block by block: the spans of all cells, record after record.
pub(crate) fn each_block(
    bytes: &[u8],
    from: usize,
    frame: Frame,
    mut each: impl FnMut(&[Span]) -> Result<(), Fault>,
) -> Taken<()> {
    let mut open = None;
    let result = check_text(bytes).and_then(|()| {
        let mut records = Records::new(bytes, from, frame.dialect);
        let mut cells = Vec::with_capacity(BLOCK_ROWS * frame.width);
        loop {
            cells.clear();
            let mut ended = false;
            for _ in 0..BLOCK_ROWS {
                let first = cells.len();
                match records.next_into(&mut cells) {
                    Ok(Step::Record) => fit(&mut cells, first, frame)?,
                    Ok(Step::Open(quote)) => {
                        open = Some((records.at(), quote));
                        ended = true;
                    }
                    Ok(Step::End) => ended = true,
                    Err(behind) => {
                        return Err(Fault {
                            at: behind.0,
                            what: Wrong::TextAfterQuote,
                        });
                    }
                }
                if ended {
                    break;
                }
            }
            check_sizes(bytes, &cells)?;
            each(&cells)?;
            if ended {
                return Ok(());
            }
        }
    });
    Taken { result, open }
}

/// Brings the record that starts at cell `first` to the width of the table, or refuses it.
#[inline]
fn fit(cells: &mut Vec<Span>, first: usize, frame: Frame) -> Result<(), Fault> {
    let found = cells.len() - first;
    if found == frame.width {
        return Ok(());
    }
    let surplus = cells.get(first + frame.width..).unwrap_or_default();
    if frame.ragged == Ragged::Error || surplus.iter().any(|cell| cell.start != cell.end) {
        let at = cells.get(first).map_or(0, |cell| cell.start as usize);
        return Err(Fault {
            at,
            what: Wrong::Ragged {
                found,
                expected: frame.width,
            },
        });
    }
    cells.resize(
        first + frame.width,
        Span {
            start: 0,
            end: 0,
            form: Form::Missing,
        },
    );
    Ok(())
}

/// Most chunks are smaller than the largest cell that is allowed.
fn check_sizes(bytes: &[u8], cells: &[Span]) -> Result<(), Fault> {
    if bytes.len() <= CELL_BYTES_MAX {
        return Ok(());
    }
    match cells
        .iter()
        .find(|cell| (cell.end - cell.start) as usize > CELL_BYTES_MAX)
    {
        Some(cell) => Err(Fault {
            at: cell.start as usize,
            what: Wrong::CellTooLarge,
        }),
        None => Ok(()),
    }
}

/// Returns the cells of one column of a block.
pub(crate) fn column(
    block: &[Span],
    width: usize,
    index: usize,
) -> impl Iterator<Item = &Span> + Clone {
    block
        .chunks_exact(width.max(1))
        .filter_map(move |row| row.get(index))
}

/// Returns the bytes of a cell as they stand in the file.
#[inline]
pub(crate) fn raw<'a>(bytes: &'a [u8], span: &Span) -> &'a [u8] {
    bytes
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default()
}

/// What counts as NULL.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nulls(pub(crate) Vec<Vec<u8>>);

impl Nulls {
    /// Returns whether the cell is NULL: unquoted, and empty or one of the configured texts.
    #[inline]
    pub(crate) fn contain(&self, cell: &[u8], form: Form) -> bool {
        match form {
            Form::Missing => true,
            Form::Plain => cell.is_empty() || self.0.iter().any(|null| null == cell),
            Form::Quoted | Form::Escaped => false,
        }
    }
}
