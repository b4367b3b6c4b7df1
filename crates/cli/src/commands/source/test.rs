//! `dango source test NAME`.

use crate::context::Context;
use crate::errors::Stop;
use clap::Args;
use security::permissions::SourceSync;
use serde_json::json;

/// Arguments of `dango source test`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
}

/// Connects to the source and says what answered.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let name = super::parse_name(&arguments.name)?;
    let app = context.open_read("source test").await?;
    let tested = async {
        let allow = app.allow::<SourceSync>().await?;
        Ok(app::sources::test(&app, &allow, &name).await?)
    };
    let ended = context.interrupts.or_drop(Box::pin(tested)).await;
    app.close().await;
    let answer = ended?;
    if context.output.json {
        return context
            .output
            .print_json(&json!({ "source": name, "ok": true, "answer": answer }));
    }
    context.output.print(&answer)
}
