//! `OpenID Connect`: what a provider says of itself, the code for a token, and the token that is checked.

mod tokens;

use super::{IdentityProvider, ProviderIdentity, RoundTrip, challenge, faults, nonce, verifier};
use crate::failure::Failure;
use domain::{Email, Timestamp};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, AuthenticationFlow, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, DiscoveryError, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    IssuerUrl, ProviderMetadata, RedirectUrl, Scope, TokenResponse as _,
};
use security::Plain;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};
use url::Url;

/// What a provider says of itself is asked again after this; a sign-in that ends always asks, for the keys of the moment.
const DESCRIBED_SECONDS: i64 = 600;
/// A subject has no more (`OpenID Connect Core` §2).
const SUBJECT_BYTES_MAX: usize = 255;

/// What the library does not read of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct More {
    /// Whether every answer names its issuer (RFC 9207 §3).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

type Description = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The last description, and when it was asked for: whoever begins and begins again asks the provider once.
#[derive(Default)]
pub(super) struct Described(Mutex<Option<(Timestamp, Description)>>);

impl Described {
    fn find(&self, now: Timestamp) -> Option<Description> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, description) = kept.as_ref()?;
        (now < at.plus_seconds(DESCRIBED_SECONDS) && *at <= now).then(|| description.clone())
    }

    fn keep(&self, now: Timestamp, description: Description) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, description));
    }
}

/// Returns where the browser goes.
pub(super) async fn authorize(
    provider: &IdentityProvider,
    issuer: &str,
    trip: &RoundTrip,
    state: &Plain<String>,
) -> Result<Url, Failure> {
    let description = match provider.described.find(provider.clock.now()) {
        Some(description) => description,
        None => describe(provider, issuer).await?,
    };
    let client = client(provider, description, trip);
    let (state, nonce) = (CsrfToken::new(state.expose().clone()), nonce(trip));
    let (url, _, _) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || state,
            move || nonce,
        )
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge(trip))
        .add_extra_param("prompt", "select_account")
        .url();
    Ok(url)
}

/// Takes the code to the provider and returns who its token says somebody is.
pub(super) async fn finish(
    provider: &IdentityProvider,
    issuer: &str,
    trip: &RoundTrip,
    code: &Plain<String>,
    said_by: Option<&str>,
) -> Result<ProviderIdentity, Failure> {
    let name = provider.name();
    let description = describe(provider, issuer).await?;
    let names_issuer = description
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    // Else the answer of one provider could be taken to another (RFC 9207 §2.4).
    if said_by.map_or(names_issuer, |said| said != issuer) {
        return Err(faults::other_trip(name));
    }
    let keys = description.jwks().clone();
    let client = client(provider, description, trip);
    let request = client
        .exchange_code(AuthorizationCode::new(code.expose().clone()))
        .map_err(|error| faults::invalid(name, error))?
        .set_pkce_verifier(verifier(trip));
    let answer = request
        .request_async(&provider.wire)
        .await
        .map_err(|error| tokens::refused(name, error))?;
    let token = answer.id_token().ok_or_else(|| faults::incomplete(name))?;
    let claims = tokens::check(provider, issuer, keys, token, &nonce(trip))?;
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        return Err(faults::incomplete(name));
    }
    let email = claims.email().and_then(|email| Email::parse(email).ok());
    Ok(ProviderIdentity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        is_email_verified: email.is_some() && claims.email_verified() == Some(true),
        email,
    })
}

/// Asks the provider what it says of itself, and for its keys.
async fn describe(provider: &IdentityProvider, issuer: &str) -> Result<Description, Failure> {
    let name = provider.name();
    provider.wire.forget_addresses();
    let place = IssuerUrl::new(issuer.to_owned()).map_err(|error| faults::invalid(name, error))?;
    let description = Description::discover_async(place, &provider.wire)
        .await
        .map_err(|error| match error {
            DiscoveryError::Request(failure) => failure,
            other => faults::invalid(name, other),
        })?;
    provider
        .described
        .keep(provider.clock.now(), description.clone());
    Ok(description)
}

fn client(provider: &IdentityProvider, description: Description, trip: &RoundTrip) -> Client {
    let settings = &provider.settings;
    let methods = description.token_endpoint_auth_methods_supported();
    // Who says nothing takes the header (`OpenID Connect Discovery` §3).
    let takes_header =
        methods.is_none_or(|all| all.contains(&CoreClientAuthMethod::ClientSecretBasic));
    let auth_type = if takes_header {
        AuthType::BasicAuth
    } else {
        AuthType::RequestBody
    };
    let secret = settings.client_secret.as_ref();
    let secret = secret.map(|secret| ClientSecret::new(secret.expose().clone()));
    CoreClient::from_provider_metadata(
        description,
        ClientId::new(settings.client_id.clone()),
        secret,
    )
    .set_auth_type(auth_type)
    .set_redirect_uri(RedirectUrl::from_url(trip.redirect.clone()))
}
