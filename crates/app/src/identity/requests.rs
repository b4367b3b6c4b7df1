//! Who sends a request: the cookie or token it carries, looked up anew each time, so that logging out, deactivating and
//! another role act at once.

use super::settings::SecondFactorRule;
use crate::{App, Error, Result};
use domain::{SessionId, Timestamp, UserId};
use security::permissions::Authenticate;
use security::session_tokens::SessionClaims;
use security::tokens::{TokenHash, api_token_prefix};
use security::{Actor, Allow, Client, Event, Plain, Role, SignedIn, Step, Via};
use std::net::IpAddr;
use std::time::Duration;
use store::Act;
use store::StoreError;
use store::api_tokens::{self, ApiToken};
use store::sessions::{self, Renewed, Session, Stage};
use store::users::User;

/// How often the last use of a session or token is written down: not at every request.
const TOUCHED_EVERY: Duration = Duration::from_mins(1);

/// What a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// The value of the session cookie.
    Cookie(&'a str),
    /// What stands after `Bearer`.
    Bearer(&'a str),
}

/// Somebody who was recognised.
pub struct Recognised {
    pub actor: SignedIn,
    /// The cookie to send instead of the one that came.
    pub cookie: Option<Plain<String>>,
}

impl Recognised {
    /// Returns the actor of the request.
    pub fn actor(&self) -> Actor {
        Actor::User(self.actor.clone())
    }
}

/// Returns who presents this, `None` when it opens nothing: the reason is nobody's business.
pub async fn recognise(
    app: &App,
    allow: &Allow<Authenticate>,
    presented: Presented<'_>,
    client: &Client,
) -> Result<Option<Recognised>> {
    match presented {
        Presented::Cookie(token) => session(app, allow, token, client, true).await,
        Presented::Bearer(raw) => match api_token_prefix(raw) {
            Some(prefix) => token(app, allow, raw, prefix, client).await,
            None => session(app, allow, raw, client, false).await,
        },
    }
}

/// Returns who has signed in with the browser that kept `device`.
pub fn device_of(app: &App, device: &Plain<String>) -> Result<Option<UserId>> {
    let ring = app.identity().keys.ring(&*app.clock)?;
    let known = ring.read_device(device.expose(), seconds(app.clock.now()));
    Ok(known.ok().map(UserId::new))
}

/// Returns somebody as he is now whose session opened a stream, `None` when it has ended. It asks for no cookie: a browser that
/// has got another one meanwhile has not left.
pub async fn look_again(
    app: &App,
    allow: &Allow<Authenticate>,
    who: &SignedIn,
) -> Result<Option<SignedIn>> {
    let Via::Session(id) = who.via else {
        return Ok(None);
    };
    let now = app.clock.now();
    let found: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| sessions::find(&tx, id).await)
        .await;
    let found = found?.filter(|(session, user)| {
        session.stage == Stage::Full && is_alive(app, session, now) && user.may_sign_in()
    });
    Ok(found.map(|(_, user)| SignedIn {
        role: user.role,
        step: first_step(app, &user, now),
        ..who.clone()
    }))
}

/// A cookie is renewed when half of its time is over, and may be after all of it; what a program got by the form never is.
async fn session(
    app: &App,
    allow: &Allow<Authenticate>,
    token: &str,
    client: &Client,
    is_cookie: bool,
) -> Result<Option<Recognised>> {
    let Ok(claims) = app.identity().keys.ring(&*app.clock)?.read(token) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let is_over = claims.is_expired(seconds(now));
    if is_over && !is_cookie {
        return Ok(None);
    }
    let id = SessionId::new(claims.sid);
    let read = async || {
        let found = app
            .store
            .run_read(allow, async |tx| sessions::find(&tx, id).await);
        found.await.map_err(Error::from)
    };
    let found = app.identity().sessions.get(app, id, read).await?;
    let Some((session, user)) = found.filter(|(session, user)| {
        user.id.as_uuid() == claims.sub && is_alive(app, session, now) && user.may_sign_in()
    }) else {
        return Ok(None);
    };
    let is_due_again = is_over || claims.is_half_over(seconds(now));
    let generation = if is_cookie && is_due_again && session.stage == Stage::Full {
        renew(app, allow, &session, claims.generation).await?
    } else {
        accept(app, allow, &session, claims.generation, now).await?
    };
    let Some(generation) = generation else {
        return Ok(None);
    };
    let cookie = (generation != claims.generation && is_cookie)
        .then(|| cookie(app, &session, generation, now))
        .transpose()?;
    if cookie.is_none() && is_due(session.seen_at, now) {
        app.store.touch_session(allow, id).await?;
    }
    let step = match session.stage {
        Stage::SecondFactor => Some(Step::SecondFactor),
        Stage::Full => first_step(app, &user, now),
    };
    let is_fresh = now.as_micros() < later(session.proven_at, app.identity().lifetimes().proof);
    let actor = SignedIn {
        id: user.id,
        email: user.email,
        role: user.role,
        via: Via::Session(id),
        client: client.clone(),
        step,
        is_fresh,
    };
    Ok(Some(Recognised { actor, cookie }))
}

