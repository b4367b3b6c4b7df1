//! Letting a program in that has no browser (RFC 8628): it shows a short code, somebody who is signed in types it where he has
//! just shown who he is, and the program, which asks meanwhile, gets an API token of his. The token is narrow and ends.
//!
//! Whoever decides sees what the program calls itself, from where it asks and what it would get: the short code may have been
//! sent to him by a stranger (RFC 8628 §5.4).

use super::guesses::Guesses;
use super::tokens::{MadeToken, Owner, check_room, days_from, grantable};
use crate::{App, Error, Result};
use domain::say::{Quoted, is_deceptive};
use domain::{Code, Email, say};
use security::permissions::{AccountSecure, DeviceSignIn, GiveBack};
use security::tokens::{NewToken, TokenHash, api_token_prefix};
use security::{Allow, Event, Plain, device_codes};
use std::time::Duration;
use store::api_tokens::{self, NewApiToken};
use store::device_sign_ins::{self, Decision, NewDevice, Polled};
use store::{Act, StoreError};

pub use store::device_sign_ins::Waiting;

/// How long a code is good.
pub const LASTS: Duration = Duration::from_mins(10);
/// How long the program waits before it asks again.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// Days its token is good unless it asks for something else.
pub const DAYS: u32 = 90;
/// Days it may ask for.
pub const DAYS_MAX: u32 = 365;
/// What its token opens unless it asks for something else: who one is, the server's state, the sources, queries.
pub const SCOPES: [&str; 4] = [
    "account.view",
    "health.view",
    "source.view",
    "query.execute",
];
/// Characters of what it calls itself; the rest is cut off.
const NAME_CHARS_MAX: usize = 100;
/// Two codes that are the same are a coincidence of one in six million with as many programs as can wait.
const TRIES_MAX: usize = 3;

/// What a program asks for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What it calls itself.
    pub name: String,
    /// Names of permissions; without them [`SCOPES`].
    pub scopes: Option<Vec<String>>,
    /// From 1 to [`DAYS_MAX`].
    pub days: Option<u32>,
}

/// What a program was given to wait with.
pub struct Begun {
    /// What it shows when it comes back.
    pub device: Plain<String>,
    /// What somebody types.
    pub code: Plain<String>,
}

/// Lets a program wait.
pub async fn begin(app: &App, allow: &Allow<DeviceSignIn>, wish: Wish) -> Result<Begun> {
    let (scopes, days) = (wished(wish.scopes)?, wish.days.unwrap_or(DAYS));
    if days == 0 || days > DAYS_MAX {
        let say = say!(
            "the token of a program is good for 1 to ",
            DAYS_MAX,
            " days"
        );
        return Err(Error::invalid(Code::TokenInvalid, say));
    }
    let entropy = &*app.identity().entropy;
    for _ in 0..TRIES_MAX {
        let (device, code) = (NewToken::for_link(entropy), device_codes::generate(entropy));
        let new = NewDevice {
            device: &device.hash,
            code: &TokenHash::of(code.expose()),
            name: named(&wish.name),
            scopes: scopes.clone(),
            days,
            lasts: LASTS,
        };
        if app.store.begin_device(allow, new).await?.is_some() {
            let device = device.raw;
            return Ok(Begun { device, code });
        }
    }
    Err(Error::bug("every short code is taken"))
}

fn wished(scopes: Option<Vec<String>>) -> Result<Vec<String>> {
    let Some(mut scopes) = scopes.filter(|scopes| !scopes.is_empty()) else {
        return Ok(SCOPES.map(str::to_owned).to_vec());
    };
    scopes.sort_unstable();
    scopes.dedup();
    let unknown = |scope: &&String| !grantable().any(|line| line.name == scope.as_str());
    match scopes.iter().find(unknown) {
        None => Ok(scopes),
        Some(scope) => {
            let say = say!("", name Quoted(scope), " is no permission that a token can have");
            Err(Error::invalid(Code::TokenInvalid, say))
        }
    }
}

