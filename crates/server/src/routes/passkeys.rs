//! Passkeys: one's own, as a second factor, to show again who one is, and to sign in with one alone.

use super::accounts::{Proven, shown};
use super::sign_in::{LoginAnswer, answer};
use crate::cookies;
use crate::extract::{Given, Id, Json, given, plain};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::routes::sources::{DONE, Done};
use crate::server::Server;
use crate::table::{Api, Rate};
use crate::witness::Public;
use app::identity::passkeys::{self, Answered, Passkey, Question};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use domain::PasskeyId;
use security::permissions::{
    AccountEnrol, AccountManage, AccountProve, AccountSecure, AccountView, SignIn,
};
use security::{Allow, Event, Plain};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "passkeys";
    api.get("/auth/passkeys", list)
        .about(TAG, "Lists one's own passkeys, newest first.")
        .gives::<Vec<PasskeyRead>>(200);
    api.post("/auth/passkeys/register/begin", register_begin)
        .about(TAG, "Asks the browser for a new passkey.")
        .gives::<Asked>(200);
    api.post("/auth/passkeys/register/finish", register_finish)
        .about(
            TAG,
            "Keeps the passkey that the browser made; every other session ends. With the first factor come recovery codes.",
        )
        .event(Event::PasskeyAdded)
        .takes::<NewPasskey>()
        .gives::<Registered>(201);
    api.patch("/auth/passkeys/{id}", rename)
        .about(TAG, "Gives a passkey of one's own another name.")
        .event(Event::PasskeyRenamed)
        .takes::<Name>()
        .gives::<PasskeyRead>(200);
    api.delete("/auth/passkeys/{id}", remove)
        .about(
            TAG,
            "Removes a passkey of one's own; every other session ends.",
        )
        .event(Event::PasskeyRemoved)
        .gives::<Done>(200);
    api.post("/auth/passkeys/verify/begin", prove_begin)
        .about(TAG, "Asks for a passkey as the second factor of a sign-in.")
        .rate(Rate::Login)
        .gives::<Asked>(200);
    api.post("/auth/passkeys/verify/finish", verify)
        .about(TAG, "Shows a passkey as the second factor of a sign-in.")
        .event(Event::LoginSuccess)
        .event(Event::TwoFaFailed)
        .event(Event::PasskeyReplayed)
        .rate(Rate::Login)
        .takes::<Shown>()
        .gives::<LoginAnswer>(200);
    api.post("/auth/passkeys/reauthenticate/begin", prove_begin)
        .about(TAG, "Asks for a passkey to show again who one is.")
        .rate(Rate::Login)
        .gives::<Asked>(200);
    api.post("/auth/passkeys/reauthenticate/finish", reauthenticate)
        .about(
            TAG,
            "Shows again who one is, by a passkey, for what needs a fresh proof.",
        )
        .event(Event::Reauthenticated)
        .event(Event::TwoFaFailed)
        .event(Event::PasskeyReplayed)
        .rate(Rate::Login)
        .takes::<Shown>()
        .gives::<Proven>(200);
    api.post("/auth/passkeys/sign-in/begin", sign_in_begin)
        .about(TAG, "Asks whoever is there for a passkey to sign in with.")
        .rate(Rate::Login)
        .gives::<Asked>(200);
    api.post("/auth/passkeys/sign-in/finish", sign_in)
        .about(
            TAG,
            "Signs in by a passkey alone: its device has verified who holds it, so nothing else is asked.",
        )
        .event(Event::LoginSuccess)
        .event(Event::LoginFailure)
        .event(Event::PasskeyReplayed)
        .rate(Rate::Login)
        .takes::<Shown>()
        .gives::<LoginAnswer>(200);
}

/// A question for the browser.
#[derive(Serialize, ToSchema)]
struct Asked {
    /// To be sent back with the answer.
    key: String,
    /// What `navigator.credentials.create` or `get` takes, as JSON.
    #[schema(value_type = Object)]
    options: Value,
}

impl Asked {
    fn of(question: Question) -> Given<Self> {
        given(Self {
            key: question.key.expose().clone(),
            options: question.options,
        })
    }
}

/// What the browser answers.
#[derive(Deserialize, ToSchema)]
struct Shown {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    key: Plain<String>,
    /// The credential, as its `toJSON` writes it.
    #[schema(value_type = Object)]
    answer: Value,
}

/// A passkey that the browser made.
#[derive(Deserialize, ToSchema)]
struct NewPasskey {
    /// What its owner calls it.
    name: String,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    key: Plain<String>,
    /// The credential, as its `toJSON` writes it.
    #[schema(value_type = Object)]
    answer: Value,
}

