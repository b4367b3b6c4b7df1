//! `dango source remove NAME`.

use crate::context::Context;
use crate::errors::Stop;
use clap::Args;

/// Arguments of `dango source remove`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
    /// Also drop its tables from the warehouse
    #[arg(long)]
    drop_data: bool,
}

/// Removes the source after a question.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let name = super::parse_name(&arguments.name)?;
    let question = if arguments.drop_data {
        format!(
            "Remove the source `{name}` and drop the tables of `{}`?",
            name.schema()
        )
    } else {
        format!(
            "Remove the source `{name}`? Its tables in `{}` stay.",
            name.schema()
        )
    };
    if !context.confirm(&question)? {
        output.tell("nothing was removed");
        return Ok(());
    }
    let door = context.door("source remove").await?;
    let ended = Box::pin(door.remove_source(&name, arguments.drop_data)).await;
    door.close().await;
    let removed = ended?;
    if output.json {
        return output.print_json(&removed);
    }
    output.tell(&format!("removed `{name}` from `.dango/sources.yml`"));
    for table in &removed.tables_dropped {
        output.tell(&format!("dropped {table}"));
    }
    if !arguments.drop_data {
        output.tell(&format!("its tables stay in `{}`", name.schema()));
    }
    Ok(())
}
