//! Passkeys: registering one, showing one as second factor or again, and signing in with one alone. A passkey whose device
//! verifies its holder is two factors: nothing else is asked then.

mod faults;

pub use store::passkeys::Passkey;

use super::sign_in::{Entered, entered, own_session};
use super::{me, people, second_factors};
use crate::{App, Error, Result};
use domain::{Code, PasskeyId, SessionId, Timestamp};
use faults::{failed, missing, not_taken, over, refused, unavailable};
use security::passkeys::{Answer, Asked, PasskeyError, Passkeys, Shown};
use security::permissions::{
    AccountEnrol, AccountManage, AccountProve, AccountSecure, AccountView, SignIn,
};
use security::tokens::{NewToken, TokenHash};
use security::{Allow, Event, Plain, Step};
use serde_json::Value;
use store::ceremonies::{CeremonyKey, CeremonyKind, HoldsCeremonies};
use store::passkeys::{self, NewPasskey, ReadsPasskeys, Used};
use store::second_factors as factors;
use store::sessions::{self, Stage};
use store::users::{self, User};
use store::{Act, StoreError};
use url::Url;

/// A question for the browser.
pub struct Question {
    /// What the page gives to `navigator.credentials`.
    pub options: Value,
    /// What it brings back with the answer.
    pub key: Plain<String>,
}

/// What a browser brings back.
pub struct Answered<'a> {
    pub key: &'a Plain<String>,
    /// What `navigator.credentials` returned, as JSON.
    pub answer: &'a str,
}

/// Asks for a new passkey.
pub async fn ask_for_new(app: &App, allow: &Allow<AccountEnrol>) -> Result<Question> {
    let me = me(allow)?.clone();
    let kept = stored(app, allow, me.id).await?;
    let credentials: Vec<&str> = kept.iter().map(|key| key.credential.as_str()).collect();
    let asked = site(app)?
        .ask_for_new(me.id, &me.email, &credentials)
        .map_err(refused)?;
    let browser = of_session(own_session(&me.via)?);
    keep(
        app,
        allow,
        CeremonyKind::PasskeyRegistration,
        &browser,
        asked,
    )
    .await
}

/// A new passkey.
pub struct Registered {
    pub passkey: Passkey,
    /// With the first factor: what stands in for it when the device is lost. Shown once.
    pub recovery_codes: Vec<Plain<String>>,
}

/// Keeps the passkey that the browser brings. Every other session ends, as with any new factor.
pub async fn register(
    app: &App,
    allow: &Allow<AccountEnrol>,
    answered: Answered<'_>,
    name: &str,
) -> Result<Registered> {
    let me = me(allow)?.clone();
    let here = own_session(&me.via)?;
    let browser = of_session(here);
    let kind = CeremonyKind::PasskeyRegistration;
    let state = take(app, allow, kind, answered.key, &browser).await?;
    let made = site(app)?
        .register(&state, answered.answer)
        .map_err(refused)?;
    let is_first = !second_factors::view(app, allow, me.id).await?.has_one();
    // Hashed before the transaction: each takes as long as a password.
    let (codes, hashes) = if is_first {
        second_factors::new_recovery_codes(app).await?
    } else {
        (Vec::new(), Vec::new())
    };
    let added: Result<_, Error> = app
        .store
        .run_tx(allow, Event::PasskeyAdded, async |tx| {
            // Of two first ones at once, the codes of one count.
            let had_one = factors::find(&tx, me.id).await?.has_one();
            let new = NewPasskey {
                name: name.to_owned(),
                credential_id: made.credential_id.clone(),
                credential: made.credential.clone(),
                counter: made.counter,
            };
            let added = passkeys::create(&tx, me.id, new).await?;
            if is_first && !had_one {
                factors::replace_recovery_codes(&tx, me.id, &hashes).await?;
            }
            sessions::end_all(&tx, me.id, Some(here), "passkey added").await?;
            Ok((added, had_one))
        })
        .await;
    let (passkey, had_one) = added?;
    let recovery_codes = if had_one { Vec::new() } else { codes };
    Ok(Registered {
        passkey,
        recovery_codes,
    })
}

/// Returns one's own passkeys.
pub async fn list(app: &App, allow: &Allow<AccountView>) -> Result<Vec<Passkey>> {
    let me = me(allow)?.id;
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| passkeys::list(&tx, me).await)
        .await;
    Ok(listed?)
}

/// Gives a passkey of one's own another name.
pub async fn rename(
    app: &App,
    allow: &Allow<AccountManage>,
    id: PasskeyId,
    name: &str,
) -> Result<Passkey> {
    let me = me(allow)?.id;
    let renamed: Result<_, Error> = app
        .store
        .run_tx(allow, Event::PasskeyRenamed, async |tx| {
            let renamed = passkeys::rename(&tx, me, id, name).await?;
            renamed.ok_or_else(missing)
        })
        .await;
    renamed
}

