//! `dango db compact`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::units;
use clap::Args;
use security::permissions::PlatformManage;

/// `dango db compact` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Compacts the warehouse and says what it brought.
pub(crate) async fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let app = context.open("db compact").await?;
    let compacted = async {
        let allow = app.allow::<PlatformManage>().await?;
        Ok(app::database::compact(&app, &allow).await?)
    };
    // Until its last rename the old file is untouched, so the work may be dropped at any point.
    let ended = context.interrupts.or_drop(Box::pin(compacted)).await;
    app.close().await;
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
