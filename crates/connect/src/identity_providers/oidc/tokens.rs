//! The token that says who somebody is, and whether to believe it.

use super::super::{IdentityProvider, faults};
use crate::failure::Failure;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreErrorResponseType, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJsonWebKeySet,
    CoreJwsSigningAlgorithm,
};
use openidconnect::{ClientId, IssuerUrl, Nonce, RequestTokenError, StandardErrorResponse};

/// How far the provider's clock may be ahead of ours.
const AHEAD_MINUTES_MAX: i64 = 5;

/// Signatures by a key that the provider alone has. `none` and those by a shared secret are not among them: a public key, or
/// the client's secret, would do to forge one.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Why a token is not believed, for the log.
#[derive(Debug, thiserror::Error)]
enum Disbelieved {
    #[error("the token was asked for by another client")]
    OtherClient,
    #[error("the token server answered with something that is no answer of a token server")]
    Unreadable,
}

/// Checks the token: signature, issuer, audience, time and nonce (`OpenID Connect Core` §3.1.3.7).
pub(super) fn check(
    provider: &IdentityProvider,
    issuer: &str,
    keys: CoreJsonWebKeySet,
    token: &CoreIdToken,
    nonce: &Nonce,
) -> Result<CoreIdTokenClaims, Failure> {
    let name = provider.name();
    let now = provider.clock.now().to_utc();
    let us = ClientId::new(provider.settings.client_id.clone());
    let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|error| faults::invalid(name, error))?;
    // A public client's verifier: the secret signs nothing here.
    let verifier = CoreIdTokenVerifier::new_public_client(us.clone(), issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| not_ahead(issued, now));
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| faults::invalid(name, error))?;
    if claims.authorized_party().is_some_and(|party| *party != us) {
        return Err(faults::invalid(name, Disbelieved::OtherClient));
    }
    Ok(claims.clone())
}

fn not_ahead(issued: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
    if issued > now + TimeDelta::minutes(AHEAD_MINUTES_MAX) {
        return Err("it was issued in the future".to_owned());
    }
    Ok(())
}

/// Returns what it means that there is no token. The answer itself is dropped: it may hold one.
pub(super) fn refused(
    provider: &str,
    error: RequestTokenError<Failure, StandardErrorResponse<CoreErrorResponseType>>,
) -> Failure {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            faults::refused_by_provider(provider, answer.error().as_ref())
        }
        RequestTokenError::Request(failure) => failure,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            faults::invalid(provider, Disbelieved::Unreadable)
        }
    }
}
