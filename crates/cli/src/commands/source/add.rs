//! `dango source add [TYPE]`: a wizard at the terminal, flags without one. Nothing is saved before the source has answered.

pub(super) mod settings;
mod trial;
mod wizard;

use super::form::Form;
use crate::context::Context;
use crate::errors::{Stop, input_needed, usage};
use crate::output::style::Style;
use crate::prompts;
use app::App;
use app::sources::{Added, FieldValue, NewSource};
use clap::Args;
use domain::say;
use domain::say::Quoted;
use security::Plain;
use security::permissions::SourceManage;

const EXAMPLES: &str = "\
Examples:
  dango source add                                    the wizard: choose a type, answer, done
  dango source add stripe                             the wizard for one type
  dango source add postgres --name shop_db --set host=db.example.com --set database=shop \\
      --set username=reader --secret-env password=SHOP_DB_PASSWORD
  pass show shop | dango source add postgres --name shop_db … --secret-stdin password

A secret never stands on the command line, which the shell's history keeps and `ps` shows.";

/// Arguments of `dango source add`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The type: `local_files`, `postgres`, `mysql`, `rest_api`, `stripe`, or a connector file of the project
    #[arg(value_name = "TYPE")]
    kind: Option<String>,
    /// What to call it; its tables go to the schema `raw_NAME`
    #[arg(long)]
    name: Option<String>,
    /// A setting of the type; no secrets
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Only this table, several times for several; for files with their pattern: `orders=orders-*.csv`
    #[arg(long, value_name = "TABLE[=PATTERN]")]
    table: Vec<String>,
    /// A path of a `rest_api` below its `base_url`, several times for several
    #[arg(long, value_name = "PATH")]
    endpoint: Vec<String>,
    /// Read this secret field from stdin; several are read one line each, in this order
    #[arg(long, value_name = "FIELD")]
    secret_stdin: Vec<String>,
    /// Take this secret field from a variable at every sync; the variable's name is stored, not its value
    #[arg(long, value_name = "FIELD=VARIABLE")]
    secret_env: Vec<String>,
    /// Read this secret field from a file
    #[arg(long, value_name = "FIELD=PATH")]
    secret_file: Vec<String>,
    /// Read secret fields from a file with one FIELD=VALUE a line
    #[arg(long, value_name = "PATH")]
    secrets_file: Option<std::path::PathBuf>,
    /// A sentence about the source
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Add it without letting `dango sync` sync it
    #[arg(long)]
    disabled: bool,
    /// Save it without connecting to it first
    #[arg(long)]
    no_test: bool,
}

impl Arguments {
    /// Returns whether any flag answers a question of the wizard, which then has nothing to ask.
    fn has_answers(&self) -> bool {
        !(self.set.is_empty()
            && self.table.is_empty()
            && self.endpoint.is_empty()
            && self.secret_stdin.is_empty()
            && self.secret_env.is_empty()
            && self.secret_file.is_empty()
            && self.secrets_file.is_none())
    }
}

/// Adds the source.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    // Without the lock: nobody has to wait until the wizard's questions are answered.
    let app = context.open_read("source add").await?;
    let added = Box::pin(
        context
            .interrupts
            .or_drop(Box::pin(add(context, &app, &arguments))),
    )
    .await;
    app.close().await;
    let Some(added) = added? else {
        context.output.tell("nothing was saved");
        return Ok(());
    };
    tell(context, &added)
}

async fn add(context: &Context, app: &App, arguments: &Arguments) -> Result<Option<Added>, Stop> {
    let asks = !arguments.has_answers() && prompts::is_interactive(context.global.no_input);
    if asks {
        return Box::pin(by_wizard(context, app, arguments)).await;
    }
    let Some(kind) = &arguments.kind else {
        return Err(input_needed("the type", "dango source add TYPE"));
    };
    let form = Form::from(&app::sources::draft(app, kind)?);
    let Some(name) = &arguments.name else {
        return Err(input_needed("a name", "--name NAME"));
    };
    let typed = if arguments.secret_stdin.is_empty() {
        None
    } else {
        Some(prompts::secret_from_stdin(&context.interrupts).await?)
    };
    let source = from_flags(&form, name, arguments, typed)?;
    let allow = app.allow::<SourceManage>().await?;
    if arguments.no_test {
        return Ok(Some(app::sources::add(app, &allow, source, false).await?));
    }
    let answer = trial::run(context, app, &allow, &source).await?;
    let mut added = app::sources::add(app, &allow, source, false).await?;
    added.tested = Some(answer);
    Ok(Some(added))
}

