//! How requests are signed, with the credentials filled in.

use crate::failure::{Failure, FailureKind};
use crate::rest::spec::{Auth as Spec, AuthKind, Location};
use crate::rest::values::Values;
use data_encoding::BASE64;
use domain::say::Quoted;
use domain::{Say, say};
use reqwest::header::{AUTHORIZATION, HeaderName};
use security::Plain;
use url::Url;

/// The fields of `rest_api`, used where the description names none.
const TOKEN: &str = "{auth_token}";

/// How requests are signed.
pub(in crate::rest) enum Auth {
    None,
    Header(HeaderName, Plain<String>),
    Query(String, Plain<String>),
    ClientCredentials(ClientCredentials),
}

/// OAuth 2.0 client credentials (RFC 6749 §4.4).
pub(in crate::rest) struct ClientCredentials {
    pub(in crate::rest) token_url: Url,
    pub(in crate::rest) client_id: Plain<String>,
    pub(in crate::rest) client_secret: Plain<String>,
    pub(in crate::rest) params: Vec<(String, String)>,
}

impl Auth {
    /// Fills `spec` with `values`.
    pub(super) fn new(
        spec: &Spec,
        values: &Values<'_>,
        place: &Say,
        base: &Url,
    ) -> Result<Self, Failure> {
        let fill = |text: &Option<String>, default: &str| {
            values.fill(text.as_deref().unwrap_or(default), place)
        };
        match spec.kind {
            AuthKind::None => Ok(Self::None),
            AuthKind::Bearer => {
                let token = fill(&spec.token, TOKEN)?;
                Ok(Self::Header(AUTHORIZATION, prefixed("Bearer ", &token)))
            }
            AuthKind::ApiKey => {
                let token = fill(&spec.token, TOKEN)?;
                let name = spec.name.as_deref().unwrap_or("X-API-Key");
                if spec.location == Some(Location::Query) {
                    return Ok(Self::Query(name.to_owned(), token));
                }
                Ok(Self::Header(header(name, place)?, token))
            }
            AuthKind::CustomHeader => {
                let name = spec.name.as_deref().unwrap_or("Authorization");
                Ok(Self::Header(
                    header(name, place)?,
                    fill(&spec.token, TOKEN)?,
                ))
            }
            AuthKind::Basic => {
                let user = fill(&spec.username, "{basic_username}")?;
                // Many APIs take a token as user name and no password.
                let password = match &spec.password {
                    None if !values.has("basic_password") => Plain::new(String::new()),
                    password => fill(password, "{basic_password}")?,
                };
                Ok(Self::Header(AUTHORIZATION, basic(&user, &password)))
            }
            AuthKind::ClientCredentials => {
                client_credentials(spec, values, place, base).map(Self::ClientCredentials)
            }
        }
    }

    /// Returns where tokens are given out.
    pub(in crate::rest) const fn token_url(&self) -> Option<&Url> {
        match self {
            Self::ClientCredentials(client) => Some(&client.token_url),
            Self::None | Self::Header(..) | Self::Query(..) => None,
        }
    }

    /// Returns the parameter of the URL that is secret.
    pub(in crate::rest) fn secret_param(&self) -> Option<&str> {
        match self {
            Self::Query(name, _) => Some(name),
            Self::None | Self::Header(..) | Self::ClientCredentials(_) => None,
        }
    }
}

fn client_credentials(
    spec: &Spec,
    values: &Values<'_>,
    place: &Say,
    base: &Url,
) -> Result<ClientCredentials, Failure> {
    let wrong = || {
        Failure::new(
            FailureKind::ConfigInvalid,
            say!("", *place, ": `token_url` is missing or no URL"),
        )
    };
    let token_url = values.fill(spec.token_url.as_ref().ok_or_else(wrong)?, place)?;
    let token_url = base.join(token_url.expose().trim()).map_err(|_| wrong())?;
    let mut params = Vec::new();
    if let Some(scopes) = &spec.scopes {
        params.push(("scope".to_owned(), scopes.clone()));
    }
    params.extend(
        spec.token_params
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let id = spec.client_id.as_deref().unwrap_or("{client_id}");
    let secret = spec.client_secret.as_deref().unwrap_or("{client_secret}");
    Ok(ClientCredentials {
        token_url,
        client_id: values.fill(id, place)?,
        client_secret: values.fill(secret, place)?,
        params,
    })
}

fn header(name: &str, place: &Say) -> Result<HeaderName, Failure> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
        Failure::new(
            FailureKind::ConfigInvalid,
            say!("", *place, ": ", name Quoted(name), " cannot be a header's name"),
        )
    })
}

/// Returns the token as a header takes it: a line break at its end is never part of it.
pub(in crate::rest) fn prefixed(prefix: &str, token: &Plain<String>) -> Plain<String> {
    let token = token.expose().trim();
    // Tokens are often stored with the word that goes before them.
    Plain::new(format!(
        "{prefix}{}",
        token.strip_prefix(prefix).unwrap_or(token)
    ))
}

/// Returns the Basic credentials (RFC 7617).
pub(in crate::rest) fn basic(user: &Plain<String>, password: &Plain<String>) -> Plain<String> {
    let pair = Plain::new(format!("{}:{}", user.expose(), password.expose()));
    let pair = pair.expose().as_bytes();
    let mut header = String::from("Basic ");
    // At once: a text that grows leaves copies of itself behind.
    header.reserve_exact(BASE64.encode_len(pair.len()));
    BASE64.encode_append(pair, &mut header);
    Plain::new(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_base64() {
        let check = |user: &str, password: &str, expect: &str| {
            let header = basic(&Plain::new(user.into()), &Plain::new(password.into()));
            assert_eq!(header.expose(), expect);
        };
        check(
            "Aladdin",
            "open sesame",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        );
        check("a", "b", "Basic YTpi");
        check("ab", "c", "Basic YWI6Yw==");
        check("ab", "cd", "Basic YWI6Y2Q=");
    }

    #[test]
    fn a_bearer_token_is_trimmed_and_not_prefixed_twice() {
        let check = |token: &str| {
            assert_eq!(
                prefixed("Bearer ", &Plain::new(token.into())).expose(),
                "Bearer t0k3n"
            );
        };
        check("t0k3n");
        check("t0k3n\n");
        check("Bearer t0k3n");
    }
}
