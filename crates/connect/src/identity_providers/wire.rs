//! The requests to a provider, for the library that makes them.

use super::{Endpoints, ProviderSettings, faults};
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::http::{Answer, Hosts, Http, Request, host};
use domain::say;
use domain::say::Quoted;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::header::AUTHORIZATION;
use std::pin::Pin;
use std::time::Duration;
use url::Url;

/// Bytes of one answer; the largest is a set of keys, some thousand.
const BODY_BYTES_MAX: usize = 256 << 10;

/// The way to a provider.
pub(super) struct Wire {
    http: Http,
    provider: String,
    /// The one host that may be asked without TLS: where the settings say `http:`, and its private addresses are allowed.
    plain_host: Option<String>,
}

impl Wire {
    pub(super) fn new(
        settings: &ProviderSettings,
        egress: &Egress,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let (Endpoints::Github { api: place, .. } | Endpoints::Oidc { issuer: place }) =
            &settings.endpoints;
        let plain_host = Url::parse(place)
            .ok()
            .filter(|site| site.scheme() == "http" && egress.is_permitted(host(site)))
            .map(|site| host(&site).to_owned());
        Ok(Self {
            http: Http::new(egress, Hosts::default(), timeout, BODY_BYTES_MAX)?,
            provider: settings.name.clone(),
            plain_host,
        })
    }

    /// Forgets where hosts are: a provider lives as long as the server, and an address may move.
    pub(super) fn forget_addresses(&self) {
        self.http.forget_addresses();
    }

    /// Sends a request. Where it goes stands in our settings, or in what the provider says of itself over TLS.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let url = &request.url;
        let is_plain = url.scheme() == "http" && self.plain_host.as_deref() == Some(host(url));
        if url.scheme() != "https" && !is_plain {
            return Err(Failure::new(
                FailureKind::EgressDenied,
                say!("", name Quoted(&self.provider), " would be asked without encryption at host ", name Quoted(host(url))),
            )
            .hint("use `https://`; `http://` is for hosts in `egress.allow_private`"));
        }
        self.http
            .send_once(request)
            .await
            .map_err(|failure| faults::unreachable(&self.provider, failure))
    }

    async fn exchange(&self, asked: HttpRequest) -> Result<HttpResponse, Failure> {
        let (parts, body) = asked.into_parts();
        let url = Url::parse(&parts.uri.to_string())
            .map_err(|error| faults::invalid(&self.provider, error))?;
        let mut headers = parts.headers;
        if let Some(credential) = headers.get_mut(AUTHORIZATION) {
            credential.set_sensitive(true);
        }
        let request = Request {
            method: parts.method,
            url,
            headers,
            body: (!body.is_empty()).then_some(body),
        };
        let answer = self.send(&request).await?;
        let mut response = HttpResponse::new(answer.body);
        *response.status_mut() = reqwest::StatusCode::from_u16(answer.status)
            .map_err(|error| faults::invalid(&self.provider, error))?;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for Wire {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}
