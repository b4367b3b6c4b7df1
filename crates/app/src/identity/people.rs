//! What an admin does for people: inviting, changing roles, taking access away and giving it back.

mod created;
mod imported;

pub use created::{Promoted, create, ensure_admin, had_admin, make_first_admin};
pub use imported::create_with_hash;

use super::guesses::account_hash;
use super::links::{lasts, make_link};
use super::no_user;
use crate::{App, Error, Result};
use domain::{Code, Email, Timestamp, UserId, say};
use security::permissions::{UsersManage, UsersView};
use security::tokens::NewToken;
use security::{Allow, Event, Plain, Role};
use store::attempts::{self, Failures};
use store::linked_logins::{self, LinkedLogin};
use store::links::{self, LinkKind};
use store::users::{self, NewUser, User, UserFilter};
use store::{Act, Listed, Paging, StoreError, Tx};

/// A user as an admin sees him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: User,
    pub failures: Failures,
    /// Until when his invite is good, while he has not accepted it.
    pub invited_until: Option<Timestamp>,
    /// His linked logins.
    pub logins: Vec<LinkedLogin>,
}

impl Person {
    /// Returns what an admin wants to know first: `active`, `invited`, `locked`, `deactivated` or `deleted`.
    pub fn state(&self) -> &'static str {
        if self.user.deleted_at.is_some() {
            "deleted"
        } else if !self.user.is_active {
            "deactivated"
        } else if self.failures.locked_until.is_some() {
            "locked"
        } else if !self.user.has_password && self.logins.is_empty() {
            "invited"
        } else {
            "active"
        }
    }

    /// Returns somebody of whom nothing is counted, as he sees himself.
    pub fn of(user: User) -> Self {
        Self {
            user,
            failures: Failures::default(),
            invited_until: None,
            logins: Vec::new(),
        }
    }
}

/// Somebody who was invited, with the token of his link. It is shown once.
pub struct Invited {
    pub user: User,
    pub token: Plain<String>,
    pub expires_at: Timestamp,
}

/// Invites somebody: he chooses his password by the link.
pub async fn invite(
    app: &App,
    allow: &Allow<UsersManage>,
    email: &Email,
    role: Role,
) -> Result<Invited> {
    let token = NewToken::for_link(&*app.identity().entropy);
    let lasts = lasts(app, LinkKind::Invite);
    let new = NewUser {
        email: email.clone(),
        role,
        password: None,
        must_change_password: false,
        is_verified: false,
    };
    let invited: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::UserCreated, async |tx| {
            let user = users::create(&tx, &new).await?;
            tx.target(user.id.to_string());
            let until = links::create(&tx, LinkKind::Invite, Some(user.id), &token.hash, lasts);
            Ok((user, until.await?))
        })
        .await;
    let (user, expires_at) = invited?;
    Ok(Invited {
        user,
        token: token.raw,
        expires_at,
    })
}

