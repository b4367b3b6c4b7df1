//! `dango db status`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::Output;
use crate::output::table::{Align, Columns};
use crate::output::units;
use app::database::DatabaseStatus;
use clap::Args;
use std::fmt::Write as _;

/// `dango db status` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Shows the warehouse.
pub(crate) async fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let door = context.door("db status").await?;
    let asked = Box::pin(door.database_status());
    let ended = context.interrupts.or_drop(asked).await;
    door.close().await;
    let status = ended?;
    if context.output.json {
        return context.output.print_json(&status);
    }
    context.output.print(&text(&status, context.output))
}

fn text(status: &DatabaseStatus, output: Output) -> String {
    let mut text = format!("{}\n", status.path.display());
    // Writing into a String cannot fail.
    let _ = writeln!(
        text,
        "{} in the file, {} of it free; {} in the log beside it",
        units::bytes(status.file_bytes),
        units::bytes(status.free_bytes),
        units::bytes(status.wal_bytes),
    );
    let headings = [
        ("TABLE", Align::Left),
        ("ROWS", Align::Right),
        ("COLUMNS", Align::Right),
        ("LAST LOAD", Align::Left),
    ];
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    let mut is_empty = true;
    for schema in &status.schemas {
        for table in &schema.tables {
            is_empty = false;
            columns.row([
                format!("{}.{}", schema.schema, table.table),
                units::count(table.rows),
                units::count(table.columns),
                schema.last_load_at.clone().unwrap_or_else(|| "-".into()),
            ]);
        }
    }
    if is_empty {
        text.push_str("\nno tables yet: `dango sync` brings some");
    } else {
        text.push('\n');
        text.push_str(&columns.render());
    }
    text
}
