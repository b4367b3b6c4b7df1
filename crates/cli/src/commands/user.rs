//! `dango user`: the people of the team, as the operator of the machine manages them.

pub(crate) mod add;
mod links;
pub(crate) mod list;
mod show;
pub(crate) mod steps;

use crate::context::Context;
use crate::errors::{Stop, usage};
use app::App;
use app::identity::{User, people};
use clap::{Args, Subcommand, ValueEnum};
use domain::say::Quoted;
use domain::{Email, UserId, say};
use security::permissions::UsersManage;
use security::{Allow, Role};

/// Arguments of `dango user`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Invite somebody: prints the link by which he chooses his password
    Add(add::Arguments),
    /// List the users
    List(list::Arguments),
    /// Show a user with his sessions
    Show(show::Arguments),
    /// Give a user another role
    Role(steps::RoleArguments),
    /// Take a user's access away; it ends at his next request
    Deactivate(steps::Arguments),
    /// Give a user his access back
    Reactivate(steps::Arguments),
    /// Forget the failures that locked a user's account
    Unlock(steps::Arguments),
    /// Take a user's password away and print the link by which he chooses another
    ResetPassword(steps::Arguments),
    /// Take a user's second factors away, who has lost them
    #[command(name = "reset-2fa")]
    ResetSecondFactor(steps::Arguments),
    /// Delete a user so that he can be restored; what he owns stays
    Delete(steps::Arguments),
    /// Bring a deleted user back
    Restore(steps::Arguments),
    /// Erase a user with everything he owns, for good
    Erase(steps::Arguments),
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    use steps::Step;
    let app = match arguments.command {
        Command::Add(ref add) if add.makes_link() => context.open_for_links("user").await?,
        Command::ResetPassword(_) => context.open_for_links("user").await?,
        _ => context.open_read("user").await?,
    };
    let ran = match arguments.command {
        Command::Add(arguments) => Box::pin(add::run(context, &app, arguments)).await,
        Command::List(arguments) => list::run(context, &app, &arguments).await,
        Command::Show(arguments) => show::run(context, &app, &arguments).await,
        Command::Role(arguments) => steps::role(context, &app, &arguments).await,
        Command::Deactivate(arguments) => {
            steps::run(context, &app, Step::Deactivate, &arguments).await
        }
        Command::Reactivate(arguments) => {
            steps::run(context, &app, Step::Reactivate, &arguments).await
        }
        Command::Unlock(arguments) => steps::run(context, &app, Step::Unlock, &arguments).await,
        Command::ResetPassword(arguments) => {
            Box::pin(steps::reset_password(context, &app, &arguments)).await
        }
        Command::ResetSecondFactor(arguments) => {
            steps::run(context, &app, Step::ResetSecondFactor, &arguments).await
        }
        Command::Delete(arguments) => steps::run(context, &app, Step::Delete, &arguments).await,
        Command::Restore(arguments) => steps::run(context, &app, Step::Restore, &arguments).await,
        Command::Erase(arguments) => steps::run(context, &app, Step::Erase, &arguments).await,
    };
    app.close().await;
    ran
}

/// A role, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    Viewer,
    Editor,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Viewer => Self::Viewer,
            RoleName::Editor => Self::Editor,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Reads an address.
pub(crate) fn email(text: &str) -> Result<Email, Stop> {
    Email::parse(text).map_err(|_| {
        usage(
            say!("", name Quoted(text), " is not an e-mail address"),
            "it has the form name@host",
        )
    })
}

/// Finds the user that was named by his address or his id.
pub(crate) async fn find(app: &App, allow: &Allow<UsersManage>, named: &str) -> Result<User, Stop> {
    if let Ok(id) = named.parse::<UserId>() {
        return Ok(people::get(app, allow, id).await?.user);
    }
    Ok(people::get_by_email(app, allow, &email(named)?).await?)
}
