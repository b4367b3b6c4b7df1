//! Second factors: an authenticator app and recovery codes. A code is compared outside of transactions, counted like a
//! password, and used up inside the transaction of what it opens.

use super::guesses::Guesses;
use super::sign_in::{Entered, Entering, enter, entered, own_session};
use super::{me, passwords, people};
use crate::{App, Error, Result};
use domain::{Code, Email, RecoveryCodeId, UserId};
use futures_util::future::try_join_all;
use security::passwords::{Password, PasswordHash, Verdict};
use security::permissions::{
    AccountEnrol, AccountProve, AccountSecure, AccountView, SignIn, UsersManage,
};
use security::totp::TotpSecret;
use security::{Allow, Client, Event, Plain, Step, recovery_codes};
use std::time::Duration;
use store::attempts::{ClearsAttempts, CountsAttempts};
use store::second_factors::{self, NewTotp, ProvesFactors, SecondFactors};
use store::users::{self, User};
use store::{Act, StoreError, Tx, sessions};

/// How long a secret that an app was shown waits for its first code.
const SET_UP_FOR: Duration = Duration::from_mins(15);

/// What somebody typed as his second factor.
pub enum Typed {
    /// Six digits of the app.
    Code(Plain<String>),
    Recovery(Plain<String>),
}

impl Typed {
    /// Takes a code over that may be either: digits are the app's, letters a recovery code.
    pub fn guess(code: Plain<String>) -> Self {
        if recovery_codes::normalise(code.expose()).is_some() {
            Self::Recovery(code)
        } else {
            Self::Code(code)
        }
    }
}

/// A code that was right; it still has to be used up.
pub(super) struct Right {
    user: UserId,
    by: By,
    guesses: Guesses,
}

enum By {
    Step(u64),
    Recovery(RecoveryCodeId),
}

impl Right {
    /// Uses the code up; of many at once one is taken.
    pub(super) async fn spend<P: ProvesFactors + ClearsAttempts>(
        &self,
        tx: &Tx<P>,
    ) -> Result<(), Error> {
        let is_first = match self.by {
            By::Step(step) => second_factors::use_step(tx, self.user, step).await?,
            By::Recovery(id) => second_factors::take_recovery_code(tx, self.user, id).await?,
        };
        if !is_first {
            return Err(wrong());
        }
        self.guesses.clear(tx).await?;
        Ok(())
    }

    const fn event(&self, usual: Event) -> Event {
        match self.by {
            By::Step(_) => usual,
            By::Recovery(_) => Event::RecoveryCodeUsed,
        }
    }
}

/// Compares a code with what `user` has, counting the guess together with those at his password.
pub(super) async fn check<P: ProvesFactors + CountsAttempts>(
    app: &App,
    allow: &Allow<P>,
    (user, email): (UserId, &Email),
    client: &Client,
    typed: Typed,
) -> Result<Right> {
    let is_known = client.is_known_to(user);
    let guesses = Guesses::at_account(app.identity(), email.as_str(), client, is_known);
    let left = guesses.begin(app, allow).await?;
    let by = match typed {
        Typed::Code(code) => by_app(app, allow, user, &code).await?,
        Typed::Recovery(code) => by_recovery_code(app, allow, user, &code).await?,
    };
    if let Some(by) = by {
        return Ok(Right { user, by, guesses });
    }
    let act = Act::new(Event::TwoFaFailed).target(user.to_string());
    app.store.record(allow, act).await?;
    if left == 0 {
        return Err(guesses.now_locked(app));
    }
    Err(wrong())
}

async fn by_app<P: ProvesFactors>(
    app: &App,
    allow: &Allow<P>,
    user: UserId,
    code: &Plain<String>,
) -> Result<Option<By>> {
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| second_factors::find_totp(&tx, user).await)
        .await;
    let Some(totp) = found? else {
        return Ok(None);
    };
    let step = totp
        .secret
        .step_of(code.expose(), unix_seconds(app), Some(totp.last_step));
    Ok(step.map(By::Step))
}

async fn by_recovery_code<P: ProvesFactors>(
    app: &App,
    allow: &Allow<P>,
    user: UserId,
    typed: &Plain<String>,
) -> Result<Option<By>> {
    let Some(code) = recovery_codes::normalise(typed.expose()) else {
        return Ok(None);
    };
    let left: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            second_factors::list_recovery_codes(&tx, user).await
        })
        .await;
    for kept in left? {
        let hasher = &app.identity().hasher;
        let verdict = hasher.verify(Password::new(&code), Some(kept.hash)).await?;
        if verdict != Verdict::Wrong {
            return Ok(Some(By::Recovery(kept.id)));
        }
    }
    Ok(None)
}