/// Makes another invite link for somebody who has not accepted his; the one before is void.
pub async fn invite_again(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<Invited> {
    let user = get(app, allow, id).await?.user;
    if user.has_password || !user.may_sign_in() {
        let say = say!("", name user.email, " has accepted an invite already, or may not sign in");
        return Err(Error::invalid(Code::UserInvalid, say)
            .hint("a link to choose another password is made by `dango user reset-password`"));
    }
    link(app, allow, LinkKind::Invite, user, Event::InviteResent).await
}

/// Takes somebody's password away and makes the link by which he chooses another; all his sessions end. Nobody else learns
/// or chooses it.
pub async fn reset_password(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<Invited> {
    let user = get(app, allow, id).await?.user;
    if !user.may_sign_in() {
        let say = say!("", name user.email, " may not sign in");
        return Err(Error::invalid(Code::UserInvalid, say)
            .hint("give the access back first: `dango user reactivate` or `dango user restore`"));
    }
    if allow.actor().user().is_some_and(|me| me.id == id) {
        return Err(StoreError::Oneself.into());
    }
    if !user.has_password {
        return link(app, allow, LinkKind::Invite, user, Event::InviteResent).await;
    }
    let token = NewToken::for_link(&*app.identity().entropy);
    let lasts = lasts(app, LinkKind::Reset);
    let reset: Result<_, StoreError> = app
        .store
        .run_tx(allow, named(Event::PasswordReset, id), async |tx| {
            store::sessions::end_all(&tx, id, None, "password reset").await?;
            let user = users::clear_password(&tx, id).await?;
            let until = links::create(&tx, LinkKind::Reset, Some(id), &token.hash, lasts).await?;
            Ok((user, until))
        })
        .await;
    let (user, expires_at) = reset?;
    Ok(Invited {
        user,
        token: token.raw,
        expires_at,
    })
}

async fn link(
    app: &App,
    allow: &Allow<UsersManage>,
    kind: LinkKind,
    user: User,
    event: Event,
) -> Result<Invited> {
    let token = make_link(app, allow, kind, &user, event).await?;
    let lasts = i64::try_from(lasts(app, kind).as_micros()).unwrap_or(i64::MAX);
    let expires_at = app.clock.now().as_micros().saturating_add(lasts);
    Ok(Invited {
        user,
        token,
        expires_at: Timestamp::from_micros(expires_at),
    })
}

/// Returns the user of this id.
pub async fn get<P: security::Implies<UsersView>>(
    app: &App,
    allow: &Allow<P>,
    id: UserId,
) -> Result<Person> {
    let allow = allow.narrow::<UsersView>();
    let found: Result<_, StoreError> = app
        .store
        .run_read(&allow, async |tx| {
            let Some(user) = users::find(&tx, id).await? else {
                return Ok(None);
            };
            person(&tx, user).await.map(Some)
        })
        .await;
    found?.ok_or_else(|| no_user(id))
}

/// Returns the user of this address.
pub async fn get_by_email(app: &App, allow: &Allow<UsersManage>, email: &Email) -> Result<User> {
    let found = app
        .store
        .run_read(allow, async |tx| users::find_by_email(&tx, email).await)
        .await
        .map_err(Error::from)?;
    let (user, _) = found.ok_or_else(|| {
        Error::not_found(Code::UserNotFound, say!("there is no user ", name email))
            .hint("`dango user list --include-deleted` lists all")
    })?;
    Ok(user)
}

/// Returns the users, newest first.
pub async fn list(
    app: &App,
    allow: &Allow<UsersView>,
    filter: UserFilter,
    paging: Paging,
) -> Result<Listed<Person>> {
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            let listed = users::list(&tx, filter, paging).await?;
            let mut items = Vec::with_capacity(listed.items.len());
            for user in listed.items {
                items.push(person(&tx, user).await?);
            }
            Ok(Listed {
                items,
                total: listed.total,
            })
        })
        .await;
    Ok(listed?)
}

async fn person<M: store::Mode>(tx: &Tx<UsersView, M>, user: User) -> Result<Person, StoreError> {
    let failures = attempts::find(tx, &account_hash(user.email.as_str())).await?;
    let invited_until = if user.has_password {
        None
    } else {
        links::good_until(tx, LinkKind::Invite, user.id).await?
    };
    let logins = linked_logins::list_any(tx, user.id).await?;
    Ok(Person {
        user,
        failures,
        invited_until,
        logins,
    })
}

