//! `dango secrets`: credentials, stored in `.dlt/secrets.toml` and never shown again.

mod list;
mod set;
mod unset;

use crate::context::Context;
use crate::errors::Stop;
use clap::{Args, Subcommand};

/// Arguments of `dango secrets`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Store a secret that is typed at a prompt, or comes on stdin or in a file
    Set(set::Arguments),
    /// List the names of the stored secrets; their values are masked
    List(list::Arguments),
    /// Remove a secret
    Unset(unset::Arguments),
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    match &arguments.command {
        Command::Set(arguments) => Box::pin(set::run(context, arguments)).await,
        Command::List(arguments) => list::run(context, arguments),
        Command::Unset(arguments) => Box::pin(unset::run(context, arguments)).await,
    }
}