/// Returns the next generation, or ends the session when the cookie is a copy.
async fn renew(
    app: &App,
    allow: &Allow<Authenticate>,
    session: &Session,
    generation: u64,
) -> Result<Option<u64>> {
    let grace = app.identity().lifetimes().grace;
    let renewed = app
        .store
        .renew_session(allow, session.id, generation, grace)
        .await?;
    match renewed {
        Renewed::To(next) => Ok(Some(next)),
        Renewed::Replayed => end_replayed(app, allow, session).await.map(|()| None),
    }
}

/// Returns the generation when it is the present one, or the one before within its grace.
async fn accept(
    app: &App,
    allow: &Allow<Authenticate>,
    session: &Session,
    generation: u64,
    now: Timestamp,
) -> Result<Option<u64>> {
    let is_graceful = generation.saturating_add(1) == session.generation
        && now.as_micros() <= later(session.renewed_at, app.identity().lifetimes().grace);
    if generation == session.generation || is_graceful {
        return Ok(Some(generation));
    }
    if generation < session.generation {
        end_replayed(app, allow, session).await?;
    }
    Ok(None)
}

async fn end_replayed(app: &App, allow: &Allow<Authenticate>, session: &Session) -> Result<()> {
    let (user, id) = (session.user, session.id);
    app.store
        .run_tx(allow, Event::SessionReplayed, async |tx| {
            tx.target(user.to_string());
            sessions::end(&tx, user, id, "replayed").await.map(drop)
        })
        .await
        .map_err(Error::from)
}

async fn token(
    app: &App,
    allow: &Allow<Authenticate>,
    raw: &str,
    prefix: &str,
    client: &Client,
) -> Result<Option<Recognised>> {
    let hash = TokenHash::of(raw);
    let now = app.clock.now();
    let read = async || {
        let found = app.store.run_read(allow, async |tx| {
            api_tokens::find_by_hash(&tx, prefix, &hash).await
        });
        found.await.map_err(Error::from)
    };
    let found = app.identity().tokens.get(app, hash.clone(), read).await?;
    let rejected = rejected(found.as_ref(), client, now);
    let Some((token, owner)) = found.filter(|_| rejected.is_none()) else {
        if let Some((act, why)) = rejected {
            app.store.record(allow, act.detail("reason", why)).await?;
        }
        return Ok(None);
    };
    if token.last_used_at.is_none_or(|at| is_due(at, now)) {
        app.store.touch_token(allow, token.id).await?;
    }
    let step = first_step(app, &owner, now);
    let actor = SignedIn {
        id: owner.id,
        email: owner.email,
        role: owner.role,
        via: Via::Token {
            id: token.id,
            scopes: token.scopes,
        },
        client: client.clone(),
        step,
        is_fresh: false,
    };
    Ok(Some(Recognised {
        actor,
        cookie: None,
    }))
}

/// Returns why a token opens nothing. Of one that is not ours only that it came is written down: it may be somebody's elsewhere.
fn rejected(
    found: Option<&(ApiToken, User)>,
    client: &Client,
    now: Timestamp,
) -> Option<(Act, &'static str)> {
    let act = Act::new(Event::ApiTokenRejected);
    let Some((token, owner)) = found else {
        return Some((act, "unknown"));
    };
    let why = if !token.is_good(now) {
        "revoked or expired"
    } else if !owner.may_sign_in() {
        "its owner may not sign in"
    } else if !comes_from(token, client) {
        "from another network"
    } else {
        return None;
    };
    Some((act.target(token.id.to_string()), why))
}

