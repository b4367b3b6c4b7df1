//! `dango db`: the warehouse as a file.

mod compact;
mod status;

use crate::context::Context;
use crate::errors::Stop;
use clap::{Args, Subcommand};

/// Arguments of `dango db`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the warehouse's size, tables and last syncs
    Status(status::Arguments),
    /// Rewrite the warehouse's file without the space that old rows left
    Compact(compact::Arguments),
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    match arguments.command {
        Command::Status(arguments) => status::run(context, &arguments).await,
        Command::Compact(arguments) => compact::run(context, &arguments).await,
    }
}
