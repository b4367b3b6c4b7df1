//! `dango user add EMAIL`.

use super::{RoleName, email, links};
use crate::context::Context;
use crate::errors::Stop;
use crate::prompts;
use app::App;
use app::identity::links::Page;
use app::identity::people;
use clap::Args;
use security::permissions::UsersManage;
use serde_json::json;
use server::UserRead;

/// Arguments of `dango user add`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The address to invite
    #[arg(value_name = "EMAIL")]
    email: String,
    /// What he may do
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = RoleName::Viewer)]
    role: RoleName,
    /// Print a temporary password instead of a link; it has to be changed at the first sign-in
    #[arg(long, conflicts_with = "password_stdin")]
    password: bool,
    /// Read a temporary password from stdin; it has to be changed at the first sign-in
    #[arg(long)]
    password_stdin: bool,
}

impl Arguments {
    /// Returns whether he chooses his password himself, by a link.
    pub(super) const fn makes_link(&self) -> bool {
        !self.password && !self.password_stdin
    }
}

/// Invites somebody, or creates him with a temporary password.
pub(crate) async fn run(context: &Context, app: &App, arguments: Arguments) -> Result<(), Stop> {
    let output = context.output;
    let email = email(&arguments.email)?;
    let role = arguments.role.into();
    let allow = app.allow::<UsersManage>().await?;
    if arguments.makes_link() {
        let invited = people::invite(app, &allow, &email, role).await?;
        let delivered = links::deliver(app, Page::Invite, &invited).await;
        if output.json {
            let user = people::get(app, &allow, invited.user.id).await?;
            return output.print_json_data(&json!({
                "user": UserRead::of(&user), "invite_url": delivered.link.expose(),
                "expires_at": invited.expires_at.to_rfc3339(), "mailed": delivered.is_mailed(),
            }));
        }
        output.tell(&format!(
            "invited {email} as {role}; the link is good until {}",
            invited.expires_at.to_rfc3339()
        ));
        return delivered.tell(context, &invited);
    }
    let password = if arguments.password_stdin {
        prompts::secret_from_stdin(&context.interrupts).await?
    } else {
        app.new_password()
    };
    let user = people::create(app, &allow, &email, role, &password, true).await?;
    let shown = arguments.password.then(|| password.expose().as_str());
    if output.json {
        let user = people::get(app, &allow, user.id).await?;
        return output
            .print_json_data(&json!({"user": UserRead::of(&user), "temp_password": shown}));
    }
    output.tell(&format!(
        "created {email} as {role}; the password has to be changed at the first sign-in"
    ));
    shown.map_or(Ok(()), |password| output.print_data(password))
}
