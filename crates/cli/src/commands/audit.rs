//! `dango audit`: who did what; whether the log is whole; the log as a file.

mod elsewhere;
mod export;
pub(crate) mod list;
mod verify;

use crate::context::Context;
use crate::errors::Stop;
use clap::{Args, Subcommand};

/// Arguments of `dango audit`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that no record was edited, removed or moved
    Verify(verify::Arguments),
    /// Write the whole log as lines of JSON
    Export(export::Arguments),
}

/// Runs the chosen command; without one, lists the newest records.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    match arguments.command {
        None => list::run(context, &arguments.list).await,
        Some(Command::Verify(arguments)) => verify::run(context, &arguments).await,
        Some(Command::Export(arguments)) => export::run(context, &arguments).await,
    }
}
