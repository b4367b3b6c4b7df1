//! GitHub: OAuth 2.0 without `OpenID`. Who somebody is says its API, asked with the token that the code was exchanged for.

use super::{IdentityProvider, ProviderIdentity, RoundTrip, challenge, faults, verifier};
use crate::failure::Failure;
use crate::http::Request;
use domain::Email;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use security::Plain;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

/// The name and the addresses of whoever signs in, and nothing else.
const SCOPES: &str = "read:user user:email";

/// The answer of the token server, which says 200 also when it says no.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Person {
    id: u64,
}

#[derive(Deserialize)]
struct Address {
    email: String,
    primary: bool,
    verified: bool,
}

/// Why an answer is none, for the log. Its text is dropped: it may hold a token.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("status {0}")]
    Status(u16),
    #[error("it is not the JSON that GitHub documents")]
    Form,
    #[error("the token cannot stand in a header")]
    Token,
}

/// Returns where the browser goes.
pub(super) fn authorize(
    provider: &IdentityProvider,
    site: &str,
    trip: &RoundTrip,
    state: &Plain<String>,
) -> Result<Url, Failure> {
    let mut url = below(provider, site, "login/oauth/authorize")?;
    let challenge = challenge(trip);
    url.query_pairs_mut()
        .append_pair("client_id", &provider.settings.client_id)
        .append_pair("redirect_uri", trip.redirect.as_str())
        .append_pair("scope", SCOPES)
        .append_pair("state", state.expose())
        .append_pair("code_challenge", challenge.as_str())
        .append_pair("code_challenge_method", challenge.method().as_str())
        .append_pair("allow_signup", "false");
    Ok(url)
}

/// Takes the code to GitHub and returns who its API says somebody is.
pub(super) async fn finish(
    provider: &IdentityProvider,
    site: &str,
    api: &str,
    trip: &RoundTrip,
    code: &Plain<String>,
    said_by: Option<&str>,
) -> Result<ProviderIdentity, Failure> {
    let name = provider.name();
    let issuer = site.trim_end_matches('/');
    // GitHub names its OAuth issuer by a path below its site.
    let is_its_own = |said: &str| {
        said.strip_prefix(issuer)
            .is_some_and(|path| path.is_empty() || path.starts_with('/'))
    };
    if !said_by.is_none_or(is_its_own) {
        return Err(faults::other_trip(name));
    }
    provider.wire.forget_addresses();
    let token = exchange(provider, site, trip, code).await?;
    let person: Person = ask(provider, api, "user", &token).await?;
    let addresses: Vec<Address> = ask(provider, api, "user/emails?per_page=100", &token).await?;
    let primary = addresses.into_iter().find(|address| address.primary);
    let is_verified = primary.as_ref().is_some_and(|address| address.verified);
    let email = primary.and_then(|address| Email::parse(&address.email).ok());
    Ok(ProviderIdentity {
        issuer: issuer.to_owned(),
        subject: person.id.to_string(),
        is_email_verified: email.is_some() && is_verified,
        email,
    })
}

/// Exchanges the code for a token.
async fn exchange(
    provider: &IdentityProvider,
    site: &str,
    trip: &RoundTrip,
    code: &Plain<String>,
) -> Result<Plain<String>, Failure> {
    let name = provider.name();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let request = Request {
        method: Method::POST,
        url: below(provider, site, "login/oauth/access_token")?,
        headers,
        body: Some(token_form(provider, trip, code).into_bytes()),
    };
    let answer: TokenAnswer = read(provider, &request).await?;
    match answer {
        TokenAnswer {
            error: Some(error), ..
        } => Err(faults::refused_by_provider(name, &error)),
        TokenAnswer {
            access_token: Some(token),
            ..
        } => Ok(Plain::new(token)),
        TokenAnswer { .. } => Err(faults::incomplete(name)),
    }
}

/// Returns what the code is exchanged with.
fn token_form(provider: &IdentityProvider, trip: &RoundTrip, code: &Plain<String>) -> String {
    let settings = &provider.settings;
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("client_id", &settings.client_id)
        .append_pair("code", code.expose())
        .append_pair("redirect_uri", trip.redirect.as_str())
        .append_pair("code_verifier", verifier(trip).secret());
    if let Some(secret) = &settings.client_secret {
        form.append_pair("client_secret", secret.expose());
    }
    form.finish()
}

/// Asks the API, in the name of whoever signs in.
async fn ask<T: DeserializeOwned>(
    provider: &IdentityProvider,
    api: &str,
    path: &str,
    token: &Plain<String>,
) -> Result<T, Failure> {
    let bearer = Plain::new(format!("Bearer {}", token.expose()));
    let mut bearer = HeaderValue::from_str(bearer.expose())
        .map_err(|_| faults::invalid(provider.name(), Unreadable::Token))?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/vnd.github+json"),
    );
    let request = Request {
        method: Method::GET,
        url: below(provider, api, path)?,
        headers,
        body: None,
    };
    read(provider, &request).await
}

async fn read<T: DeserializeOwned>(
    provider: &IdentityProvider,
    request: &Request,
) -> Result<T, Failure> {
    let name = provider.name();
    let answer = provider.wire.send(request).await?;
    if answer.status != 200 {
        return Err(faults::invalid(name, Unreadable::Status(answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| faults::invalid(name, Unreadable::Form))
}

/// Returns the address of `path` below `place`, whether it ends in a slash or not.
fn below(provider: &IdentityProvider, place: &str, path: &str) -> Result<Url, Failure> {
    let text = format!("{}/{path}", place.trim_end_matches('/'));
    Url::parse(&text).map_err(|error| faults::invalid(provider.name(), error))
}
