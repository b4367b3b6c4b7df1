//! Signing in with a password, showing again who one is, and out again.

use super::guesses::Guesses;
use super::hashing::Kinds;
use super::requests::{cookie, first_step, seconds};
use super::second_factors::{Right, Typed};
use super::{me, passwords, second_factors};
use crate::{App, Error, Result};
use domain::{Code, Email, SessionId, Timestamp, UserId};
use security::passwords::{Password, PasswordHash, Verdict};
use security::permissions::{AccountLeave, AccountProve, SignIn};
use security::tokens::TokenHash;
use security::{Allow, Client, Event, Plain, Step, Via};
use std::time::Duration;
use store::sessions::{self, Session, Stage};
use store::users::{self, User};
use store::{Act, StoreError};

/// How long a browser is known after a sign-in.
const DEVICE_KNOWN_FOR: Duration = Duration::from_hours(365 * 24);

/// What somebody typed.
pub struct Credentials {
    pub email: String,
    pub password: Plain<String>,
    /// The session this browser has already: another takes its place.
    pub replaces: Option<(UserId, SessionId)>,
}

/// Somebody who is in, as far as his session's stage says.
pub struct Entered {
    pub user: User,
    pub session: Session,
    pub cookie: Plain<String>,
    /// What the browser keeps to be known again.
    pub device: Plain<String>,
    /// What comes first.
    pub step: Option<Step>,
}

/// Lets somebody in who knows the password; when he has a second factor, as far as that step. Unknown, inactive and invited
/// people are refused like a wrong password: after the same work, in the same words.
pub async fn sign_in(app: &App, allow: &Allow<SignIn>, typed: Credentials) -> Result<Entered> {
    let client = allow.actor().client().cloned().unwrap_or_default();
    let email = Email::parse(&typed.email).ok();
    // An address that is none is counted too: else it would answer at once, and tell.
    let account = email.as_ref().map_or_else(
        || typed.email.trim().to_lowercase(),
        |email| email.as_str().to_owned(),
    );
    // Before anything is read: who waited goes by how things are then.
    let _turn = app.identity().turns.wait(&account).await;
    let (known, kinds) = find(app, allow, email.as_ref()).await?;
    let is_known_device = known
        .as_ref()
        .is_some_and(|(user, _)| client.is_known_to(user.id));
    let guesses = Guesses::at_account(app.identity(), &account, &client, is_known_device);
    let (user, hash) = known.unzip();
    let tried = Tried {
        account: &account,
        email: user.as_ref().map(|user| user.email.clone()),
    };
    let left = match guesses.begin(app, allow).await {
        Ok(left) => left,
        Err(error) => {
            tried
                .note(app, allow, Event::LoginFailure, "locked")
                .await?;
            return Err(error);
        }
    };
    let verdict = app
        .identity()
        .hasher
        .compare(Password::new(&typed.password), hash.flatten(), kinds)
        .await?;
    let user = user.filter(User::may_sign_in);
    let (Some(user), Verdict::Right { is_outdated }) = (user, verdict) else {
        tried
            .note(app, allow, Event::LoginFailure, "wrong credentials")
            .await?;
        if left == 0 {
            tried
                .note(app, allow, Event::AccountLocked, "too many failures")
                .await?;
            return Err(guesses.now_locked(app));
        }
        return Err(wrong());
    };
    let rehashed = if is_outdated {
        let password = Password::new(&typed.password);
        Some(app.identity().hasher.hash(password).await?)
    } else {
        None
    };
    let entering = Entering {
        user: &user,
        client: &client,
        rehashed,
        guesses: Some(&guesses),
        event: Event::LoginSuccess,
        right: None,
        replaces: typed
            .replaces
            .and_then(|(whose, id)| (whose == user.id).then_some(id)),
    };
    enter(app, allow, entering).await
}

/// Returns who has the address, with his password's hash, and with what the hashes here are made.
async fn find(
    app: &App,
    allow: &Allow<SignIn>,
    email: Option<&Email>,
) -> Result<(Option<(User, Option<PasswordHash>)>, Kinds)> {
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            let known = match email {
                Some(email) => users::find_by_email(&tx, email).await?,
                None => None,
            };
            let kinds = if users::has_bcrypt(&tx).await? {
                Kinds::Both
            } else {
                Kinds::One
            };
            Ok((known, kinds))
        })
        .await;
    Ok(found?)
}

/// How somebody comes in whose first proof was good.
pub(super) struct Entering<'a> {
    pub(super) user: &'a User,
    pub(super) client: &'a Client,
    pub(super) rehashed: Option<PasswordHash>,
    pub(super) guesses: Option<&'a Guesses>,
    pub(super) event: Event,
    /// The second factor, when it was shown already.
    pub(super) right: Option<&'a Right>,
    /// The session that waited for it, or that this browser had before.
    pub(super) replaces: Option<SessionId>,
}

