//! A server elsewhere, for the command line of this machine: who one is there, and what one asks it. No project is needed: what
//! is kept stands in the folder of the person, not of a project.
//!
//! Which server and which token come from the command line, the process's environment and that folder alone, never from a
//! project's `.env`: a folder that somebody else wrote must not say where a token goes.

mod address;
mod device;
mod kept;
mod sign_in;

pub use address::ServerAddress;
pub use device::{Offer, begin_device, wait_for_device};
pub use kept::{Kept, Login};
pub use sign_in::{Checked, check_token, sign_out};

use crate::environment::Environment;
use crate::error::Kind;
use crate::{Error, REDACTOR, Result};
use connect::remote::{Answered, Remote};
use connect::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Code, say};
use security::Plain;
use serde_json::Value;
use std::time::Duration;

/// A query may take as long as the server lets it.
const TIMEOUT: Duration = Duration::from_mins(5);
/// Names the server, as for DAP's clients.
const ADDRESS_VARIABLE: &str = "DAP_ENGINE_URL";
/// An API token, as for DAP's clients.
pub const TOKEN_VARIABLE: &str = "DAP_AUTH_TOKEN";

/// A server that answers.
pub struct Server {
    pub address: ServerAddress,
    /// Where its API stands: `/api` at the browser's port, nothing at that of DAP's clients.
    prefix: &'static str,
    remote: Remote,
}

/// A server, and the token with which it is asked.
pub struct Connection {
    pub server: Server,
    token: Plain<String>,
}

impl Server {
    /// Finds the API at `address`.
    pub async fn find(address: ServerAddress) -> Result<Self> {
        let remote = Remote::new(address.url(), TIMEOUT)
            .map_err(|failure| unreachable(&address, failure))?;
        let mut server = Self {
            address,
            prefix: "/api",
            remote,
        };
        for prefix in ["/api", ""] {
            server.prefix = prefix;
            let answer = server.send("/health", None, None).await?;
            let told: Option<Value> = serde_json::from_slice(&answer.body).ok();
            // DAP's name of the service: a page of somebody else's does not say it.
            let is_ours =
                told.is_some_and(|told| told.get("service") == Some(&"dap-engine".into()));
            if is_ours {
                return Ok(server);
            }
        }
        let say = say!("", name Quoted(server.address.as_str()), " is no server of Dango");
        Err(Error::not_found(Code::ServerUnreachable, say)
            .hint("it is the address of its pages, as a browser shows it"))
    }

    async fn send(
        &self,
        path: &str,
        token: Option<&Plain<String>>,
        body: Option<&Value>,
    ) -> Result<Answered> {
        let path = format!("{}{path}", self.prefix);
        let body = body.map(Value::to_string);
        let sent = self.remote.send(&path, token, body).await;
        sent.map_err(|failure| unreachable(&self.address, failure))
    }

    /// Asks, and returns what it tells, or its refusal as an error of this command.
    async fn ask(
        &self,
        path: &str,
        token: Option<&Plain<String>>,
        body: Option<&Value>,
    ) -> Result<Value> {
        let answer = self.send(path, token, body).await?;
        if !(200..300).contains(&answer.status) {
            return Err(refused(&self.address, &answer));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            let say = say!("", name Quoted(self.address.as_str()), " answered with something else than JSON");
            Error::unavailable(Code::ServerUnreachable, say).caused_by(error)
        })
    }
}

impl Connection {
    /// Finds the server that is meant and the token for it: that of the environment, or the one that `dango login` kept.
    pub async fn open(environment: &Environment, named: Option<&str>) -> Result<Self> {
        let kept = Kept::of(environment)?;
        let address = choose(environment, &kept, named)?;
        let token = match given_token(environment, &address)? {
            Some(token) => token,
            None => match kept.find(&address)? {
                Some(login) => login.token,
                None => return Err(signed_out(&address)),
            },
        };
        REDACTOR.learn(&token);
        let server = Server::find(address).await?;
        Ok(Self { server, token })
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.server.ask(path, Some(&self.token), None).await
    }

