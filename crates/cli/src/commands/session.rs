//! `dango session`: where people are signed in.

use super::user::find;
use crate::context::Context;
use crate::errors::{Stop, usage};
use crate::output::table::{Align, Columns};
use app::App;
use app::identity::sessions;
use clap::{Args, Subcommand};
use domain::say::{Quoted, counted};
use domain::{SessionId, say};
use security::permissions::UsersManage;
use serde_json::json;
use server::SessionRead;

/// Arguments of `dango session`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List a user's running sessions
    List(ListArguments),
    /// End a session, or all of a user's
    End(EndArguments),
}

#[derive(Debug, Args)]
struct ListArguments {
    /// The user's address or id
    #[arg(value_name = "EMAIL")]
    user: String,
}

#[derive(Debug, Args)]
struct EndArguments {
    /// The user's address or id
    #[arg(value_name = "EMAIL")]
    user: String,
    /// The session's id, as `dango session list` shows it
    #[arg(value_name = "ID", required_unless_present = "all")]
    id: Option<String>,
    /// End all of them
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let app = context.open_read("session").await?;
    let ran = match arguments.command {
        Command::List(arguments) => list(context, &app, &arguments).await,
        Command::End(arguments) => end(context, &app, &arguments).await,
    };
    app.close().await;
    ran
}

async fn list(context: &Context, app: &App, arguments: &ListArguments) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let running = sessions::list(app, &allow, user.id).await?;
    if output.json {
        let items: Vec<_> = running
            .iter()
            .map(|one| SessionRead::of(one, None))
            .collect();
        return output.print_json(&json!({"items": items, "total": items.len()}));
    }
    if running.is_empty() {
        output.tell(&format!("{} is signed in nowhere", user.email));
        return Ok(());
    }
    let headings = ["ID", "SINCE", "LAST SEEN", "ADDRESS", "PROGRAM"];
    let headings = headings.map(|heading| (heading, Align::Left));
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for session in running {
        columns.row([
            session.id.to_string(),
            session.created_at.to_rfc3339(),
            session.seen_at.to_rfc3339(),
            session.ip.unwrap_or_default(),
            session.user_agent.unwrap_or_default(),
        ]);
    }
    output.print(&columns.render())
}

async fn end(context: &Context, app: &App, arguments: &EndArguments) -> Result<(), Stop> {
    let allow = app.allow::<UsersManage>().await?;
    let user = find(app, &allow, &arguments.user).await?;
    let ended = match &arguments.id {
        None => sessions::end_all(app, &allow, user.id).await?,
        Some(id) => {
            let id: SessionId = id.parse().map_err(|_| {
                usage(
                    say!("", name Quoted(id), " is not the id of a session"),
                    "`dango session list EMAIL` shows the ids",
                )
            })?;
            sessions::end(app, &allow, user.id, id).await?;
            1
        }
    };
    if context.output.json {
        return context.output.print_json(&json!({ "ended": ended }));
    }
    let said = counted(usize::try_from(ended).unwrap_or(usize::MAX), "session");
    context
        .output
        .tell(&format!("ended {said} of {}", user.email));
    Ok(())
}
