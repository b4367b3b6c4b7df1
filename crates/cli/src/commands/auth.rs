//! `dango auth`: the switch of sign-in, the way back in, and getdango's verbs for people, which call what `dango user` calls.

mod recover;
mod status;
mod switch;

use super::{audit, user};
use crate::context::Context;
use crate::errors::Stop;
use clap::{Args, Subcommand};

/// Arguments of `dango auth`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Switch sign-in on
    Enable,
    /// Switch sign-in off: whoever sits at this machine may do nearly everything, nobody else anything
    Disable,
    /// Show whether people sign in, and how many there are
    Status,
    /// Get back in: print the link that makes the first admin, or one by which an admin chooses another password
    Recover(recover::Arguments),
    /// Invite somebody, as `dango user add`
    AddUser(user::add::Arguments),
    /// List the users, as `dango user list`
    ListUsers(user::list::Arguments),
    /// Make a link to choose another password, as `dango user reset-password`
    ResetPassword(user::steps::Arguments),
    /// Take a user's access away, as `dango user deactivate`
    DeactivateUser(user::steps::Arguments),
    /// Give a user his access back, as `dango user reactivate`
    ReactivateUser(user::steps::Arguments),
    /// Delete a user so that he can be restored, as `dango user delete`
    DeleteUser(user::steps::Arguments),
    /// Forget the failures that locked an account, as `dango user unlock`
    Unlock(user::steps::Arguments),
    /// Give a user another role, as `dango user role`
    ChangeRole(user::steps::RoleArguments),
    /// Show who did what, as `dango audit`
    Audit(audit::list::Arguments),
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    use user::Command as User;
    let command = match arguments.command {
        Command::Enable => return switch::run(context, true).await,
        Command::Disable => return switch::run(context, false).await,
        Command::Status => return status::run(context).await,
        Command::Recover(arguments) => return recover::run(context, &arguments).await,
        Command::Audit(arguments) => return audit::list::run(context, &arguments).await,
        Command::AddUser(arguments) => User::Add(arguments),
        Command::ListUsers(arguments) => User::List(arguments),
        Command::ResetPassword(arguments) => User::ResetPassword(arguments),
        Command::DeactivateUser(arguments) => User::Deactivate(arguments),
        Command::ReactivateUser(arguments) => User::Reactivate(arguments),
        Command::DeleteUser(arguments) => User::Delete(arguments),
        Command::Unlock(arguments) => User::Unlock(arguments),
        Command::ChangeRole(arguments) => User::Role(arguments),
    };
    Box::pin(user::run(context, user::Arguments { command })).await
}
