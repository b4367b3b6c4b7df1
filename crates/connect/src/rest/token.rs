//! The access token of OAuth client credentials: fetched when needed, kept until shortly before it ends.

use super::json;
use super::plan::{Auth, ClientCredentials};
use crate::failure::{Failure, FailureKind};
use crate::http::{Http, Request, Signature, Time, host};
use domain::say::Quoted;
use domain::{Timestamp, say};
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use security::{Plain, Redactor};
use serde_json::Value;

/// A token is renewed this long before its end, so that it does not end on the way.
const MARGIN_SECONDS: i64 = 30;
/// A token whose answer names no end.
const LIFETIME_SECONDS_DEFAULT: i64 = 600;

/// The token that is in use.
#[derive(Default)]
pub(super) struct TokenCache {
    token: Option<(Plain<String>, Timestamp)>,
}

impl TokenCache {
    /// Forgets the token: the API refused it.
    pub(super) fn forget(&mut self) {
        self.token = None;
    }

    /// Returns what signs a request.
    pub(super) async fn sign(
        &mut self,
        auth: &Auth,
        http: &Http,
        time: &Time,
        redactor: &Redactor,
    ) -> Result<Signature, Failure> {
        let mut signature = Signature::default();
        let copy = |secret: &Plain<String>| Plain::new(secret.expose().clone());
        match auth {
            Auth::None => {}
            Auth::Header(name, value) => signature.headers.push((name.clone(), copy(value))),
            Auth::Query(name, value) => signature.query.push((name.clone(), copy(value))),
            Auth::ClientCredentials(client) => {
                let token = self.token(client, http, time).await?;
                redactor.learn(token);
                signature.headers.push((
                    AUTHORIZATION,
                    Plain::new(format!("Bearer {}", token.expose())),
                ));
            }
        }
        Ok(signature)
    }

    async fn token(
        &mut self,
        client: &ClientCredentials,
        http: &Http,
        time: &Time,
    ) -> Result<&Plain<String>, Failure> {
        let is_valid = self
            .token
            .as_ref()
            .is_some_and(|(_, until)| *until > time.now());
        if !is_valid {
            let (token, seconds) = fetch(client, http).await?;
            let until = time.now().plus_seconds((seconds - MARGIN_SECONDS).max(1));
            self.token = Some((token, until));
        }
        match &self.token {
            Some((token, _)) => Ok(token),
            None => Err(refused(client)),
        }
    }
}

/// Returns the request for a token. The credentials go in the body, as most servers expect (RFC 6749 §2.3.1).
fn token_request(client: &ClientCredentials) -> Request {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client.client_id.expose())
        .append_pair("client_secret", client.client_secret.expose())
        .extend_pairs(client.params.iter());
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let body = Some(form.finish().into_bytes());
    Request {
        method: Method::POST,
        url: client.token_url.clone(),
        headers,
        body,
    }
}

async fn fetch(client: &ClientCredentials, http: &Http) -> Result<(Plain<String>, i64), Failure> {
    let request = token_request(client);
    let origin = request.url.origin();
    let answer = http.send(request, &Signature::default()).await?;
    // The secret stands in the body, so a redirect that kept it must not have led elsewhere.
    if answer.status >= 500 {
        return Err(Failure::new(
            FailureKind::Failed,
            say!("the token server ", name Quoted(host(&client.token_url)), " answered with HTTP ", answer.status),
        ));
    }
    if !(200..300).contains(&answer.status) || answer.url.origin() != origin {
        return Err(refused(client));
    }
    let parsed = json::parse(&answer.body, host(&client.token_url))?.value;
    let token = parsed
        .get("access_token")
        .and_then(Value::as_str)
        .ok_or_else(|| refused(client))?;
    let seconds = parsed.get("expires_in").and_then(Value::as_i64);
    Ok((
        Plain::new(token.to_owned()),
        seconds.unwrap_or(LIFETIME_SECONDS_DEFAULT),
    ))
}

fn refused(client: &ClientCredentials) -> Failure {
    Failure::new(
        FailureKind::Unauthorized,
        say!("the token server ", name Quoted(host(&client.token_url)), " gave no token for these client credentials"),
    )
    .hint("check `client_id`, `client_secret` and `scopes`")
}
