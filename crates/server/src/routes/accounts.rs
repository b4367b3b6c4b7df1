//! One's own account: who one is, one's password, sessions and second factors.

use crate::extract::{Given, Id, Json, given, maybe_plain, plain};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::routes::sign_in::email;
use crate::routes::sources::{DONE, Done};
use crate::server::Server;
use crate::table::{Api, Rate};
use crate::views::{SessionRead, UserRead};
use app::identity::second_factors::{self, Typed};
use app::identity::{account, passwords, sessions, sign_in, tokens};
use axum::extract::State;
use domain::SessionId;
use security::permissions::{
    AccountEnrol, AccountManage, AccountPassword, AccountProve, AccountSecure, AccountView,
};
use security::{Actor, Allow, Event, Plain, Via};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "account";
    api.get("/auth/me", me)
        .about(TAG, "Says who one is, or that nobody has to be anybody.")
        .gives::<Me>(200);
    api.get("/users/me", me)
        .about(TAG, "Says who one is, by DAP's name.")
        .gives::<Me>(200);
    api.get("/auth/permissions", permissions)
        .about(
            TAG,
            "Lists what one's role may: the scopes one can give to a token.",
        )
        .gives::<Vec<&'static str>>(200);
    api.patch("/users/me", change_me)
        .about(TAG, "Changes one's own address or password.")
        .event(Event::EmailChanged)
        .event(Event::PasswordChange)
        .takes::<Changes>()
        .gives::<UserRead>(200);
    api.post("/auth/change-password", change_password)
        .about(TAG, "Changes one's own password; every other session ends.")
        .event(Event::PasswordChange)
        .event(Event::PasswordCheckFailed)
        .rate(Rate::Login)
        .takes::<NewPassword>()
        .gives::<Done>(200);
    api.post("/auth/reauthenticate", reauthenticate)
        .about(TAG, "Shows again who one is, for what needs a fresh proof.")
        .event(Event::Reauthenticated)
        .event(Event::PasswordCheckFailed)
        .rate(Rate::Login)
        .takes::<Proof>()
        .gives::<Proven>(200);
    api.get("/auth/sessions", list_sessions)
        .about(TAG, "Lists where one is signed in.")
        .gives::<Vec<SessionRead>>(200);
    api.delete("/auth/sessions", end_others)
        .about(TAG, "Ends every session of one's own but this one.")
        .event(Event::SessionEnded)
        .gives::<Ended>(200);
    api.delete("/auth/sessions/{id}", end_session)
        .about(TAG, "Ends one of one's own sessions.")
        .event(Event::SessionEnded)
        .gives::<Done>(200);
    api.get("/auth/2fa", factors)
        .about(TAG, "Says which second factors one has.")
        .gives::<Factors>(200);
    api.post("/auth/2fa/setup", set_up)
        .about(TAG, "Begins to set an authenticator app up.")
        .event(Event::TwoFaSetUp)
        .takes::<Confirmation>()
        .gives::<SetUp>(200);
    api.post("/auth/2fa/verify-setup", verify_set_up)
        .about(
            TAG,
            "Puts the app to use that shows the right code; every other session ends.",
        )
        .event(Event::TwoFaEnabled)
        .rate(Rate::Login)
        .takes::<AppCode>()
        .gives::<Done>(200);
    api.post("/auth/2fa/disable", disable)
        .about(
            TAG,
            "Takes the authenticator app away; every other session ends.",
        )
        .event(Event::TwoFaDisabled)
        .takes::<Confirmation>()
        .gives::<Done>(200);
    api.post("/auth/2fa/regenerate-recovery", renew_codes)
        .about(TAG, "Makes new recovery codes; those before are void.")
        .event(Event::RecoveryCodesReplaced)
        .gives::<RecoveryCodes>(200);
}

/// Who one is.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
enum Me {
    User(Box<UserRead>),
    /// Sign-in is switched off.
    Off {
        auth_enabled: bool,
    },
}

async fn me(allow: Allow<AccountView>, State(server): State<Server>) -> Reply<Given<Me>> {
    if *allow.actor() == Actor::LocalOperator {
        return Ok(given(Me::Off {
            auth_enabled: false,
        }));
    }
    let (me, _) = account::myself(server.app(), &allow).await?;
    Ok(given(Me::User(Box::new(UserRead::of(&me)))))
}

async fn permissions(allow: Allow<AccountView>) -> Given<Vec<&'static str>> {
    given(tokens::scopes(&allow))
}

/// What one changes about oneself. Other fields count for nothing.
#[derive(Deserialize, ToSchema)]
struct Changes {
    email: Option<String>,
    #[serde(default, deserialize_with = "maybe_plain")]
    #[schema(value_type = Option<String>, format = "password")]
    password: Option<Plain<String>>,
}

async fn change_me(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(changes): Json<Changes>,
) -> Reply<Given<UserRead>> {
    let app = server.app();
    if changes.email.is_some() && changes.password.is_some() {
        let text = "one thing at a time: the address, or the password";
        return Err(Problem::field(&["body"], "value_error", text));
    }
    if let Some(address) = &changes.email {
        account::set_own_email(app, &allow, &email(address)?).await?;
    }
    if let Some(password) = &changes.password {
        passwords::set_own(app, &allow, password).await?;
    }
    let (me, _) = account::myself(app, &allow.narrow()).await?;
    Ok(given(UserRead::of(&me)))
}

/// The password one has, and the one that takes its place.
#[derive(Deserialize, ToSchema)]
struct NewPassword {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    current_password: Plain<String>,
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String, format = "password")]
    new_password: Plain<String>,
}

