//! The first admin of a server that starts where nobody sits at a terminal: `DANGO_ADMIN_EMAIL` with
//! `DANGO_ADMIN_PASSWORD_FILE`. Once there was an admin, both are ignored.

use crate::commands::init::admin::{EMAIL, PASSWORD_FILE, of_variable, password_file, weak_of};
use crate::commands::user;
use crate::context::Context;
use crate::errors::Stop;
use app::App;
use app::identity::people::{self, Promoted};
use security::permissions::UsersManage;

/// What a server says that has no admin, where the link that makes one cannot be shown.
pub(in crate::commands) const WITHOUT_TERMINAL: &str = "there is no admin yet, and no terminal to show the link that makes one: \
    `dango user add EMAIL --role admin` prints an invite";

/// Makes the admin that the environment names, when there was none yet.
pub(super) async fn make(context: &Context, app: &App) -> Result<(), Stop> {
    let environment = app.environment();
    let allow = app.allow::<UsersManage>().await?;
    let Some(named) = environment.setting(EMAIL) else {
        if !context.output.talks_to_terminal() && !people::had_admin(app, &allow).await? {
            context.output.tell(WITHOUT_TERMINAL);
        }
        return Ok(());
    };
    if people::had_admin(app, &allow).await? {
        tracing::info!("DANGO_ADMIN_EMAIL is ignored: there is an admin already");
        return Ok(());
    }
    let Some(file) = environment.setting(PASSWORD_FILE) else {
        context.output.warn(
            "DANGO_ADMIN_EMAIL is set and DANGO_ADMIN_PASSWORD_FILE is not, so nobody was made an admin",
        );
        return Ok(());
    };
    let email = of_variable(EMAIL, user::email(named))?;
    let password = password_file(context, file)?;
    let made = people::make_first_admin(app, &allow, &email, &password).await;
    let said = match weak_of(PASSWORD_FILE, made)? {
        None => return Ok(()),
        Some((_, Promoted::Created)) => "is the first admin",
        Some((_, Promoted::Existing)) => "was there already, and is the first admin now",
    };
    context.output.tell(&format!(
        "{email} {said}; DANGO_ADMIN_EMAIL is ignored from now on"
    ));
    Ok(())
}
