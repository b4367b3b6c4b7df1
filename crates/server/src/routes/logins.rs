//! Signing in with an identity provider, linking one's login there, and which ways to sign in there are.

use crate::cookies;
use crate::extract::{Given, Id, Json, Search, Text, given};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::routes::sources::{DONE, Done};
use crate::server::Server;
use crate::table::{Api, Door, Rate};
use crate::views::LoginRead;
use crate::witness::Public;
use app::identity::linked_logins::{self, ReturnTo};
use app::identity::sign_in::Entered;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{LinkedLoginId, UserId};
use security::permissions::{AccountSecure, AccountView, SignIn, UsersManage};
use security::{Allow, Event, Plain, Step};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;
use uuid::Uuid;

/// What the cookie says while somebody links a login: what binds that is his session.
const LINKING: &str = "link";
/// Where a sign-in goes on, or says why not.
const SIGN_IN_PAGE: &str = "/login";
/// Where linking says how it went.
const ACCOUNT_PAGE: &str = "/settings/account";

pub(super) fn add(api: &mut Api) {
    const TAG: &str = "logins";
    api.get("/auth/providers", providers)
        .about(TAG, "Says which ways to sign in there are.")
        .gives::<Ways>(200);
    api.get("/auth/oauth/{provider}/login", begin)
        .about(
            TAG,
            "Sends the browser to a provider to sign in there; `return_to` is where in the app it ends.",
        )
        .asks("return_to", "a path of the app; anything else is the start page")
        .rate(Rate::Login)
        .lasting()
        .answers(302);
    api.get("/auth/oauth/{provider}/callback", back)
        .about(
            TAG,
            "Takes the browser back from a provider: to the app, or to the sign-in page with the reason.",
        )
        .event(Event::LoginSuccess)
        .event(Event::LoginFailure)
        .event(Event::LoginSecondFactorAsked)
        .event(Event::UserCreated)
        .event(Event::OauthLinked)
        .lasting()
        .answers(302);
    api.post("/auth/oauth/{provider}/link", begin_link)
        .about(
            TAG,
            "Begins to link one's login with a provider: the browser goes to the address of the answer.",
        )
        .event(Event::OauthLinked)
        .gives::<Authorization>(200);
    for (authorize, callback) in [
        ("/auth/github/authorize", "/auth/github/callback"),
        ("/auth/google/authorize", "/auth/google/callback"),
    ] {
        api.get(authorize, dap_authorize)
            .about(
                TAG,
                "Says which address a browser opens to sign in, as DAP's clients ask.",
            )
            .gives::<Authorization>(200);
        api.get(callback, dap_callback)
            .about(
                TAG,
                "Sends a browser that comes back to DAP's address on to ours.",
            )
            .answers(302);
    }
    api.get("/auth/logins", list)
        .about(TAG, "Lists one's own linked logins, newest first.")
        .gives::<Vec<LoginRead>>(200);
    api.delete("/auth/logins/{id}", unlink)
        .about(TAG, "Unlinks a login of one's own.")
        .event(Event::OauthUnlinked)
        .gives::<Done>(200);
    api.post("/admin/users/{id}/unlink-login", unlink_any)
        .about("users", "Unlinks a login of a user.")
        .event(Event::OauthUnlinked)
        .takes::<OneLogin>()
        .gives::<Done>(200);
}

/// A provider to sign in with.
#[derive(Serialize, ToSchema)]
struct ProviderRead {
    name: String,
    /// What people call it.
    label: String,
    /// The page that begins it.
    login_url: String,
}

/// Which ways to sign in there are.
#[derive(Serialize, ToSchema)]
struct Ways {
    /// Whether anybody has to sign in: not at this machine, while sign-in is switched off.
    auth_enabled: bool,
    password: bool,
    passkeys: bool,
    oauth: Vec<ProviderRead>,
    /// Whether a link to choose another password comes by mail.
    reset_by_mail: bool,
    open_registration: bool,
}

async fn providers(_: Public<SignIn>, State(server): State<Server>) -> Reply<Given<Ways>> {
    let app = server.app();
    let all = app.login_providers()?.iter();
    let oauth = all.map(|one| ProviderRead {
        name: one.name().to_owned(),
        label: one.label().to_owned(),
        login_url: format!("/api/auth/oauth/{}/login", one.name()),
    });
    Ok(given(Ways {
        auth_enabled: server.local().is_none(),
        password: true,
        passkeys: app.has_passkeys(),
        oauth: oauth.collect(),
        reset_by_mail: app.sends_mail(),
        open_registration: app.settings().auth.open_registration,
    }))
}

/// Where in the app somebody wants to go.
#[derive(Deserialize)]
struct Wish {
    return_to: Option<String>,
}

/// Returns the page that is wished for, if it is one of ours; else the start page.
fn wished(wish: &Wish) -> ReturnTo {
    let path = wish.return_to.as_deref().and_then(ReturnTo::parse);
    path.unwrap_or_else(ReturnTo::start)
}

async fn begin(
    allow: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
    Text(provider): Text,
    Search(wish): Search<Wish>,
) -> Response {
    let app = server.app();
    let begun = async {
        let provider = app.login_provider(&provider)?;
        linked_logins::begin_sign_in(app, &allow, provider, wished(&wish)).await
    };
    match begun.await {
        Ok(begun) => {
            let cookie = cookies::ceremony(&server, asker.door, cookies::OAUTH, &begun.browser);
            see(begun.url.as_str(), cookie)
        }
        Err(error) => failed(&asker, SIGN_IN_PAGE, &Problem::new(error)),
    }
}

