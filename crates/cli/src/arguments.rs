//! The command line as clap reads it: global flags and the list of commands. Each command's own arguments stand beside the
//! command.

pub(crate) mod moment;
pub(crate) mod numbers;

use crate::commands;
use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const FIRST_STEPS: &str = "\
First steps:
  dango demo                          a small shop, synced and queried in a minute
  dango init && dango source add      a project of your own
  dango sync && dango query 'SELECT …'

Exit codes: 0 done, 1 failed, 2 usage, 3 denied, 4 not found, 5 conflict or locked, 6 budget,
70 our bug, 75 try again, 130 interrupted. `dango explain CODE` explains an error code.";

/// Syncs sources into an embedded DuckDB warehouse and queries it.
#[derive(Debug, Parser)]
#[command(
    name = "dango",
    version,
    about = "Syncs sources into an embedded DuckDB warehouse and queries it.",
    after_help = FIRST_STEPS,
    styles = styles(),
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The project's folder; otherwise `DANGO_PROJECT_ROOT`, or the nearest folder upwards with `.dango/project.yml`
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) project: Option<PathBuf>,
    /// Print one JSON document on stdout; errors are JSON on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Answer every yes-or-no question with yes
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Never ask: fail and name the flag that gives the answer
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Colour the output; `NO_COLOR` and `TERM=dumb` turn it off
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub(crate) color: ColorChoice,
    /// Log more to stderr (-v what happens, -vv every step)
    #[arg(long, short = 'v', global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Wait so long for another dango that works in this project
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = numbers::parse_wait, allow_negative_numbers = true)]
    pub(crate) wait: u64,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    Auto,
    Always,
    Never,
}

/// Every command, in the order of the help.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a project here or in NAME, or complete one
    Init(commands::init::Arguments),
    /// Add, list, show, change, remove and test sources
    Source(commands::source::Arguments),
    /// Sync sources into the warehouse
    Sync(commands::sync::Arguments),
    /// Run one SELECT over the warehouse
    Query(commands::query::Arguments),
    /// Show the warehouse's state, or shrink its file
    Db(commands::db::Arguments),
    /// Show or check the configuration
    Config(commands::config::Arguments),
    /// Store, list and remove credentials
    Secrets(commands::secrets::Arguments),
    /// Start the server in the background, and open its pages
    Start(commands::start::Arguments),
    /// Stop the server
    Stop(commands::stop::Arguments),
    /// Show whether the server runs, where, and what its sources last did
    Status(commands::status::Arguments),
    /// Run the server in the foreground
    Serve(commands::serve::Arguments),
    /// Invite, list and manage the people of the team
    User(commands::user::Arguments),
    /// Make, list and revoke API tokens
    Token(commands::token::Arguments),
    /// List and end sessions
    Session(commands::session::Arguments),
    /// Switch sign-in on or off, get back in, and manage people by getdango's names
    Auth(commands::auth::Arguments),
    /// Replace the key that signs sessions
    Keys(commands::keys::Arguments),
    /// Sign in at a server elsewhere
    Login(commands::login::Arguments),
    /// Sign out at a server elsewhere
    Logout(commands::logout::Arguments),
    /// Show who did what, and check that nothing of it was changed
    Audit(commands::audit::Arguments),
    /// Check this machine and this project, and say how to mend what is wrong
    Doctor(commands::doctor::Arguments),
    /// Create, sync and query a demo project
    Demo(commands::demo::Arguments),
    /// Explain an error code
    Explain(commands::explain::Arguments),
    /// Print a completion script for a shell
    Completions(commands::completions::Arguments),
    /// Print the version
    Version(commands::version::Arguments),
    /// Print this reference as Markdown
    #[command(hide = true)]
    Reference(commands::reference::Arguments),
}

/// Returns the whole command line as clap knows it.
pub(crate) fn command() -> clap::Command {
    CommandLine::command()
}

const fn styles() -> Styles {
    Styles::styled()
        .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
        .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
        .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
        .placeholder(AnsiColor::Cyan.on_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_is_explained() {
        fn check(command: &clap::Command) {
            assert!(
                command.get_about().is_some(),
                "{} says nothing",
                command.get_name()
            );
            for argument in command.get_arguments() {
                assert!(
                    argument.get_help().is_some(),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
