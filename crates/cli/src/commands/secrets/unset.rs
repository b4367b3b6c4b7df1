//! `dango secrets unset NAME`.

use crate::context::Context;
use crate::errors::Stop;
use app::secrets::{self, SecretName};
use clap::Args;
use security::permissions::ConfigManage;
use serde_json::json;

/// Arguments of `dango secrets unset`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The secret, as `dango secrets list` names it
    #[arg(value_name = "NAME")]
    name: String,
}

/// Removes the secret, after a question: it cannot be brought back.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let name = SecretName::parse(&arguments.name)?;
    let app = context.open_read("secrets unset").await?;
    let allow = app.allow::<ConfigManage>().await?;
    secrets::check_unset(&allow, &app.project, &name)?;
    if !context.confirm(&format!(
        "Remove the secret `{name}`? It cannot be brought back."
    ))? {
        context.output.tell("nothing was removed");
        return Ok(());
    }
    let removed = secrets::remove(&app, &allow, &name).await;
    app.close().await;
    removed?;
    if context.output.json {
        return context
            .output
            .print_json(&json!({ "name": name.to_string(), "removed": true }));
    }
    context
        .output
        .tell(&format!("removed `{name}` from `.dlt/secrets.toml`"));
    Ok(())
}
