//! Signing in and out, as Dango's pages and as DAP's clients do it, and the links that are their own proof.

use crate::cookies;
use crate::extract::{Form, Given, Json, Text, given, maybe_plain, plain};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::routes::sources::{DONE, Done};
use crate::server::Server;
use crate::table::{Api, Door, Rate};
use crate::views::UserRead;
use crate::witness::Public;
use app::Error;
use app::identity::second_factors::{self, Typed};
use app::identity::sign_in::{self, Credentials, Entered};
use app::identity::{LinkKind, account, links, passwords};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Code, Email, SessionId, UserId};
use security::permissions::{AccountLeave, AccountProve, FollowLink, Register, SetUp, SignIn};
use security::{Allow, Event, Plain, SignedIn, Step, Via};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "sign-in";
    api.post("/auth/login", login)
        .about(
            TAG,
            "Signs in by password; a second factor is asked for next.",
        )
        .event(Event::LoginSuccess)
        .event(Event::LoginFailure)
        .event(Event::AccountLocked)
        .rate(Rate::Login)
        .takes::<Login>()
        .gives::<LoginAnswer>(200);
    api.post("/auth/2fa/verify", verify)
        .about(TAG, "Shows the second factor of a sign-in.")
        .event(Event::LoginSuccess)
        .event(Event::RecoveryCodeUsed)
        .event(Event::TwoFaFailed)
        .rate(Rate::Login)
        .takes::<SecondFactor>()
        .gives::<LoginAnswer>(200);
    api.post("/auth/logout", logout)
        .about(TAG, "Ends the session of the request.")
        .event(Event::Logout)
        .gives::<Done>(200);
    api.post("/auth/jwt/login", jwt_login)
        .about(
            TAG,
            "Signs in with a form, as DAP's clients do; the field `otp` takes a second factor.",
        )
        .event(Event::LoginSuccess)
        .event(Event::LoginFailure)
        .rate(Rate::Login)
        .gives::<Bearer>(200);
    api.post("/auth/jwt/logout", jwt_logout)
        .about(TAG, "Ends the session of the bearer.")
        .event(Event::Logout)
        .answers(204);
    api.post("/auth/register", register)
        .about(
            TAG,
            "Makes oneself an account, where the setting `auth.open_registration` allows it.",
        )
        .event(Event::UserCreated)
        .rate(Rate::Login)
        .takes::<Registration>()
        .gives::<UserRead>(201);
    api.post("/auth/forgot-password", forgot)
        .about(
            TAG,
            "Asks for a link to choose another password; the answer is the same for everybody.",
        )
        .event(Event::PasswordForgotten)
        .rate(Rate::Login)
        .takes::<Address>()
        .answers(202);
    api.post("/auth/reset-password", reset)
        .about(TAG, "Chooses another password by a link.")
        .event(Event::PasswordReset)
        .rate(Rate::Login)
        .takes::<Following>()
        .gives::<Message>(200);
    api.post("/auth/accept-invite", accept)
        .about(TAG, "Chooses the first password by an invite.")
        .event(Event::InviteAccepted)
        .rate(Rate::Login)
        .takes::<Following>()
        .gives::<Message>(200);
    api.post("/auth/links/{kind}", look)
        .about(TAG, "Says whose link it is, without using it up.")
        .rate(Rate::Login)
        .takes::<LinkToken>()
        .gives::<Address>(200);
    api.get("/auth/setup", is_set_up_open)
        .about(
            TAG,
            "Says that the first admin is still to be made; afterwards there is nothing here.",
        )
        .gives::<Message>(200);
    api.post("/auth/setup", set_up)
        .about(
            TAG,
            "Makes the first admin, by the link the terminal showed.",
        )
        .event(Event::UserCreated)
        .rate(Rate::Login)
        .takes::<FirstAdmin>()
        .gives::<UserRead>(201);
}

/// What somebody types to sign in.
#[derive(Deserialize, ToSchema)]
struct Login {
    email: String,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    password: Plain<String>,
}

/// How far a sign-in has come. Without `user` the second factor is still to be shown.
#[derive(Serialize, ToSchema, Default)]
pub(super) struct LoginAnswer {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserRead>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_2fa: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    must_change_password: Option<bool>,
    /// Whether a second factor must be set up before anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_2fa_setup: Option<bool>,
}