/// Puts the source together from flags and what was `typed` on stdin; whatever is required and missing is named with its flag.
fn from_flags(
    form: &Form,
    name: &str,
    arguments: &Arguments,
    typed: Option<Plain<String>>,
) -> Result<NewSource, Stop> {
    let mut fields: std::collections::BTreeMap<_, _> = settings::parse(&arguments.set, form)?
        .into_iter()
        .map(|(key, value)| (key, FieldValue::Text(value)))
        .collect();
    let secrets = settings::Secrets {
        stdin: &arguments.secret_stdin,
        typed,
        variables: &arguments.secret_env,
        files: &arguments.secret_file,
        together: arguments.secrets_file.as_deref(),
    };
    fields.extend(secrets.read(form)?);
    for field in form
        .fields
        .iter()
        .filter(|field| field.required && field.default.is_none())
    {
        if !fields.contains_key(&field.name) {
            let flag = if field.secret {
                format!("--secret-stdin {}", field.name)
            } else {
                format!("--set {}=…", field.name)
            };
            let kind = form.kind.as_str();
            return Err(usage(
                say!("", name Quoted(&field.name), " is needed for a source of type ", name Quoted(kind), ": ", Quoted(&field.help)),
                say!("give it with ", name Quoted(&flag)),
            ));
        }
    }
    Ok(NewSource {
        name: super::parse_name(name)?,
        kind: form.kind.clone(),
        fields,
        description: arguments.description.clone(),
        enabled: !arguments.disabled,
        extra: settings::extra(&arguments.table, &arguments.endpoint),
    })
}

/// Asks, tests, and saves only what has answered or what the user wants saved all the same.
async fn by_wizard(
    context: &Context,
    app: &App,
    arguments: &Arguments,
) -> Result<Option<Added>, Stop> {
    let output = context.output;
    let mut ask = context.ask("the source", "--name NAME --set KEY=VALUE")?;
    let form = match &arguments.kind {
        Some(kind) => Form::from(&app::sources::draft(app, kind)?),
        None => wizard::choose(
            &mut *ask,
            app::sources::kinds(app).iter().map(Form::from).collect(),
        )?,
    };
    let allow = app.allow::<SourceManage>().await?;
    let taken = app::sources::list(app, &allow.narrow()).await?;
    let is_taken = |name: &str| taken.iter().any(|source| source.name == name);
    output.tell(&format!(
        "{}: {}",
        output.talk_palette().paint(Style::Heading, &form.title),
        form.summary
    ));
    loop {
        let mut source = wizard::fill(&mut *ask, &form, arguments.name.as_deref(), is_taken)?;
        source.description.clone_from(&arguments.description);
        source.enabled = !arguments.disabled;
        source
            .extra
            .extend(settings::extra(&arguments.table, &arguments.endpoint));
        if arguments.no_test {
            return Ok(Some(app::sources::add(app, &allow, source, false).await?));
        }
        output.tell("testing the connection …");
        match trial::run(context, app, &allow, &source).await {
            Ok(answer) => {
                let mut added = app::sources::add(app, &allow, source, false).await?;
                added.tested = Some(answer);
                return Ok(Some(added));
            }
            Err(Stop::Failed(error)) => output.error(&error),
            Err(other) => return Err(other),
        }
        match wizard::after_failure(&mut *ask)? {
            wizard::AfterFailure::AskAgain => {}
            wizard::AfterFailure::SaveAnyway => {
                return Ok(Some(app::sources::add(app, &allow, source, false).await?));
            }
            wizard::AfterFailure::GiveUp => return Ok(None),
        }
    }
}

fn tell(context: &Context, added: &Added) -> Result<(), Stop> {
    let output = context.output;
    if output.json {
        return output.print_json(added);
    }
    if let Some(answer) = &added.tested {
        output.tell(&format!(
            "{} {answer}",
            output.talk_palette().paint(Style::Good, "ok:")
        ));
    }
    for file in &added.files {
        output.tell(&format!("wrote {}", file.display()));
    }
    let name = &added.name;
    output.tell(&crate::commands::next(
        output.talk_palette(),
        &[
            (
                &format!("dango sync {name}"),
                "bring its rows into the warehouse",
            ),
            (
                &format!("dango source show {name}"),
                "look at its settings and tables",
            ),
        ],
    ));
    Ok(())
}
