//! Signing in with an identity provider, and linking one's login there. A login is found by issuer and subject; an address
//! finds an account only where a setting says so, and only when both sides have shown that it is theirs.

mod faults;
mod provider;

pub use connect::identity_providers::ReturnTo;
pub use provider::{LoginPolicy, Provider};
pub use store::linked_logins::LinkedLogin;

use super::me;
use super::sign_in::{Entered, Entering, enter, own_session};
use crate::{App, Error, Result};
use connect::identity_providers::{Callback, ProviderIdentity, RoundTrip};
use domain::{Code, LinkedLoginId, UserId};
use faults::{over, refused, unknown};
use security::permissions::{AccountSecure, AccountView, SignIn, UsersManage};
use security::tokens::{NewToken, TokenHash};
use security::{Allow, Event, Plain};
use store::ceremonies::{CeremonyKey, CeremonyKind, HoldsCeremonies};
use store::linked_logins::{self, NewLinkedLogin, UnlinksLogins};
use store::users::{self, User};
use store::{Act, StoreError};
use url::Url;

/// Where the browser goes.
pub struct Begun {
    pub url: Url,
    /// What only this browser keeps, in a cookie, until it comes back.
    pub browser: Plain<String>,
}

/// Somebody who has come back.
pub struct Finished<T> {
    pub done: T,
    /// Where in the app he goes.
    pub return_to: ReturnTo,
}

/// Begins a sign-in with `provider`.
pub async fn begin_sign_in(
    app: &App,
    allow: &Allow<SignIn>,
    provider: &Provider,
    return_to: ReturnTo,
) -> Result<Begun> {
    let browser = NewToken::for_link(&*app.identity().entropy);
    let kind = CeremonyKind::OauthSignIn;
    let url = begin(app, allow, kind, provider, return_to, &browser.hash).await?;
    Ok(Begun {
        url,
        browser: browser.raw,
    })
}

/// Lets somebody in whom `provider` sends back with this query; with a second factor of ours, as far as that step.
pub async fn sign_in(
    app: &App,
    allow: &Allow<SignIn>,
    provider: &Provider,
    browser: &Plain<String>,
    query: &str,
) -> Result<Finished<Entered>> {
    let browser = TokenHash::of(browser.expose());
    let kind = CeremonyKind::OauthSignIn;
    let (trip, who) = match finish(app, allow, kind, provider, &browser, query).await {
        Ok(finished) => finished,
        Err(error) => {
            note(app, allow, provider, "provider").await?;
            return Err(error);
        }
    };
    if !provider.policy.admits(&who) {
        note(app, allow, provider, "domain").await?;
        return Err(unknown(provider));
    }
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            linked_logins::find_by_subject(&tx, &who.issuer, &who.subject).await
        })
        .await;
    let known = match found? {
        Some((login, user)) => Some((login.id, user)),
        None => match link_by_email(app, allow, provider, &who).await? {
            Some(linked) => Some(linked),
            None => create_viewer(app, allow, provider, &who).await?,
        },
    };
    let Some((login, user)) = known.filter(|(_, user)| user.may_sign_in()) else {
        note(app, allow, provider, "no account").await?;
        return Err(unknown(provider));
    };
    app.store
        .touch_login(allow, login, who.email.as_ref())
        .await?;
    let client = allow.actor().client().cloned().unwrap_or_default();
    let entering = Entering {
        user: &user,
        client: &client,
        rehashed: None,
        guesses: None,
        event: Event::LoginSuccess,
        right: None,
        replaces: None,
    };
    Ok(Finished {
        done: enter(app, allow, entering).await?,
        return_to: trip.return_to().clone(),
    })
}

/// Links the login to the account with its address, where the settings say so. The account must have shown that the address
/// is its own, too: else somebody could have made it to wait for the rightful owner.
async fn link_by_email(
    app: &App,
    allow: &Allow<SignIn>,
    provider: &Provider,
    who: &ProviderIdentity,
) -> Result<Option<(LinkedLoginId, User)>> {
    let email = who.email.as_ref().filter(|_| who.is_email_verified);
    let Some(email) = email.filter(|_| provider.policy.links_by_email) else {
        return Ok(None);
    };
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| users::find_by_email(&tx, email).await)
        .await;
    let Some(user) = found?
        .map(|(user, _)| user)
        .filter(|user| user.may_sign_in() && user.is_verified)
    else {
        return Ok(None);
    };
    let act = Act::new(Event::OauthLinked)
        .target(user.id.to_string())
        .detail("by", "email");
    let linked: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            linked_logins::link(&tx, user.id, new_login(provider, who)).await
        })
        .await;
    Ok(Some((linked?.id, user)))
}

