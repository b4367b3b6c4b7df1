//! `dango secrets set NAME`: from a prompt, stdin or a file, never from the command line.

use crate::context::Context;
use crate::errors::{Stop, input_needed, usage};
use crate::prompts;
use app::secrets::{self, SecretName};
use clap::Args;
use security::Plain;
use security::permissions::ConfigManage;
use serde_json::json;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

/// Arguments of `dango secrets set`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The secret: SOURCE.FIELD (`shop_db.password`) or its whole path in the file (`sources.shop_db.password`)
    #[arg(value_name = "NAME")]
    name: String,
    /// Read the secret from stdin
    #[arg(long, conflicts_with = "file")]
    stdin: bool,
    /// Read the secret from a file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// A value typed here would stand in the shell's history: it is refused, and not repeated
    #[arg(hide = true, value_name = "VALUE")]
    value: Vec<String>,
}

/// Stores the secret.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    if !arguments.value.is_empty() || arguments.name.contains('=') {
        return Err(usage(
            "a secret is never taken from the command line: it would stand in the shell's history and in `ps`",
            "type it at the prompt, or use `--stdin` or `--file PATH`; and change this one, it has been seen",
        ));
    }
    // A missing project is said before anything is asked for.
    let app = context.open_read("secrets set").await?;
    let name = SecretName::parse(&arguments.name)?;
    let secret = read(context, arguments).await?;
    if secret.expose().is_empty() {
        return Err(input_needed(
            "a value that is not empty",
            "--stdin` or `--file PATH",
        ));
    }
    let stored = match app.allow::<ConfigManage>().await {
        Ok(allow) => secrets::store(&app, &allow, &name, &secret).await,
        Err(error) => Err(error),
    };
    app.close().await;
    let is_new = stored?;
    if context.output.json {
        return context
            .output
            .print_json(&json!({ "name": name.to_string(), "stored": true, "new": is_new }));
    }
    let act = if is_new { "stored" } else { "replaced" };
    context
        .output
        .tell(&format!("{act} `{name}` in `.dlt/secrets.toml`"));
    Ok(())
}

async fn read(context: &Context, arguments: &Arguments) -> Result<Plain<String>, Stop> {
    if let Some(path) = &arguments.file {
        return prompts::secret_from_file(path);
    }
    if !arguments.stdin && prompts::is_interactive(context.global.no_input) {
        let mut ask = context.ask("the secret", "--stdin")?;
        return ask.secret(
            &format!("{}:", arguments.name),
            "it is not shown while you type or paste it",
        );
    }
    if !arguments.stdin && (context.global.no_input || io::stdin().is_terminal()) {
        return Err(input_needed("the secret", "--stdin` or `--file PATH"));
    }
    prompts::secret_from_stdin(&context.interrupts).await
}
