//! `dango user list`.

use crate::context::Context;
use crate::errors::Stop;
use crate::output::table::{Align, Columns};
use app::App;
use app::identity::people;
use app::identity::{Paging, UserFilter};
use clap::Args;
use security::permissions::UsersView;
use serde_json::json;
use server::UserRead;

/// Arguments of `dango user list`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// List deleted users too
    #[arg(long)]
    include_deleted: bool,
    /// At most so many, 500 at a time
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    limit: u64,
    /// Leave out so many first
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    offset: u64,
}

/// Lists the users, newest first.
pub(crate) async fn run(context: &Context, app: &App, arguments: &Arguments) -> Result<(), Stop> {
    let output = context.output;
    let allow = app.allow::<UsersView>().await?;
    let filter = UserFilter {
        include_deleted: arguments.include_deleted,
    };
    let paging = Paging::new(arguments.limit, arguments.offset);
    let listed = people::list(app, &allow, filter, paging).await?;
    if output.json {
        let items: Vec<_> = listed.items.iter().map(UserRead::of).collect();
        return output.print_json(&json!({"items": items, "total": listed.total}));
    }
    if listed.items.is_empty() {
        output.tell("there are no users; `dango user add EMAIL` invites one");
        return Ok(());
    }
    let headings = ["EMAIL", "ROLE", "STATE", "2FA", "LAST SIGN-IN"];
    let headings = headings.map(|heading| (heading, Align::Left));
    let mut columns = Columns::new(&headings, output.data_palette(), output.list_width());
    for person in &listed.items {
        let user = &person.user;
        let seen = user.last_login_at.map(domain::Timestamp::to_rfc3339);
        columns.row([
            user.email.to_string(),
            user.role.to_string(),
            person.state().to_owned(),
            if user.has_second_factor { "on" } else { "off" }.to_owned(),
            seen.unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    output.print(&columns.render())?;
    let shown = listed.items.len() as u64;
    if arguments.offset.saturating_add(shown) < listed.total {
        output.tell(&format!(
            "{shown} of {} users; `--offset` shows more",
            listed.total
        ));
    }
    Ok(())
}
