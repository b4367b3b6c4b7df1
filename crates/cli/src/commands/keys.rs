//! `dango keys rotate`: another key for sessions.

use crate::context::Context;
use crate::errors::Stop;
use app::identity;
use clap::{Args, Subcommand};
use security::permissions::AuthManage;
use serde_json::json;

/// Arguments of `dango keys`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sign sessions with a new key; those the old one has signed are good for another day
    Rotate(RotateArguments),
}

#[derive(Debug, Args)]
struct RotateArguments {
    /// End every session at once; API tokens stay
    #[arg(long)]
    revoke_all: bool,
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let Command::Rotate(arguments) = arguments.command;
    let app = context.open_read("keys rotate").await?;
    let rotated = match app.allow::<AuthManage>().await {
        Ok(allow) => identity::rotate_keys(&app, &allow, arguments.revoke_all).await,
        Err(error) => Err(error),
    };
    app.close().await;
    let rotated = rotated?;
    if context.output.json {
        return context.output.print_json(&json!({
            "rotated": true, "sessions_ended": rotated.sessions_ended,
        }));
    }
    context.output.tell(if arguments.revoke_all {
        "sessions are signed with a new key; everybody has to sign in again, API tokens stay"
    } else {
        "sessions are signed with a new key; nobody has to sign in again"
    });
    Ok(())
}
