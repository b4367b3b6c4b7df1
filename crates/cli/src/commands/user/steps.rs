//! What becomes of a user: one step, told in one line.

use super::{RoleName, find, links};
use crate::context::Context;
use crate::errors::Stop;
use app::App;
use app::identity::links::Page;
use app::identity::{User, people, second_factors};
use clap::Args;
use security::Role;
use security::permissions::UsersManage;
use serde_json::json;
use server::UserRead;

/// Arguments of a step.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The user's address or id
    #[arg(value_name = "EMAIL")]
    pub(crate) user: String,
}

/// Arguments of `dango user role`.
#[derive(Debug, Args)]
pub(crate) struct RoleArguments {
    /// The user's address or id
    #[arg(value_name = "EMAIL")]
    user: String,
    /// The new role
    #[arg(value_enum, value_name = "ROLE")]
    role: RoleName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Deactivate,
    Reactivate,
    Unlock,
    ResetSecondFactor,
    Delete,
    Restore,
    Erase,
}

/// Takes a step.
pub(crate) async fn run(
    context: &Context,
    app: &App,
    step: Step,
    arguments: &Arguments,
) -> Result<(), Stop> {
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let (id, email) = (user.id, user.email.clone());
    if let Some(question) = question(step, &user)
        && !context.confirm(&question)?
    {
        context.output.tell("nothing was changed");
        return Ok(());
    }
    let said = match step {
        Step::Deactivate => people::deactivate(app, &allow, id)
            .await
            .map(|_| "deactivated"),
        Step::Reactivate => people::reactivate(app, &allow, id)
            .await
            .map(|_| "reactivated"),
        Step::Unlock => people::unlock(app, &allow, id).await.map(|_| "unlocked"),
        Step::ResetSecondFactor => second_factors::reset(app, &allow, id)
            .await
            .map(|_| "took the second factors away from"),
        Step::Delete => people::delete(app, &allow, id).await.map(|_| "deleted"),
        Step::Restore => people::restore(app, &allow, id).await.map(|_| "restored"),
        Step::Erase => people::erase(app, &allow, id).await.map(|()| "erased"),
    }?;
    if context.output.json {
        let user = match step {
            Step::Erase => json!({"id": id, "email": email.as_str()}),
            _ => json!(UserRead::of(&people::get(app, &allow, id).await?)),
        };
        return context
            .output
            .print_json(&json!({"done": said, "user": user}));
    }
    context.output.tell(&format!("{said} {email}"));
    Ok(())
}

fn question(step: Step, user: &User) -> Option<String> {
    let email = &user.email;
    match step {
        Step::Delete => Some(format!(
            "Delete {email}? `dango user restore` brings him back."
        )),
        Step::Erase => Some(format!(
            "Erase {email} with everything he owns? Nothing brings it back."
        )),
        Step::Deactivate
        | Step::Reactivate
        | Step::Unlock
        | Step::ResetSecondFactor
        | Step::Restore => None,
    }
}

/// Gives a user another role.
pub(crate) async fn role(
    context: &Context,
    app: &App,
    arguments: &RoleArguments,
) -> Result<(), Stop> {
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let role = Role::from(arguments.role);
    let user = people::set_role(app, &allow, user.id, role).await?;
    if context.output.json {
        let user = people::get(app, &allow, user.id).await?;
        return context
            .output
            .print_json(&json!({"done": "role changed", "user": UserRead::of(&user)}));
    }
    context
        .output
        .tell(&format!("{} is {role} now", user.email));
    Ok(())
}

/// Takes a user's password away and prints the link by which he chooses another.
pub(crate) async fn reset_password(
    context: &Context,
    app: &App,
    arguments: &Arguments,
) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let page = if user.has_password {
        Page::Reset
    } else {
        Page::Invite
    };
    let made = people::reset_password(app, &allow, user.id).await?;
    let delivered = links::deliver(app, page, &made).await;
    let until = made.expires_at.to_rfc3339();
    if output.json {
        let user = people::get(app, &allow, user.id).await?;
        return output.print_json_data(&json!({
            "user": UserRead::of(&user), "reset_url": delivered.link.expose(), "expires_at": until,
            "mailed": delivered.is_mailed(),
        }));
    }
    output.tell(&format!(
        "{} is signed out everywhere; the link to choose another password is good until {until}",
        made.user.email
    ));
    delivered.tell(context, &made)
}
