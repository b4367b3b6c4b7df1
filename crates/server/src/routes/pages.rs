//! Pages, and the description of the API.

use crate::assets;
use crate::documents;
use crate::entrance::Nonce;
use crate::extract::{Given, Text, given};
use crate::problem::{Problem, Reply};
use crate::table::{Api, Reach};
use crate::witness::Public;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use security::Allow;
use security::permissions::{HealthView, Page};
use serde_json::Value;

/// Addresses of pages, and what they show. A page with a token takes it out of the address at once; what is left is good to
/// be loaded again.
const PAGES: &[(&str, &str)] = &[
    ("/", "The first page."),
    ("/login", "Signing in."),
    ("/setup", "Making the first admin."),
    ("/setup/{token}", "Making the first admin."),
    ("/invite", "Accepting an invite."),
    ("/invite/{token}", "Accepting an invite."),
    ("/forgot-password", "Asking for a link."),
    ("/reset-password", "Choosing another password."),
    ("/reset-password/{token}", "Choosing another password."),
    ("/change-password", "Changing a password before all else."),
    ("/enrol", "Setting a second factor up before all else."),
    ("/device", "Letting a program in that waits."),
    ("/settings", "Settings."),
    ("/settings/account", "One's own account."),
];

pub(super) fn add(api: &mut Api) {
    for (path, about) in PAGES {
        api.get(path, page)
            .about("pages", about)
            .reach(Reach::Pages)
            .answers(200);
    }
    api.get("/assets/{name}", asset)
        .about("pages", "A file of the pages.")
        .reach(Reach::Pages)
        .answers(200);
    api.get("/openapi.json", openapi)
        .about("documents", "Describes this API as OpenAPI 3.1.")
        .answers(200);
}

async fn page(_: Public<Page>) -> Response {
    shown()
}

/// Returns the page of an address where none is, for people: it says so in words.
pub(crate) fn missing() -> Response {
    (StatusCode::NOT_FOUND, shown()).into_response()
}

fn shown() -> Response {
    let nonce = BASE64.encode(&rand::random::<[u8; 16]>());
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (kind, assets::page(&nonce)).into_response();
    response.extensions_mut().insert(Nonce(nonce));
    response
}

async fn asset(_: Public<Page>, headers: HeaderMap, Text(name): Text) -> Reply<Response> {
    let asset = assets::find(&name).ok_or_else(Problem::nothing_here)?;
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.contains(&asset.tag));
    let about = [
        (header::CONTENT_TYPE, asset.kind.to_owned()),
        // Other content has another name.
        (
            header::CACHE_CONTROL,
            "public, max-age=31536000, immutable".to_owned(),
        ),
        (header::ETAG, asset.tag),
    ];
    Ok(if is_known {
        (StatusCode::NOT_MODIFIED, about).into_response()
    } else {
        (about, asset.bytes).into_response()
    })
}

async fn openapi(_: Allow<HealthView>) -> Given<Value> {
    given(documents::openapi(&super::table()))
}
