//! `dango user show EMAIL`.

use super::find;
use crate::context::Context;
use crate::errors::Stop;
use app::App;
use app::identity::{people, sessions};
use clap::Args;
use security::permissions::UsersManage;
use serde_json::json;
use server::{SessionRead, UserRead};

/// Arguments of `dango user show`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The user's address or id
    #[arg(value_name = "EMAIL")]
    user: String,
}

/// Shows a user with his running sessions.
pub(crate) async fn run(context: &Context, app: &App, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let person = people::get(app, &allow, user.id).await?;
    let running = sessions::list(app, &allow, user.id).await?;
    if output.json {
        let running: Vec<_> = running
            .iter()
            .map(|one| SessionRead::of(one, None))
            .collect();
        return output.print_json(&json!({"user": UserRead::of(&person), "sessions": running}));
    }
    let time = |at: Option<domain::Timestamp>| {
        at.map_or_else(|| "never".to_owned(), domain::Timestamp::to_rfc3339)
    };
    let mut lines = vec![
        ("id", user.id.to_string()),
        ("email", user.email.to_string()),
        ("role", user.role.to_string()),
        ("state", person.state().to_owned()),
        (
            "second factor",
            if user.has_second_factor { "on" } else { "off" }.to_owned(),
        ),
        ("failures", person.failures.count.to_string()),
        ("created", user.created_at.to_rfc3339()),
        ("last sign-in", time(user.last_login_at)),
        ("password changed", time(user.password_changed_at)),
        ("sessions", running.len().to_string()),
    ];
    for login in &person.logins {
        let address = login
            .email
            .as_ref()
            .map_or(login.subject.as_str(), |email| email.as_str());
        lines.push(("linked login", format!("{} ({address})", login.provider)));
    }
    if let Some(until) = person.failures.locked_until {
        lines.push(("locked until", until.to_rfc3339()));
    }
    if let Some(until) = person.invited_until {
        lines.push(("invited until", until.to_rfc3339()));
    }
    let text: Vec<_> = lines
        .into_iter()
        .map(|(name, value)| format!("{name:<17} {value}"))
        .collect();
    output.print(&text.join("\n"))
}