/// A passkey, as its owner sees it.
#[derive(Serialize, ToSchema)]
struct PasskeyRead {
    id: Uuid,
    name: String,
    created_at: String,
    last_used_at: Option<String>,
}

impl PasskeyRead {
    fn of(passkey: &Passkey) -> Self {
        Self {
            id: passkey.id.as_uuid(),
            name: passkey.name.clone(),
            created_at: passkey.created_at.to_rfc3339(),
            last_used_at: passkey.last_used_at.map(domain::Timestamp::to_rfc3339),
        }
    }
}

/// A new passkey. Recovery codes come with one's first factor, once.
#[derive(Serialize, ToSchema)]
struct Registered {
    passkey: PasskeyRead,
    recovery_codes: Vec<String>,
}

/// A name.
#[derive(Deserialize, ToSchema)]
struct Name {
    name: String,
}

/// Returns the name, when it is one.
fn named(name: &str) -> Reply<&str> {
    let name = name.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        let text = "it is a name by which you know the device";
        return Err(Problem::field(&["body", "name"], "value_error", text));
    }
    Ok(name)
}

async fn list(
    allow: Allow<AccountView>,
    State(server): State<Server>,
) -> Reply<Given<Vec<PasskeyRead>>> {
    let listed = passkeys::list(server.app(), &allow).await?;
    Ok(given(listed.iter().map(PasskeyRead::of).collect()))
}

async fn register_begin(
    allow: Allow<AccountEnrol>,
    State(server): State<Server>,
) -> Reply<Given<Asked>> {
    let question = passkeys::ask_for_new(server.app(), &allow).await?;
    Ok(Asked::of(question))
}

async fn register_finish(
    allow: Allow<AccountEnrol>,
    State(server): State<Server>,
    Json(new): Json<NewPasskey>,
) -> Reply<Given<Registered>> {
    let (name, answer) = (named(&new.name)?, new.answer.to_string());
    let answered = Answered {
        key: &new.key,
        answer: &answer,
    };
    let registered = passkeys::register(server.app(), &allow, answered, name).await?;
    let body = Registered {
        passkey: PasskeyRead::of(&registered.passkey),
        recovery_codes: shown(&registered.recovery_codes),
    };
    Ok(Given(axum::http::StatusCode::CREATED, body))
}

async fn rename(
    allow: Allow<AccountManage>,
    State(server): State<Server>,
    Id(id): Id,
    Json(new): Json<Name>,
) -> Reply<Given<PasskeyRead>> {
    let name = named(&new.name)?;
    let renamed = passkeys::rename(server.app(), &allow, PasskeyId::new(id), name).await?;
    Ok(given(PasskeyRead::of(&renamed)))
}

async fn remove(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<Done>> {
    passkeys::remove(server.app(), &allow, PasskeyId::new(id)).await?;
    Ok(given(DONE))
}

async fn prove_begin(
    allow: Allow<AccountProve>,
    State(server): State<Server>,
) -> Reply<Given<Asked>> {
    let question = passkeys::ask_for_proof(server.app(), &allow).await?;
    Ok(Asked::of(question))
}

async fn verify(
    allow: Allow<AccountProve>,
    State(server): State<Server>,
    asker: Asker,
    Json(shown): Json<Shown>,
) -> Reply<Response> {
    let text = shown.answer.to_string();
    let answered = Answered {
        key: &shown.key,
        answer: &text,
    };
    let entered = passkeys::verify(server.app(), &allow, answered).await?;
    Ok(answer(&server, &asker, entered))
}

async fn reauthenticate(
    allow: Allow<AccountProve>,
    State(server): State<Server>,
    Json(shown): Json<Shown>,
) -> Reply<Given<Proven>> {
    let text = shown.answer.to_string();
    let answered = Answered {
        key: &shown.key,
        answer: &text,
    };
    let at = passkeys::reauthenticate(server.app(), &allow, answered).await?;
    Ok(given(Proven::at(at)))
}

async fn sign_in_begin(
    allow: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
) -> Reply<Response> {
    let app = server.app();
    let browser = app.new_browser();
    let question = passkeys::ask_for_anybody(app, &allow, &browser).await?;
    let mut response = Asked::of(question).into_response();
    if let Some(cookie) = cookies::ceremony(&server, asker.door, cookies::PASSKEY, &browser) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

async fn sign_in(
    allow: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
    headers: HeaderMap,
    Json(shown): Json<Shown>,
) -> Reply<Response> {
    // Without the cookie nothing is found: it is another browser.
    let browser = cookies::find_or_none(&headers, cookies::PASSKEY);
    let text = shown.answer.to_string();
    let answered = Answered {
        key: &shown.key,
        answer: &text,
    };
    let entered = passkeys::sign_in(server.app(), &allow, &browser, answered).await?;
    Ok(answer(&server, &asker, entered))
}