/// Finishes a sign-in that waits for its second factor: another session takes the place of the one that waited.
pub async fn verify(app: &App, allow: &Allow<AccountProve>, typed: Typed) -> Result<Entered> {
    let me = me(allow)?.clone();
    if me.step != Some(Step::SecondFactor) {
        let say = "no sign-in waits for a second factor";
        return Err(Error::invalid(Code::UsageInvalid, say));
    }
    let waiting = own_session(&me.via)?;
    let right = check(app, allow, (me.id, &me.email), &me.client, typed).await?;
    let lasts = app.identity().lifetimes().session;
    let act = Act::new(right.event(Event::LoginSuccess)).target(me.id.to_string());
    let finished: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            right.spend(&tx).await?;
            sessions::end(&tx, me.id, waiting, "second factor shown").await?;
            let stage = sessions::Stage::Full;
            let session = sessions::create(&tx, me.id, stage, lasts, &me.client).await?;
            let user = users::find_own(&tx, me.id).await?;
            Ok((user.ok_or_else(people::gone)?, session))
        })
        .await;
    let (user, session) = finished?;
    entered(app, user, session)
}

/// Finishes a sign-in whose second factor came with the password, as DAP's clients send it.
pub async fn enter_with(
    app: &App,
    allow: &Allow<SignIn>,
    waiting: Entered,
    typed: Typed,
) -> Result<Entered> {
    let client = allow.actor().client().cloned().unwrap_or_default();
    let user = waiting.user;
    let right = check(app, allow, (user.id, &user.email), &client, typed).await?;
    let entering = Entering {
        user: &user,
        client: &client,
        rehashed: None,
        guesses: None,
        event: right.event(Event::LoginSuccess),
        right: Some(&right),
        replaces: Some(waiting.session.id),
    };
    enter(app, allow, entering).await
}

/// What a new authenticator app is shown, once.
pub struct SetUp {
    pub provisioning_uri: Plain<String>,
    pub secret: Plain<String>,
    pub recovery_codes: Vec<Plain<String>>,
}

/// Begins to set an authenticator app up. It is asked for only after it has shown a code; until then the recovery codes that
/// there are stay good, and those shown with it are not.
pub async fn set_up_totp(
    app: &App,
    allow: &Allow<AccountEnrol>,
    password: Option<&Plain<String>>,
) -> Result<SetUp> {
    let me = me(allow)?.clone();
    let guesses = match password {
        Some(password) => Some(passwords::check_own(app, allow, password).await?),
        None => None,
    };
    if view(app, allow, me.id).await?.totp_enabled_at.is_some() {
        let say = "an authenticator app is set up already";
        return Err(Error::conflict(Code::SecondFactorExists, say)
            .hint("take it away first, or make new recovery codes"));
    }
    let secret = TotpSecret::generate(&*app.identity().entropy);
    let (codes, hashes) = new_recovery_codes(app).await?;
    let begun: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::TwoFaSetUp, async |tx| {
            if let Some(guesses) = &guesses {
                guesses.clear(&tx).await?;
            }
            let new = NewTotp {
                secret: &secret,
                codes: &hashes,
            };
            second_factors::begin_totp(&tx, me.id, new, SET_UP_FOR).await
        })
        .await;
    begun?;
    Ok(SetUp {
        provisioning_uri: secret.provisioning_uri(me.email.as_str()),
        secret: secret.to_base32(),
        recovery_codes: codes,
    })
}

