//! `dango audit export`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::{self, units};
use app::audit;
use clap::Args;
use security::permissions::AuditView;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `dango audit export`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The file to write, readable by you alone; stdout when left out
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
}

/// Writes the log, made anew from the database: what was erased there is not in it.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let app = context.open_read("audit export").await?;
    let exported = async {
        let allow = app.allow::<AuditView>().await?;
        match &arguments.output {
            None => Ok(audit::export(&app, &allow, output::data_writer()).await?),
            Some(path) => Ok(audit::export_file(&app, &allow, path, arguments.force).await?),
        }
    };
    let ended = context.interrupts.or_drop(Box::pin(exported)).await;
    app.close().await;
    let (count, Some(path)) = (ended?, &arguments.output) else {
        return Ok(());
    };
    if context.output.json {
        let report = json!({"output": path, "records": count});
        return context.output.print_json(&report);
    }
    let said = format!("{}: {}", path.display(), units::counted(count, "record"));
    context.output.print(&said)
}
