//! Lists as columns: no frames, so that they can be read, copied and cut.

use super::style::Palette;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Columns with a heading each.
pub(crate) struct Columns {
    table: Table,
    aligns: Vec<Align>,
}

impl Columns {
    /// Starts a list with these headings; `width` is the terminal's, `None` when nothing must be wrapped.
    pub(crate) fn new(headings: &[(&str, Align)], palette: Palette, width: Option<u16>) -> Self {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        paint(&mut table, palette);
        match width {
            Some(width) => table.set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        let heading = |(text, align): &(&str, Align)| {
            cell((*text).to_owned(), *align).add_attribute(Attribute::Bold)
        };
        table.set_header(headings.iter().map(heading));
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self {
            table,
            aligns: headings.iter().map(|(_, align)| *align).collect(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let aligned = cells
            .into_iter()
            .zip(&self.aligns)
            .map(|(text, align)| cell(text, *align));
        self.table.add_row(aligned);
    }

    /// Returns the lines, without the blanks at their ends.
    pub(crate) fn render(&self) -> String {
        self.table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn cell(text: String, align: Align) -> Cell {
    let alignment = match align {
        Align::Left => CellAlignment::Left,
        Align::Right => CellAlignment::Right,
    };
    Cell::new(text).set_alignment(alignment)
}

/// Lets a table's own styles through, or not; what the stream is was decided before.
pub(super) fn paint(table: &mut Table, palette: Palette) {
    table.force_no_tty();
    if palette == Palette::Colour {
        table.enforce_styling();
    }
}

/// Returns the width of the terminal on stdout.
pub(crate) fn terminal_width() -> Option<u16> {
    // Some pseudo-terminals say 0 because nobody told them better.
    const WIDTH_MIN: u16 = 20;
    Table::new().width().filter(|width| *width >= WIDTH_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_without_frames() {
        let headings = [("NAME", Align::Left), ("ROWS", Align::Right)];
        let mut columns = Columns::new(&headings, Palette::Plain, None);
        columns.row(["shop".into(), "12".into()]);
        columns.row(["web_events".into(), "1,234".into()]);
        assert_eq!(
            columns.render(),
            "NAME         ROWS\nshop           12\nweb_events  1,234"
        );
    }
}
