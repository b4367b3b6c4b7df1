//! What handlers take beside their witness: each refuses in words of ours, and has a limit.

use crate::passage::Asker;
use crate::problem::Problem;
use crate::server::Server;
use app::Error;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::{Code, SourceName, say};
use security::Plain;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer, Serialize};
use serde_json::json;
use uuid::Uuid;

/// Items in a page unless the request says otherwise: DAP's.
const LIMIT_DEFAULT: u64 = 50;
/// Items in a page at most.
const LIMIT_MAX: u64 = 500;

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Server> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Server) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes_max = Asker::of(&parts)?.route.body_bytes_max;
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let is_json = kind
            .and_then(|value| value.to_str().ok())
            .is_some_and(|text| {
                let kind = text.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/json")
            });
        if !is_json {
            let error = Error::invalid(Code::RequestInvalid, "the body is not declared as JSON")
                .hint("send it with `Content-Type: application/json`");
            return Err(Problem::with_status(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                error,
            ));
        }
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if length.is_some_and(|length| length > bytes_max) {
            return Err(too_large(bytes_max));
        }
        let bytes = to_bytes(body, bytes_max).await;
        let bytes = bytes.map_err(|_| too_large(bytes_max))?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Self(value)),
            Err(error) => {
                let kind = if error.is_data() {
                    "value_error"
                } else {
                    "json_invalid"
                };
                Err(Problem::fields(&[json!({
                    "loc": ["body"], "msg": error.to_string(), "type": kind,
                })]))
            }
        }
    }
}

fn too_large(bytes_max: usize) -> Problem {
    let say = say!("the body is larger than ", bytes_max, " bytes");
    Problem::with_status(
        StatusCode::PAYLOAD_TOO_LARGE,
        Error::limit(Code::RequestTooLarge, say),
    )
}

/// A form, as DAP's clients send one to sign in.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Server> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Server) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes_max = Asker::of(&parts)?.route.body_bytes_max;
        let bytes = to_bytes(body, bytes_max).await;
        let bytes = bytes.map_err(|_| too_large(bytes_max))?;
        let fields: serde_json::Map<_, _> = url::form_urlencoded::parse(&bytes)
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        let read = serde_json::from_value(fields.into());
        read.map(Self)
            .map_err(|error| Problem::field(&["body"], "missing", &error.to_string()))
    }
}

/// Reads a secret of a body.
pub(crate) fn plain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Plain<String>, D::Error> {
    String::deserialize(deserializer).map(Plain::new)
}

/// Reads a secret of a body that may be left out.
pub(crate) fn maybe_plain<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Plain<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Plain::new))
}

/// What stands after the `?`.
pub(crate) struct Search<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Search<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::field(
                &["query"],
                "value_error",
                &error.body_text(),
            )),
        }
    }
}

/// The name of a source in the path.
pub(crate) struct Named(pub(crate) SourceName);

impl FromRequestParts<Server> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let Text(text) = Text::from_request_parts(parts, server).await?;
        SourceName::parse(&text)
            .map(Self)
            .map_err(|error| Problem::field(&["path", "name"], "value_error", &error.to_string()))
    }
}

/// The one variable part of the path.
pub(crate) struct Text(pub(crate) String);

impl FromRequestParts<Server> for Text {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, server).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(_) => Err(Problem::field(
                &["path"],
                "value_error",
                "it is not UTF-8 text",
            )),
        }
    }
}

/// An id in the path. What is no id names nothing.
pub(crate) struct Id(pub(crate) Uuid);

impl FromRequestParts<Server> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let Text(text) = Text::from_request_parts(parts, server).await?;
        Uuid::parse_str(&text)
            .map(Self)
            .map_err(|_| Problem::nothing_here())
    }
}

/// Who asks, for what goes on after the answer has begun.
impl FromRequestParts<Server> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        Self::of(parts).cloned()
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paged {
    #[serde(default)]
    pub(crate) offset: u64,
    pub(crate) limit: Option<u64>,
}

impl Paged {
    /// Returns how many items a page has.
    pub(crate) fn limit(self) -> u64 {
        self.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
    }
}

/// An answer of JSON.
pub(crate) struct Given<T>(pub(crate) StatusCode, pub(crate) T);

/// Returns an answer of JSON with the status 200.
pub(crate) const fn given<T>(value: T) -> Given<T> {
    Given(StatusCode::OK, value)
}

impl<T: Serialize> IntoResponse for Given<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(bytes) => {
                let kind = [(header::CONTENT_TYPE, "application/json")];
                (self.0, kind, bytes).into_response()
            }
            Err(error) => {
                let error = Error::bug("an answer is no JSON").caused_by(error);
                Problem::new(error).into_response()
            }
        }
    }
}
