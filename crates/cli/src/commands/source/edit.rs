//! `dango source edit NAME`: settings by flags, or one after the other at the terminal.

use super::add::settings;
use super::form::Form;
use crate::context::Context;
use crate::errors::Stop;
use crate::prompts::Ask;
use app::sources::Changes;
use app::{App, Field};
use clap::Args;
use domain::SourceName;
use security::permissions::{SourceManage, SourceView};
use serde_json::{Value, json};

/// Arguments of `dango source edit`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
    /// Set a setting; no secrets (those: `dango secrets set`)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Take a setting out, so that its default holds
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    /// Let `dango sync` sync it again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Keep the source, but leave it out of every sync
    #[arg(long)]
    disable: bool,
}

/// Changes the source; comments in the file stay.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let name = super::parse_name(&arguments.name)?;
    // Without the lock: nobody has to wait until the questions are answered.
    let app = context.open_read("source edit").await?;
    let edited = Box::pin(edit(context, &app, &name, arguments)).await;
    app.close().await;
    let changed = edited?;
    if context.output.json {
        return context
            .output
            .print_json(&json!({ "source": name, "changed": changed }));
    }
    if changed {
        context.output.tell(&format!(
            "changed `{name}` in `.dango/sources.yml`; `dango source test {name}` tries it"
        ));
    } else {
        context.output.tell("nothing was changed");
    }
    Ok(())
}

async fn edit(
    context: &Context,
    app: &App,
    name: &SourceName,
    arguments: &Arguments,
) -> Result<bool, Stop> {
    let sources = app.sources(&app.allow::<SourceView>().await?)?;
    let source = sources.get(name.as_str())?;
    let form = Form::from(&app::sources::draft(app, source.kind.as_str())?);
    let enabled = match (arguments.enable, arguments.disable) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let set = settings::parse(&arguments.set, &form)?
        .into_iter()
        .collect();
    let mut changes = Changes {
        set,
        unset: arguments.unset.clone(),
        enabled,
    };
    if changes.set.is_empty() && changes.unset.is_empty() && enabled.is_none() {
        let mut ask = context.ask("a change", "--set KEY=VALUE")?;
        changes.set = choose(&mut *ask, &source.block_as_written, &form)?;
        if changes.set.is_empty() {
            return Ok(false);
        }
    }
    app::sources::edit(app, &app.allow::<SourceManage>().await?, name, changes).await?;
    Ok(true)
}

/// Lets settings be chosen and typed until there are enough.
fn choose(ask: &mut dyn Ask, block: &Value, form: &Form) -> Result<Vec<(String, String)>, Stop> {
    let fields: Vec<_> = form.fields.iter().filter(|field| !field.secret).collect();
    let value = |field: &Field| {
        let names = std::iter::once(&field.name).chain(&field.aliases);
        names.filter_map(|name| block.get(name)).map(shown).next()
    };
    let mut set = Vec::new();
    loop {
        let label = |field: &&Field| {
            format!(
                "{} ({})",
                field.name,
                value(field).as_deref().unwrap_or("not set")
            )
        };
        let mut options = vec!["done".to_owned()];
        options.extend(fields.iter().map(label));
        let help = "secrets are changed by `dango secrets set`";
        let chosen = ask.choose("Which setting?", &options, help)?;
        let Some(field) = chosen.checked_sub(1).and_then(|at| fields.get(at)) else {
            return Ok(set);
        };
        let answer = ask.line(
            &format!("{}:", field.name),
            value(field).as_deref(),
            &field.help,
        )?;
        set.push((field.name.clone(), answer));
    }
}

/// Returns a setting as it would be typed.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
