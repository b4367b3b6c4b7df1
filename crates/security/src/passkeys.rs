//! Passkeys (`WebAuthn` level 3): what a browser is asked, and what its answer proves. `webauthn-rs` does the protocol.
//!
//! The library draws its challenges from the system's randomness and needs no clock: neither is a parameter here, because it
//! takes none. How long an answer may take, and that a state is used once, is the matter of whoever keeps the state.

mod error;

pub use error::PasskeyError;

use crate::plain::Plain;
use data_encoding::BASE64URL_NOPAD;
use domain::{Email, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};
use webauthn_rs::prelude::{
    AuthenticationResult, Credential, DiscoverableAuthentication, Passkey, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Webauthn,
    WebauthnBuilder,
};

/// What devices show beside the address of the site.
const NAME: &str = "Dango";

/// The site, as authenticators know it.
pub struct Passkeys(Webauthn);

/// A question for a browser.
pub struct Asked {
    /// What the page gives to `navigator.credentials`.
    pub options: Value,
    /// What the answer is checked against. It never goes to the browser.
    pub state: Plain<String>,
}

/// A passkey that a device has made.
#[derive(Debug, Clone)]
pub struct Registered {
    pub credential_id: String,
    /// Its public key and what else is known of it, to be kept.
    pub credential: String,
    pub counter: u32,
}

/// A passkey whose holder was verified by his device.
#[derive(Debug, Clone)]
pub struct Shown {
    pub counter: u32,
    /// The credential as it is to be kept from now on.
    pub credential: String,
}

/// The answer of a browser to somebody who shows a passkey.
pub struct Answer(PublicKeyCredential);

/// What a state is for: one of another ceremony proves nothing.
#[derive(Serialize, Deserialize)]
enum State {
    Registration(PasskeyRegistration),
    Proof(PasskeyAuthentication),
    SignIn(DiscoverableAuthentication),
}

impl Answer {
    /// Reads what `navigator.credentials.get` returned, as JSON.
    pub fn parse(json: &str) -> Result<Self, PasskeyError> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(PasskeyError::Malformed)
    }

    /// Returns the id of the credential it says it is of, by which it is found.
    pub fn credential_id(&self) -> String {
        BASE64URL_NOPAD.encode(self.0.get_credential_id())
    }

    /// Returns whose the device says it is.
    fn user(&self) -> Option<UserId> {
        let handle = self.0.get_user_unique_id()?;
        uuid::Uuid::from_slice(handle).ok().map(UserId::new)
    }
}

impl Passkeys {
    /// Returns the site at `public_url`: its host is what passkeys are bound to, for good. It must be a name, and reached
    /// over TLS unless it is this machine.
    pub fn new(public_url: &Url) -> Result<Self, PasskeyError> {
        let Some(Host::Domain(host)) = public_url.host() else {
            return Err(PasskeyError::NoName);
        };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        if public_url.scheme() != "https" && !is_local {
            return Err(PasskeyError::NoTls);
        }
        let site =
            WebauthnBuilder::new(host, public_url).and_then(|site| site.rp_name(NAME).build());
        Ok(Self(site?))
    }

    /// Asks for a new passkey of `user`, on a device that holds none of `credentials` yet. The device is asked to keep it
    /// itself, so that it can sign in without a name, and must verify its holder.
    pub fn ask_for_new(
        &self,
        user: UserId,
        email: &Email,
        credentials: &[&str],
    ) -> Result<Asked, PasskeyError> {
        let known: Vec<Passkey> = read_all(credentials)?;
        let known = known.iter().map(|key| key.cred_id().clone()).collect();
        let (asked, state) = self.0.start_passkey_registration(
            user.as_uuid(),
            email.as_str(),
            email.as_str(),
            Some(known),
        )?;
        let mut asked = asked_of(&asked, &State::Registration(state))?;
        // The library asks for `discouraged`, and offers no other for keys that are not attested.
        if let Some(selection) = asked
            .options
            .pointer_mut("/publicKey/authenticatorSelection")
            .and_then(Value::as_object_mut)
        {
            selection.insert("residentKey".to_owned(), Value::from("preferred"));
        }
        Ok(asked)
    }

