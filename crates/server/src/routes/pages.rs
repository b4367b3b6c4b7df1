//! Pages, and the description of the API.

use crate::documents;
use crate::entrance::Nonce;
use crate::extract::{Given, given};
use crate::table::{Api, Reach};
use crate::witness::Public;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use security::Allow;
use security::permissions::{HealthView, Page};
use serde_json::Value;

/// A build without the pages says how they are made.
const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><title>Dango</title></head>
<body>
<h1>Dango is running</h1>
<p>This build has no pages. <code>make</code> builds them (npm is needed once) and puts them into the program.</p>
<p>The API is below <code>/api</code>; <code>/api/openapi.json</code> describes it to whoever is signed in.</p>
</body>
</html>
";

pub(super) fn add(api: &mut Api) {
    api.get("/", page)
        .about("pages", "The first page.")
        .reach(Reach::Pages)
        .answers(200);
    api.get("/openapi.json", openapi)
        .about("documents", "Describes this API as OpenAPI 3.1.")
        .answers(200);
}

async fn page(_: Public<Page>) -> Response {
    let nonce = Nonce(BASE64.encode(&rand::random::<[u8; 16]>()));
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (kind, PLACEHOLDER).into_response();
    response.extensions_mut().insert(nonce);
    response
}

async fn openapi(_: Allow<HealthView>) -> Given<Value> {
    given(documents::openapi(&super::table()))
}
