//! Signing in at a server elsewhere with a token, and signing out.

use super::{Kept, Login, Server, ServerAddress};
use crate::{Error, REDACTOR, Result};
use domain::Code;
use security::Plain;
use security::tokens::api_token_prefix;
use serde_json::{Value, json};

/// What a server says of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Whose it is; a narrow token may not know.
    pub email: Option<String>,
    pub role: Option<String>,
}

/// Asks `server` whose `token` is; one that is no good is an error.
pub async fn check_token(server: &Server, token: &Plain<String>) -> Result<Checked> {
    REDACTOR.learn(token);
    if api_token_prefix(token.expose()).is_none() {
        let say = "this is no API token";
        return Err(Error::invalid(Code::TokenInvalid, say)
            .hint("it is `dap_` and 43 characters; your account's page at the server makes one"));
    }
    match server.ask("/auth/me", Some(token), None).await {
        Ok(me) => {
            let text = |key: &str| me.get(key).and_then(Value::as_str).map(str::to_owned);
            Ok(Checked {
                email: text("email"),
                role: text("role"),
            })
        }
        // It is good, and narrowed to other things.
        Err(error) if error.code == Code::PermissionDenied => Ok(Checked {
            email: None,
            role: None,
        }),
        Err(error) => Err(error),
    }
}

/// Signs out at `address`: a token that `dango login` had made is revoked there, and what was kept is forgotten. With
/// `is_local` nobody is told. Returns the login that was kept, and whether its token was revoked.
pub async fn sign_out(
    kept: &Kept,
    address: &ServerAddress,
    is_local: bool,
) -> Result<Option<(Login, bool)>> {
    let Some(login) = kept.find(address)? else {
        return Ok(None);
    };
    let ends = login.is_own && !is_local;
    if ends {
        REDACTOR.learn(&login.token);
        let server = Server::find(address.clone()).await;
        let body = json!({"token": login.token.expose()});
        let told = match server {
            Ok(server) => server.ask("/auth/device/revoke", None, Some(&body)).await,
            Err(error) => Err(error),
        };
        told.map_err(|error| {
            let hint = "nothing was forgotten: try again, or `--local` forgets it here and leaves the token as it is";
            error.hint(hint)
        })?;
    }
    kept.forget(address)?;
    Ok(Some((login, ends)))
}
