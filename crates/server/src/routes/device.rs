//! Letting a program in that has no browser: it asks, waits and comes back; somebody who is signed in decides. Names and words
//! are those of RFC 8628; bodies are JSON, as everywhere here.

use crate::extract::{Given, Json, given, plain};
use crate::problem::Reply;
use crate::server::Server;
use crate::table::{Api, Rate};
use crate::witness::Public;
use app::identity::device::{self, Waiting, Wish};
use app::identity::tokens;
use axum::extract::State;
use axum::http::StatusCode;
use security::permissions::{AccountSecure, DeviceSignIn, GiveBack};
use security::{Allow, Event, Plain};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "device";
    api.post("/auth/device/code", begin)
        .about(
            TAG,
            "Lets a program wait for somebody who lets it in, with a short code that it shows.",
        )
        .rate(Rate::Login)
        .takes::<DeviceWish>()
        .gives::<DeviceBegun>(200);
    // Not under the limit of signing in: it is asked every five seconds, with 256 random bits.
    api.post("/auth/device/token", come_back)
        .about(
            TAG,
            "Gives a program that was let in its token, once; until then 400 with `authorization_pending`.",
        )
        .event(Event::ApiTokenCreated)
        .takes::<DeviceReturn>()
        .gives::<DeviceToken>(200);
    api.post("/auth/device/look", look)
        .about(TAG, "Shows the program that waits with a short code.")
        .event(Event::DeviceShown)
        .event(Event::DeviceCodeWrong)
        .rate(Rate::Login)
        .takes::<DeviceCode>()
        .gives::<DeviceRead>(200);
    api.post("/auth/device/approve", approve)
        .about(
            TAG,
            "Lets the program in that waits with a short code: it gets a token of one's own, with what it asked for.",
        )
        .event(Event::DeviceApproved)
        .event(Event::DeviceCodeWrong)
        .rate(Rate::Login)
        .takes::<DeviceCode>()
        .gives::<DeviceRead>(200);
    api.post("/auth/device/deny", deny)
        .about(TAG, "Sends the program away that waits with a short code.")
        .event(Event::DeviceDenied)
        .event(Event::DeviceCodeWrong)
        .rate(Rate::Login)
        .takes::<DeviceCode>()
        .gives::<DeviceRead>(200);
    api.post("/auth/device/revoke", give_back)
        .about(
            TAG,
            "Revokes the token that is sent; what is no good token is no error.",
        )
        .event(Event::ApiTokenRevoked)
        .rate(Rate::Login)
        .takes::<ShownToken>()
        .answers(204);
}

/// What a program asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceWish {
    /// What it calls itself, for whoever decides.
    #[serde(default)]
    name: String,
    /// Names of permissions; without them the account's name, the server's state, the sources and queries.
    scopes: Option<Vec<String>>,
    /// From 1 to 365, 90 unless said otherwise.
    expires_in_days: Option<u32>,
}

/// What a program waits with.
#[derive(Serialize, ToSchema)]
struct DeviceBegun {
    /// What it shows when it comes back; nobody else sees it.
    device_code: String,
    /// What somebody types who lets it in.
    user_code: String,
    /// Where he types it.
    verification_uri: String,
    /// The same, with the code.
    verification_uri_complete: String,
    /// Seconds for which the codes are good.
    expires_in: u64,
    /// Seconds to wait before each return.
    interval: u64,
}

async fn begin(
    allow: Public<DeviceSignIn>,
    State(server): State<Server>,
    Json(wish): Json<DeviceWish>,
) -> Reply<Given<DeviceBegun>> {
    let app = server.app();
    let wish = Wish {
        name: wish.name,
        scopes: wish.scopes,
        days: wish.expires_in_days,
    };
    let begun = device::begin(app, &allow, wish).await?;
    let code = begun.code.expose();
    let page = format!("{}/device", app.public_url());
    Ok(given(DeviceBegun {
        device_code: begun.device.expose().clone(),
        user_code: code.clone(),
        verification_uri_complete: format!("{page}?code={code}"),
        verification_uri: page,
        expires_in: device::LASTS.as_secs(),
        interval: device::INTERVAL.as_secs(),
    }))
}

/// A program that comes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceReturn {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    device_code: Plain<String>,
}

/// A token, once.
#[derive(Serialize, ToSchema)]
struct DeviceToken {
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Names of permissions, with spaces between them.
    scope: String,
    /// When it ends.
    expires_at: Option<String>,
    /// Whose it is.
    email: String,
}

async fn come_back(
    allow: Public<DeviceSignIn>,
    State(server): State<Server>,
    Json(back): Json<DeviceReturn>,
) -> Reply<Given<DeviceToken>> {
    let (made, email) = device::come_back(server.app(), &allow, &back.device_code).await?;
    let expires_at = made.token.expires_at;
    Ok(given(DeviceToken {
        access_token: made.raw.expose().clone(),
        token_type: "Bearer",
        scope: made.token.scopes.unwrap_or_default().join(" "),
        expires_at: expires_at.map(domain::Timestamp::to_rfc3339),
        email: email.to_string(),
    }))
}

/// A short code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DeviceCode {
    /// As it was typed.
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    user_code: Plain<String>,
}

/// A program that waits, as whoever decides sees it.
#[derive(Serialize, ToSchema)]
struct DeviceRead {
    /// What it calls itself: anybody's words.
    name: String,
    /// What its token opens: what it asked for, as far as one's own role has it.
    scopes: Vec<String>,
    /// Days its token is good.
    expires_in_days: u32,
    /// Where it asked from.
    ip_address: Option<String>,
    asked_at: String,
    /// When its code is over.
    expires_at: String,
}

impl DeviceRead {
    fn of(waiting: Waiting) -> Given<Self> {
        given(Self {
            name: waiting.name,
            scopes: waiting.scopes,
            expires_in_days: waiting.days,
            ip_address: waiting.ip,
            asked_at: waiting.created_at.to_rfc3339(),
            expires_at: waiting.expires_at.to_rfc3339(),
        })
    }
}

async fn look(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(typed): Json<DeviceCode>,
) -> Reply<Given<DeviceRead>> {
    let app = server.app();
    let owner = tokens::owner(app, &allow, None).await?;
    let waiting = device::look(app, &allow, owner, &typed.user_code).await?;
    Ok(DeviceRead::of(waiting))
}

async fn approve(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(typed): Json<DeviceCode>,
) -> Reply<Given<DeviceRead>> {
    let app = server.app();
    let owner = tokens::owner(app, &allow, None).await?;
    let waiting = device::approve(app, &allow, owner, &typed.user_code).await?;
    Ok(DeviceRead::of(waiting))
}

async fn deny(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(typed): Json<DeviceCode>,
) -> Reply<Given<DeviceRead>> {
    let app = server.app();
    let owner = tokens::owner(app, &allow, None).await?;
    let waiting = device::deny(app, &allow, owner, &typed.user_code).await?;
    Ok(DeviceRead::of(waiting))
}

/// A token of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShownToken {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    token: Plain<String>,
}

async fn give_back(
    allow: Public<GiveBack>,
    State(server): State<Server>,
    Json(shown): Json<ShownToken>,
) -> Reply<StatusCode> {
    device::give_back(server.app(), &allow, &shown.token).await?;
    Ok(StatusCode::NO_CONTENT)
}
