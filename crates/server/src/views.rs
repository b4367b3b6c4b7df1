//! People, sessions and tokens as they are shown: one shape for the API and for `--json` of the command line, with the names
//! of both heritages.

use app::identity::linked_logins::LinkedLogin;
use app::identity::people::Person;
use app::identity::{ApiToken, Session, User};
use domain::{Email, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A user, as Dango's `UserResponse` and DAP's `UserRead` have him.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserRead {
    id: Uuid,
    email: String,
    /// `viewer`, `editor` or `admin`.
    role: &'static str,
    /// `active`, `invited`, `locked`, `deactivated` or `deleted`.
    state: &'static str,
    is_active: bool,
    is_superuser: bool,
    is_verified: bool,
    /// Whether he is asked for a second factor.
    totp_enabled: bool,
    /// Whether he has a password: who is invited has none yet, and a passkey or a linked login does without.
    has_password: bool,
    oauth_provider: Option<String>,
    oauth_accounts: Vec<LoginRead>,
    failed_login_attempts: u32,
    locked_until: Option<String>,
    must_change_password: bool,
    last_login: Option<String>,
    last_login_at: Option<String>,
    invite_expires_at: Option<String>,
    has_pending_invite: bool,
    created_at: String,
    updated_at: String,
    deleted_at: Option<String>,
}

impl UserRead {
    /// Returns the user as he is shown.
    pub fn of(person: &Person) -> Self {
        let user = &person.user;
        Self {
            id: user.id.as_uuid(),
            email: user.email.to_string(),
            role: user.role.as_str(),
            state: person.state(),
            is_active: user.is_active,
            is_superuser: user.role == security::Role::Admin,
            is_verified: user.is_verified,
            totp_enabled: user.has_second_factor,
            has_password: user.has_password,
            oauth_provider: person.logins.first().map(|login| login.provider.clone()),
            oauth_accounts: person.logins.iter().map(LoginRead::of).collect(),
            failed_login_attempts: person.failures.count,
            locked_until: time(person.failures.locked_until),
            must_change_password: user.must_change_password,
            last_login: time(user.last_login_at),
            last_login_at: time(user.last_login_at),
            invite_expires_at: time(person.invited_until),
            has_pending_invite: person.invited_until.is_some(),
            created_at: user.created_at.to_rfc3339(),
            updated_at: user.updated_at.to_rfc3339(),
            deleted_at: time(user.deleted_at),
        }
    }

    /// Returns somebody as he sees himself: what is counted against him is nobody's business but an admin's.
    pub fn of_oneself(user: User) -> Self {
        Self::of(&Person::of(user))
    }
}

/// A linked login, with the names of DAP's `OAuthAccount`. No token is kept, so none is shown.
#[derive(Debug, Serialize, ToSchema)]
pub struct LoginRead {
    id: Uuid,
    /// The provider.
    oauth_name: String,
    /// Who he is there.
    account_id: String,
    /// His address as the provider said last.
    account_email: Option<String>,
    linked_at: String,
    last_used_at: Option<String>,
}

impl LoginRead {
    /// Returns the login as it is shown.
    pub fn of(login: &LinkedLogin) -> Self {
        Self {
            id: login.id.as_uuid(),
            oauth_name: login.provider.clone(),
            account_id: login.subject.clone(),
            account_email: login.email.as_ref().map(ToString::to_string),
            linked_at: login.linked_at.to_rfc3339(),
            last_used_at: time(login.last_used_at),
        }
    }
}

/// A session, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionRead {
    id: Uuid,
    created_at: String,
    last_activity: String,
    expires_at: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    /// Whether it is the one that asks.
    is_current: bool,
}

impl SessionRead {
    /// Returns the session as it is shown to whoever is `current`.
    pub fn of(session: &Session, current: Option<domain::SessionId>) -> Self {
        Self {
            id: session.id.as_uuid(),
            created_at: session.created_at.to_rfc3339(),
            last_activity: session.seen_at.to_rfc3339(),
            expires_at: session.expires_at.to_rfc3339(),
            ip_address: session.ip.clone(),
            user_agent: session.user_agent.clone(),
            is_current: current == Some(session.id),
        }
    }
}

/// An API token, as DAP's `ApiTokenRead` has it, with what it is narrowed to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenRead {
    id: Uuid,
    name: String,
    /// The first eight characters after `dap_`.
    prefix: String,
    scopes: Option<Vec<String>>,
    networks: Option<Vec<String>>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_email: Option<String>,
    /// The token itself, once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Dango's name of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl TokenRead {
    /// Returns the token as it is listed.
    pub fn of(token: &ApiToken) -> Self {
        Self {
            id: token.id.as_uuid(),
            name: token.name.clone(),
            prefix: token.prefix.clone(),
            scopes: token.scopes.clone(),
            networks: token.networks.clone(),
            created_at: token.created_at.to_rfc3339(),
            expires_at: time(token.expires_at),
            last_used_at: time(token.last_used_at),
            revoked_at: time(token.revoked_at),
            owner_id: None,
            owner_email: None,
            token: None,
            key: None,
        }
    }

    /// Returns the token as an admin sees it among everybody's.
    pub fn of_somebody(token: &ApiToken, owner: &Email) -> Self {
        Self {
            owner_id: Some(token.owner.as_uuid()),
            owner_email: Some(owner.to_string()),
            ..Self::of(token)
        }
    }

    /// Returns a token that was just made, with its text.
    pub fn made(made: &app::identity::tokens::MadeToken) -> Self {
        Self {
            token: Some(made.raw.expose().clone()),
            ..Self::of(&made.token)
        }
    }

    /// Says the token's text by Dango's name.
    pub(crate) fn into_key(self) -> Self {
        Self {
            key: self.token,
            token: None,
            ..self
        }
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_rfc3339)
}
