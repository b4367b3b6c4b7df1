//! The request for one page.

use super::Route;
use crate::failure::{Failure, FailureKind};
use crate::http::Request;
use crate::rest::paginate::{self, Step};
use crate::rest::plan::{StreamPlan, parent_field};
use crate::rest::template;
use crate::rest::values::scalar;
use domain::say;
use domain::say::Quoted;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use serde_json::Value;
use url::Url;

impl Route<'_> {
    /// Returns the request for `step`, unsigned.
    pub(super) fn request(&self, step: &Step) -> Result<Request, Failure> {
        let stream = self.stream;
        let url = match step {
            Step::Url(url) => Url::parse(url).map_err(|error| {
                Failure::new(FailureKind::Protocol, "the link to the next page is no URL")
                    .caused_by(error)
            })?,
            _ => self.url()?,
        };
        let mut request = Request {
            method: Method::GET,
            url,
            headers: stream.headers.clone(),
            body: None,
        };
        let params = paginate::params(&stream.paginator, step);
        if stream.is_post {
            request.method = Method::POST;
            post(&mut request, stream, params)?;
        } else {
            for (name, value) in params {
                set_param(&mut request.url, &name, &value);
            }
        }
        Ok(request)
    }

    /// Returns the URL of the endpoint with its parameters, before any of a page.
    fn url(&self) -> Result<Url, Failure> {
        let stream = self.stream;
        let path = template::fill(&stream.target, |name| {
            let segment = template::path_segment(&self.parent_value(name)?);
            segment.ok_or_else(|| self.no_parent_value(name))
        })?;
        // Every path lies below the base URL, with or without a slash at its start.
        let mut url = self
            .plan
            .base
            .join(path.trim_start_matches('/'))
            .map_err(|error| {
                Failure::new(
                    FailureKind::ConfigInvalid,
                    say!("the path ", name Quoted(&stream.path), " cannot be part of a URL"),
                )
                .caused_by(error)
            })?;
        for (name, value) in &stream.params {
            if stream.parent.is_none() {
                url.query_pairs_mut().append_pair(name, value);
            } else {
                let value = template::fill(value, |name| self.parent_value(name))?;
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        for (name, value) in &self.bounds {
            set_param(&mut url, name, value);
        }
        Ok(url)
    }

    /// Returns the value of `{parent.field}`.
    fn parent_value(&self, name: &str) -> Result<String, Failure> {
        let field = parent_field(name).map_or(name, |(_, field)| field);
        let value = self.parent.and_then(|fields| fields.get(field));
        value
            .and_then(scalar)
            .ok_or_else(|| self.no_parent_value(name))
    }

    fn no_parent_value(&self, name: &str) -> Failure {
        Failure::new(
            FailureKind::Protocol,
            say!(
                "stream ", name Quoted(&self.stream.name), " cannot be asked for: a parent's ",
                name Quoted(name), " is missing or cannot be part of a path"
            ),
        )
    }
}

fn post(
    request: &mut Request,
    stream: &StreamPlan,
    params: Vec<(String, String)>,
) -> Result<(), Failure> {
    let mut body = stream.body.clone().unwrap_or_default();
    for (name, value) in params {
        // Page numbers and sizes are numbers in a body.
        let value = value
            .parse::<i64>()
            .map_or_else(|_| Value::from(value), Value::from);
        body.insert(name, value);
    }
    let body = serde_json::to_vec(&body).map_err(|error| {
        Failure::new(
            FailureKind::ConfigInvalid,
            "the endpoint's `body` cannot be written as JSON",
        )
        .caused_by(error)
    })?;
    request
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    request.body = Some(body);
    Ok(())
}

/// Sets the parameter `name`, replacing what it was.
fn set_param(url: &mut Url, name: &str, value: &str) {
    remove_param(url, name);
    url.query_pairs_mut().append_pair(name, value);
}

/// Takes the parameter `name` away.
pub(super) fn remove_param(url: &mut Url, name: &str) {
    if !url.query_pairs().any(|(key, _)| key == name) {
        return;
    }
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| key != name)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}