    /// Returns the passkey that the answer brings, as JSON of `navigator.credentials.create`.
    pub fn register(
        &self,
        state: &Plain<String>,
        answer: &str,
    ) -> Result<Registered, PasskeyError> {
        let State::Registration(state) = read_state(state)? else {
            return Err(PasskeyError::OtherState);
        };
        let answer: RegisterPublicKeyCredential =
            serde_json::from_str(answer).map_err(PasskeyError::Malformed)?;
        let made = self.0.finish_passkey_registration(&answer, &state)?;
        Ok(Registered {
            credential_id: BASE64URL_NOPAD.encode(made.cred_id()),
            credential: write(&made)?,
            counter: Credential::from(made).counter,
        })
    }

    /// Asks somebody known for one of his passkeys.
    pub fn ask_for_proof(&self, credentials: &[&str]) -> Result<Asked, PasskeyError> {
        let keys: Vec<Passkey> = read_all(credentials)?;
        let (asked, state) = self.0.start_passkey_authentication(&keys)?;
        asked_of(&asked, &State::Proof(state))
    }

    /// Checks the answer of somebody known. `credential` is what is kept of the passkey that the answer names, which must be
    /// his.
    pub fn prove(
        &self,
        state: &Plain<String>,
        answer: &Answer,
        credential: &str,
    ) -> Result<Shown, PasskeyError> {
        let State::Proof(state) = read_state(state)? else {
            return Err(PasskeyError::OtherState);
        };
        let proven = self.0.finish_passkey_authentication(&answer.0, &state)?;
        shown(&proven, credential)
    }

    /// Asks whoever is there for a passkey that says whose it is.
    pub fn ask_for_anybody(&self) -> Result<Asked, PasskeyError> {
        let (mut asked, state) = self.0.start_discoverable_authentication()?;
        // Whether the browser offers it in a field or in a dialog is the page's decision.
        asked.mediation = None;
        asked_of(&asked, &State::SignIn(state))
    }

    /// Checks the answer of somebody who signs in with a passkey alone. `credential` is what is kept of the passkey that the
    /// answer names, and `owner` whose it is: the device must say the same.
    pub fn sign_in(
        &self,
        state: &Plain<String>,
        answer: &Answer,
        owner: UserId,
        credential: &str,
    ) -> Result<Shown, PasskeyError> {
        let State::SignIn(state) = read_state(state)? else {
            return Err(PasskeyError::OtherState);
        };
        if answer.user() != Some(owner) {
            return Err(PasskeyError::OtherUser);
        }
        let key: Passkey = read(credential)?;
        let proven = self
            .0
            .finish_discoverable_authentication_v2(&answer.0, state, &key)?;
        shown(&proven, credential)
    }
}

/// Returns what is to be kept after a right answer.
fn shown(proven: &AuthenticationResult, credential: &str) -> Result<Shown, PasskeyError> {
    if !proven.user_verified() {
        return Err(PasskeyError::NotVerified);
    }
    let mut key: Passkey = read(credential)?;
    if key.update_credential(proven).is_none() {
        return Err(PasskeyError::OtherCredential);
    }
    Ok(Shown {
        counter: proven.counter(),
        credential: write(&key)?,
    })
}

fn asked_of(options: &impl Serialize, state: &State) -> Result<Asked, PasskeyError> {
    Ok(Asked {
        options: serde_json::to_value(options).map_err(PasskeyError::Kept)?,
        state: Plain::new(write(state)?),
    })
}

fn read_state(state: &Plain<String>) -> Result<State, PasskeyError> {
    read(state.expose())
}

fn read_all(credentials: &[&str]) -> Result<Vec<Passkey>, PasskeyError> {
    credentials.iter().map(|text| read(text)).collect()
}

fn read<T: for<'a> Deserialize<'a>>(text: &str) -> Result<T, PasskeyError> {
    serde_json::from_str(text).map_err(PasskeyError::Kept)
}

fn write(value: &impl Serialize) -> Result<String, PasskeyError> {
    serde_json::to_string(value).map_err(PasskeyError::Kept)
}

#[cfg(test)]
mod tests;
