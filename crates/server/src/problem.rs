//! What a client reads when it does not get what it asked for: `application/problem+json` (RFC 9457) with the fields of both
//! heritages. One function knows statuses, and no other code does.

use app::REDACTOR;
use app::error::{Error, Kind};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Code;
use security::RequestId;
use serde_json::{Value, json};
use std::sync::Arc;

/// What whoever may succeed later is told to wait, when nobody knows better.
const RETRY_SECONDS: u64 = 5;

/// A refusal or a failure on its way out. It becomes a body at the door, which knows the request's id.
#[derive(Debug, Clone)]
pub struct Problem(Arc<Inside>);

#[derive(Debug)]
struct Inside {
    status: StatusCode,
    error: Error,
    detail: Option<Value>,
    retry_after: Option<u64>,
}

/// The result of a handler.
pub type Reply<T> = Result<T, Problem>;

impl Problem {
    /// Returns the problem `error`, with the status of its kind.
    pub fn new(error: Error) -> Self {
        Self::with_status(status(error.kind, error.code), error)
    }

    /// Returns the problem `error` with a status of the protocol itself.
    pub(crate) fn with_status(status: StatusCode, error: Error) -> Self {
        let usual = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_SECONDS);
        let retry_after = error.retry_after_seconds.or(usual);
        Self(Arc::new(Inside {
            status,
            error,
            detail: None,
            retry_after,
        }))
    }

    /// Returns the same problem with what one of the heritages' clients look for in `detail`.
    pub(crate) fn with_detail(self, detail: Value) -> Self {
        match Arc::try_unwrap(self.0) {
            Ok(inside) => Self(Arc::new(Inside {
                detail: Some(detail),
                ..inside
            })),
            Err(shared) => Self(shared),
        }
    }

    /// Returns the refusal of a request whose parts do not hold; each is a `{loc, msg, type}` as DAP's clients know it.
    pub(crate) fn fields(places: &[Value]) -> Self {
        let error = Error::invalid(Code::RequestInvalid, "the request is not valid")
            .hint("`detail` names each place; `/openapi.json` says what belongs there");
        Self(Arc::new(Inside {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            error,
            detail: Some(places.into()),
            retry_after: None,
        }))
    }

    /// Returns the refusal of one place of a request.
    pub(crate) fn field(place: &[&str], kind: &str, text: &str) -> Self {
        Self::fields(&[json!({"loc": place, "msg": text, "type": kind})])
    }

    /// Returns the answer to whoever asks too much, to try again after so many seconds.
    pub(crate) fn too_many(seconds: u64) -> Self {
        let error = Error::limit(Code::RateLimited, "too many requests")
            .hint("wait as long as `Retry-After` says");
        Self(Arc::new(Inside {
            status: StatusCode::TOO_MANY_REQUESTS,
            error,
            detail: None,
            retry_after: Some(seconds.max(1)),
        }))
    }

    /// Returns the answer where nothing is, or nothing that the actor may know of.
    pub(crate) fn nothing_here() -> Self {
        Self::new(Error::not_found(
            Code::RouteNotFound,
            "there is nothing at this address",
        ))
    }

    /// Returns the problem that a bare status of the router stands for; `None` for one that is no problem.
    pub(crate) fn of_status(status: StatusCode) -> Option<Self> {
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        Some(match status {
            StatusCode::NOT_FOUND => Self::nothing_here(),
            StatusCode::METHOD_NOT_ALLOWED => Self::with_status(
                status,
                Error::invalid(
                    Code::MethodNotAllowed,
                    "this address does not take this method",
                )
                .hint("`Allow` names those it takes"),
            ),
            _ if status.is_client_error() => Self::with_status(
                status,
                Error::invalid(Code::RequestInvalid, "the request cannot be understood"),
            ),
            _ => Self::new(Error::bug("the server failed")),
        })
    }

    /// Returns the same problem as whoever may not know of the route sees it.
    pub(crate) fn hidden(self) -> Self {
        if self.0.error.code == Code::PermissionDenied {
            Self::nothing_here()
        } else {
            self
        }
    }

    /// Returns what went wrong, as one word.
    pub(crate) fn code(&self) -> Code {
        self.0.error.code
    }

    /// Writes the failure down, once, where it ends.
    pub(crate) fn log(&self, request: RequestId) {
        let error = &self.0.error;
        let (code, causes, id) = (error.code.as_str(), error.chain(), request.to_string());
        match error.kind {
            Kind::Bug => {
                tracing::error!(
                    request.id = id,
                    error.code = code,
                    error.chain = causes,
                    "a fault of ours"
                );
            }
            Kind::Unavailable => {
                tracing::warn!(
                    request.id = id,
                    error.code = code,
                    error.chain = causes,
                    "a request failed"
                );
            }
            Kind::Unauthenticated | Kind::Denied | Kind::Locked | Kind::Limit | Kind::Budget => {
                tracing::info!(
                    request.id = id,
                    error.code = code,
                    error.chain = causes,
                    "a request was refused"
                );
            }
            Kind::Invalid
            | Kind::NotFound
            | Kind::Conflict
            | Kind::NoSigningKey
            | Kind::Interrupted => {
                tracing::debug!(
                    request.id = id,
                    error.code = code,
                    error.chain = causes,
                    "a request failed"
                );
            }
        }
    }

    /// Returns the problem as a response. A fault of ours says nothing but where to look.
    pub(crate) fn render(&self, request: RequestId) -> Response {
        let Inside {
            status,
            error,
            detail,
            retry_after,
        } = &*self.0;
        let is_bug = error.kind == Kind::Bug;
        let (message, hint) = if is_bug {
            (
                "the server failed".to_owned(),
                "report the request's id: the log has the cause".to_owned(),
            )
        } else {
            (
                REDACTOR.redact_talk(error.say.as_str()),
                REDACTOR.redact_talk(error.hint.as_str()),
            )
        };
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail.clone().unwrap_or_else(|| message.clone().into()),
            "message": message,
            "error_code": error_code(error.code),
            "code": error.code.as_str(),
            "hint": (!hint.is_empty()).then_some(hint),
            "request_id": request.to_string(),
        });
        let mut add = |key: &str, value: Value| {
            if let Some(fields) = body.as_object_mut() {
                fields.insert(key.to_owned(), value);
            }
        };
        if !error.issues.is_empty() {
            let issues: Vec<_> = error.issues.iter().map(domain::Say::as_str).collect();
            add("issues", json!(issues));
        }
        if *status == StatusCode::LOCKED {
            // Dango's name for it.
            add("remaining_seconds", json!(retry_after));
        }
        let mut response = (*status, Body::from(body.to_string())).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        if *status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Returns the status of an error: the only place that knows it.