/// Makes whoever has no account a viewer, where the settings say so. An address that somebody has, deleted or not, stays his.
async fn create_viewer(
    app: &App,
    allow: &Allow<SignIn>,
    provider: &Provider,
    who: &ProviderIdentity,
) -> Result<Option<(LinkedLoginId, User)>> {
    let email = who.email.as_ref().filter(|_| who.is_email_verified);
    let Some(email) = email.filter(|_| provider.policy.welcomes(who)) else {
        return Ok(None);
    };
    let act = Act::new(Event::UserCreated).detail("by", "login");
    let created: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            let user = users::create_viewer(&tx, email).await?;
            tx.target(user.id.to_string());
            let login = linked_logins::link(&tx, user.id, new_login(provider, who)).await?;
            Ok((login.id, user))
        })
        .await;
    match created {
        Ok(created) => Ok(Some(created)),
        Err(StoreError::EmailTaken { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Begins to link one's own login with `provider`.
pub async fn begin_link(
    app: &App,
    allow: &Allow<AccountSecure>,
    provider: &Provider,
    return_to: ReturnTo,
) -> Result<Url> {
    let browser = of_session(allow)?;
    let kind = CeremonyKind::OauthLink;
    begin(app, allow, kind, provider, return_to, &browser).await
}

/// Links the login of whom `provider` sends back with this query.
pub async fn link(
    app: &App,
    allow: &Allow<AccountSecure>,
    provider: &Provider,
    query: &str,
) -> Result<Finished<LinkedLogin>> {
    let me = me(allow)?.id;
    let browser = of_session(allow)?;
    let kind = CeremonyKind::OauthLink;
    let (trip, who) = finish(app, allow, kind, provider, &browser, query).await?;
    if !provider.policy.admits(&who) {
        return Err(unknown(provider));
    }
    let linked: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::OauthLinked, async |tx| {
            linked_logins::link(&tx, me, new_login(provider, &who)).await
        })
        .await;
    Ok(Finished {
        done: linked?,
        return_to: trip.return_to().clone(),
    })
}

/// Returns one's own linked logins.
pub async fn list(app: &App, allow: &Allow<AccountView>) -> Result<Vec<LinkedLogin>> {
    let me = me(allow)?.id;
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| linked_logins::list(&tx, me).await)
        .await;
    Ok(listed?)
}

/// Unlinks one's own login.
pub async fn unlink(
    app: &App,
    allow: &Allow<AccountSecure>,
    id: LinkedLoginId,
) -> Result<LinkedLogin> {
    let me = me(allow)?.id;
    unlink_of(app, allow, me, id).await
}

/// Unlinks anybody's login.
pub async fn unlink_any(
    app: &App,
    allow: &Allow<UsersManage>,
    user: UserId,
    id: LinkedLoginId,
) -> Result<LinkedLogin> {
    unlink_of(app, allow, user, id).await
}

async fn unlink_of<P: UnlinksLogins>(
    app: &App,
    allow: &Allow<P>,
    user: UserId,
    id: LinkedLoginId,
) -> Result<LinkedLogin> {
    let act = Act::new(Event::OauthUnlinked).target(user.to_string());
    let unlinked: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            let unlinked = linked_logins::unlink(&tx, user, id).await?;
            unlinked.ok_or_else(|| {
                Error::not_found(Code::LoginNotFound, "there is no such linked login")
            })
        })
        .await;
    unlinked
}

async fn begin<P: HoldsCeremonies>(
    app: &App,
    allow: &Allow<P>,
    kind: CeremonyKind,
    provider: &Provider,
    return_to: ReturnTo,
    browser: &TokenHash,
) -> Result<Url> {
    let redirect = redirect(app, provider)?;
    let entropy = &*app.identity().entropy;
    let begun = provider
        .inner
        .begin(&redirect, return_to, entropy)
        .await
        .map_err(refused)?;
    let key = CeremonyKey {
        kind,
        key: &begun.state.hash,
        browser,
    };
    app.store
        .begin_ceremony(allow, key, &begun.trip.to_text())
        .await?;
    Ok(begun.url)
}

/// Takes the round trip this query belongs to, once, and ends it.
async fn finish<P: HoldsCeremonies>(
    app: &App,
    allow: &Allow<P>,
    kind: CeremonyKind,
    provider: &Provider,
    browser: &TokenHash,
    query: &str,
) -> Result<(RoundTrip, ProviderIdentity)> {
    let callback = Callback::parse(query);
    let state = callback.key().ok_or_else(over)?;
    let key = CeremonyKey {
        kind,
        key: &state,
        browser,
    };
    let kept = app.store.take_ceremony(allow, key).await?;
    let trip = RoundTrip::from_text(&kept.ok_or_else(over)?).map_err(|error| {
        Error::bug("what was kept of a sign-in cannot be read").caused_by(error)
    })?;
    let who = provider
        .inner
        .finish(&trip, &callback)
        .await
        .map_err(refused)?;
    Ok((trip, who))
}

fn new_login(provider: &Provider, who: &ProviderIdentity) -> NewLinkedLogin {
    NewLinkedLogin {
        provider: provider.name().to_owned(),
        issuer: who.issuer.clone(),
        subject: who.subject.clone(),
        email: who.email.clone(),
    }
}

/// Returns where a provider sends people back to: each to its own address, so that one cannot pass for another (RFC 9700
/// §4.4.2), and made of the configured address, never of what a request says its host is.
fn redirect(app: &App, provider: &Provider) -> Result<Url> {
    let text = format!(
        "{}/api/auth/oauth/{}/callback",
        app.public_url(),
        provider.name()
    );
    Url::parse(&text).map_err(|error| {
        Error::invalid(Code::LoginRefused, "the public address is no address")
            .hint("set `server.public_url` to the address people use")
            .caused_by(error)
    })
}

/// Returns what binds a round trip to one's session: it ends with it.
fn of_session(allow: &Allow<AccountSecure>) -> Result<TokenHash> {
    let session = own_session(&me(allow)?.via)?;
    Ok(TokenHash::of(&format!("session\0{session}")))
}

async fn note(
    app: &App,
    allow: &Allow<SignIn>,
    provider: &Provider,
    why: &'static str,
) -> Result<()> {
    let act = Act::new(Event::LoginFailure)
        .detail("provider", provider.name())
        .detail("reason", why);
    Ok(app.store.record(allow, act).await?)
}