/// Gives a user another role; it counts at his next request.
pub async fn set_role(
    app: &App,
    allow: &Allow<UsersManage>,
    id: UserId,
    role: Role,
) -> Result<User> {
    let act = named(Event::RoleChanged, id);
    let done = app
        .store
        .run_tx(allow, act, async |tx| users::set_role(&tx, id, role).await);
    done.await.map_err(|error: StoreError| error.into())
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $step:path, $event:ident;)+) => {$(
        $(#[$doc])*
        pub async fn $name(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<User> {
            let act = named(Event::$event, id);
            let done = app.store.run_tx(allow, act, async |tx| $step(&tx, id).await);
            done.await.map_err(|error: StoreError| error.into())
        }
    )+};
}

steps! {
    /// Takes a user's access away; it ends at his next request.
    deactivate = users::deactivate, UserDeactivated;
    /// Gives a user his access back.
    reactivate = users::reactivate, UserReactivated;
    /// Deletes a user so that he can be restored: what he owns stays.
    delete = users::delete, UserDeleted;
    /// Brings a deleted user back, with access.
    restore = users::restore, UserRestored;
}

/// Erases a user with everything he owns. What he did stays in the audit log, without what names him.
pub async fn erase(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<()> {
    let done = app
        .store
        .run_tx(allow, named(Event::UserErased, id), async |tx| {
            users::erase(&tx, id).await
        });
    done.await.map_err(|error: StoreError| error.into())
}

/// Forgets the failures at a user's account, wherever they came from.
pub async fn unlock(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<User> {
    let user = get(app, allow, id).await?.user;
    let account = account_hash(user.email.as_str());
    let done: Result<_, StoreError> = app
        .store
        .run_tx(allow, named(Event::AccountUnlocked, id), async |tx| {
            attempts::unlock(&tx, &account).await
        })
        .await;
    done?;
    Ok(user)
}

/// What an admin changes about a user, all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub email: Option<Email>,
    pub role: Option<Role>,
    /// Giving access to a deleted user brings him back.
    pub is_active: Option<bool>,
}

/// Changes what `changes` names; what is so already is left alone.
pub async fn change(
    app: &App,
    allow: &Allow<UsersManage>,
    id: UserId,
    changes: Changes,
) -> Result<User> {
    let act = named(Event::UserUpdated, id);
    let done = app.store.run_tx(allow, act, async |tx| {
        let mut user = users::find(&tx, id)
            .await?
            .ok_or(StoreError::UserMissing { id })?;
        let mut events = Vec::new();
        if let Some(email) = changes.email.as_ref().filter(|email| **email != user.email) {
            user = users::set_email(&tx, id, email).await?;
            events.push(Event::EmailChanged);
        }
        if let Some(role) = changes.role.filter(|role| *role != user.role) {
            user = users::set_role(&tx, id, role).await?;
            events.push(Event::RoleChanged);
        }
        match changes.is_active {
            Some(false) if user.is_active => {
                user = users::deactivate(&tx, id).await?;
                events.push(Event::UserDeactivated);
            }
            Some(true) if user.deleted_at.is_some() => {
                user = users::restore(&tx, id).await?;
                events.push(Event::UserRestored);
            }
            Some(true) if !user.is_active => {
                user = users::reactivate(&tx, id).await?;
                events.push(Event::UserReactivated);
            }
            Some(_) | None => {}
        }
        let names: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
        match events.as_slice() {
            [only] => tx.event(*only),
            _ => tx.detail("changes", names),
        }
        Ok(user)
    });
    done.await.map_err(|error: StoreError| error.into())
}

/// Gives a user another address.
pub async fn set_email(
    app: &App,
    allow: &Allow<UsersManage>,
    id: UserId,
    email: &Email,
) -> Result<User> {
    get(app, allow, id).await?;
    let act = named(Event::EmailChanged, id);
    let done = app.store.run_tx(allow, act, async |tx| {
        users::set_email(&tx, id, email).await
    });
    done.await.map_err(|error: StoreError| error.into())
}

/// Returns the error of somebody who was erased while he did something.
pub(super) fn gone() -> Error {
    Error::not_found(Code::UserNotFound, "the account is gone")
}

fn named(event: Event, id: UserId) -> Act {
    Act::new(event).target(id.to_string())
}
