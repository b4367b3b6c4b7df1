//! `dango token approve`: lets a machine in on which somebody runs `dango login`.

use crate::context::Context;
use crate::errors::Stop;
use app::App;
use app::identity::{device, tokens};
use clap::Args;
use domain::say::Quoted;
use domain::{Email, say};
use security::Plain;
use security::permissions::AccountSecure;
use serde_json::json;

/// Arguments of `dango token approve`.
#[derive(Debug, Args)]
pub(crate) struct ApproveArguments {
    /// The code that `dango login` shows on the other machine
    #[arg(value_name = "CODE")]
    code: String,
    /// Send the machine away
    #[arg(long)]
    deny: bool,
}

/// Decides about the machine that shows the code.
pub(crate) async fn run(
    context: &Context,
    app: &App,
    named: Option<&Email>,
    arguments: ApproveArguments,
) -> Result<(), Stop> {
    let allow = app.allow::<AccountSecure>().await?;
    let owner = tokens::owner(app, &allow, named).await?;
    let code = Plain::new(arguments.code);
    let seen = device::look(app, &allow, owner, &code).await?;
    let from = seen.ip.as_deref().unwrap_or("this machine");
    let (name, days) = (Quoted(&seen.name), seen.days);
    let what = seen.scopes.join(", ");
    let asked = say!("", name name, ", from ", Quoted(from), ", asks for ", Quoted(&what), " for ", days, " days");
    context.output.tell(asked.as_str());
    let denies = arguments.deny || !context.confirm("Let it in?")?;
    let decided = if denies {
        device::deny(app, &allow, owner, &code).await?
    } else {
        device::approve(app, &allow, owner, &code).await?
    };
    if context.output.json {
        return context.output.print_json(&json!({
            "approved": !denies, "name": decided.name, "scopes": decided.scopes,
            "expires_in_days": decided.days, "ip_address": decided.ip,
        }));
    }
    let word = if denies { "sent away" } else { "let in" };
    context
        .output
        .tell(&format!("{word} {}", say!("", name Quoted(&decided.name))));
    Ok(())
}
