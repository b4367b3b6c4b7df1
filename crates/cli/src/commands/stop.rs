//! `dango stop`: ends the server of the project.

use crate::context::Context;
use crate::door::Client;
use crate::errors::Stop;
use app::lock::ProjectLock;
use clap::Args;
use serde_json::{Value, json};
use std::time::Duration;

/// What runs may take 30 seconds to come to its end, and the warehouse some more to be closed.
const PATIENCE: Duration = Duration::from_secs(90);

/// `dango stop` takes the global options only.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Stops the server and waits until it has gone.
pub(crate) async fn run(context: &Context, _: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let project = context.place()?.project;
    let client = Client::new(project.clone());
    if !client.is_there().await? {
        if output.json {
            return output.print_json(&json!({"stopped": false}));
        }
        output.tell("no server of this project runs");
        return Ok(());
    }
    let asked: Value = client.post_plain("/operator/stop").await?;
    // It keeps the project's lock to its very end.
    let gone = async {
        drop(
            ProjectLock::acquire(&project, "dango stop", PATIENCE, |_| {})
                .await
                .map_err(app::Error::from)?,
        );
        Ok(())
    };
    context.interrupts.or_drop(gone).await?;
    let pid = asked.get("pid").and_then(Value::as_u64).unwrap_or_default();
    if output.json {
        return output.print_json(&json!({"stopped": true, "pid": pid}));
    }
    output.print(&format!("stopped (pid {pid})"))
}
