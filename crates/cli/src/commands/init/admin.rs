//! The first admin, made by whoever installs the program.

use super::Arguments;
use crate::commands::user::email;
use crate::context::Context;
use crate::errors::{Stop, usage};
use crate::output::Output;
use crate::prompts;
use app::credentials::hygiene;
use app::error::Error;
use app::identity::people::{self, Promoted};
use app::{App, Environment};
use domain::say::Quoted;
use domain::{Code, Email, say};
use security::Plain;
use security::permissions::UsersManage;
use serde_json::{Value, json};
use std::path::Path;

/// Who becomes an admin, and the file with his password.
pub(crate) const EMAIL: &str = "DANGO_ADMIN_EMAIL";
pub(crate) const PASSWORD_FILE: &str = "DANGO_ADMIN_PASSWORD_FILE";
/// getdango's: other processes of the account can read it.
const PASSWORD: &str = "DANGO_ADMIN_PASSWORD";

/// An admin who was made or promoted.
pub(crate) struct Made {
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

/// A password, and the variable that gave it.
type Given = (Plain<String>, Option<&'static str>);

/// Makes the admin that the flags or the environment name, if they name one.
pub(crate) async fn make(
    context: &Context,
    root: &Path,
    arguments: &Arguments,
) -> Result<Option<Made>, Stop> {
    let environment = Environment::from_process();
    let variable = environment.setting(EMAIL);
    let email = match (arguments.admin_email.as_deref(), variable) {
        (Some(named), _) => email(named)?,
        (None, Some(named)) => of_variable(EMAIL, email(named))?,
        (None, None) => return Ok(None),
    };
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
    given: Option<Given>,
) -> Result<Made, Stop> {
    let allow = app.allow::<UsersManage>().await?;
    let is_known = people::get_by_email(app, &allow, &email).await.is_ok();
    let (given, variable) = given.unzip();
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
    let ensured = people::ensure_admin(app, &allow, &email, chosen, must_change).await;
    let (user, how) = match variable.flatten() {
        Some(variable) => weak_of(variable, ensured)?,
        None => ensured?,
    };
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
) -> Result<Option<Given>, Stop> {
    if arguments.admin_password_stdin {
        let password = prompts::secret_from_stdin(&context.interrupts).await?;
        return Ok(Some((password, None)));
    }
    if let Some(file) = environment.setting(PASSWORD_FILE) {
        let password = password_file(context, file)?;
        return Ok(Some((password, Some(PASSWORD_FILE))));
    }
    let given = environment.find(PASSWORD);
    let given = given.filter(|password| !password.expose().is_empty());
    Ok(given.map(|password| (Plain::new(password.expose().clone()), Some(PASSWORD))))
}

/// Reads the file that [`PASSWORD_FILE`] names, and says when others can read it, too.
pub(crate) fn password_file(context: &Context, file: &str) -> Result<Plain<String>, Stop> {
    let path = Path::new(file);
    let password = of_variable(PASSWORD_FILE, prompts::secret_from_file(path))?;
    if let Some(exposed) = hygiene::wide_file(path) {
        let text = format!("{}\nhint: {}", exposed.say, exposed.hint);
        context.output.warn(&text);
    }
    Ok(password)
}

/// Lays an error at the door of the variable that was wrong: nothing was typed, so it is no matter of usage.
pub(crate) fn of_variable<T>(name: &'static str, result: Result<T, Stop>) -> Result<T, Stop> {
    result.map_err(|stop| match stop {
        Stop::Failed(error) => {
            let hint = if error.hint.is_empty() {
                say!("correct ", name Quoted(name))
            } else {
                say!("correct ", name Quoted(name), ": ", error.hint)
            };
            let code = match error.code {
                Code::UsageInvalid => Code::ConfigInvalid,
                code => code,
            };
            Stop::Failed(Error { code, ..error }.hint(hint))
        }
        other => other,
    })
}

/// Lays the blame for a password that is too weak at the door of the variable that gave it.
pub(crate) fn weak_of<T>(name: &'static str, result: Result<T, Error>) -> Result<T, Stop> {
    match result {
        Err(error) if error.code == Code::PasswordWeak => of_variable(name, Err(error.into())),
        other => Ok(other?),
    }
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
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "email": self.email,
            "id": self.id,
            "promoted_existing": self.how == Promoted::Existing,
            "generated_password": self.generated.as_ref().map(Plain::expose),
        })
    }

    pub(crate) fn tell(&self, output: Output) -> Result<(), Stop> {
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
