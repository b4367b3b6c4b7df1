//! `dango db compact`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::units;
use clap::Args;

/// `dango db compact` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Compacts the warehouse and says what it brought.
pub(crate) async fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let door = context.door("db compact").await?;
    // Until its last rename the old file is untouched, so the work may be dropped at any point.
    let ended = context.interrupts.or_drop(Box::pin(door.compact())).await;
    door.close().await;
    let report = ended?;
    if output.json {
        return output.print_json(&report);
    }
    output.print(&format!(
        "{} -> {} ({} freed)",
        units::bytes(report.bytes_before),
        units::bytes(report.bytes_after),
        units::bytes(report.bytes_before.saturating_sub(report.bytes_after)),
    ))
}