/// Removes a passkey of one's own; every other session ends.
pub async fn remove(app: &App, allow: &Allow<AccountSecure>, id: PasskeyId) -> Result<()> {
    let me = me(allow)?.clone();
    let here = own_session(&me.via)?;
    let removed: Result<_, Error> = app
        .store
        .run_tx(allow, Event::PasskeyRemoved, async |tx| {
            passkeys::remove(&tx, me.id, id)
                .await?
                .ok_or_else(missing)?;
            sessions::end_all(&tx, me.id, Some(here), "passkey removed").await?;
            Ok(())
        })
        .await;
    removed
}

/// Asks somebody for one of his passkeys: as second factor, or to show again who he is.
pub async fn ask_for_proof(app: &App, allow: &Allow<AccountProve>) -> Result<Question> {
    let me = me(allow)?.clone();
    let kept = stored(app, allow, me.id).await?;
    if kept.is_empty() {
        return Err(missing());
    }
    let credentials: Vec<&str> = kept.iter().map(|key| key.credential.as_str()).collect();
    let asked = site(app)?.ask_for_proof(&credentials).map_err(refused)?;
    let browser = of_session(own_session(&me.via)?);
    keep(app, allow, CeremonyKind::PasskeyProof, &browser, asked).await
}

/// Finishes a sign-in that waits for its second factor: another session takes the place of the one that waited.
pub async fn verify(
    app: &App,
    allow: &Allow<AccountProve>,
    answered: Answered<'_>,
) -> Result<Entered> {
    let me = me(allow)?.clone();
    if me.step != Some(Step::SecondFactor) {
        let say = "no sign-in waits for a second factor";
        return Err(Error::invalid(Code::UsageInvalid, say));
    }
    let waiting = own_session(&me.via)?;
    let (id, shown) = prove(app, allow, waiting, answered).await?;
    let lasts = app.identity().lifetimes().session;
    let act = Act::new(Event::LoginSuccess).target(me.id.to_string());
    let finished: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            if passkeys::used(&tx, id, shown.counter, &shown.credential).await? != Used::Noted {
                // Written down, and nothing else is done.
                tx.event(Event::PasskeyReplayed);
                return Ok(None);
            }
            sessions::end(&tx, me.id, waiting, "second factor shown").await?;
            let session = sessions::create(&tx, me.id, Stage::Full, lasts, &me.client).await?;
            let user = users::find_own(&tx, me.id).await?;
            Ok(Some((user.ok_or_else(people::gone)?, session)))
        })
        .await;
    let (user, session) = finished?.ok_or_else(not_taken)?;
    entered(app, user, session)
}

/// Shows again who one is.
pub async fn reauthenticate(
    app: &App,
    allow: &Allow<AccountProve>,
    answered: Answered<'_>,
) -> Result<Timestamp> {
    let me = me(allow)?.clone();
    if me.step.is_some() {
        return Err(Error::invalid(
            Code::SecondFactorPending,
            "the sign-in is not finished",
        ));
    }
    let here = own_session(&me.via)?;
    let (id, shown) = prove(app, allow, here, answered).await?;
    let proven: Result<_, Error> = app
        .store
        .run_tx(allow, Event::Reauthenticated, async |tx| {
            if passkeys::used(&tx, id, shown.counter, &shown.credential).await? != Used::Noted {
                tx.event(Event::PasskeyReplayed);
                return Ok(None);
            }
            sessions::prove(&tx, here, Stage::Full).await?;
            Ok(Some(tx.at()))
        })
        .await;
    proven?.ok_or_else(not_taken)
}

/// Checks what somebody known shows.
async fn prove(
    app: &App,
    allow: &Allow<AccountProve>,
    session: SessionId,
    answered: Answered<'_>,
) -> Result<(PasskeyId, Shown)> {
    let kind = CeremonyKind::PasskeyProof;
    let state = take(app, allow, kind, answered.key, &of_session(session)).await?;
    let answer = Answer::parse(answered.answer).map_err(refused)?;
    let id = answer.credential_id();
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            passkeys::find_by_credential(&tx, &id).await
        })
        .await;
    let proven = match found {
        Ok(Some((key, _))) => site(app)?
            .prove(&state, &answer, &key.credential)
            .map(|shown| (key.id, shown)),
        // Somebody else's is as unknown as none.
        Ok(None) | Err(StoreError::UserMissing { .. }) => Err(PasskeyError::OtherUser),
        Err(error) => return Err(error.into()),
    };
    match proven {
        Ok(proven) => Ok(proven),
        Err(error) => {
            app.store.record(allow, failed(&error)).await?;
            Err(refused(error))
        }
    }
}

