//! Small exchanges with an address that the operator named: a checkpoint sent to it, an anchor read from it. The egress guard
//! decides as for any source; nothing is signed with a credential.

use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::http::{Answer, Hosts, Http, Request, Signature, host};
use domain::say;
use domain::say::Quoted;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use std::time::Duration;
use url::Url;

/// Somebody waits for the command that does this.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Checkpoints of a year are a few megabytes.
const BYTES_MAX: usize = 16 << 20;

/// Sends `body`, a JSON document.
pub async fn post_json(egress: &Egress, url: &Url, body: String) -> Result<(), Failure> {
    exchange(egress, url, Some(body)).await.map(drop)
}

/// Returns the text at `url`.
pub async fn get_text(egress: &Egress, url: &Url) -> Result<String, Failure> {
    let answer = exchange(egress, url, None).await?;
    String::from_utf8(answer.body).map_err(|_| {
        let say = say!("host ", name Quoted(host(url)), " answered with something else than text");
        Failure::new(FailureKind::Protocol, say)
    })
}

async fn exchange(egress: &Egress, url: &Url, body: Option<String>) -> Result<Answer, Failure> {
    let mut hosts = Hosts::default();
    hosts.trust(url);
    if egress.is_permitted(host(url)) {
        hosts.allow_plain(host(url));
    }
    let http = Http::new(egress, hosts, TIMEOUT, BYTES_MAX)?;
    let mut headers = HeaderMap::new();
    if body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let request = Request {
        method: if body.is_some() {
            Method::POST
        } else {
            Method::GET
        },
        url: url.clone(),
        headers,
        body: body.map(String::into_bytes),
    };
    let answer = http.send(request, &Signature::default()).await?;
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let say = say!("host ", name Quoted(host(url)), " answered with status ", answer.status);
    Err(Failure::new(FailureKind::Failed, say).hint("look at what it says about the request"))
}
