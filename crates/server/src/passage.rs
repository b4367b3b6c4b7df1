//! The way of a request to its handler: may it come from there, who sends it, how often. The handler's witness decides the rest.

use crate::cookies;
use crate::csrf;
use crate::local::{Known, Local};
use crate::problem::Problem;
use crate::rates::Limited;
use crate::server::Server;
use crate::table::{Door, Rate, Route};
use app::identity::{self, Presented};
use app::{Error, Result};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::Code;
use security::permissions::Authenticate;
use security::{Actor, Allow, Client, Permission, Plain, RequestId, SignedIn, Via, admit};
use std::sync::Arc;
use std::time::Duration;

/// A request that takes longer has lost its client; queries, tests and streams have limits of their own.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How often it is looked again whether somebody still may who waits for an answer.
const AGAIN: Duration = Duration::from_secs(10);

/// What stands before one route.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(crate) server: Server,
    pub(crate) route: Arc<Route>,
    pub(crate) door: Door,
}

/// Where a request comes from, known at the door.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) client: Client,
    pub(crate) request: RequestId,
    /// Who is at the other end of the unix socket.
    pub(crate) operator: Option<String>,
}

/// Who asks, as the witnesses need it.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) actor: Actor,
    pub(crate) client: Client,
    pub(crate) request: RequestId,
    pub(crate) route: Arc<Route>,
    pub(crate) door: Door,
    /// What he presented, to look again while a stream is open.
    pub(crate) presented: Option<Arc<Plain<String>>>,
}

impl Asker {
    /// Returns who sends this request. Without the passage there is nobody, and nothing is open.
    pub(crate) fn of(parts: &Parts) -> Result<&Self, Problem> {
        let missing = || Problem::new(Error::bug("a route without its passage"));
        parts.extensions.get::<Self>().ok_or_else(missing)
    }

    /// Returns the witness of `P`.
    pub(crate) async fn authorize<P: Permission>(
        &self,
        server: &Server,
    ) -> Result<Allow<P>, Problem> {
        let allowed = server.app().authorize(&self.actor, self.request).await;
        allowed.map_err(|error| {
            let problem = Problem::new(error);
            if self.route.is_hidden {
                problem.hidden()
            } else {
                problem
            }
        })
    }

    /// Returns the witness with which it is found out who he is.
    fn admitted(&self) -> Allow<Authenticate> {
        admit(self.client.clone(), self.request)
    }

    /// Returns once he may no longer: it is looked at whenever somebody's access has ended, and every ten seconds.
    pub(crate) async fn barred<P: Permission>(&self, server: &Server) {
        let mut ended = server.app().access_ended();
        loop {
            let _ = tokio::time::timeout(AGAIN, ended.changed()).await;
            if !self.still_may::<P>(server).await {
                return;
            }
        }
    }

    /// Returns whether he still may: his session has not ended, and he is still who he was.
    async fn still_may<P: Permission>(&self, server: &Server) -> bool {
        let Some(presented) = &self.presented else {
            return match self.actor {
                Actor::Operator { .. } => true,
                Actor::LocalOperator => Local::is_on(&server.app().project),
                Actor::Job { .. } | Actor::User(_) | Actor::Anonymous(_) => false,
            };
        };
        let (app, allow) = (server.app(), self.admitted());
        let again = match self.actor.user() {
            // The cookie he came with may have been renewed since.
            Some(who) if matches!(who.via, Via::Session(_)) => {
                identity::look_again(app, &allow, who).await
            }
            _ => {
                let again = Presented::Bearer(presented.expose());
                let found = identity::recognise(app, &allow, again, &self.client).await;
                found.map(|found| found.map(|found| found.actor))
            }
        };
        match again {
            Ok(Some(who)) => security::authorize::<P>(&Actor::User(who), self.request).is_ok(),
            Ok(None) | Err(_) => false,
        }
    }
}

