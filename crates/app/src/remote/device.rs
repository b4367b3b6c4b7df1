//! Signing in at a server elsewhere by a short code, which somebody types there (RFC 8628).

use super::{Login, Server};
use crate::{Error, REDACTOR, Result};
use domain::{Code, say};
use security::Plain;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What the server may ask to be waited for, whatever it says.
const INTERVAL_SECONDS_MAX: u64 = 60;
/// A code that is good for longer is none.
const LASTS_SECONDS_MAX: u64 = 3_600;
/// RFC 8628 §3.5: by how much the interval grows when it was too short.
const SLOWER_SECONDS: u64 = 5;

/// What somebody is to do so that this program is let in.
pub struct Offer {
    /// What he types.
    pub code: String,
    /// Where.
    pub page: String,
    /// How long the code is good.
    pub lasts: Duration,
    interval: Duration,
    device: Plain<String>,
}

/// Asks to be let in; `name` is what whoever decides sees.
pub async fn begin_device(
    server: &Server,
    name: &str,
    scopes: &[String],
    days: Option<u32>,
) -> Result<Offer> {
    #[derive(Deserialize)]
    struct Told {
        device_code: String,
        user_code: String,
        verification_uri: String,
        expires_in: u64,
        interval: u64,
    }
    let mut wish = json!({ "name": name });
    if let Some(wish) = wish.as_object_mut() {
        if !scopes.is_empty() {
            wish.insert("scopes".into(), json!(scopes));
        }
        if let Some(days) = days {
            wish.insert("expires_in_days".into(), json!(days));
        }
    }
    let told = server.ask("/auth/device/code", None, Some(&wish)).await;
    let told = told.map_err(|error| match error.code {
        Code::RouteNotFound => {
            error.hint("that server lets nobody in by a code: use `dango login --token`")
        }
        _ => error,
    })?;
    let told: Told = serde_json::from_value(told).map_err(strange)?;
    Ok(Offer {
        code: told.user_code,
        page: told.verification_uri,
        lasts: Duration::from_secs(told.expires_in.min(LASTS_SECONDS_MAX)),
        interval: Duration::from_secs(told.interval.clamp(1, INTERVAL_SECONDS_MAX)),
        device: Plain::new(told.device_code),
    })
}

/// Waits until somebody has decided. A server that does not answer for a while is asked again.
pub async fn wait_for_device(server: &Server, offer: &Offer) -> Result<Login> {
    let body = json!({"device_code": offer.device.expose()});
    let (mut interval, mut waited) = (offer.interval, Duration::ZERO);
    loop {
        tokio::time::sleep(interval).await;
        waited += interval;
        let error = match server.ask("/auth/device/token", None, Some(&body)).await {
            Ok(told) => return read(server, told),
            Err(error) => error,
        };
        match error.code {
            Code::DevicePending => {}
            Code::DeviceTooFast => interval += Duration::from_secs(SLOWER_SECONDS),
            Code::RateLimited | Code::ServerUnreachable | Code::ServerBusy => {
                let wait = error.retry_after_seconds.unwrap_or(SLOWER_SECONDS);
                interval = interval.max(Duration::from_secs(wait.min(INTERVAL_SECONDS_MAX)));
            }
            _ => return Err(error),
        }
        if waited > offer.lasts {
            return Err(
                Error::invalid(Code::DeviceOver, "nobody has typed the code in time")
                    .hint("begin again with `dango login`"),
            );
        }
    }
}

fn read(server: &Server, told: Value) -> Result<Login> {
    #[derive(Deserialize)]
    struct Made {
        access_token: String,
        scope: Option<String>,
        expires_at: Option<String>,
        email: Option<String>,
    }
    let told: Made = serde_json::from_value(told).map_err(strange)?;
    let token = Plain::new(told.access_token);
    REDACTOR.learn(&token);
    let scopes = told
        .scope
        .map(|scope| scope.split_whitespace().map(str::to_owned).collect());
    Ok(Login {
        server: server.address.clone(),
        token,
        email: told.email,
        scopes,
        expires_at: told.expires_at,
        is_own: true,
    })
}

/// The parser's words would repeat what the server sent, a token perhaps.
fn strange(_: serde_json::Error) -> Error {
    let say = say!("the server answered with something that is no answer to this");
    Error::unavailable(Code::ServerUnreachable, say).hint("it may be of another version")
}