    /// Reads something that has these parameters.
    pub async fn search(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
        self.get(&format!("{path}?{}", query.finish())).await
    }

    /// Has something done.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.server.ask(path, Some(&self.token), Some(body)).await
    }
}

/// Returns which server is meant: the one that was named, that of the environment, or the only one that is kept.
pub fn choose(
    environment: &Environment,
    kept: &Kept,
    named: Option<&str>,
) -> Result<ServerAddress> {
    let named = named.filter(|named| !named.is_empty());
    if let Some(named) = named.or_else(|| environment.setting(ADDRESS_VARIABLE)) {
        return ServerAddress::parse(named);
    }
    let mut all = kept.list()?;
    match (all.pop(), all.is_empty()) {
        (Some(only), true) => Ok(only.server),
        (None, _) => Err(Error::not_found(
            Code::ServerUnknown,
            "nobody has signed in at a server from here",
        )
        .hint("`dango login URL` signs in")),
        (Some(_), false) => Err(Error::invalid(
            Code::ServerUnknown,
            "there are several servers, and it is not clear which is meant",
        )
        .hint("name it: `--remote=URL`, or DAP_ENGINE_URL; `dango login --status` lists them")),
    }
}

/// Returns the token of the environment, when it is meant for `address`: where the environment names a server too, it goes to no
/// other.
pub fn given_token(
    environment: &Environment,
    address: &ServerAddress,
) -> Result<Option<Plain<String>>> {
    let meant = environment.setting(ADDRESS_VARIABLE);
    if let Some(meant) = meant
        && ServerAddress::parse(meant)? != *address
    {
        return Ok(None);
    }
    let token = environment.setting(TOKEN_VARIABLE);
    Ok(token.map(|token| Plain::new(token.trim().to_owned())))
}

fn signed_out(address: &ServerAddress) -> Error {
    let say = say!("nobody has signed in at ", name Quoted(address.as_str()), " from here");
    let hint = say!("sign in with `dango login ", Quoted(address.as_str()), "`");
    Error::new(Kind::Unauthenticated, Code::ServerUnknown, say).hint(hint)
}

fn unreachable(address: &ServerAddress, failure: Failure) -> Error {
    let (code, kind) = match failure.kind {
        FailureKind::EgressDenied => (Code::EgressDenied, Kind::Denied),
        _ => (Code::ServerUnreachable, Kind::Unavailable),
    };
    let say = say!("", name Quoted(address.as_str()), " was not reached: ", failure.say);
    let hint = "check its address, and that it runs; `curl URL/api/health` tells the same";
    let mut error = Error::new(kind, code, say).hint(hint);
    error.source = failure.source;
    error
}

/// Returns the server's refusal as an error of this command. Its words are somebody else's: they are cut, and without tricks.
fn refused(address: &ServerAddress, answer: &Answered) -> Error {
    let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| told.get(key).and_then(Value::as_str);
    let code = text("code").and_then(Code::parse);
    let kind = match (answer.status, code) {
        (401, _) => Kind::Unauthenticated,
        // RFC 8628 answers 400 to whoever was sent away.
        (403, _) | (_, Some(Code::DeviceRefused)) => Kind::Denied,
        (404, _) => Kind::NotFound,
        (409, _) => Kind::Conflict,
        (423, _) => Kind::Locked,
        (413 | 429, _) => Kind::Limit,
        (500.., _) => Kind::Unavailable,
        _ => Kind::Invalid,
    };
    let server = Quoted(address.as_str());
    let say = match text("message") {
        Some(message) => say!("", name server, ": ", Quoted(message)),
        None => say!("", name server, " answered with status ", answer.status),
    };
    let hint = match (answer.status, text("hint")) {
        (401, _) => say!("sign in again: `dango login ", server, "`"),
        (_, Some(hint)) => say!("", Quoted(hint)),
        (_, None) => domain::Say::default(),
    };
    let mut error = Error::new(kind, code.unwrap_or(Code::ServerUnreachable), say).hint(hint);
    error.retry_after_seconds = answer.retry_after;
    error
}

#[cfg(test)]
mod tests;
