//! One's own account: making it where that is allowed, one's address, and what one has to do first.

use super::no_user;
use super::passwords::hash_new;
use super::people::Person;
use super::requests::first_step;
use crate::{App, Error, Result};
use domain::{Code, Email};
use security::permissions::{AccountSecure, AccountView, Register};
use security::{Allow, Event, Plain, Step};
use store::users::{self, User};
use store::{Act, StoreError, linked_logins};

/// Makes oneself an account, where the settings allow it: a viewer, whose address nobody has verified.
pub async fn register(
    app: &App,
    allow: &Allow<Register>,
    email: &Email,
    password: &Plain<String>,
) -> Result<User> {
    if !app.identity().config.open_registration {
        let say = "nobody makes himself an account here";
        return Err(Error::denied(Code::RegistrationClosed, say).hint("ask an admin for an invite"));
    }
    let hash = hash_new(app, password, email).await?;
    let created: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::UserCreated, async |tx| {
            let user = users::register(&tx, email, &hash).await?;
            tx.target(user.id.to_string());
            Ok(user)
        })
        .await;
    Ok(created?)
}

/// Gives oneself another address; mail to it has to reach one before it is verified.
pub async fn set_own_email(app: &App, allow: &Allow<AccountSecure>, email: &Email) -> Result<User> {
    let me = super::me(allow)?.id;
    let act = Act::new(Event::EmailChanged).target(me.to_string());
    let done = app.store.run_tx(allow, act, async |tx| {
        users::set_email(&tx, me, email).await
    });
    done.await.map_err(|error: StoreError| error.into())
}

/// Returns oneself, and what one has to do before anything else.
pub async fn myself(app: &App, allow: &Allow<AccountView>) -> Result<(Person, Option<Step>)> {
    let me = super::me(allow)?.id;
    let read = async || {
        let found: Result<_, StoreError> = app
            .store
            .run_read(allow, async |tx| {
                let user = users::find_own(&tx, me).await?;
                let logins = linked_logins::list(&tx, me).await?;
                Ok(user.map(|user| (user, logins)))
            })
            .await;
        Ok(found?)
    };
    let found = app.identity().accounts.get(app, me, read).await?;
    let (user, logins) = found.ok_or_else(|| no_user(me))?;
    let step = first_step(app, &user, app.clock.now());
    let person = Person {
        logins,
        ..Person::of(user)
    };
    Ok((person, step))
}