/// Returns what a program calls itself as one line without tricks: whoever decides reads it.
fn named(name: &str) -> String {
    let plain = name.chars().filter(|c| !is_deceptive(*c));
    let plain: String = plain.take(NAME_CHARS_MAX).collect();
    match plain.trim() {
        "" => "a program".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns the program that shows the short code `typed`, with what `owner` would give it.
pub async fn look(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
    typed: &Plain<String>,
) -> Result<Waiting> {
    let guesses = guesses(app, allow, owner);
    let waiting = find(app, allow, owner, typed, &guesses).await?;
    let act = about(Act::new(Event::DeviceShown), owner, &waiting);
    let cleared: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| guesses.clear(&tx).await)
        .await;
    cleared?;
    Ok(waiting)
}

async fn find(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
    typed: &Plain<String>,
    guesses: &Guesses,
) -> Result<Waiting> {
    let left = guesses.begin(app, allow).await?;
    let hash = hash_of(typed);
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            device_sign_ins::find_by_code(&tx, &hash).await
        })
        .await;
    let Some(mut waiting) = found? else {
        return Err(wrong(app, allow, guesses, left).await?);
    };
    waiting
        .scopes
        .retain(|scope| grantable().any(|line| has(owner, line, scope)));
    Ok(waiting)
}

fn has(owner: Owner, line: &security::Line, scope: &str) -> bool {
    line.name == scope && line.roles.contains(&owner.role)
}

/// Gives the program that shows this short code a token of `owner`: what it asked for, as far as his role has it.
pub async fn approve(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
    typed: &Plain<String>,
) -> Result<Waiting> {
    let guesses = guesses(app, allow, owner);
    let waiting = find(app, allow, owner, typed, &guesses).await?;
    if waiting.scopes.is_empty() {
        let say = "the program asks for nothing that your role has";
        return Err(Error::denied(Code::PermissionDenied, say)
            .hint("it can ask for something else: `dango login --scope`"));
    }
    check_room(app, allow, owner).await?;
    let decision = Decision::Approve(owner.id, waiting.scopes.clone());
    let act = Act::new(Event::DeviceApproved)
        .detail("scopes", waiting.scopes.clone())
        .detail("days", waiting.days);
    let act = about(act, owner, &waiting);
    decide(app, allow, act, typed, &guesses, decision).await?;
    Ok(waiting)
}

/// Sends the program away that shows this short code.
pub async fn deny(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
    typed: &Plain<String>,
) -> Result<Waiting> {
    let guesses = guesses(app, allow, owner);
    let waiting = find(app, allow, owner, typed, &guesses).await?;
    let act = about(Act::new(Event::DeviceDenied), owner, &waiting);
    decide(app, allow, act, typed, &guesses, Decision::Deny).await?;
    Ok(waiting)
}

/// Names whose account it is, and the program, whose words may be anybody's.
fn about(act: Act, owner: Owner, waiting: &Waiting) -> Act {
    let act = act
        .target(owner.id.to_string())
        .personal("device_name", waiting.name.clone());
    match &waiting.ip {
        Some(ip) => act.personal("device_ip", ip.clone()),
        None => act,
    }
}

async fn decide(
    app: &App,
    allow: &Allow<AccountSecure>,
    act: Act,
    typed: &Plain<String>,
    guesses: &Guesses,
    decision: Decision,
) -> Result<()> {
    let hash = hash_of(typed);
    app.store
        .run_tx(allow, act, async |tx| {
            if !device_sign_ins::decide(&tx, &hash, decision.clone()).await? {
                // Somebody else decided just now.
                return Err(unknown_code());
            }
            guesses.clear(&tx).await?;
            Ok(())
        })
        .await
}

