//! The table after a sync, and what changed in the tables' columns.

use crate::output::table::{Align, Columns};
use crate::output::{Output, units};
use app::sync::SourceOutcome;
use std::fmt::Write as _;

/// Returns the table, then the schema changes and warnings of each source.
pub(crate) fn text(outcomes: &[SourceOutcome], output: Output) -> String {
    let headings = [
        ("SOURCE", Align::Left),
        ("INSERTED", Align::Right),
        ("UPDATED", Align::Right),
        ("DELETED", Align::Right),
        ("READ", Align::Right),
        ("TIME", Align::Right),
        ("RESULT", Align::Left),
    ];
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for outcome in outcomes {
        let (inserted, updated, deleted) = outcome.report.totals();
        columns.row([
            outcome.source.clone(),
            units::count(inserted),
            units::count(updated),
            units::count(deleted),
            units::bytes(outcome.report.bytes_read),
            units::seconds(outcome.seconds),
            result(outcome),
        ]);
    }
    let mut text = columns.render();
    for outcome in outcomes {
        for table in &outcome.report.tables {
            for note in &table.schema_changes {
                let _ = write!(text, "\n{}.{}: {note}", outcome.source, table.table);
            }
            for warning in &table.warnings {
                let _ = write!(
                    text,
                    "\n{}.{}: warning: {warning}",
                    outcome.source, table.table
                );
            }
        }
    }
    text
}

fn result(outcome: &SourceOutcome) -> String {
    match &outcome.error {
        Some(error) => format!("failed: {}", error.code),
        None if outcome.dry_run => "would be synced".into(),
        None if outcome.report.totals() == (0, 0, 0) => "unchanged".into(),
        None => "synced".into(),
    }
}