async fn back(
    allow: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
    headers: HeaderMap,
    Text(provider): Text,
    RawQuery(query): RawQuery,
) -> Response {
    let (browser, query) = (
        cookies::find_or_none(&headers, cookies::OAUTH),
        query.unwrap_or_default(),
    );
    if browser.expose() == LINKING {
        return match link(&server, &asker, &provider, &query).await {
            Ok(to) => see(&to, cookies::forget(&server, cookies::OAUTH)),
            Err(problem) => failed(&asker, ACCOUNT_PAGE, &problem),
        };
    }
    let app = server.app();
    let entered = async {
        let provider = app.login_provider(&provider)?;
        linked_logins::sign_in(app, &allow, provider, &browser, &query).await
    };
    match entered.await {
        Ok(finished) => {
            let to = landing(&finished.done, &finished.return_to);
            let set = match asker.door {
                Door::Web => cookies::entry(&server, &finished.done),
                Door::Dap | Door::Socket => Vec::new(),
            };
            let over = cookies::forget(&server, cookies::OAUTH);
            see(&to, set.into_iter().chain(over))
        }
        Err(error) => failed(&asker, SIGN_IN_PAGE, &Problem::new(error)),
    }
}

async fn link(
    server: &Server,
    asker: &Asker,
    provider: &str,
    query: &str,
) -> Result<String, Problem> {
    let allow = asker.authorize::<AccountSecure>(server).await?;
    let provider = server.app().login_provider(provider)?;
    let linked = linked_logins::link(server.app(), &allow, provider, query).await?;
    Ok(linked.return_to.as_str().to_owned())
}

/// Returns where somebody goes who is in: to the page he wanted, or first to the sign-in page for what comes before.
fn landing(entered: &Entered, return_to: &ReturnTo) -> String {
    let first = match entered.step {
        None => return return_to.as_str().to_owned(),
        Some(Step::SecondFactor) => "requires_2fa",
        Some(Step::ChangePassword) => "must_change_password",
        Some(Step::Enrol) => "requires_2fa_setup",
    };
    page(
        SIGN_IN_PAGE,
        &[(first, "true"), ("return_to", return_to.as_str())],
    )
}

fn page(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("{path}?{query}")
}

/// Sends the browser on.
fn see(to: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    // A path that no header can carry was not one of ours.
    let place = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::FOUND, [(header::LOCATION, place)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Sends the browser to the page that says what went wrong, by its code alone: an address is kept in histories.
fn failed(asker: &Asker, path: &str, problem: &Problem) -> Response {
    problem.log(asker.request);
    see(&page(path, &[("error", problem.code().as_str())]), None)
}

/// An address for the browser.
#[derive(Serialize, ToSchema)]
struct Authorization {
    authorization_url: String,
}

async fn begin_link(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    asker: Asker,
    Text(provider): Text,
) -> Reply<Response> {
    let app = server.app();
    let provider = app.login_provider(&provider)?;
    let back = ReturnTo::parse(&page(ACCOUNT_PAGE, &[("linked", provider.name())]));
    let return_to = back.unwrap_or_else(ReturnTo::start);
    let url = linked_logins::begin_link(app, &allow, provider, return_to).await?;
    let body = Authorization {
        authorization_url: url.into(),
    };
    let mut response = given(body).into_response();
    let mark = Plain::new(LINKING.to_owned());
    if let Some(cookie) = cookies::ceremony(&server, asker.door, cookies::OAUTH, &mark) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Returns the provider in a path of DAP's.
fn named_by(asker: &Asker) -> &'static str {
    asker.route.path.split('/').nth(2).unwrap_or_default()
}

/// A program asks, and a browser follows: the sign-in begins where the browser gets its cookie, which DAP's port never sets.
async fn dap_authorize(
    _: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
) -> Reply<Given<Authorization>> {
    let app = server.app();
    let provider = app.login_provider(named_by(&asker))?;
    let (place, name) = (app.public_url(), provider.name());
    Ok(given(Authorization {
        authorization_url: format!("{place}/api/auth/oauth/{name}/login"),
    }))
}

async fn dap_callback(
    _: Public<SignIn>,
    State(server): State<Server>,
    asker: Asker,
    RawQuery(query): RawQuery,
) -> Reply<Response> {
    let app = server.app();
    let provider = app.login_provider(named_by(&asker))?;
    let (place, name) = (app.public_url(), provider.name());
    let query = query.unwrap_or_default();
    Ok(see(
        &format!("{place}/api/auth/oauth/{name}/callback?{query}"),
        None,
    ))
}

async fn list(
    allow: Allow<AccountView>,
    State(server): State<Server>,
) -> Reply<Given<Vec<LoginRead>>> {
    let listed = linked_logins::list(server.app(), &allow).await?;
    Ok(given(listed.iter().map(LoginRead::of).collect()))
}

async fn unlink(
    allow: Allow<AccountSecure>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<Done>> {
    linked_logins::unlink(server.app(), &allow, LinkedLoginId::new(id)).await?;
    Ok(given(DONE))
}

/// One of somebody's logins.
#[derive(Deserialize, ToSchema)]
struct OneLogin {
    login_id: Uuid,
}

async fn unlink_any(
    allow: Allow<UsersManage>,
    State(server): State<Server>,
    Id(user): Id,
    Json(one): Json<OneLogin>,
) -> Reply<Given<Done>> {
    let (user, login) = (UserId::new(user), LinkedLoginId::new(one.login_id));
    linked_logins::unlink_any(server.app(), &allow, user, login).await?;
    Ok(given(DONE))
}
