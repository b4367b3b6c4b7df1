//! Which websites may read answers at the port of DAP's clients: `DAP_CORS_ORIGINS`. Credentials are never let along.

use app::{Environment, Error, Result};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use domain::say::Quoted;
use domain::{Code, say};
use url::Url;

const DEFAULTS: &str =
    "http://localhost:3000,http://127.0.0.1:3000,http://localhost:7332,http://127.0.0.1:7332";

/// The websites, or all of them.
#[derive(Debug, Clone)]
pub(crate) enum Origins {
    Any,
    Of(Vec<String>),
}

impl Origins {
    /// Reads `DAP_CORS_ORIGINS`.
    pub(crate) fn read(environment: &Environment) -> Result<Self> {
        let text = environment.setting("DAP_CORS_ORIGINS").unwrap_or(DEFAULTS);
        let mut origins = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            if part == "*" {
                return Ok(Self::Any);
            }
            let url = Url::parse(part).ok();
            let origin = url
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(|url| url.origin().ascii_serialization())
                .filter(|origin| origin == part.trim_end_matches('/'));
            origins.push(origin.ok_or_else(|| {
                Error::invalid(
                    Code::ConfigInvalid,
                    say!("DAP_CORS_ORIGINS has ", name Quoted(part), ", which is no origin"),
                )
                .hint("write `https://app.example.com`, several with commas between")
            })?);
        }
        Ok(Self::Of(origins))
    }

    /// Returns the websites; `*` for all.
    pub(crate) fn list(&self) -> Vec<String> {
        match self {
            Self::Any => vec!["*".to_owned()],
            Self::Of(origins) => origins.clone(),
        }
    }

    /// Returns whether they are those nobody has chosen.
    pub(crate) fn is_default(&self) -> bool {
        matches!(self, Self::Of(origins) if origins.iter().map(String::as_str).eq(DEFAULTS.split(',')))
    }

    /// Returns the headers that let the website of a request read the answer.
    pub(crate) fn headers(&self, request: &HeaderMap) -> Vec<(header::HeaderName, HeaderValue)> {
        let vary = (header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = request.get(header::ORIGIN) else {
            return vec![vary];
        };
        let allowed = match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Of(origins) => origins
                .iter()
                .any(|known| origin == known.as_str())
                .then(|| origin.clone()),
        };
        let allowed = allowed.map(|value| (header::ACCESS_CONTROL_ALLOW_ORIGIN, value));
        allowed.into_iter().chain([vary]).collect()
    }
}

/// Returns whether a browser only asks what it may send.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a browser may send, when the website may read at all.
pub(crate) const PREFLIGHT: [(header::HeaderName, HeaderValue); 3] = [
    (
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"),
    ),
    (
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Content-Type, Authorization"),
    ),
    (
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact_and_a_broken_one_stops_the_start() {
        let read =
            |text: &str| Origins::read(&Environment::from_pairs([("DAP_CORS_ORIGINS", text)]));
        let allows = |origins: &Origins, origin: &'static str| {
            let mut request = HeaderMap::new();
            request.insert(header::ORIGIN, HeaderValue::from_static(origin));
            origins.headers(&request).len() == 2
        };
        let some = read("https://a.example, http://b.example:81").expect("origins");
        assert!(allows(&some, "https://a.example") && allows(&some, "http://b.example:81"));
        assert!(!allows(&some, "https://a.example.evil") && !allows(&some, "null"));
        assert!(allows(&read("*").expect("all"), "https://x.example"));
        assert!(allows(
            &read("").expect("defaults"),
            "http://localhost:3000"
        ));
        for broken in ["a.example", "https://a.example/path", "ftp://a.example"] {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
