//! Passwords: changing one's own, and asking for a link when it is forgotten.

use super::guesses::Guesses;
use super::links::{self, make_link};
use super::mail::send_link;
use super::{me, sign_in};
use crate::{App, Error, Result};
use domain::{Code, Email, Say, UserId};
use security::passwords::{CHARS_MAX, Password, PasswordHash, Verdict, Weakness};
use security::permissions::{AccountPassword, AccountSecure, SignIn};
use security::{Allow, Event, Plain};
use store::attempts::CountsAttempts;
use store::links::LinkKind;
use store::users::{self, ChecksPassword};
use store::{StoreError, sessions};

/// Changes one's own password; every other session ends.
pub async fn change(
    app: &App,
    allow: &Allow<AccountPassword>,
    current: &Plain<String>,
    new: &Plain<String>,
) -> Result<()> {
    let me = me(allow)?.clone();
    let here = sign_in::own_session(&me.via)?;
    let guesses = check_own(app, allow, current).await?;
    if Password::new(new).is_same(&Password::new(current)) {
        let say = "the new password is the one you have";
        return Err(Error::invalid(Code::PasswordWeak, say).hint("choose another"));
    }
    let hash = hash_new(app, new, &me.email).await?;
    let changed: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::PasswordChange, async |tx| {
            guesses.clear(&tx).await?;
            users::set_password(&tx, me.id, &hash).await?;
            store::links::void(&tx, LinkKind::Reset, Some(me.id)).await?;
            sessions::end_all(&tx, me.id, Some(here), "password changed").await
        })
        .await;
    changed?;
    Ok(())
}

/// Compares a password with one's own, counting the guess; returns the series, which the caller clears in the transaction of
/// what the password was asked for.
pub(super) async fn check_own<P: ChecksPassword + CountsAttempts>(
    app: &App,
    allow: &Allow<P>,
    password: &Plain<String>,
) -> Result<Guesses> {
    let me = me(allow)?;
    let is_known = me.client.is_known_to(me.id);
    let guesses = Guesses::at_account(app.identity(), me.email.as_str(), &me.client, is_known);
    let left = guesses.begin(app, allow).await?;
    let kept = app
        .store
        .run_read(allow, async |tx| users::find_own_hash(&tx, me.id).await)
        .await
        .map_err(Error::from)?;
    let verdict = app
        .identity()
        .hasher
        .verify(Password::new(password), kept)
        .await?;
    if verdict != Verdict::Wrong {
        return Ok(guesses);
    }
    app.store.record(allow, Event::PasswordCheckFailed).await?;
    if left == 0 {
        return Err(guesses.now_locked(app));
    }
    Err(Error::invalid(
        Code::CredentialsWrong,
        "the current password is wrong",
    ))
}

/// Gives oneself another password after a fresh proof, as DAP's clients do; every other session ends.
pub async fn set_own(app: &App, allow: &Allow<AccountSecure>, new: &Plain<String>) -> Result<()> {
    let me = me(allow)?.clone();
    let here = sign_in::own_session(&me.via)?;
    let hash = hash_new(app, new, &me.email).await?;
    let changed: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::PasswordChange, async |tx| {
            users::set_password(&tx, me.id, &hash).await?;
            store::links::void(&tx, LinkKind::Reset, Some(me.id)).await?;
            sessions::end_all(&tx, me.id, Some(here), "password changed").await
        })
        .await;
    changed?;
    Ok(())
}

/// Brings a reset link to whom it is for: by mail, and into the log where the operator said so. Nobody else learns of it.
async fn deliver(app: &App, mail: &ResetMail) {
    let link = links::address(app, links::Page::Reset, &mail.link);
    if app.identity().config.log_reset_links {
        // The one secret that is ever logged, and only where `DAP_AUTH_LOG_RESET_TOKENS` asks for it.
        tracing::warn!(
            reset_token = mail.link.expose(),
            reset_url = link.expose(),
            user_id = %mail.user,
            "user.forgot_password"
        );
    }
    // Whoever asked learns nothing of what became of it.
    let _ = send_link(
        app,
        links::Page::Reset,
        (mail.user, &mail.email),
        &mail.link,
    )
    .await;
}

/// Mails whoever has this address a link to choose another password, if there is somebody. Nobody learns what became of it.
pub async fn mail_link(app: &App, allow: &Allow<SignIn>, email: &str) {
    match forget(app, allow, email).await {
        Ok(Some(mail)) => deliver(app, &mail).await,
        Ok(None) => {}
        Err(error) => crate::logging::failed(&error),
    }
}

/// Makes a link to choose another password, when somebody may sign in at `email`; whether there is somebody, nobody is told.
/// Returns the link for the mail.
pub async fn forget(app: &App, allow: &Allow<SignIn>, email: &str) -> Result<Option<ResetMail>> {
    let client = allow.actor().client().cloned().unwrap_or_default();
    let Ok(email) = Email::parse(email) else {
        return Ok(None);
    };
    let guesses = Guesses::at(app.identity(), "forgotten", email.as_str(), &client, true);
    if guesses.begin(app, allow).await.is_err() {
        // The same answer as for everybody; the mails that were sent are enough.
        return Ok(None);
    }
    let known = app
        .store
        .run_read(allow, async |tx| users::find_by_email(&tx, &email).await)
        .await
        .map_err(Error::from)?;
    let Some((user, _)) = known.filter(|(user, _)| user.may_sign_in() && user.has_password) else {
        return Ok(None);
    };
    let link = make_link(app, allow, LinkKind::Reset, &user, Event::PasswordForgotten).await?;
    Ok(Some(ResetMail {
        user: user.id,
        email,
        link,
    }))
}

/// What is to be mailed to somebody who has forgotten his password.
pub struct ResetMail {
    pub user: UserId,
    pub email: Email,
    pub link: Plain<String>,
}

/// Returns the hash of a password that somebody chooses, when the policy takes it.
pub(super) async fn hash_new(
    app: &App,
    password: &Plain<String>,
    email: &Email,
) -> Result<PasswordHash> {
    let password = Password::new(password);
    check_strength(app, &password, email)?;
    app.identity().hasher.hash(password).await
}

/// Refuses a password that the policy does not take, with everything that speaks against it.
fn check_strength(app: &App, password: &Password, email: &Email) -> Result<()> {
    let weak = app.identity().policy().weaknesses(password, email.as_str());
    if weak.is_empty() {
        return Ok(());
    }
    let issues: Vec<Say> = weak.into_iter().map(say_weakness).collect();
    let mut say = Say::new("the password is too weak: ");
    for (index, issue) in issues.iter().enumerate() {
        say = if index > 0 { say.text("; ") } else { say };
        say = say.value(issue);
    }
    Err(Error::invalid(Code::PasswordWeak, say)
        .hint("several words that do not belong together are long and easy to keep in mind")
        .issues(issues))
}

/// A password that is too short is told in DAP's words, which its clients look for.
fn say_weakness(weakness: Weakness) -> Say {
    match weakness {
        Weakness::Short { chars_min } => Say::new("Password must be at least ")
            .value(&chars_min)
            .text(" characters"),
        Weakness::Long => Say::new("it has more than ")
            .value(&CHARS_MAX)
            .text(" characters"),
        Weakness::Common => Say::new("it is one of the passwords that are tried first"),
        Weakness::Personal => Say::new("it is, or contains, the e-mail address or the name in it"),
        Weakness::Product => Say::new("it is the name of this product"),
        Weakness::Repeated => Say::new("it repeats one short piece"),
    }
}
