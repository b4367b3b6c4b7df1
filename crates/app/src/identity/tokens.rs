//! API tokens: made by somebody for his programs, never more than he may himself.

use super::requests::parse_network;
use crate::{App, Error, Result};
use domain::say::Quoted;
use domain::{Code, Email, Timestamp, TokenId, UserId, say};
use security::permissions::{
    ACCOUNT, ALL, AccountManage, AccountSecure, AccountView, UsersManage, UsersView,
};
use security::tokens::{NewToken, api_token_prefix};
use security::{Allow, Event, Line, Permission, Plain, Role};
use store::api_tokens::{self, ApiToken, ApiTokenFilter, NewApiToken};
use store::users::{self, FindsByEmail, User};
use store::{Act, Listed, Paging, StoreError};

/// Characters of a token's name at most, as in DAP.
const NAME_CHARS_MAX: usize = 255;
/// Days a token may be good at most, as in DAP.
pub const DAYS_MAX: u32 = 3650;
/// Networks a token is bound to at most.
const NETWORKS_MAX: usize = 32;
const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// A token as it is wished for.
#[derive(Debug, Clone, Default)]
pub struct TokenRequest {
    pub name: String,
    /// From 1 to [`DAYS_MAX`]; without it the token is good until it is revoked.
    pub expires_in_days: Option<u32>,
    /// Names of permissions; without them it may what its owner may.
    pub scopes: Option<Vec<String>>,
    /// Addresses or networks in CIDR notation; without them from anywhere.
    pub networks: Option<Vec<String>>,
}

/// A token that was just made. Its text is shown once.
pub struct MadeToken {
    pub token: ApiToken,
    pub raw: Plain<String>,
}

/// Whose account it is about: one's own, or, for the operator, that of somebody he names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub id: UserId,
    pub(super) role: Role,
}

/// Returns whose account `allow` is about.
pub async fn owner<P: Permission + FindsByEmail>(
    app: &App,
    allow: &Allow<P>,
    named: Option<&Email>,
) -> Result<Owner> {
    if let Some(me) = allow.actor().user() {
        return Ok(Owner {
            id: me.id,
            role: me.role,
        });
    }
    let user = match named {
        Some(email) => app
            .store
            .run_read(allow, async |tx| users::find_by_email(&tx, email).await)
            .await
            .map_err(Error::from)?
            .map(|(user, _)| user),
        None => only_admin(app, allow).await?,
    };
    let user = user.filter(User::may_sign_in).ok_or_else(|| {
        let say = match named {
            Some(email) => say!("", name email, " is no user who may sign in"),
            None => say!("it is not clear whose account is meant"),
        };
        Error::not_found(Code::UserNotFound, say).hint("name the account with `--as EMAIL`")
    })?;
    Ok(Owner {
        id: user.id,
        role: user.role,
    })
}

/// Returns the admin, when there is exactly one.
async fn only_admin<P: Permission>(app: &App, allow: &Allow<P>) -> Result<Option<User>> {
    let only: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| users::find_only_admin(&tx).await)
        .await;
    Ok(only?)
}

/// Returns what a token of one's own can be narrowed to: the permissions of one's role.
pub fn scopes(allow: &Allow<AccountView>) -> Vec<&'static str> {
    let role = allow.actor().user().map(|me| me.role);
    ALL.iter()
        .filter(|line| role.is_none_or(|role| line.roles.contains(&role)))
        .map(|line| line.name)
        .collect()
}

/// Returns everything a token can be narrowed to: beside the heritage's names, which are what is listed, `account.view`, with
/// which a program learns whose it is.
pub(super) fn grantable() -> impl Iterator<Item = &'static Line> {
    let account = ACCOUNT.iter().filter(|line| !line.is_session_only);
    ALL.iter().chain(account)
}

/// Makes a token of `owner`.
pub async fn create(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
    request: TokenRequest,
) -> Result<MadeToken> {
    check(&request, owner.role)?;
    let made = NewToken::for_api(&*app.identity().entropy);
    let prefix = api_token_prefix(made.raw.expose()).unwrap_or_default();
    let expires_at = request
        .expires_in_days
        .map(|days| days_from(app.clock.now(), days));
    let created: Result<_, StoreError> = app
        .store
        .run_tx(allow, Event::ApiTokenCreated, async |tx| {
            let new = NewApiToken {
                name: request.name.clone(),
                prefix: prefix.to_owned(),
                hash: made.hash.clone(),
                scopes: request.scopes.clone(),
                networks: request.networks.clone(),
                expires_at,
            };
            api_tokens::create(&tx, owner.id, new).await
        })
        .await;
    Ok(MadeToken {
        token: created?,
        raw: made.raw,
    })
}