/// Begins a session; with a second factor it opens nothing but that step.
pub(super) async fn enter(
    app: &App,
    allow: &Allow<SignIn>,
    entering: Entering<'_>,
) -> Result<Entered> {
    let user = entering.user;
    let lifetimes = app.identity().lifetimes();
    let (stage, lasts, event) = if user.has_second_factor && entering.right.is_none() {
        (
            Stage::SecondFactor,
            lifetimes.pending,
            Event::LoginSecondFactorAsked,
        )
    } else {
        (Stage::Full, lifetimes.session, entering.event)
    };
    let act = Act::new(event)
        .target(user.id.to_string())
        .subject(user.id, &user.email);
    let begun: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            if let Some(guesses) = entering.guesses.filter(|_| stage == Stage::Full) {
                guesses.clear(&tx).await?;
            }
            if let Some(right) = entering.right {
                right.spend(&tx).await?;
            }
            if let Some(before) = entering.replaces {
                sessions::end(&tx, user.id, before, "another took its place").await?;
            }
            let user = users::signed_in(&tx, user.id, entering.rehashed.as_ref()).await?;
            let session = sessions::create(&tx, user.id, stage, lasts, entering.client).await?;
            Ok((user, session))
        })
        .await;
    let (user, session) = begun?;
    entered(app, user, session)
}

/// Returns somebody who has begun `session`, with what his browser gets.
pub(super) fn entered(app: &App, user: User, session: Session) -> Result<Entered> {
    let now = app.clock.now();
    let cookie = cookie(app, &session, session.generation, now)?;
    let known_until = seconds(now).saturating_add(DEVICE_KNOWN_FOR.as_secs().cast_signed());
    let device = app
        .identity()
        .keys
        .ring(&*app.clock)?
        .sign_device(user.id.as_uuid(), known_until)
        .map_err(|error| Error::bug("a device could not be signed").caused_by(error))?;
    let step = match session.stage {
        Stage::SecondFactor => Some(Step::SecondFactor),
        Stage::Full => first_step(app, &user, now),
    };
    Ok(Entered {
        user,
        session,
        cookie,
        device,
        step,
    })
}

/// Shows again who one is: by one's password, and by the second factor of whoever has one. What needs a fresh proof is open
/// for some minutes.
pub async fn reauthenticate(
    app: &App,
    allow: &Allow<AccountProve>,
    password: Option<&Plain<String>>,
    code: Option<Typed>,
) -> Result<Timestamp> {
    let me = me(allow)?.clone();
    let session = own_session(&me.via)?;
    let own = users_own(app, allow, me.id).await?;
    if !own.has_password && !own.has_second_factor {
        let say = "there is nothing here that you could show: you sign in elsewhere";
        return Err(Error::invalid(Code::ProofIncomplete, say).hint("sign out and in again"));
    }
    if me.step == Some(Step::SecondFactor)
        || (own.has_password && password.is_none())
        || (own.has_second_factor && code.is_none())
    {
        let say = "a proof takes your password, and the code of your second factor if you have one";
        return Err(Error::invalid(Code::ProofIncomplete, say));
    }
    let guesses = match password {
        Some(password) => Some(passwords::check_own(app, allow, password).await?),
        None => None,
    };
    let right = match code {
        Some(code) => {
            let whose = (me.id, &me.email);
            Some(second_factors::check(app, allow, whose, &me.client, code).await?)
        }
        None => None,
    };
    let proven: Result<_, Error> = app
        .store
        .run_tx(allow, Event::Reauthenticated, async |tx| {
            if let Some(right) = &right {
                right.spend(&tx).await?;
            }
            if let Some(guesses) = &guesses {
                guesses.clear(&tx).await?;
            }
            sessions::prove(&tx, session, Stage::Full).await?;
            Ok(tx.at())
        })
        .await;
    proven
}

async fn users_own(app: &App, allow: &Allow<AccountProve>, me: UserId) -> Result<User> {
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| users::find_own(&tx, me).await)
        .await;
    found?.ok_or_else(super::people::gone)
}

/// Ends the session of the request.
pub async fn sign_out(app: &App, allow: &Allow<AccountLeave>) -> Result<()> {
    let me = me(allow)?;
    let (user, session) = (me.id, own_session(&me.via)?);
    app.store
        .run_tx(allow, Event::Logout, async |tx| {
            sessions::end(&tx, user, session, "signed out")
                .await
                .map(drop)
        })
        .await
        .map_err(Error::from)
}

/// Returns the session of a request that came with one.
pub(super) fn own_session(via: &Via) -> Result<SessionId> {
    match via {
        Via::Session(id) => Ok(*id),
        Via::Token { .. } => {
            let say = "an API token has no session";
            Err(Error::invalid(Code::UsageInvalid, say))
        }
    }
}

/// Returns the one error of everything that may be wrong with what was typed.
pub(super) fn wrong() -> Error {
    Error::invalid(
        Code::CredentialsWrong,
        "the e-mail address or the password is wrong",
    )
    .hint("an admin can send you a link to choose another password")
}

/// The account somebody tried to come in at.
struct Tried<'a> {
    account: &'a str,
    /// The address of whoever has it.
    email: Option<Email>,
}

impl Tried<'_> {
    async fn note(
        &self,
        app: &App,
        allow: &Allow<SignIn>,
        event: Event,
        why: &'static str,
    ) -> Result<()> {
        // What was typed may be a password in the wrong field: unless it is somebody's address, only its hash is kept.
        let mut act = Act::new(event)
            .detail("account", TokenHash::of(self.account).as_str())
            .detail("reason", why);
        if let Some(email) = &self.email {
            act = act.personal("email", email.as_str());
        }
        Ok(app.store.record(allow, act).await?)
    }
}