/// Writes down that `who` asks too often: an address, or an account wherever it asks from.
pub async fn note_limited(
    app: &App,
    allow: &Allow<Authenticate>,
    who: Option<&SignedIn>,
) -> Result<()> {
    let act = match who {
        None => Act::new(Event::RateLimitHit).detail("limit", "address"),
        Some(person) => Act::new(Event::RateLimitHit)
            .target(person.id.to_string())
            .detail("limit", "account"),
    };
    Ok(app.store.record(allow, act).await?)
}

/// Returns what `user` has to do before anything else.
pub(super) fn first_step(app: &App, user: &User, now: Timestamp) -> Option<Step> {
    let config = &app.identity().config;
    let is_old = config.lifetimes.password.is_some_and(|lasts| {
        user.password_changed_at
            .is_some_and(|changed| later(changed, lasts) <= now.as_micros())
    });
    if user.must_change_password || is_old {
        return Some(Step::ChangePassword);
    }
    let is_asked = match config.second_factor {
        SecondFactorRule::Off => false,
        SecondFactorRule::Admins => user.role == Role::Admin,
        SecondFactorRule::Everyone => true,
    };
    (is_asked && !user.has_second_factor).then_some(Step::Enrol)
}

/// Returns the cookie of a session's generation.
pub(super) fn cookie(
    app: &App,
    session: &Session,
    generation: u64,
    now: Timestamp,
) -> Result<Plain<String>> {
    let ttl = u32::try_from(app.identity().lifetimes().access.as_secs()).unwrap_or(u32::MAX);
    let (user, id) = (session.user.as_uuid(), session.id.as_uuid());
    let claims = SessionClaims::new(user, id, generation, seconds(now), ttl);
    let ring = app.identity().keys.ring(&*app.clock)?;
    ring.sign(&claims)
        .map_err(|error| Error::bug("a session could not be signed").caused_by(error))
}

fn is_alive(app: &App, session: &Session, now: Timestamp) -> bool {
    let idle = app.identity().lifetimes().idle;
    session.ended_at.is_none()
        && now.as_micros() < session.expires_at.as_micros()
        && now.as_micros() < later(session.seen_at, idle)
}

/// A token that is bound to networks opens nothing from anywhere else, nor from an address nobody knows.
fn comes_from(token: &ApiToken, client: &Client) -> bool {
    let Some(networks) = &token.networks else {
        return true;
    };
    client
        .ip
        .is_some_and(|ip| networks.iter().any(|network| contains(network, ip)))
}

/// Returns whether `ip` lies in `network`, an address or a block in CIDR notation.
pub(super) fn contains(network: &str, ip: IpAddr) -> bool {
    let Some((base, bits)) = parse_network(network) else {
        return false;
    };
    let ((base, width), (ip, ip_width)) = (number(base), number(ip.to_canonical()));
    let shift = width.saturating_sub(bits);
    width == ip_width && (bits == 0 || base >> shift == ip >> shift)
}

/// Reads an address or a block in CIDR notation as its base and its bits.
pub(super) fn parse_network(text: &str) -> Option<(IpAddr, u32)> {
    let (base, bits) = match text.split_once('/') {
        Some((base, bits)) => (base, Some(bits.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let base: IpAddr = base.parse().ok()?;
    let (_, width) = number(base);
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some((base, bits))
}

fn number(ip: IpAddr) -> (u128, u32) {
    match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)), 32),
        IpAddr::V6(ip) => (u128::from(ip), 128),
    }
}

fn is_due(at: Timestamp, now: Timestamp) -> bool {
    now.as_micros() >= later(at, TOUCHED_EVERY)
}

pub(super) fn later(at: Timestamp, by: Duration) -> i64 {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    at.as_micros().saturating_add(by)
}

pub(super) fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_compared_bit_by_bit() {
        let check = |network: &str, ip: &str, expect: bool| {
            let ip = ip.parse().expect("an address");
            assert_eq!(contains(network, ip), expect, "{network} {ip}");
        };
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("192.0.2.0/24", "192.0.2.200", true);
        check("192.0.2.0/24", "192.0.3.1", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("0.0.0.0/0", "2001:db8::1", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("192.0.2.0/24", "::ffff:192.0.2.9", true);
        check("192.0.2.0/33", "192.0.2.0", false);
        check("nonsense", "192.0.2.0", false);
    }
}
