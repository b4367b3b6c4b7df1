//! People who come from getdango or DAP with the hash of their password: nobody has to choose another.

use crate::{App, Error, Result};
use domain::{Code, Email, say};
use security::passwords::{ForeignHash, PasswordHash};
use security::permissions::UsersManage;
use security::{Allow, Event, Role};
use store::users::{self, NewUser, User};
use store::{Act, StoreError};

/// Creates a user who keeps the password that another program keeps as `hash`: getdango's bcrypt, DAP's Argon2id. It is made
/// anew when he signs in for the first time. One that takes too long to compare with, or is none, is refused.
pub async fn create_with_hash(
    app: &App,
    allow: &Allow<UsersManage>,
    email: &Email,
    role: Role,
    hash: &str,
    must_change: bool,
) -> Result<User> {
    let hash = PasswordHash::import(hash).map_err(|why| {
        let why = match why {
            ForeignHash::Unknown => "it is neither bcrypt nor Argon2 in the PHC format",
            ForeignHash::Costly => "comparing with it would take too long",
        };
        let say = say!("the hash of the password of ", name email, " cannot be taken over: ");
        Error::invalid(Code::UserInvalid, say.text(why))
            .hint("invite him: `dango user add` makes a link by which he chooses another password")
    })?;
    let new = NewUser {
        email: email.clone(),
        role,
        password: Some(hash),
        must_change_password: must_change,
        is_verified: true,
    };
    let act = Act::new(Event::UserCreated).detail("password", "taken over");
    let created: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            let user = users::create(&tx, &new).await?;
            tx.target(user.id.to_string());
            Ok(user)
        })
        .await;
    Ok(created?)
}
