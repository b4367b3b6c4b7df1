//! `dango config`: the configuration as it is understood.

mod show;
mod validate;

use crate::context::Context;
use crate::errors::Stop;
use clap::{Args, Subcommand};

/// Arguments of `dango config`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show every setting with its value
    Show(show::Arguments),
    /// Check all configuration files
    Validate(validate::Arguments),
}

/// Runs the chosen command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    match &arguments.command {
        Command::Show(arguments) => show::run(context, arguments),
        Command::Validate(arguments) => validate::run(context, arguments),
    }
}