async fn login(
    allow: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
    Json(typed): Json<Login>,
) -> Reply<Response> {
    let typed = Credentials {
        email: typed.email,
        password: typed.password,
        replaces: had(&asker),
    };
    let entered = sign_in::sign_in(server.app(), &allow, typed).await?;
    Ok(answer(&server, &asker, entered))
}

/// Returns the session that the browser has already.
fn had(asker: &Asker) -> Option<(UserId, SessionId)> {
    match asker.actor.user() {
        Some(SignedIn {
            id,
            via: Via::Session(session),
            ..
        }) => Some((*id, *session)),
        _ => None,
    }
}

/// Answers somebody who is in, as far as he is. Cookies are for browsers: DAP's port never sets any.
pub(super) fn answer(server: &Server, asker: &Asker, entered: Entered) -> Response {
    let cookies = match asker.door {
        Door::Web => cookies::entry(server, &entered),
        Door::Dap | Door::Socket => Vec::new(),
    };
    let step = entered.step;
    let body = if step == Some(Step::SecondFactor) {
        LoginAnswer {
            requires_2fa: Some(true),
            ..LoginAnswer::default()
        }
    } else {
        LoginAnswer {
            user: Some(UserRead::of_oneself(entered.user)),
            requires_2fa: None,
            must_change_password: Some(step == Some(Step::ChangePassword)),
            requires_2fa_setup: Some(step == Some(Step::Enrol)),
        }
    };
    let mut response = given(body).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The second factor, as Dango's page sends it.
#[derive(Deserialize, ToSchema)]
struct SecondFactor {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    code: Plain<String>,
    #[serde(default)]
    is_recovery: bool,
}

async fn verify(
    allow: Allow<AccountProve>,
    State(server): State<Server>,
    asker: Asker,
    Json(shown): Json<SecondFactor>,
) -> Reply<Response> {
    let typed = if shown.is_recovery {
        Typed::Recovery(shown.code)
    } else {
        Typed::guess(shown.code)
    };
    let entered = second_factors::verify(server.app(), &allow, typed).await?;
    Ok(answer(&server, &asker, entered))
}

async fn logout(
    allow: Allow<AccountLeave>,
    State(server): State<Server>,
    asker: Asker,
) -> Reply<Response> {
    sign_in::sign_out(server.app(), &allow).await?;
    let mut response = given(DONE).into_response();
    if asker.door == Door::Web
        && let Some(cookie) = cookies::ended(&server)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// DAP's form.
#[derive(Deserialize)]
struct JwtLogin {
    username: String,
    #[serde(deserialize_with = "plain")]
    password: Plain<String>,
    #[serde(default, deserialize_with = "maybe_plain")]
    otp: Option<Plain<String>>,
}

/// A session for a program.
#[derive(Serialize, ToSchema)]
struct Bearer {
    access_token: String,
    token_type: &'static str,
}

async fn jwt_login(
    allow: Public<SignIn>,
    State(server): State<Server>,
    Form(typed): Form<JwtLogin>,
) -> Reply<Given<Bearer>> {
    let app = server.app();
    let credentials = Credentials {
        email: typed.username,
        password: typed.password,
        replaces: None,
    };
    let dap = |error: Error| match error.code {
        Code::CredentialsWrong | Code::CodeWrong => {
            Problem::new(error).with_detail(json!("LOGIN_BAD_CREDENTIALS"))
        }
        _ => Problem::new(error),
    };
    let mut entered = sign_in::sign_in(app, &allow, credentials)
        .await
        .map_err(dap)?;
    if entered.step == Some(Step::SecondFactor) {
        let Some(otp) = typed.otp else {
            let say =
                "the account has a second factor, and its code did not come with the password";
            let error =
                Error::denied(Code::SecondFactorAsked, say).hint("send it in the field `otp`");
            return Err(Problem::new(error).with_detail(json!("LOGIN_2FA_REQUIRED")));
        };
        let typed = Typed::guess(otp);
        entered = second_factors::enter_with(app, &allow, entered, typed)
            .await
            .map_err(dap)?;
    }
    Ok(given(Bearer {
        access_token: entered.cookie.expose().clone(),
        token_type: "bearer",
    }))
}

async fn jwt_logout(allow: Allow<AccountLeave>, State(server): State<Server>) -> Reply<StatusCode> {
    sign_in::sign_out(server.app(), &allow).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody who makes himself an account. Other fields (DAP's clients may send `is_superuser`) count for nothing.
#[derive(Deserialize, ToSchema)]
struct Registration {
    email: String,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    password: Plain<String>,
}

async fn register(
    allow: Public<Register>,
    State(server): State<Server>,
    Json(wish): Json<Registration>,
) -> Reply<Given<UserRead>> {
    let email = email(&wish.email)?;
    let registered = account::register(server.app(), &allow, &email, &wish.password).await;
    let user = registered.map_err(|error| match error.code {
        Code::UserExists => Problem::with_status(StatusCode::BAD_REQUEST, error)
            .with_detail(json!("REGISTER_USER_ALREADY_EXISTS")),
        Code::PasswordWeak => {
            let reason = error.issues.first().map(ToString::to_string);
            Problem::new(error).with_detail(json!({
                "code": "REGISTER_INVALID_PASSWORD", "reason": reason,
            }))
        }
        _ => Problem::new(error),
    })?;
    Ok(Given(StatusCode::CREATED, UserRead::of_oneself(user)))
}

/// An e-mail address.
#[derive(Serialize, Deserialize, ToSchema)]
struct Address {
    email: String,
}

async fn forgot(
    allow: Public<SignIn>,
    State(server): State<Server>,
    Json(address): Json<Address>,
) -> Reply<StatusCode> {
    // All of it afterwards: how long it takes would say whether there is somebody.
    let app = Arc::clone(server.app());
    server.do_later(async move { passwords::mail_link(&app, &allow, &address.email).await });
    Ok(StatusCode::ACCEPTED)
}

/// A link's token, and the password that is chosen by it.
#[derive(Deserialize, ToSchema)]
struct Following {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    token: Plain<String>,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    password: Plain<String>,
}

/// A sentence.
#[derive(Serialize, ToSchema)]
struct Message {
    message: &'static str,
}

async fn reset(
    allow: Public<FollowLink>,
    State(server): State<Server>,
    Json(following): Json<Following>,
) -> Reply<Given<Message>> {
    links::reset_password(server.app(), &allow, &following.token, &following.password).await?;
    Ok(given(Message {
        message: "the password is changed; sign in with it",
    }))
}

async fn accept(
    allow: Public<FollowLink>,
    State(server): State<Server>,
    Json(following): Json<Following>,
) -> Reply<Given<Message>> {
    links::accept_invite(server.app(), &allow, &following.token, &following.password).await?;
    Ok(given(Message {
        message: "the account is ready; sign in with the password",
    }))
}

/// A link's token.
#[derive(Deserialize, ToSchema)]
struct LinkToken {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    token: Plain<String>,
}

async fn look(
    allow: Public<FollowLink>,
    State(server): State<Server>,
    Text(kind): Text,
    Json(LinkToken { token }): Json<LinkToken>,
) -> Reply<Given<Address>> {
    let kind = match kind.as_str() {
        "invite" => LinkKind::Invite,
        "reset" => LinkKind::Reset,
        _ => return Err(Problem::nothing_here()),
    };
    let email = links::look(server.app(), &allow, kind, &token).await?;
    Ok(given(Address {
        email: email.to_string(),
    }))
}

async fn is_set_up_open(
    allow: Public<SetUp>,
    State(server): State<Server>,
) -> Reply<Given<Message>> {
    if !links::is_set_up_open(server.app(), &allow).await? {
        return Err(Problem::nothing_here());
    }
    Ok(given(Message {
        message: "the first admin is still to be made, by the link that the terminal shows",
    }))
}

/// The first admin.
#[derive(Deserialize, ToSchema)]
struct FirstAdmin {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    token: Plain<String>,
    email: String,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    password: Plain<String>,
}

async fn set_up(
    allow: Public<SetUp>,
    State(server): State<Server>,
    Json(first): Json<FirstAdmin>,
) -> Reply<Given<UserRead>> {
    if !links::is_set_up_open(server.app(), &allow).await? {
        return Err(Problem::nothing_here());
    }
    let email = email(&first.email)?;
    let user = links::set_up(server.app(), &allow, &first.token, &email, &first.password).await?;
    Ok(Given(StatusCode::CREATED, UserRead::of_oneself(user)))
}

/// Reads an address of a body.
pub(super) fn email(text: &str) -> Reply<Email> {
    Email::parse(text)
        .map_err(|error| Problem::field(&["body", "email"], "value_error", &error.to_string()))
}
