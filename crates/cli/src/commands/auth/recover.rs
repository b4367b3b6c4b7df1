//! `dango auth recover`: the operator's way back in, when no admin can sign in any more.

use crate::commands::user;
use crate::context::Context;
use crate::errors::{Stop, usage};
use app::App;
use app::identity::{links, people, second_factors};
use clap::Args;
use domain::say;
use domain::say::Quoted;
use security::Role;
use security::permissions::UsersManage;
use serde_json::json;

/// Arguments of `dango auth recover`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The admin's address; not needed while there is no admin
    #[arg(value_name = "EMAIL")]
    user: Option<String>,
    /// Take his second factors away too
    #[arg(long = "reset-2fa")]
    reset_second_factor: bool,
}

/// Prints a link by which somebody gets in as an admin.
pub(crate) async fn run(context: &Context, arguments: &Arguments) -> Result<(), Stop> {
    let app = context.open_for_links("auth").await?;
    let ran = recover(context, &app, arguments).await;
    app.close().await;
    ran
}

async fn recover(context: &Context, app: &App, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<UsersManage>().await?;
    if let Some(token) = links::open_set_up(app).await? {
        let link = links::address(app, links::Page::SetUp, &token);
        if output.json {
            return output.print_json_data(&json!({ "set_up_url": link.expose() }));
        }
        output.tell("there is no admin; this link makes the first one, once the server runs:");
        return output.print_data(link.expose());
    }
    let Some(named) = &arguments.user else {
        return Err(usage(
            "there is an admin already",
            "name the one who has to get back in: `dango auth recover EMAIL`",
        ));
    };
    let user = user::find(app, &allow, named).await?;
    if user.role != Role::Admin {
        return Err(usage(
            say!("", name Quoted(user.email.as_str()), " is no admin"),
            "`dango user reset-password` is for everybody else, `dango user role EMAIL admin` makes him one",
        ));
    }
    if !user.is_active {
        people::reactivate(app, &allow, user.id).await?;
    }
    people::unlock(app, &allow, user.id).await?;
    if arguments.reset_second_factor {
        second_factors::reset(app, &allow, user.id).await?;
    }
    user::steps::reset_password(
        context,
        app,
        &user::steps::Arguments {
            user: named.clone(),
        },
    )
    .await
}
