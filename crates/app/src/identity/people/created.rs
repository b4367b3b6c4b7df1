//! People whom whoever has the machine makes: by a command, or, where nobody sits at a terminal, by how a server is started.

use super::named;
use crate::identity::passwords::hash_new;
use crate::{App, Error, Result};
use domain::{Code, Email};
use security::permissions::UsersManage;
use security::{Allow, Event, Plain, Role};
use store::StoreError;
use store::users::{self, NewUser, User};

/// Creates a user with a password that whoever creates him was given, and which he has to change. Only the command line does
/// this: everybody else invites.
pub async fn create(
    app: &App,
    allow: &Allow<UsersManage>,
    email: &Email,
    role: Role,
    password: &Plain<String>,
    must_change: bool,
) -> Result<User> {
    let new = NewUser {
        email: email.clone(),
        role,
        password: Some(hash_new(app, password, email).await?),
        must_change_password: must_change,
        is_verified: true,
    };
    let created: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::UserCreated, async |tx| {
            let user = users::create(&tx, &new).await?;
            tx.target(user.id.to_string());
            Ok(user)
        })
        .await;
    Ok(created?)
}

/// Makes sure that `email` is an admin who may sign in: creates him, or promotes whoever has the address. The password is
/// changed only when one is given.
pub async fn ensure_admin(
    app: &App,
    allow: &Allow<UsersManage>,
    email: &Email,
    password: Option<&Plain<String>>,
    must_change: bool,
) -> Result<(User, Promoted)> {
    let known = app
        .store
        .run_read(allow, async |tx| users::find_by_email(&tx, email).await)
        .await
        .map_err(Error::from)?;
    let Some((user, _)) = known else {
        let password = password.ok_or_else(|| {
            Error::invalid(Code::InputNeeded, "a password is needed for a new admin")
        })?;
        let user = create(app, allow, email, Role::Admin, password, must_change).await?;
        return Ok((user, Promoted::Created));
    };
    let hash = match password {
        Some(password) => Some(hash_new(app, password, email).await?),
        None => None,
    };
    let promoted: Result<_, StoreError> = app
        .store
        .run_tx(allow, named(Event::UserPromoted, user.id), async |tx| {
            if let Some(hash) = &hash {
                store::sessions::end_all(&tx, user.id, None, "password reset").await?;
                users::reset_hash(&tx, user.id, hash, must_change).await?;
            }
            users::promote(&tx, user.id).await
        })
        .await;
    Ok((promoted?, Promoted::Existing))
}

/// Whether an admin was made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promoted {
    Created,
    Existing,
}

/// Returns whether there is, or was, an admin: also one who may not sign in any more, for what made him stays known to whoever
/// reads the settings of a container.
pub async fn had_admin(app: &App, allow: &Allow<UsersManage>) -> Result<bool> {
    let had: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| users::had_admin(&tx).await)
        .await;
    Ok(had?)
}

/// Makes `email` the first admin, `None` when there is one: another server of the same project may have been faster.
pub async fn make_first_admin(
    app: &App,
    allow: &Allow<UsersManage>,
    email: &Email,
    password: &Plain<String>,
) -> Result<Option<(User, Promoted)>> {
    if had_admin(app, allow).await? {
        return Ok(None);
    }
    match ensure_admin(app, allow, email, Some(password), false).await {
        Ok(made) => Ok(Some(made)),
        Err(Error {
            code: Code::UserExists,
            ..
        }) => Ok(None),
        Err(error) => Err(error),
    }
}
