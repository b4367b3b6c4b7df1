//! A query's result as a table: numbers to the right, NULL told apart from the text `NULL`, cells cut where the terminal ends.
//! What was cut is said; nothing disappears silently.

use super::style::Palette;
use super::table::paint;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use domain::say::is_deceptive;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// A column narrower than this says nothing any more; then columns are left out instead.
const COLUMN_WIDTH_MIN: usize = 6;
/// The column in which DuckDB gives the plan of an `EXPLAIN`: a drawing, of no use on one line.
const PLAN_COLUMN: &str = "explain_value";
/// What a column's frame and padding take.
const FRAME_WIDTH: usize = 3;

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    pub(crate) name: String,
    /// The SQL type, which decides the side.
    pub(crate) type_name: String,
}

/// A drawn table, and what it does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) text: String,
    /// Columns that did not fit.
    pub(crate) columns_left_out: usize,
    /// Whether a cell was cut.
    pub(crate) is_cut: bool,
}

/// Draws rows; `None` is NULL. Without a `width` nothing is cut.
pub(crate) fn draw(
    headings: &[Heading],
    rows: &[Vec<Option<String>>],
    palette: Palette,
    width: Option<u16>,
) -> Grid {
    let show = |(cell, heading): (&Option<String>, &Heading)| {
        let text = cell.as_deref()?;
        Some(if heading.name == PLAN_COLUMN {
            lines(text)
        } else {
            printable(text)
        })
    };
    let visible: Vec<Vec<Option<String>>> = rows
        .iter()
        .map(|row| row.iter().zip(headings).map(show).collect())
        .collect();
    let names: Vec<String> = headings
        .iter()
        .map(|heading| printable(&heading.name))
        .collect();
    let natural: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let cells = visible.iter().filter_map(|row| row.get(index));
            cells
                .map(|cell| cell.as_deref().map_or(4, width_of))
                .fold(name.width(), usize::max)
        })
        .collect();
    let widths = width.map_or_else(
        || natural.clone(),
        |width| fit(&natural, usize::from(width)),
    );
    let is_cut = widths
        .iter()
        .zip(&natural)
        .any(|(width, natural)| width < natural);

    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled);
    paint(&mut table, palette);
    let shown = || headings.iter().zip(&widths);
    let heading = |(name, width): (&String, &usize)| {
        Cell::new(cut(name, *width)).add_attribute(Attribute::Bold)
    };
    table.set_header(names.iter().zip(&widths).map(heading));
    for row in &visible {
        let cells = row.iter().zip(shown()).map(|(cell, (heading, width))| {
            let drawn = match cell {
                Some(text) => Cell::new(cut_lines(text, *width)),
                None => Cell::new("NULL").add_attribute(Attribute::Dim),
            };
            drawn.set_alignment(side(&heading.type_name))
        });
        table.add_row(cells);
    }
    let text = table.lines().collect::<Vec<_>>().join("\n");
    Grid {
        text,
        columns_left_out: headings.len() - widths.len(),
        is_cut,
    }
}

/// Returns the widths of the columns that fit into `width`: the widest give way first; columns that find no place at all are
/// left out from the right.
fn fit(natural: &[usize], width: usize) -> Vec<usize> {
    let room_for = |columns: usize| {
        width
            .saturating_sub(1)
            .saturating_sub(columns * FRAME_WIDTH)
    };
    let mut widths = natural.to_vec();
    let least = |widths: &[usize]| {
        widths
            .iter()
            .map(|width| (*width).min(COLUMN_WIDTH_MIN))
            .sum::<usize>()
    };
    while widths.len() > 1 && least(&widths) > room_for(widths.len()) {
        widths.pop();
    }
    let room = room_for(widths.len());
    while widths.iter().sum::<usize>() > room {
        let Some(widest) = widths.iter_mut().max() else {
            break;
        };
        if *widest <= 1 {
            break;
        }
        *widest -= 1;
    }
    widths
}

/// Returns the width of the widest line.
fn width_of(text: &str) -> usize {
    text.split('\n')
        .map(UnicodeWidthStr::width)
        .max()
        .unwrap_or(0)
}

fn cut_lines(text: &str, width: usize) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| cut(line, width)).collect();
    lines.join("\n")
}

/// Returns `text` cut to `width` columns of the terminal.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// Returns a text of several lines without any other control characters.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(printable).collect();
    lines.join("\n")
}

