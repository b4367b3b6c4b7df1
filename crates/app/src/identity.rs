//! People: how they sign in, what their cookies and tokens open, and what an admin does for them.
//!
//! Who fails too often waits (`guesses`); who is somebody is looked up anew at every request ([`requests`]), so that
//! logging out, deactivating and another role act at once; what matters takes a fresh proof, which is part of the permission.

pub mod account;
pub mod device;
mod guesses;
mod hashing;
mod keys;
pub mod linked_logins;
pub mod links;
pub mod mail;
mod overview;
pub mod passkeys;
pub mod passwords;
pub mod people;
mod remembered;
pub mod requests;
pub mod second_factors;
pub mod sessions;
mod settings;
pub mod sign_in;
pub mod switch;
pub mod tokens;

pub use hashing::Hasher;
pub use keys::{Rotated, SECRET_VARIABLE, SigningKeys, rotate_keys};
pub use overview::{ClientGiven, Overview, overview};
pub use requests::{Presented, Recognised, device_of, look_again, note_limited, recognise};
pub use settings::{AuthConfig, Lifetimes, SecondFactorRule};
pub use store::api_tokens::{ApiToken, ApiTokenFilter};
pub use store::links::LinkKind;
pub use store::sessions::Session;
pub use store::users::{User, UserFilter};
pub use store::{Listed, Paging};

use crate::app::SystemEntropy;
use crate::config::ProjectConfig;
use crate::{App, Error, Result};
use connect::Egress;
use connect::mail::Mailer;
use domain::{Clock, Code, SessionId, UserId, say};
use guesses::Turns;
use remembered::Remembered;
use security::passwords::Policy;
use security::tokens::TokenHash;
use security::{Allow, Entropy, Permission, Plain, SignedIn};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::linked_logins::LinkedLogin;

/// What the use cases of this module share beside the stores.
pub struct Identity {
    pub(crate) config: AuthConfig,
    pub(crate) keys: SigningKeys,
    pub(crate) hasher: Hasher,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// With whom people can sign in, once somebody asked: most commands never do.
    pub(crate) providers: OnceLock<Vec<linked_logins::Provider>>,
    pub(crate) mailer: Option<Mailer>,
    turns: Turns,
    sessions: Remembered<SessionId, (Session, User)>,
    tokens: Remembered<TokenHash, (ApiToken, User)>,
    accounts: Remembered<UserId, (User, Vec<LinkedLogin>)>,
}

impl Identity {
    /// Returns the identity system of a project with these settings.
    pub(crate) fn new(
        settings: &ProjectConfig,
        keys: SigningKeys,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self> {
        let egress = Egress::new(settings.egress.allow_private.iter().cloned());
        let mailer = mail::open(settings.mail.as_ref(), egress, clock)?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        Ok(Self {
            config: settings.auth.clone(),
            keys,
            hasher: Hasher::new(Arc::clone(&entropy)),
            entropy,
            providers: OnceLock::new(),
            mailer,
            turns: Turns::default(),
            sessions: Remembered::default(),
            tokens: Remembered::default(),
            accounts: Remembered::default(),
        })
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            chars_min: self.config.password_chars_min,
        }
    }

    pub(crate) const fn lifetimes(&self) -> &Lifetimes {
        &self.config.lifetimes
    }
}

/// Returns the person who acts.
pub(crate) fn me<P: Permission>(allow: &Allow<P>) -> Result<&SignedIn> {
    allow.actor().user().ok_or_else(|| {
        let say = "only somebody who is signed in has an account of his own";
        Error::invalid(Code::UsageInvalid, say).hint("name the account with `--as EMAIL`")
    })
}

/// Returns the error of a user who is not there.
pub(crate) fn no_user(id: UserId) -> Error {
    Error::not_found(Code::UserNotFound, say!("there is no user ", name id))
        .hint("`dango user list --include-deleted` lists all")
}

impl App {
    /// Makes sure that there is a key to sign sessions with; with `must_be_given` only one that the environment gives.
    pub fn prepare_to_sign(&self, must_be_given: bool) -> Result<()> {
        let identity = self.identity();
        identity
            .keys
            .prepare(&*self.clock, &*identity.entropy, must_be_given)
    }

    /// Makes a password for somebody who has to change it.
    pub fn new_password(&self) -> Plain<String> {
        security::passwords::generate(&*self.identity.entropy)
    }

    /// Returns how long a session may be idle.
    pub const fn session_idle(&self) -> Duration {
        self.identity.config.lifetimes.idle
    }

    /// Says where people reach the server, when that is not what the settings say.
    pub fn serve_at(&mut self, url: String) {
        self.served_at = Some(url);
    }

    /// Returns where people reach the server.
    pub fn public_url(&self) -> String {
        let served = self.served_at.as_ref();
        match served.or(self.settings.server.public_url.as_ref()) {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{}", self.settings.platform.port),
        }
    }

    /// Returns the identity system.
    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }
}

#[cfg(test)]
mod tests;