/// Returns the time so many days after `now`.
pub(super) fn days_from(now: Timestamp, days: u32) -> Timestamp {
    let lasts = i64::from(days).saturating_mul(DAY_MICROS);
    Timestamp::from_micros(now.as_micros().saturating_add(lasts))
}

/// Checks that `owner` may have one token more.
pub(super) async fn check_room(
    app: &App,
    allow: &Allow<AccountSecure>,
    owner: Owner,
) -> Result<()> {
    let held: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            api_tokens::count_good(&tx, owner.id).await
        })
        .await;
    if held? < api_tokens::TOKENS_MAX {
        return Ok(());
    }
    Err(too_many(api_tokens::TOKENS_MAX))
}

/// Returns the error of somebody who has `max` tokens already.
pub(crate) fn too_many(max: u64) -> Error {
    let say = say!("there are ", max, " tokens already");
    Error::limit(Code::TokenInvalid, say).hint("revoke those you no longer use")
}

fn check(request: &TokenRequest, role: Role) -> Result<()> {
    let invalid = |say| Err(Error::invalid(Code::TokenInvalid, say));
    let chars = request.name.trim().chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX {
        return invalid(say!(
            "a token's name has 1 to ",
            NAME_CHARS_MAX,
            " characters"
        ));
    }
    if request
        .expires_in_days
        .is_some_and(|days| days == 0 || days > DAYS_MAX)
    {
        return invalid(say!("a token is good for 1 to ", DAYS_MAX, " days"));
    }
    for scope in request.scopes.iter().flatten() {
        let line = grantable().find(|line| line.name == scope);
        if !line.is_some_and(|line| line.roles.contains(&role)) {
            return invalid(say!(
                "",
                name Quoted(scope),
                " is no permission that the owner has"
            ));
        }
    }
    let networks = request.networks.iter().flatten();
    if networks.clone().count() > NETWORKS_MAX {
        return invalid(say!(
            "a token is bound to ",
            NETWORKS_MAX,
            " networks at most"
        ));
    }
    for network in networks {
        if parse_network(network).is_none() {
            return invalid(say!(
                "",
                name Quoted(network),
                " is neither an address nor a network such as 192.0.2.0/24"
            ));
        }
    }
    Ok(())
}

/// Returns the tokens of `owner`, newest first.
pub async fn list(
    app: &App,
    allow: &Allow<AccountView>,
    owner: Owner,
    paging: Paging,
) -> Result<Listed<ApiToken>> {
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            api_tokens::list(&tx, owner.id, paging).await
        })
        .await;
    Ok(listed?)
}

/// Revokes a token of `owner`; it opens nothing from the next request on. Doing it twice is no error.
pub async fn revoke(
    app: &App,
    allow: &Allow<AccountManage>,
    owner: Owner,
    id: TokenId,
) -> Result<ApiToken> {
    let act = Act::new(Event::ApiTokenRevoked).target(id.to_string());
    let revoked: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            let revoked = api_tokens::revoke(&tx, owner.id, id).await?;
            revoked.ok_or_else(|| no_token(id))
        })
        .await;
    revoked
}

/// Returns everybody's tokens, newest first.
pub async fn list_all(
    app: &App,
    allow: &Allow<UsersView>,
    filter: ApiTokenFilter,
    paging: Paging,
) -> Result<Listed<(ApiToken, Email)>> {
    let listed: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            api_tokens::list_all(&tx, filter, paging).await
        })
        .await;
    Ok(listed?)
}

/// Revokes anybody's token.
pub async fn revoke_any(app: &App, allow: &Allow<UsersManage>, id: TokenId) -> Result<ApiToken> {
    let act = Act::new(Event::ApiTokenRevoked).target(id.to_string());
    let revoked: Result<_, Error> = app
        .store
        .run_tx(allow, act, async |tx| {
            let revoked = api_tokens::revoke_any(&tx, id).await?;
            revoked.ok_or_else(|| no_token(id))
        })
        .await;
    revoked
}

impl App {
    /// Returns how a token stands: `good`, `expired` or `revoked`.
    pub fn token_state(&self, token: &ApiToken) -> &'static str {
        if token.revoked_at.is_some() {
            "revoked"
        } else if token.is_good(self.clock.now()) {
            "good"
        } else {
            "expired"
        }
    }
}

/// DAP's words: clients look for them.
fn no_token(_: TokenId) -> Error {
    Error::not_found(Code::TokenNotFound, "Token not found")
}