/// Returns text without control characters: data must not move the cursor or write a line of its own.
fn printable(text: &str) -> String {
    if !text.contains(is_deceptive) {
        return text.to_owned();
    }
    text.chars().fold(
        String::with_capacity(text.len() + 8),
        |mut clean, character| {
            if is_deceptive(character) {
                clean.extend(character.escape_default());
            } else {
                clean.push(character);
            }
            clean
        },
    )
}

fn side(type_name: &str) -> CellAlignment {
    const NUMBERS: [&str; 14] = [
        "TINYINT",
        "SMALLINT",
        "INTEGER",
        "BIGINT",
        "HUGEINT",
        "UTINYINT",
        "USMALLINT",
        "UINTEGER",
        "UBIGINT",
        "UHUGEINT",
        "FLOAT",
        "DOUBLE",
        "REAL",
        "BIGNUM",
    ];
    if NUMBERS.contains(&type_name) || type_name.starts_with("DECIMAL") {
        CellAlignment::Right
    } else {
        CellAlignment::Left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headings() -> Vec<Heading> {
        [("name", "VARCHAR"), ("n", "BIGINT")]
            .map(|(name, type_name)| Heading {
                name: name.into(),
                type_name: type_name.into(),
            })
            .to_vec()
    }

    fn row(cells: &[Option<&str>]) -> Vec<Option<String>> {
        cells.iter().map(|cell| cell.map(str::to_owned)).collect()
    }

    #[test]
    fn numbers_stand_right_and_null_is_told() {
        let grid = draw(
            &headings(),
            &[row(&[Some("a"), Some("10")]), row(&[None, Some("7")])],
            Palette::Plain,
            None,
        );
        assert_eq!(
            grid.text,
            "\
┌──────┬────┐
│ name ┆ n  │
╞══════╪════╡
│ a    ┆ 10 │
│ NULL ┆  7 │
└──────┴────┘"
        );
        assert!(!grid.is_cut);
        let dim = draw(&headings(), &[row(&[None, None])], Palette::Colour, None);
        assert!(dim.text.contains("\u{1b}[2m NULL"), "{}", dim.text);
    }

    #[test]
    fn wide_cells_are_cut_at_the_terminals_end() {
        let grid = draw(
            &headings(),
            &[row(&[Some("日本語のとても長いテキスト"), Some("123456")])],
            Palette::Plain,
            Some(24),
        );
        assert!(grid.is_cut);
        assert!(
            grid.text.lines().all(|line| line.width() <= 24),
            "{}",
            grid.text
        );
        assert!(
            grid.text.contains('…') && grid.text.contains("123456"),
            "{}",
            grid.text
        );
    }

    #[test]
    fn columns_that_find_no_place_are_counted() {
        let many: Vec<_> = (0..30)
            .map(|n| Heading {
                name: format!("column_{n}"),
                type_name: "VARCHAR".into(),
            })
            .collect();
        let cells = vec![Some("value".to_owned()); 30];
        let grid = draw(&many, &[cells], Palette::Plain, Some(80));
        assert!(grid.columns_left_out > 10, "{grid:?}");
        assert!(
            grid.text.lines().all(|line| line.width() <= 80),
            "{}",
            grid.text
        );
    }

    #[test]
    fn a_plan_is_drawn_line_by_line() {
        let heading = |name: &str| Heading {
            name: name.into(),
            type_name: "VARCHAR".into(),
        };
        let headings = [heading("explain_key"), heading("explain_value")];
        let cells = row(&[Some("physical_plan"), Some("┌───┐\n│ a\u{1b}│\n└───┘\n")]);
        let grid = draw(
            &headings,
            std::slice::from_ref(&cells),
            Palette::Plain,
            None,
        );
        let lines: Vec<_> = grid.text.lines().collect();
        assert_eq!(lines.len(), 7, "{}", grid.text);
        assert!(lines[3].contains("physical_plan ┆ ┌───┐"), "{}", grid.text);
        assert!(lines[4].contains(r"│ a\u{1b}│"), "{}", grid.text);
        let narrow = draw(&headings, &[cells], Palette::Plain, Some(22));
        assert!(narrow.is_cut && narrow.text.lines().all(|line| line.width() <= 22));
    }

    #[test]
    fn data_cannot_control_the_terminal() {
        let grid = draw(
            &headings(),
            &[row(&[Some("a\u{1b}[2Jb\nc"), None])],
            Palette::Plain,
            None,
        );
        assert!(!grid.text.contains('\u{1b}'));
        assert!(grid.text.contains(r"a\u{1b}[2Jb\nc"), "{}", grid.text);
    }
}