/// Puts the app to use that shows the right code, and the recovery codes that were shown with it; every other session ends.
pub async fn enable_totp(
    app: &App,
    allow: &Allow<AccountEnrol>,
    code: &Plain<String>,
) -> Result<()> {
    let me = me(allow)?.clone();
    let here = own_session(&me.via)?;
    let is_known = me.client.is_known_to(me.id);
    let guesses = Guesses::at_account(app.identity(), me.email.as_str(), &me.client, is_known);
    let left = guesses.begin(app, allow).await?;
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            second_factors::find_totp_setup(&tx, me.id).await
        })
        .await;
    let set_up = found?.ok_or_else(|| {
        let say = "no authenticator app is being set up";
        Error::not_found(Code::SecondFactorMissing, say).hint("begin again")
    })?;
    let Some(step) = set_up
        .secret
        .step_of(code.expose(), unix_seconds(app), None)
    else {
        app.store.record(allow, Event::TwoFaFailed).await?;
        return Err(if left == 0 {
            guesses.now_locked(app)
        } else {
            wrong()
        });
    };
    let enabled: Result<_, Error> = app
        .store
        .run_tx(allow, Event::TwoFaEnabled, async |tx| {
            guesses.clear(&tx).await?;
            if !second_factors::enable_totp(&tx, me.id, set_up.id, step).await? {
                return Err(wrong());
            }
            sessions::end_all(&tx, me.id, Some(here), "second factor set up").await?;
            Ok(())
        })
        .await;
    enabled
}

/// Takes one's own authenticator app away; every other session ends.
pub async fn disable_totp(
    app: &App,
    allow: &Allow<AccountSecure>,
    password: Option<&Plain<String>>,
) -> Result<()> {
    let me = me(allow)?.clone();
    let here = own_session(&me.via)?;
    let guesses = match password {
        Some(password) => Some(passwords::check_own(app, allow, password).await?),
        None => None,
    };
    let disabled: Result<_, Error> = app
        .store
        .run_tx(allow, Event::TwoFaDisabled, async |tx| {
            if let Some(guesses) = &guesses {
                guesses.clear(&tx).await?;
            }
            if !second_factors::disable_totp(&tx, me.id).await? {
                let say = "no authenticator app is set up";
                return Err(Error::invalid(Code::SecondFactorMissing, say));
            }
            sessions::end_all(&tx, me.id, Some(here), "second factor taken away").await?;
            Ok(())
        })
        .await;
    disabled
}

/// Makes new recovery codes; those before are void.
pub async fn renew_recovery_codes(
    app: &App,
    allow: &Allow<AccountSecure>,
) -> Result<Vec<Plain<String>>> {
    let me = me(allow)?.id;
    if !view(app, allow, me).await?.has_one() {
        let say = "there is no second factor that recovery codes would stand in for";
        return Err(Error::invalid(Code::SecondFactorMissing, say));
    }
    let (codes, hashes) = new_recovery_codes(app).await?;
    let replaced: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::RecoveryCodesReplaced, async |tx| {
            second_factors::replace_recovery_codes(&tx, me, &hashes).await
        })
        .await;
    replaced?;
    Ok(codes)
}

/// Returns which second factors one has.
pub async fn list_own(app: &App, allow: &Allow<AccountView>) -> Result<SecondFactors> {
    let me = me(allow)?.id;
    view(app, allow, me).await
}

/// Takes every second factor of somebody away who has lost them; his sessions end.
pub async fn reset(app: &App, allow: &Allow<UsersManage>, id: UserId) -> Result<User> {
    if allow.actor().user().is_some_and(|me| me.id == id) {
        return Err(StoreError::Oneself.into());
    }
    people::get(app, allow, id).await?;
    let act = Act::new(Event::TwoFaReset).target(id.to_string());
    let done: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            second_factors::remove_all(&tx, id).await?;
            sessions::end_all(&tx, id, None, "second factors reset").await
        })
        .await;
    done?;
    Ok(people::get(app, allow, id).await?.user)
}

pub(super) async fn view<P: second_factors::SeesFactors>(
    app: &App,
    allow: &Allow<P>,
    user: UserId,
) -> Result<SecondFactors> {
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| second_factors::find(&tx, user).await)
        .await;
    Ok(found?)
}

pub(super) async fn new_recovery_codes(
    app: &App,
) -> Result<(Vec<Plain<String>>, Vec<PasswordHash>)> {
    let codes = recovery_codes::generate(&*app.identity().entropy);
    let hashes = codes
        .iter()
        .map(|code| app.identity().hasher.hash(Password::new(code)));
    let hashes = try_join_all(hashes).await?;
    Ok((codes, hashes))
}

fn wrong() -> Error {
    Error::invalid(
        Code::CodeWrong,
        "the code is wrong, too old, or was used before",
    )
    .hint("wait for the next one, and check that the clock of the device is right")
}

fn unix_seconds(app: &App) -> u64 {
    u64::try_from(super::requests::seconds(app.clock.now())).unwrap_or(0)
}