pub(crate) const fn status(kind: Kind, code: Code) -> StatusCode {
    match (kind, code) {
        (_, Code::QueryTimeout) => StatusCode::REQUEST_TIMEOUT,
        (_, Code::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
        (
            Kind::Invalid,
            Code::ConfigInvalid
            | Code::RequestInvalid
            | Code::SourceNameInvalid
            | Code::TokenInvalid,
        ) => StatusCode::UNPROCESSABLE_ENTITY,
        (Kind::Invalid, _) => StatusCode::BAD_REQUEST,
        (Kind::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Kind::Denied, _) => StatusCode::FORBIDDEN,
        (Kind::NotFound, _) => StatusCode::NOT_FOUND,
        (Kind::Conflict, _) => StatusCode::CONFLICT,
        (Kind::Locked, _) => StatusCode::LOCKED,
        (Kind::Limit, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Kind::Budget, _) => StatusCode::PAYMENT_REQUIRED,
        (Kind::Unavailable | Kind::Interrupted, _) => StatusCode::SERVICE_UNAVAILABLE,
        (Kind::NoSigningKey | Kind::Bug, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns Dango's code for an error, where it has one.
const fn error_code(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::Unauthenticated | Code::SecondFactorPending => "DANGO-S001",
        Code::PermissionDenied
        | Code::OriginForeign
        | Code::PasswordChangeRequired
        | Code::SecondFactorRequired
        | Code::ReauthenticationRequired => "DANGO-S002",
        Code::RateLimited => "DANGO-W002",
        Code::QueryRefused => "DANGO-Q002",
        Code::QueryTimeout => "DANGO-Q004",
        Code::QueryInvalid => "DANGO-Q005",
        Code::SyncNotFound => "SYNC-003",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_fault_of_ours_says_nothing_but_its_request() {
        let error = Error::bug("the frobnicator broke").caused_by("at line 7 of secret.rs");
        let id = RequestId::new(Uuid::nil());
        let response = Problem::new(error).render(id);
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = futures_util::FutureExt::now_or_never(axum::body::to_bytes(
            response.into_body(),
            1 << 16,
        ))
        .expect("it is there")
        .expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("UTF-8");
        assert!(
            !text.contains("frobnicator") && !text.contains("secret.rs"),
            "{text}"
        );
        assert!(text.contains(&id.to_string()), "{text}");
    }
}
