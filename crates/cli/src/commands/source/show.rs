//! `dango source show NAME`.

use super::list::when;
use crate::context::Context;
use crate::errors::Stop;
use crate::output::Output;
use crate::output::style::Style;
use crate::output::table::{Align, Columns};
use crate::output::units;
use app::sources::SourceDetail;
use clap::Args;

/// Arguments of `dango source show`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
}

/// Shows the source; its secrets are masked.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let name = super::parse_name(&arguments.name)?;
    let door = context.door("source show").await?;
    let shown = Box::pin(door.source(&name));
    let ended = context.interrupts.or_drop(shown).await;
    door.close().await;
    let detail = ended?;
    if context.output.json {
        return context.output.print_json(&detail);
    }
    context.output.print(&text(&detail, context.output))
}

fn text(detail: &SourceDetail, output: Output) -> String {
    let summary = &detail.summary;
    let state = if summary.enabled { "" } else { " (disabled)" };
    let mut parts = vec![format!("{}: {}{state}", summary.name, summary.kind)];
    parts.extend(summary.description.clone());
    if let Some(problem) = &summary.problem {
        parts.push(format!(
            "{} {problem}",
            output.data_palette().paint(Style::Warning, "problem:")
        ));
    }
    let list = |headings: &[(&str, Align)], rows: Vec<Vec<String>>| {
        let mut columns = Columns::new(headings, output.data_palette(), output.list_width());
        for row in rows {
            columns.row(row);
        }
        format!("\n{}", columns.render())
    };
    if !detail.fields.is_empty() {
        let row = |field: &app::sources::ShownField| {
            vec![
                field.name.clone(),
                field.value.clone(),
                field.origin.clone(),
            ]
        };
        let headings = [
            ("SETTING", Align::Left),
            ("VALUE", Align::Left),
            ("ORIGIN", Align::Left),
        ];
        parts.push(list(&headings, detail.fields.iter().map(row).collect()));
    }
    if !detail.tables.is_empty() {
        let row =
            |table: &app::sources::TableRows| vec![table.table.clone(), units::count(table.rows)];
        parts.push(list(
            &[("TABLE", Align::Left), ("ROWS", Align::Right)],
            detail.tables.iter().map(row).collect(),
        ));
    }
    if detail.history.is_empty() {
        parts.push("\nnever synced".into());
        return parts.join("\n");
    }
    let headings = [
        ("SYNC", Align::Left),
        ("INSERTED", Align::Right),
        ("UPDATED", Align::Right),
        ("DELETED", Align::Right),
        ("READ", Align::Right),
        ("NOTES", Align::Left),
    ];
    let row = |run: &app::sources::RunSummary| {
        let mut notes = run.schema_changes.clone();
        notes.extend(run.error.clone());
        vec![
            when(run),
            units::count(run.rows_inserted),
            units::count(run.rows_updated),
            units::count(run.rows_deleted),
            units::bytes(run.bytes_read),
            notes.join("; "),
        ]
    };
    parts.push(list(&headings, detail.history.iter().map(row).collect()));
    parts.join("\n")
}
