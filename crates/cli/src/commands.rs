//! One file per command: its arguments, and what it does with them. No command holds a rule of its own; it calls `app`.

pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod query;
pub(crate) mod reference;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod session;
pub(crate) mod source;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod sync;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod version;

use crate::arguments::Command;
use crate::context::Context;
use crate::errors::Stop;
use crate::output::style::{Palette, Style};

/// Runs a command.
pub(crate) async fn run(context: &Context, command: Command) -> Result<(), Stop> {
    // Boxed, because each future is as large as everything it may await.
    match command {
        Command::Init(arguments) => Box::pin(init::run(context, arguments)).await,
        Command::Source(arguments) => Box::pin(source::run(context, arguments)).await,
        Command::Sync(arguments) => Box::pin(sync::run(context, arguments)).await,
        Command::Query(arguments) => Box::pin(query::run(context, arguments)).await,
        Command::Db(arguments) => Box::pin(db::run(context, arguments)).await,
        Command::Config(arguments) => config::run(context, &arguments),
        Command::Secrets(arguments) => Box::pin(secrets::run(context, &arguments)).await,
        Command::Start(arguments) => Box::pin(start::run(context, arguments)).await,
        Command::Serve(arguments) => Box::pin(serve::run(context, arguments)).await,
        Command::Stop(arguments) => Box::pin(stop::run(context, &arguments)).await,
        Command::Status(arguments) => Box::pin(status::run(context, &arguments)).await,
        Command::User(arguments) => Box::pin(user::run(context, arguments)).await,
        Command::Token(arguments) => Box::pin(token::run(context, arguments)).await,
        Command::Session(arguments) => Box::pin(session::run(context, arguments)).await,
        Command::Keys(arguments) => Box::pin(keys::run(context, arguments)).await,
        Command::Auth(arguments) => Box::pin(auth::run(context, arguments)).await,
        Command::Login(arguments) => Box::pin(login::run(context, arguments)).await,
        Command::Logout(arguments) => Box::pin(logout::run(context, arguments)).await,
        Command::Audit(arguments) => Box::pin(audit::run(context, arguments)).await,
        Command::Doctor(arguments) => Box::pin(doctor::run(context, arguments)).await,
        Command::Demo(arguments) => Box::pin(demo::run(context, arguments)).await,
        Command::Explain(arguments) => explain::run(context, &arguments),
        Command::Completions(arguments) => completions::run(context, &arguments),
        Command::Version(arguments) => version::run(context, &arguments),
        Command::Reference(arguments) => reference::run(context, &arguments),
    }
}

/// Returns the closing words of a command that has a natural successor: commands, and what each is for.
pub(crate) fn next(palette: Palette, steps: &[(&str, &str)]) -> String {
    // A long command would push everything to the right; its purpose may stand further out alone.
    const ALIGNED_MAX: usize = 48;
    let lengths = steps.iter().map(|(command, _)| command.chars().count());
    let width = lengths
        .filter(|length| *length <= ALIGNED_MAX)
        .max()
        .unwrap_or(0);
    let mut text = palette.paint(Style::Heading, "next:");
    for (command, purpose) in steps {
        let line = format!(
            "\n  {command:width$}  {}",
            palette.paint(Style::Dim, purpose)
        );
        text.push_str(line.trim_end());
    }
    text
}