/// Asks whoever is there for a passkey. `browser` is what only this browser has.
pub async fn ask_for_anybody(
    app: &App,
    allow: &Allow<SignIn>,
    browser: &Plain<String>,
) -> Result<Question> {
    let asked = site(app)?.ask_for_anybody().map_err(refused)?;
    let browser = TokenHash::of(browser.expose());
    keep(app, allow, CeremonyKind::PasskeySignIn, &browser, asked).await
}

/// Lets somebody in who shows a passkey. Whoever may not sign in is refused like an unknown passkey.
pub async fn sign_in(
    app: &App,
    allow: &Allow<SignIn>,
    browser: &Plain<String>,
    answered: Answered<'_>,
) -> Result<Entered> {
    let browser = TokenHash::of(browser.expose());
    let kind = CeremonyKind::PasskeySignIn;
    let state = take(app, allow, kind, answered.key, &browser).await?;
    let answer = Answer::parse(answered.answer).map_err(refused)?;
    let id = answer.credential_id();
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            passkeys::find_by_credential(&tx, &id).await
        })
        .await;
    let shown = match found?.filter(|(_, owner)| owner.may_sign_in()) {
        Some((key, owner)) => site(app)?
            .sign_in(&state, &answer, owner.id, &key.credential)
            .map(|shown| (key.id, owner, shown)),
        None => Err(PasskeyError::OtherUser),
    };
    match shown {
        Ok((key, owner, shown)) => enter(app, allow, key, &owner, &shown).await,
        Err(error) => {
            let act = match error {
                PasskeyError::Replayed => Act::new(Event::PasskeyReplayed),
                _ => Act::new(Event::LoginFailure).detail("reason", "passkey"),
            };
            app.store.record(allow, act).await?;
            Err(refused(error))
        }
    }
}

/// Begins the session of somebody who has shown a passkey.
async fn enter(
    app: &App,
    allow: &Allow<SignIn>,
    key: PasskeyId,
    owner: &User,
    shown: &Shown,
) -> Result<Entered> {
    let client = allow.actor().client().cloned().unwrap_or_default();
    let lasts = app.identity().lifetimes().session;
    let act = Act::new(Event::LoginSuccess).target(owner.id.to_string());
    let begun: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            let used = passkeys::used(&tx, key, shown.counter, &shown.credential).await?;
            if used != Used::Noted {
                // Written down, and nothing else is done.
                tx.event(Event::PasskeyReplayed);
                return Ok(None);
            }
            let user = users::signed_in(&tx, owner.id, None).await?;
            let session = sessions::create(&tx, owner.id, Stage::Full, lasts, &client).await?;
            Ok(Some((user, session)))
        })
        .await;
    let (user, session) = begun?.ok_or_else(not_taken)?;
    entered(app, user, session)
}

async fn stored<P: ReadsPasskeys>(
    app: &App,
    allow: &Allow<P>,
    owner: domain::UserId,
) -> Result<Vec<passkeys::StoredPasskey>> {
    let kept: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| passkeys::list_stored(&tx, owner).await)
        .await;
    Ok(kept?)
}

async fn keep<P: HoldsCeremonies>(
    app: &App,
    allow: &Allow<P>,
    kind: CeremonyKind,
    browser: &TokenHash,
    asked: Asked,
) -> Result<Question> {
    let token = NewToken::for_link(&*app.identity().entropy);
    let key = CeremonyKey {
        kind,
        key: &token.hash,
        browser,
    };
    app.store.begin_ceremony(allow, key, &asked.state).await?;
    Ok(Question {
        options: asked.options,
        key: token.raw,
    })
}

async fn take<P: HoldsCeremonies>(
    app: &App,
    allow: &Allow<P>,
    kind: CeremonyKind,
    key: &Plain<String>,
    browser: &TokenHash,
) -> Result<Plain<String>> {
    let key = CeremonyKey {
        kind,
        key: &TokenHash::of(key.expose()),
        browser,
    };
    let state = app.store.take_ceremony(allow, key).await?;
    state.ok_or_else(over)
}

/// Returns what binds a ceremony to a session: it ends with it.
fn of_session(session: SessionId) -> TokenHash {
    TokenHash::of(&format!("session\0{session}"))
}

impl App {
    /// Returns whether the public address is one that passkeys can be bound to.
    pub fn has_passkeys(&self) -> bool {
        site(self).is_ok()
    }

    /// Returns what only one browser gets, in a cookie, so that its answer is known by it.
    pub fn new_browser(&self) -> Plain<String> {
        NewToken::for_link(&*self.identity().entropy).raw
    }
}

fn site(app: &App) -> Result<Passkeys> {
    let address = Url::parse(&app.public_url()).map_err(|error| unavailable().caused_by(error))?;
    Passkeys::new(&address).map_err(refused)
}