/// Lets a request through to its handler, or answers it here.
pub(crate) async fn pass(State(at): State<Passage>, mut request: Request, next: Next) -> Response {
    match enter(&at, &mut request).await {
        Ok(cookie) => {
            let mut response = handle(&at, request, next).await;
            // Whoever has just signed in or out has his cookie; that of the session before would take its place.
            if let Some(cookie) = cookie.filter(|_| !cookies::sets_session(response.headers())) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn handle(at: &Passage, request: Request, next: Next) -> Response {
    let work = async {
        if at.route.is_droppable {
            return next.run(request).await;
        }
        // What changes something is done to its end, whether or not anybody still waits for the answer.
        let busy = Arc::clone(&at.server.busy).read_owned().await;
        let done = tokio::spawn(async move {
            let _busy = busy;
            next.run(request).await
        });
        done.await
            .unwrap_or_else(|_| Problem::new(Error::bug("a request panicked")).into_response())
    };
    if at.route.is_slow || at.door == Door::Socket {
        return work.await;
    }
    let answered = tokio::time::timeout(REQUEST_TIMEOUT, work).await;
    answered.unwrap_or_else(|_| {
        let error =
            Error::unavailable(Code::RequestTimeout, "the request was not answered in time");
        Problem::with_status(StatusCode::SERVICE_UNAVAILABLE, error).into_response()
    })
}

/// Finds out who asks, and returns a newer cookie when there is one.
async fn enter(at: &Passage, request: &mut Request) -> Result<Option<HeaderValue>, Problem> {
    let origin = request.extensions().get::<Origin>().cloned();
    let origin = origin.ok_or_else(|| Problem::new(Error::bug("a request without its origin")))?;
    let Origin {
        client,
        request: id,
        operator,
    } = origin;
    let mut asker = Asker {
        actor: Actor::Anonymous(client.clone()),
        client,
        request: id,
        route: Arc::clone(&at.route),
        door: at.door,
        presented: None,
    };
    let mut renewed = None;
    if let Some(os_user) = operator {
        asker.actor = Actor::Operator { os_user };
    } else {
        if at.route.rate == Rate::Login {
            let counted = at.server.rates.login(asker.client.ip);
            limit(&at.server, &asker.admitted(), None, counted).await?;
        }
        let shown = shown(at.door, request.headers());
        if at.door == Door::Web {
            let is_cookie = matches!(shown, Some(Shown::Cookie(_)));
            csrf::check(
                request.method(),
                request.headers(),
                is_cookie,
                &at.server.hosts,
            )?;
        }
        if at.door == Door::Web
            && let Some(device) = cookies::device(request.headers())
        {
            asker.client.device_of = identity::device_of(at.server.app(), &device)?;
        }
        let known = local(at, &asker, request, shown.as_ref());
        if known == Some(Known::ByToken) {
            asker.actor = Actor::LocalOperator;
        } else if let Some(shown) = shown {
            renewed = recognise(at, &mut asker, shown).await?;
        }
        if known == Some(Known::ByPage) && matches!(asker.actor, Actor::Anonymous(_)) {
            asker.actor = Actor::LocalOperator;
        }
    }
    request.extensions_mut().insert(asker);
    Ok(renewed)
}

/// Returns how somebody at the machine is known, while sign-in is off.
fn local(at: &Passage, asker: &Asker, request: &Request, shown: Option<&Shown>) -> Option<Known> {
    let server = &at.server;
    let off = server.local()?;
    let bearer = match shown {
        Some(Shown::Bearer(token)) => Some(token),
        Some(Shown::Cookie(_)) | None => None,
    };
    off.knows(at.door, &server.hosts, &asker.client, request, bearer)
}

/// Passes on what was counted, and writes down the first request of a window that was too much.
pub(crate) async fn limit(
    server: &Server,
    allow: &Allow<Authenticate>,
    who: Option<&SignedIn>,
    counted: Result<(), Limited>,
) -> Result<(), Problem> {
    let Err(Limited { problem, is_news }) = counted else {
        return Ok(());
    };
    if is_news {
        identity::note_limited(server.app(), allow, who).await?;
    }
    Err(problem)
}

/// What a request shows of who sends it.
enum Shown {
    Cookie(Plain<String>),
    Bearer(Plain<String>),
}

async fn recognise(
    at: &Passage,
    asker: &mut Asker,
    shown: Shown,
) -> Result<Option<HeaderValue>, Problem> {
    let presented = match &shown {
        Shown::Cookie(value) => Presented::Cookie(value.expose()),
        Shown::Bearer(value) => Presented::Bearer(value.expose()),
    };
    let allow = asker.admitted();
    let found = identity::recognise(at.server.app(), &allow, presented, &asker.client).await?;
    let Some(found) = found else { return Ok(None) };
    if at.route.rate != Rate::Free {
        let counted = at.server.rates.person(&found.actor);
        limit(&at.server, &allow, Some(&found.actor), counted).await?;
    }
    asker.actor = Actor::User(found.actor);
    let (Shown::Cookie(value) | Shown::Bearer(value)) = shown;
    asker.presented = Some(Arc::new(value));
    let renewed = found.cookie.as_ref();
    Ok(renewed.and_then(|cookie| cookies::session(&at.server, cookie)))
}

/// Returns what a request shows: a token before a cookie, which no other website can make a browser send. DAP's clients have
/// no cookies.
fn shown(door: Door, headers: &HeaderMap) -> Option<Shown> {
    let bearer = headers.get(header::AUTHORIZATION).map(|value| {
        let text = value.to_str().ok()?;
        let (scheme, token) = text.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Plain::new(token.trim().to_owned()))
    });
    if let Some(bearer) = bearer {
        return bearer.map(Shown::Bearer);
    }
    if door != Door::Web {
        return None;
    }
    cookies::find(headers, cookies::SESSION).map(Shown::Cookie)
}