async fn change_password(
    allow: Allow<AccountPassword>,
    State(server): State<Server>,
    Json(new): Json<NewPassword>,
) -> Reply<Given<Done>> {
    passwords::change(
        server.app(),
        &allow,
        &new.current_password,
        &new.new_password,
    )
    .await?;
    Ok(given(DONE))
}

/// One's password, and the code of one's second factor.
#[derive(Deserialize, ToSchema)]
struct Proof {
    #[serde(default, deserialize_with = "maybe_plain")]
    #[schema(value_type = Option<String>, format = "password")]
    password: Option<Plain<String>>,
    #[serde(default, deserialize_with = "maybe_plain")]
    #[schema(value_type = Option<String>)]
    code: Option<Plain<String>>,
}

/// When one showed who one is.
#[derive(Serialize, ToSchema)]
pub(super) struct Proven {
    proven_at: String,
}

impl Proven {
    pub(super) fn at(at: domain::Timestamp) -> Self {
        Self {
            proven_at: at.to_rfc3339(),
        }
    }
}

async fn reauthenticate(
    allow: Allow<AccountProve>,
    State(server): State<Server>,
    Json(proof): Json<Proof>,
) -> Reply<Given<Proven>> {
    let code = proof.code.map(Typed::guess);
    let password = proof.password.as_ref();
    let proven = sign_in::reauthenticate(server.app(), &allow, password, code).await?;
    Ok(given(Proven::at(proven)))
}

async fn list_sessions(
    allow: Allow<AccountManage>,
    State(server): State<Server>,
) -> Reply<Given<Vec<SessionRead>>> {
    let listed = sessions::list_own(server.app(), &allow).await?;
    let current = here(allow.actor());
    let shown = listed
        .iter()
        .map(|session| SessionRead::of(session, current));
    Ok(given(shown.collect()))
}

fn here(actor: &Actor) -> Option<SessionId> {
    match actor.user().map(|user| &user.via) {
        Some(Via::Session(id)) => Some(*id),
        Some(Via::Token { .. }) | None => None,
    }
}

async fn end_session(
    allow: Allow<AccountManage>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<Done>> {
    sessions::end_own(server.app(), &allow, SessionId::new(id)).await?;
    Ok(given(DONE))
}

/// How many sessions ended.
#[derive(Serialize, ToSchema)]
pub(super) struct Ended {
    pub(super) revoked_count: u64,
}

async fn end_others(
    allow: Allow<AccountManage>,
    State(server): State<Server>,
    _asker: Asker,
) -> Reply<Given<Ended>> {
    let revoked_count = sessions::end_own_others(server.app(), &allow).await?;
    Ok(given(Ended { revoked_count }))
}

/// Which second factors one has.
#[derive(Serialize, ToSchema)]
struct Factors {
    totp_enabled: bool,
    passkeys: u64,
    recovery_codes_left: u64,
}

async fn factors(allow: Allow<AccountView>, State(server): State<Server>) -> Reply<Given<Factors>> {
    let found = second_factors::list_own(server.app(), &allow).await?;
    Ok(given(Factors {
        totp_enabled: found.totp_enabled_at.is_some(),
        passkeys: found.passkeys,
        recovery_codes_left: found.recovery_codes_left,
    }))
}

/// One's password once more, as Dango's page sends it; a fresh proof is asked for in any case.
#[derive(Deserialize, ToSchema)]
struct Confirmation {
    #[serde(default, deserialize_with = "maybe_plain")]
    #[schema(value_type = Option<String>, format = "password")]
    password: Option<Plain<String>>,
}

/// What an authenticator app is shown, once.
#[derive(Serialize, ToSchema)]
struct SetUp {
    provisioning_uri: String,
    secret: String,
    recovery_codes: Vec<String>,
}

async fn set_up(
    allow: Allow<AccountEnrol>,
    State(server): State<Server>,
    Json(confirmation): Json<Confirmation>,
) -> Reply<Given<SetUp>> {
    let password = confirmation.password.as_ref();
    let set_up = second_factors::set_up_totp(server.app(), &allow, password).await?;
    Ok(given(SetUp {
        provisioning_uri: set_up.provisioning_uri.expose().clone(),
        secret: set_up.secret.expose().clone(),
        recovery_codes: shown(&set_up.recovery_codes),
    }))
}

pub(super) fn shown(codes: &[Plain<String>]) -> Vec<String> {
    codes.iter().map(|code| code.expose().clone()).collect()
}

/// Six digits of the app.
#[derive(Deserialize, ToSchema)]
struct AppCode {
    #[serde(deserialize_with = "plain")]
    #[schema(value_type = String)]
    code: Plain<String>,
}

async fn verify_set_up(
    allow: Allow<AccountEnrol>,
    State(server): State<Server>,
    Json(AppCode { code }): Json<AppCode>,
) -> Reply<Given<Done>> {
    second_factors::enable_totp(server.app(), &allow, &code).await?;
    Ok(given(DONE))
}

async fn disable(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Json(confirmation): Json<Confirmation>,
) -> Reply<Given<Done>> {
    let password = confirmation.password.as_ref();
    second_factors::disable_totp(server.app(), &allow, password).await?;
    Ok(given(DONE))
}

/// Recovery codes, shown once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

async fn renew_codes(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
) -> Reply<Given<RecoveryCodes>> {
    let codes = second_factors::renew_recovery_codes(server.app(), &allow).await?;
    Ok(given(RecoveryCodes {
        recovery_codes: shown(&codes),
    }))
}
