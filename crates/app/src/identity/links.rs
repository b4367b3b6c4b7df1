//! Links that are their own proof: the first admin's, an invite, a reset. Each is good once and for a while.

use super::guesses::Guesses;
use super::passwords::hash_new;
use crate::{App, Error, Result};
use domain::{Code, Email, UserId};
use security::permissions::{FollowLink, SetUp};
use security::tokens::{NewToken, TokenHash};
use security::{Allow, Event, Permission, Plain, Role};
use std::time::Duration;
use store::links::{self, Link, LinkKind, MakesLinks};
use store::users::{self, NewUser, User};
use store::{Act, StoreError, sessions};

/// The page a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    Invite,
    Reset,
    SetUp,
}

/// Returns the address of a link. It is made of the configured address, never of what a request says its host is.
pub fn address(app: &App, page: Page, token: &Plain<String>) -> Plain<String> {
    let page = match page {
        Page::Invite => "invite",
        Page::Reset => "reset-password",
        Page::SetUp => "setup",
    };
    Plain::new(format!("{}/{page}/{}", app.public_url(), token.expose()))
}

/// Makes a link for `user`; earlier ones of its kind are void. Returns its token.
pub(super) async fn make_link<P: MakesLinks>(
    app: &App,
    allow: &Allow<P>,
    kind: LinkKind,
    user: &User,
    event: Event,
) -> Result<Plain<String>> {
    let token = NewToken::for_link(&*app.identity().entropy);
    let (id, lasts) = (user.id, lasts(app, kind));
    let made: Result<_, StoreError> = app
        .store
        .run_tx(allow, Act::new(event).target(id.to_string()), async |tx| {
            links::create(&tx, kind, Some(id), &token.hash, lasts).await
        })
        .await;
    made?;
    Ok(token.raw)
}

/// Returns how long a link of this kind is good.
pub(super) fn lasts(app: &App, kind: LinkKind) -> Duration {
    let lifetimes = app.identity().lifetimes();
    match kind {
        LinkKind::Invite => lifetimes.invite,
        LinkKind::Reset => lifetimes.reset,
        LinkKind::SetUp => lifetimes.set_up,
    }
}

/// Returns whose invite or reset link it is, without using it up.
pub async fn look(
    app: &App,
    allow: &Allow<FollowLink>,
    kind: LinkKind,
    token: &Plain<String>,
) -> Result<Email> {
    let (_, user) = find(app, allow, kind, token).await?;
    Ok(user.email)
}

/// Gives an invited user his first password. It does not sign him in.
pub async fn accept_invite(
    app: &App,
    allow: &Allow<FollowLink>,
    token: &Plain<String>,
    password: &Plain<String>,
) -> Result<User> {
    follow(app, allow, LinkKind::Invite, token, password).await
}

/// Gives a user another password, by a link he was sent; all his sessions end.
pub async fn reset_password(
    app: &App,
    allow: &Allow<FollowLink>,
    token: &Plain<String>,
    password: &Plain<String>,
) -> Result<User> {
    follow(app, allow, LinkKind::Reset, token, password).await
}

async fn follow(
    app: &App,
    allow: &Allow<FollowLink>,
    kind: LinkKind,
    token: &Plain<String>,
    password: &Plain<String>,
) -> Result<User> {
    let (_, user) = find(app, allow, kind, token).await?;
    // Before the link is used up: a password that is too weak costs nobody his link.
    let password = hash_new(app, password, &user.email).await?;
    let event = match kind {
        LinkKind::Invite => Event::InviteAccepted,
        _ => Event::PasswordReset,
    };
    let act = Act::new(event).target(user.id.to_string());
    let hash = TokenHash::of(token.expose());
    let guesses = Guesses::at_account(app.identity(), user.email.as_str(), &client(allow), false);
    let followed: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            let Some(Link { user: Some(id), .. }) = links::take(&tx, kind, &hash).await? else {
                return Err(void());
            };
            sessions::end_all(&tx, id, None, "password reset").await?;
            guesses.clear(&tx).await?;
            Ok(match kind {
                LinkKind::Invite => users::accept_invite(&tx, id, &password).await?,
                _ => users::set_password(&tx, id, &password).await?,
            })
        })
        .await;
    followed
}

async fn find(
    app: &App,
    allow: &Allow<FollowLink>,
    kind: LinkKind,
    token: &Plain<String>,
) -> Result<(UserId, User)> {
    let hash = TokenHash::of(token.expose());
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            let Some(Link { user: Some(id), .. }) = links::find(&tx, kind, &hash).await? else {
                return Ok(None);
            };
            users::find_by_link(&tx, id).await
        })
        .await;
    let user = found?.filter(User::may_sign_in).ok_or_else(void)?;
    Ok((user.id, user))
}

fn void() -> Error {
    Error::invalid(
        Code::LinkInvalid,
        "the link was used before, is too old, or another took its place",
    )
    .hint("ask an admin for a new one")
}

fn client<P: Permission>(allow: &Allow<P>) -> security::Client {
    allow.actor().client().cloned().unwrap_or_default()
}

/// Makes the link that creates the first admin, `None` when there is one. Only the terminal shows it.
pub async fn open_set_up(app: &App) -> Result<Option<Plain<String>>> {
    let allow = app.allow::<security::permissions::UsersManage>().await?;
    let token = NewToken::for_link(&*app.identity().entropy);
    let lasts = lasts(app, LinkKind::SetUp);
    let has_admin: bool = app
        .store
        .run_read(&allow, async |tx| users::has_admin(&tx).await)
        .await
        .map_err(Error::from)?;
    if has_admin {
        return Ok(None);
    }
    let made: Result<_, StoreError> = app
        .store
        .run_tx(&allow, Event::SetUpOpened, async |tx| {
            links::create(&tx, LinkKind::SetUp, None, &token.hash, lasts).await
        })
        .await;
    made?;
    Ok(Some(token.raw))
}

/// Returns whether the first admin is still to be made.
pub async fn is_set_up_open(app: &App, allow: &Allow<SetUp>) -> Result<bool> {
    let has_admin: Result<bool, StoreError> = app
        .store
        .run_read(allow, async |tx| users::has_admin(&tx).await)
        .await;
    Ok(!has_admin?)
}

/// Creates the first admin, by the link the terminal showed. Once there is one, there is nothing here.
pub async fn set_up(
    app: &App,
    allow: &Allow<SetUp>,
    token: &Plain<String>,
    email: &Email,
    password: &Plain<String>,
) -> Result<User> {
    if !is_set_up_open(app, allow).await? {
        return Err(done());
    }
    let hash = TokenHash::of(token.expose());
    let good: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            links::find(&tx, LinkKind::SetUp, &hash).await
        })
        .await;
    good?.ok_or_else(void)?;
    let password = hash_new(app, password, email).await?;
    let created: Result<_, Error> = app
        .store
        .run_tx(allow, Event::UserCreated, async |tx| {
            if users::has_admin(&tx).await? {
                return Err(done());
            }
            if links::take(&tx, LinkKind::SetUp, &hash).await?.is_none() {
                return Err(void());
            }
            let new = NewUser {
                email: email.clone(),
                role: Role::Admin,
                password: Some(password.clone()),
                must_change_password: false,
                is_verified: true,
            };
            Ok(users::create(&tx, &new).await?)
        })
        .await;
    created
}

fn done() -> Error {
    Error::not_found(Code::SetUpDone, "there is an admin already")
}
