//! Delimited files: what both passes share, and the first pass, which decides every column's type over the whole file.

mod head;
mod read;

use super::chunks::Chunks;
use super::format::Format;
use super::inspection::{InspectedColumn, InspectedTable, Inspection, Layout};
use super::null_words;
use super::options::FileOptions;
use super::pipeline::{Taken, Work, run};
use super::place::Place;
use super::records::{Form, Span};
use super::rows::{Frame, Nulls, column, each_block, raw};
use super::shape::Shape;
use super::source_file::Effort;
use crate::failure::Failure;
use domain::{ColumnType, TableSchema};
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use read::read;

/// Reads the file once and returns its columns.
pub(crate) fn inspect(
    place: &Place,
    table: &str,
    format: Format,
    options: &FileOptions,
    known: Option<&TableSchema>,
    effort: Effort,
) -> Result<Inspection, Failure> {
    let mut chunks = Chunks::open(place, options, effort.chunk_bytes)?;
    let (head, first) = head::find(&mut chunks, place, format, options, known)?;
    let head::Head {
        layout,
        guess,
        mut warnings,
    } = head;
    let width = layout.columns.len();
    let work = Inspecting {
        frame: Frame {
            dialect: layout.dialect(),
            width,
            ragged: options.ragged,
        },
        nulls: nulls(options),
        settled: layout
            .columns
            .iter()
            .map(|name| AtomicBool::new(is_text(known, name)))
            .collect(),
    };
    let mut whole = Seen {
        shapes: vec![Shape::default(); width],
        rows: 0,
    };
    run(&mut chunks, first, &work, effort.threads, |seen| {
        whole.rows += seen.rows;
        let columns = whole.shapes.iter_mut().zip(&work.settled);
        for ((shape, settled), part) in columns.zip(seen.shapes) {
            shape.merge(part);
            shape.settle();
            if shape.is_text() {
                // Relaxed: a thread that learns it late looks at a few cells in vain.
                settled.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    })?;
    let digest = chunks.finish()?;
    let (mut columns, mut almost) = (Vec::with_capacity(width), Vec::new());
    for (name, shape) in layout.columns.iter().zip(&whole.shapes) {
        let kind = shape
            .kind()
            .or((shape.empty_texts > 0).then_some(ColumnType::Text));
        if shape.empty_texts > 0 && kind != Some(ColumnType::Text) {
            let count = shape.empty_texts;
            warnings.push(format!(
                "{count} quoted empty cells of {name} are read as NULL"
            ));
        }
        if let Some(kind) = shape.kind_without_words()
            && !shape.is_text()
            && !shape.words.is_empty()
        {
            almost.push((name.as_str(), shape.words, kind));
        }
        columns.push(InspectedColumn {
            name: name.clone(),
            kind,
        });
    }
    warnings.extend(null_words::warning(&almost));
    if whole.rows == 0 && width > 0 {
        warnings.push("it has a header and no rows".into());
    }
    // A header above numbers shows by itself; a line of text above text may be the first row.
    let all_text = whole.shapes.iter().all(Shape::is_text);
    warnings.extend(guess.and_then(|guess| guess.doubt(all_text)));
    let table = InspectedTable {
        name: table.into(),
        parent: None,
        rows: whole.rows,
        columns,
    };
    Ok(Inspection {
        hash: digest.hash,
        bytes: digest.bytes,
        layout: Layout::Delimited(layout),
        tables: vec![table],
        warnings,
    })
}

fn nulls(options: &FileOptions) -> Nulls {
    Nulls(
        options
            .null_values
            .iter()
            .map(|null| null.clone().into_bytes())
            .collect(),
    )
}

/// A column that is text in the warehouse stays text, so its cells need no look.
fn is_text(known: Option<&TableSchema>, name: &str) -> bool {
    known
        .and_then(|table| table.column(name))
        .is_some_and(|c| c.kind == ColumnType::Text)
}

/// What was seen in a chunk.
struct Seen {
    shapes: Vec<Shape>,
    rows: u64,
}

/// The first pass.
struct Inspecting {
    frame: Frame,
    nulls: Nulls,
    /// The columns that are text for sure: nobody looks at them again. Only joined results settle one: a chunk that turns
    /// out to start inside quotes shows cells that are none.
    settled: Vec<AtomicBool>,
}

impl Work for Inspecting {
    type Output = Seen;

    fn take_apart(&self, bytes: &[u8], from: usize) -> Taken<Seen> {
        let width = self.frame.width;
        let mut seen = Seen {
            shapes: vec![Shape::default(); width],
            rows: 0,
        };
        let taken = each_block(bytes, from, self.frame, |block| {
            seen.rows += (block.len() / width.max(1)) as u64;
            for (index, (shape, settled)) in seen.shapes.iter_mut().zip(&self.settled).enumerate() {
                self.look(bytes, column(block, width, index), shape, settled);
            }
            Ok(())
        });
        Taken {
            result: taken.result.map(|()| seen),
            open: taken.open,
        }
    }
}

impl Inspecting {
    fn look<'s>(
        &self,
        bytes: &[u8],
        cells: impl Iterator<Item = &'s Span>,
        shape: &mut Shape,
        settled: &AtomicBool,
    ) {
        if shape.is_text() {
            return;
        }
        if settled.load(Ordering::Relaxed) {
            shape.merge(Shape::text());
            return;
        }
        for span in cells {
            let cell = raw(bytes, span);
            if self.nulls.contain(cell, span.form) {
                continue;
            }
            match span.form {
                Form::Quoted if cell.is_empty() => shape.empty_texts += 1,
                // Its raw bytes are not its text; whatever holds an escape is text anyway.
                Form::Escaped => *shape = Shape::text(),
                form => shape.add(cell, form != Form::Plain),
            }
            if shape.is_text() {
                break;
            }
        }
        shape.settle();
    }
}
