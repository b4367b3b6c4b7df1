//! `dango auth enable|disable`.

use crate::context::Context;
use crate::errors::Stop;
use app::identity::switch;
use security::permissions::AuthManage;
use serde_json::json;

/// Switches sign-in on or off.
pub(crate) async fn run(context: &Context, is_on: bool) -> Result<(), Stop> {
    let output = context.output;
    let question =
        "Switch sign-in off? Whoever sits at this machine may then do nearly everything.";
    if !is_on && !context.confirm(question)? {
        output.tell("nothing was changed");
        return Ok(());
    }
    let app = context.open_read("auth").await?;
    let done = match app.allow::<AuthManage>().await {
        Ok(allow) => switch::set(&app, &allow, is_on).await,
        Err(error) => Err(error),
    };
    app.close().await;
    done?;
    if output.json {
        return output.print_json(&json!({ "auth_enabled": is_on }));
    }
    output.tell(if is_on {
        "sign-in is on; a server that runs asks for it from its next request"
    } else {
        "sign-in is off, on this machine alone; a server that runs goes on asking until it is started again"
    });
    Ok(())
}
