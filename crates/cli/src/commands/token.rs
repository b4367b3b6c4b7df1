//! `dango token`: API tokens of a user, for programs.

mod approve;

use super::user::email;
use crate::context::Context;
use crate::errors::{Stop, usage};
use crate::output::table::{Align, Columns};
use app::App;
use app::identity::Paging;
use app::identity::tokens::{self, DAYS_MAX, TokenRequest};
use clap::{Args, Subcommand};
use domain::say::Quoted;
use domain::{Email, TokenId, say};
use security::permissions::{AccountManage, AccountSecure, AccountView};
use serde_json::json;
use server::TokenRead;

/// Arguments of `dango token`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Whose tokens; by default those of the only admin
    #[arg(long = "as", global = true, value_name = "EMAIL")]
    owner: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print it, once
    Create(CreateArguments),
    /// Let a machine in on which somebody runs `dango login`
    Approve(approve::ApproveArguments),
    /// List the tokens
    List,
    /// Revoke a token; it opens nothing from the next request on
    Revoke(RevokeArguments),
}

#[derive(Debug, Args)]
struct CreateArguments {
    /// What it is for, as its owner recognises it
    #[arg(value_name = "NAME")]
    name: String,
    /// Days until it expires; otherwise it is good until it is revoked
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=i64::from(DAYS_MAX)))]
    expires_in_days: Option<u32>,
    /// Narrow it to a permission (`source.view`); may be given several times
    #[arg(long = "scope", value_name = "PERMISSION")]
    scopes: Vec<String>,
    /// Bind it to an address or a network (192.0.2.0/24); may be given several times
    #[arg(long = "network", value_name = "NETWORK")]
    networks: Vec<String>,
}

#[derive(Debug, Args)]
struct RevokeArguments {
    /// The token's id, as `dango token list` shows it
    #[arg(value_name = "ID")]
    id: String,
}

/// Runs the chosen command.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let named = arguments.owner.as_deref().map(email).transpose()?;
    let app = context.open_read("token").await?;
    let ran = match arguments.command {
        Command::Create(arguments) => create(context, &app, named.as_ref(), arguments).await,
        Command::Approve(arguments) => approve::run(context, &app, named.as_ref(), arguments).await,
        Command::List => list(context, &app, named.as_ref()).await,
        Command::Revoke(arguments) => revoke(context, &app, named.as_ref(), &arguments).await,
    };
    app.close().await;
    ran
}

async fn create(
    context: &Context,
    app: &App,
    named: Option<&Email>,
    arguments: CreateArguments,
) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<AccountSecure>().await?;
    let owner = tokens::owner(app, &allow, named).await?;
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let request = TokenRequest {
        name: arguments.name,
        expires_in_days: arguments.expires_in_days,
        scopes: some(arguments.scopes),
        networks: some(arguments.networks),
    };
    let made = tokens::create(app, &allow, owner, request).await?;
    if output.json {
        return output.print_json_data(&TokenRead::made(&made));
    }
    output.tell(&format!(
        "made token {}; it is shown only now:",
        made.token.id
    ));
    output.print_data(made.raw.expose())
}

async fn list(context: &Context, app: &App, named: Option<&Email>) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<AccountView>().await?;
    let owner = tokens::owner(app, &allow, named).await?;
    let listed = tokens::list(app, &allow, owner, Paging::new(500, 0)).await?;
    if output.json {
        let items: Vec<_> = listed.items.iter().map(TokenRead::of).collect();
        return output.print_json(&json!({"items": items, "total": listed.total}));
    }
    if listed.items.is_empty() {
        output.tell("there are no tokens; `dango token create NAME` makes one");
        return Ok(());
    }
    let headings = ["ID", "NAME", "PREFIX", "EXPIRES", "LAST USED", "STATE"];
    let headings = headings.map(|heading| (heading, Align::Left));
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    let time = |at: Option<domain::Timestamp>| {
        at.map_or_else(|| "never".to_owned(), domain::Timestamp::to_rfc3339)
    };
    for token in &listed.items {
        columns.row([
            token.id.to_string(),
            token.name.clone(),
            format!("dap_{}…", token.prefix),
            time(token.expires_at),
            time(token.last_used_at),
            app.token_state(token).to_owned(),
        ]);
    }
    output.print(&columns.render())
}

async fn revoke(
    context: &Context,
    app: &App,
    named: Option<&Email>,
    arguments: &RevokeArguments,
) -> Result<(), Stop> {
    let id: TokenId = arguments.id.parse().map_err(|_| {
        usage(
            say!("", name Quoted(&arguments.id), " is not the id of a token"),
            "`dango token list` shows the ids",
        )
    })?;
    let allow = app.allow::<AccountManage>().await?;
    let owner = tokens::owner(app, &allow, named).await?;
    let token = tokens::revoke(app, &allow, owner, id).await?;
    if context.output.json {
        return context.output.print_json(&TokenRead::of(&token));
    }
    context.output.tell(&format!("revoked {}", token.name));
    Ok(())
}
