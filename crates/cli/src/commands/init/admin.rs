//! The first admin, made by whoever installs the program.

use super::Arguments;
use crate::commands::user::email;
use crate::context::Context;
use crate::errors::{Stop, usage};
use crate::output::Output;
use crate::prompts;
use app::identity::people::{self, Promoted};
use app::{App, Environment};
use domain::Email;
use security::Plain;
use security::permissions::UsersManage;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// An admin who was made or promoted.
pub(super) struct Made {
    email: Email,
    id: domain::UserId,
    how: Promoted,
    /// The password, when it was generated: it is shown once.
    generated: Option<Plain<String>>,
}

/// Where the password comes from.
enum Password {
    Given(Plain<String>),
    Generated(Plain<String>),
    /// Whoever has the address keeps his.
    Kept,
}

/// Makes the admin that the flags or the environment name, if they name one.
pub(super) async fn make(
    context: &Context,
    root: &Path,
    arguments: &Arguments,
) -> Result<Option<Made>, Stop> {
    let environment = Environment::from_process();
    let Some(named) = arguments
        .admin_email
        .as_deref()
        .or(environment.setting("DANGO_ADMIN_EMAIL"))
    else {
        return Ok(None);
    };
    let email = email(named)?;
    let given = given(context, arguments, &environment).await?;
    let options = app::OpenOptions {
        project: Some(root.to_path_buf()),
        ..context.options("init")?
    };
    let app = Box::pin(App::open_read(options)).await?;
    let made = ensure(context, &app, email, given).await;
    app.close().await;
    made.map(Some)
}

async fn ensure(
    context: &Context,
    app: &App,
    email: Email,
    given: Option<Plain<String>>,
) -> Result<Made, Stop> {
    let allow = app.allow::<UsersManage>().await?;
    let is_known = people::get_by_email(app, &allow, &email).await.is_ok();
    let password = match given {
        Some(password) => Password::Given(password),
        None if is_known => Password::Kept,
        None => ask(context, app)?,
    };
    let (chosen, must_change) = match &password {
        Password::Given(chosen) => (Some(chosen), false),
        Password::Generated(chosen) => (Some(chosen), true),
        Password::Kept => (None, false),
    };
    let (user, how) = people::ensure_admin(app, &allow, &email, chosen, must_change).await?;
    Ok(Made {
        email: user.email,
        id: user.id,
        how,
        generated: match password {
            Password::Generated(password) => Some(password),
            Password::Given(_) | Password::Kept => None,
        },
    })
}

/// Takes the password from stdin, from a file or from the environment, as Dango does.
async fn given(
    context: &Context,
    arguments: &Arguments,
    environment: &Environment,
) -> Result<Option<Plain<String>>, Stop> {
    if arguments.admin_password_stdin {
        return prompts::secret_from_stdin(&context.interrupts)
            .await
            .map(Some);
    }
    if let Some(file) = environment.setting("DANGO_ADMIN_PASSWORD_FILE") {
        return prompts::secret_from_file(&PathBuf::from(file)).map(Some);
    }
    let given = environment.find("DANGO_ADMIN_PASSWORD");
    let given = given.filter(|password| !password.expose().is_empty());
    Ok(given.map(|password| Plain::new(password.expose().clone())))
}

/// Asks for a password twice; an empty answer, or nobody to ask, means a generated one.
fn ask(context: &Context, app: &App) -> Result<Password, Stop> {
    if !prompts::is_interactive(context.global.no_input) {
        return Ok(Password::Generated(app.new_password()));
    }
    let mut ask = context.ask("the admin's password", "--admin-password-stdin")?;
    let first = ask.secret(
        "The admin's password:",
        "nothing makes one up, and shows it once",
    )?;
    if first.expose().is_empty() {
        return Ok(Password::Generated(app.new_password()));
    }
    let second = ask.secret("The same again:", "")?;
    if first.expose() != second.expose() {
        return Err(usage(
            "the two passwords differ",
            "run the same command again: the project is there already",
        ));
    }
    Ok(Password::Given(first))
}

impl Made {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "email": self.email,
            "id": self.id,
            "promoted_existing": self.how == Promoted::Existing,
            "generated_password": self.generated.as_ref().map(Plain::expose),
        })
    }

    pub(super) fn tell(&self, output: Output) -> Result<(), Stop> {
        let email = &self.email;
        output.tell(&match self.how {
            Promoted::Created => format!("{email} is an admin"),
            Promoted::Existing => format!("{email} was there already, and is an admin now"),
        });
        let Some(password) = &self.generated else {
            return Ok(());
        };
        output.tell("the password is shown only now, and has to be changed at the first sign-in:");
        output.print_data(password.expose())
    }
}
