//! `dango logout`: signs out at a server elsewhere.

use crate::context::Context;
use crate::errors::Stop;
use app::Environment;
use app::remote::{self, Kept};
use clap::Args;
use serde_json::json;

/// Arguments of `dango logout`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The server's address; otherwise `DAP_ENGINE_URL`, or the only one you are signed in at
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Only forget the token here: the server is not asked to end it
    #[arg(long)]
    local: bool,
}

/// Signs out.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<(), Stop> {
    let environment = Environment::from_process();
    let kept = Kept::of(&environment)?;
    let address = remote::choose(&environment, &kept, arguments.url.as_deref())?;
    let out = async { Ok(remote::sign_out(&kept, &address, arguments.local).await?) };
    let left = context.interrupts.or_drop(Box::pin(out)).await?;
    let output = context.output;
    if output.json {
        let (was, ended) = match &left {
            Some((_, ended)) => (true, *ended),
            None => (false, false),
        };
        return output.print_json(&json!({
            "server": address.as_str(), "was_signed_in": was, "token_revoked": ended,
        }));
    }
    output.tell(&match left {
        None => format!("nobody was signed in at {address}"),
        Some((_, true)) => format!("signed out at {address}; the token opens nothing any more"),
        Some((login, false)) if login.is_own => {
            format!("forgot the token for {address}; it is good until it ends or is revoked there")
        }
        Some((_, false)) => {
            format!("forgot the token for {address}; it was made elsewhere and stays good until it is revoked there")
        }
    });
    Ok(())
}
