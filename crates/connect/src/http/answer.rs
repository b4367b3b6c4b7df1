//! An answer, read within the limit; and what it means that there is none.

use super::host;
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use reqwest::Response;
use reqwest::header::HeaderMap;
use std::error::Error;
use url::Url;

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Where the answer came from, after redirects, without the signature.
    pub(crate) url: Url,
}

/// Reads `response` up to `bytes_max`, counted after decompression.
pub(super) async fn read(
    mut response: Response,
    url: &Url,
    bytes_max: usize,
) -> Result<Answer, Failure> {
    let announced = response
        .content_length()
        .and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > bytes_max) {
        return Err(too_large(url, bytes_max));
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(0));
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(url, error))?
    {
        if body.len() + chunk.len() > bytes_max {
            return Err(too_large(url, bytes_max));
        }
        body.extend_from_slice(&chunk);
    }
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer {
        status,
        headers,
        body,
        url: url.clone(),
    })
}

fn too_large(url: &Url, bytes_max: usize) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("host ", name Quoted(host(url)), " answered with more than ", bytes_max, " bytes"),
    )
    .hint("ask for smaller pages, for instance with the endpoint's `limit` parameter")
}

/// Returns the failure of a request that got no answer.
pub(super) fn unreachable(url: &Url, error: reqwest::Error) -> Failure {
    let host = Quoted(host(url));
    // The URL may hold a credential and is never kept, in the log either.
    let error = error.without_url();
    let failure = if chain(&error).any(<dyn Error>::is::<rustls::Error>) {
        Failure::new(FailureKind::Unreachable, say!("TLS with host ", name host, " failed"))
            .hint("its certificate is expired, for another name, or signed by an authority this machine does not trust")
    } else if error.is_timeout() {
        Failure::new(
            FailureKind::Unreachable,
            say!("host ", name host, " did not answer in time"),
        )
        .hint("try again later; `timeout_seconds` raises the limit")
    } else if error.is_connect() {
        Failure::new(
            FailureKind::Unreachable,
            say!("host ", name host, " cannot be connected to"),
        )
        .hint("check the host and port, and that the service is up")
    } else {
        Failure::new(
            FailureKind::Unreachable,
            say!("host ", name host, " closed the connection before its answer was complete"),
        )
        .hint("run it again: a sync goes on where it stopped")
    };
    failure.caused_by(error)
}

/// Returns `error` and what caused it, through the I/O errors that hide what they wrap from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| {
        let error: &'a (dyn Error + 'static) = *error;
        match error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}
