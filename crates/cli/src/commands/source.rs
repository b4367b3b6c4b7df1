//! `dango source`: what is synced.

mod add;
mod edit;
mod form;
mod list;
mod remove;
mod show;
mod test;

use crate::context::Context;
use crate::errors::{Stop, usage};
use clap::{Args, Subcommand};
use domain::say::Quoted;
use domain::{SourceName, say};

/// Arguments of `dango source`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a source: a wizard at the terminal, flags without one
    Add(add::Arguments),
    /// List the sources and their last syncs
    List(list::Arguments),
    /// Show a source: its settings, tables and history
    Show(show::Arguments),
    /// Change a source's settings
    Edit(edit::Arguments),
    /// Remove a source; its tables stay unless told otherwise
    Remove(remove::Arguments),
    /// Connect to a source without syncing it
    Test(test::Arguments),
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    match arguments.command {
        Command::Add(arguments) => Box::pin(add::run(context, arguments)).await,
        Command::List(arguments) => list::run(context, &arguments).await,
        Command::Show(arguments) => Box::pin(show::run(context, &arguments)).await,
        Command::Edit(arguments) => Box::pin(edit::run(context, &arguments)).await,
        Command::Remove(arguments) => Box::pin(remove::run(context, &arguments)).await,
        Command::Test(arguments) => Box::pin(test::run(context, &arguments)).await,
    }
}

/// Parses a source's name as it was typed.
pub(crate) fn parse_name(typed: &str) -> Result<SourceName, Stop> {
    SourceName::parse(typed).map_err(|error| {
        usage(
            say!("", name Quoted(typed), " cannot be a source's name: ", error),
            "a name has letters, digits and `_`, and starts with a letter",
        )
    })
}