/// Returns the token when somebody has approved, and what it is told otherwise: the codes are those of RFC 8628 §3.5.
pub async fn come_back(
    app: &App,
    allow: &Allow<DeviceSignIn>,
    device: &Plain<String>,
) -> Result<(MadeToken, Email)> {
    let hash = TokenHash::of(device.expose());
    let owner = match app.store.poll_device(allow, &hash, INTERVAL).await? {
        Polled::Approved(owner) => owner,
        Polled::Waiting => return Err(told(Code::DevicePending, "nobody has decided yet")),
        Polled::TooFast => return Err(told(Code::DeviceTooFast, "that was too soon")),
        Polled::Denied => return Err(told(Code::DeviceRefused, "the program was sent away")),
        Polled::Unknown => return Err(over()),
    };
    let made = NewToken::for_api(&*app.identity().entropy);
    let act = Act::new(Event::ApiTokenCreated)
        .subject(owner.id, &owner.email)
        .target(owner.id.to_string())
        .detail("by", "device");
    let created: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            let taken = device_sign_ins::take(&tx, &hash).await?;
            let (waiting, owner) = taken.ok_or_else(over)?;
            let new = NewApiToken {
                name: waiting.name,
                prefix: api_token_prefix(made.raw.expose())
                    .unwrap_or_default()
                    .to_owned(),
                hash: made.hash.clone(),
                scopes: Some(waiting.scopes),
                networks: None,
                expires_at: Some(days_from(tx.at(), waiting.days)),
            };
            Ok(api_tokens::create(&tx, owner.id, new).await?)
        })
        .await;
    let made = MadeToken {
        token: created?,
        raw: made.raw,
    };
    Ok((made, owner.email))
}

/// Revokes the token that somebody shows: whoever has it may give it up. What is no token, or none of ours, is no error (RFC
/// 7009 §2.2), so that nobody learns which it was.
pub async fn give_back(app: &App, allow: &Allow<GiveBack>, raw: &Plain<String>) -> Result<()> {
    let Some(prefix) = api_token_prefix(raw.expose()) else {
        return Ok(());
    };
    let hash = TokenHash::of(raw.expose());
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            api_tokens::find_by_hash(&tx, prefix, &hash).await
        })
        .await;
    let good = found?.filter(|(token, _)| token.revoked_at.is_none());
    let Some((token, owner)) = good else {
        return Ok(());
    };
    let act = Act::new(Event::ApiTokenRevoked)
        .subject(owner.id, &owner.email)
        .target(token.id.to_string())
        .detail("by", "whoever had it");
    let revoked: Result<_, StoreError> = app
        .store
        .run_tx(allow, act, async |tx| {
            api_tokens::give_back(&tx, token.id).await
        })
        .await;
    revoked?;
    Ok(())
}

fn hash_of(typed: &Plain<String>) -> TokenHash {
    // What cannot be a code is the hash of nothing that waits, and counts as a guess all the same.
    let code = device_codes::normalise(typed.expose());
    TokenHash::of(code.as_ref().map_or("", |code| code.expose()))
}

/// Guesses at short codes are counted by who makes them, apart from those at his password.
fn guesses(app: &App, allow: &Allow<AccountSecure>, owner: Owner) -> Guesses {
    let client = allow.actor().client().cloned().unwrap_or_default();
    let whose = owner.id.to_string();
    let is_known = client.is_known_to(owner.id);
    Guesses::at(app.identity(), "device", &whose, &client, is_known)
}

/// Writes a wrong code down, and returns its error.
async fn wrong(
    app: &App,
    allow: &Allow<AccountSecure>,
    guesses: &Guesses,
    left: u32,
) -> Result<Error> {
    app.store
        .record(allow, Act::new(Event::DeviceCodeWrong))
        .await?;
    Ok(if left == 0 {
        guesses.now_locked(app)
    } else {
        unknown_code()
    })
}

fn unknown_code() -> Error {
    Error::not_found(Code::DeviceCodeWrong, "no program waits with this code")
        .hint("type it as the other machine shows it; it is good for ten minutes, and once")
}

fn over() -> Error {
    told(Code::DeviceOver, "the code is over").hint("begin again with `dango login`")
}

fn told(code: Code, say: &'static str) -> Error {
    Error::invalid(code, say)
}
