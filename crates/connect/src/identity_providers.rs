//! Sign-in with an identity provider: GitHub, Google, and whoever speaks `OpenID Connect`.
//!
//! A round trip has two halves. [`IdentityProvider::begin`] says where the browser goes, and what is to be kept until it comes
//! back; [`IdentityProvider::finish`] takes what it brings and says who somebody is. PKCE (RFC 7636), `state` and `nonce` are
//! always used. What the provider gives us to act in somebody's name is forgotten at once.
//!
//! # Invariants
//! - Whatever is asked goes through the egress guard, within a time and a size, and follows no redirect.
//! - Whoever is returned was signed for by the issuer that was asked, for us, now, and for this round trip.

mod callback;
mod faults;
mod github;
mod oidc;
mod round_trip;
mod wire;

pub use callback::Callback;
pub use round_trip::{ReturnTo, RoundTrip};

use crate::egress::Egress;
use crate::failure::Failure;
use domain::{Clock, Email};
use openidconnect::{Nonce, PkceCodeChallenge, PkceCodeVerifier};
use security::tokens::{NewToken, TokenHash};
use security::{Entropy, Plain};
use std::sync::Arc;
use std::time::Duration;
use url::Url;
use wire::Wire;

/// How long one answer may take: the heritages' value.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoints {
    /// GitHub, which is no `OpenID` provider: its pages and its API.
    Github { site: String, api: String },
    /// A provider that is described at its issuer's address.
    Oidc { issuer: String },
}

impl Endpoints {
    /// Returns GitHub's own.
    pub fn github() -> Self {
        Self::Github {
            site: "https://github.com".to_owned(),
            api: "https://api.github.com".to_owned(),
        }
    }

    /// Returns Google's.
    pub fn google() -> Self {
        Self::Oidc {
            issuer: "https://accounts.google.com".to_owned(),
        }
    }
}

/// A provider as the settings name it.
pub struct ProviderSettings {
    /// Its name in settings, addresses and texts: `google`.
    pub name: String,
    pub endpoints: Endpoints,
    pub client_id: String,
    /// A client without a secret is a public one, and PKCE alone protects it.
    pub client_secret: Option<Plain<String>>,
}

/// A provider that people can sign in with.
pub struct IdentityProvider {
    settings: ProviderSettings,
    wire: Wire,
    clock: Arc<dyn Clock>,
    described: oidc::Described,
}

/// A round trip that begins.
pub struct Begun {
    /// Where the browser goes.
    pub url: Url,
    /// What comes back as `state`; what is kept is found by its hash.
    pub state: NewToken,
    /// What is kept until then.
    pub trip: RoundTrip,
}

/// Who somebody is, as a provider has said and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderIdentity {
    pub issuer: String,
    /// Who he is there: never given to anybody else. A link goes by this and the issuer alone.
    pub subject: String,
    pub email: Option<Email>,
    /// Whether the provider has made sure that the address is his.
    pub is_email_verified: bool,
}

impl IdentityProvider {
    /// Returns the provider that `settings` describe.
    pub fn new(
        settings: ProviderSettings,
        egress: &Egress,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        Self::with_timeout(settings, egress, clock, TIMEOUT)
    }

    fn with_timeout(
        settings: ProviderSettings,
        egress: &Egress,
        clock: Arc<dyn Clock>,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let wire = Wire::new(&settings, egress, timeout)?;
        Ok(Self {
            settings,
            wire,
            clock,
            described: oidc::Described::default(),
        })
    }

    /// Returns the name of the provider.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Begins a round trip that comes back to `redirect` and ends at `return_to`.
    pub async fn begin(
        &self,
        redirect: &Url,
        return_to: ReturnTo,
        entropy: &dyn Entropy,
    ) -> Result<Begun, Failure> {
        let state = NewToken::for_link(entropy);
        let trip = RoundTrip {
            provider: self.settings.name.clone(),
            redirect: redirect.clone(),
            return_to,
            state: state.hash.clone(),
            nonce: NewToken::for_link(entropy).raw,
            // 43 characters: the shortest that RFC 7636 §4.1 allows, and 256 bits.
            verifier: NewToken::for_link(entropy).raw,
        };
        let url = match &self.settings.endpoints {
            Endpoints::Oidc { issuer } => oidc::authorize(self, issuer, &trip, &state.raw).await?,
            Endpoints::Github { site, .. } => github::authorize(self, site, &trip, &state.raw)?,
        };
        Ok(Begun { url, state, trip })
    }

    /// Ends the round trip `trip` with what the browser brought. It was kept for this browser, and is gone now: the same
    /// answer ends nothing twice.
    pub async fn finish(
        &self,
        trip: &RoundTrip,
        callback: &Callback,
    ) -> Result<ProviderIdentity, Failure> {
        let name = &self.settings.name;
        let is_its_own = callback
            .state
            .as_ref()
            .is_some_and(|state| TokenHash::of(state.expose()).is(&trip.state));
        if trip.provider != *name || !is_its_own {
            return Err(faults::other_trip(name));
        }
        if let Some(error) = &callback.error {
            return Err(faults::refused_by_provider(name, error));
        }
        let Some(code) = &callback.code else {
            return Err(faults::incomplete(name));
        };
        match &self.settings.endpoints {
            Endpoints::Oidc { issuer } => {
                oidc::finish(self, issuer, trip, code, callback.issuer.as_deref()).await
            }
            Endpoints::Github { site, api } => {
                github::finish(self, site, api, trip, code, callback.issuer.as_deref()).await
            }
        }
    }
}

/// What proves to a provider that whoever brings the code is who asked for it.
fn verifier(trip: &RoundTrip) -> PkceCodeVerifier {
    PkceCodeVerifier::new(trip.verifier.expose().clone())
}

fn challenge(trip: &RoundTrip) -> PkceCodeChallenge {
    PkceCodeChallenge::from_code_verifier_sha256(&verifier(trip))
}

fn nonce(trip: &RoundTrip) -> Nonce {
    Nonce::new(trip.nonce.expose().clone())
}

#[cfg(test)]
mod tests;
