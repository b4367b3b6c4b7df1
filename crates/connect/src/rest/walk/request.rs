//! The request for one page.

use super::Route;
use crate::failure::{Failure, FailureKind};
use crate::http::{Request, Signature};
use crate::rest::paginate::{self, Step};
use crate::rest::plan::{Param, StreamPlan, parent_field};
use crate::rest::template;
use crate::rest::values::scalar;
use domain::say;
use domain::say::Quoted;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use security::Plain;
use serde_json::Value;
use url::Url;

impl Route<'_> {
    /// Returns the request for `step`, and what signs it besides the API's own signature.
    pub(super) fn request(&self, step: &Step) -> Result<(Request, Signature), Failure> {
        let stream = self.stream;
        let link = match step {
            Step::Url(url) => Some(url.as_str()),
            _ => self.list,
        };
        let mut url = match link {
            Some(link) => self.link(link)?,
            None => self.url()?,
        };
        let mut signature = Signature::default();
        for (name, value) in &stream.headers {
            signature.header(name.clone(), value);
        }
        for param in &stream.params {
            if param.is_secret {
                signature.param(&param.name, &Plain::new(self.param(param)?));
            } else if link.is_none() {
                // A link has its parameters already.
                url.query_pairs_mut()
                    .append_pair(&param.name, &self.param(param)?);
            }
        }
        let mut request = Request {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
        };
        let mut asked = paginate::params(&stream.paginator, step);
        let is_post = stream.is_post && self.list.is_none();
        if link.is_none() || is_post {
            asked.splice(0..0, self.bounds());
        }
        if is_post {
            post(&mut request, stream, asked)?;
        } else {
            for (name, value) in asked {
                let value = scalar(&value).unwrap_or_default();
                set_param(&mut request.url, &name, &value);
            }
        }
        Ok((request, signature))
    }

    /// Returns the URL that the API named.
    fn link(&self, link: &str) -> Result<Url, Failure> {
        let mut url = self.plan.base.join(link).map_err(|error| {
            Failure::new(FailureKind::Protocol, "the link to the next page is no URL")
                .caused_by(error)
        })?;
        self.plan.hosts.secure(&mut url);
        Ok(url)
    }

    /// Returns the URL of the endpoint, without parameters.
    fn url(&self) -> Result<Url, Failure> {
        let stream = self.stream;
        let path = template::fill(&stream.target, |name| {
            let segment = template::path_segment(&self.parent_value(name)?);
            segment.ok_or_else(|| self.no_parent_value(name))
        })?;
        // Every path lies below the base URL, with or without a slash at its start.
        let url = self.plan.base.join(path.trim_start_matches('/'));
        url.map_err(|error| {
            Failure::new(
                FailureKind::ConfigInvalid,
                say!("the path ", name Quoted(&stream.path), " cannot be part of a URL"),
            )
            .caused_by(error)
        })
    }

    /// Returns the value of a parameter, with the parent's fields filled in.
    fn param(&self, param: &Param) -> Result<String, Failure> {
        let value = param.value.expose();
        if self.stream.parent.is_none() {
            return Ok(value.clone());
        }
        template::fill(value, |name| self.parent_value(name))
    }

    /// Returns the bounds of this sync, as a body writes them.
    fn bounds(&self) -> Vec<(String, Value)> {
        let Some(incremental) = &self.stream.incremental else {
            return Vec::new();
        };
        let bound = |(name, text): &(String, String)| (name.clone(), incremental.to_json(text));
        self.bounds.iter().map(bound).collect()
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

/// Asks by a body: what is asked for stands there, and not in the URL.
fn post(
    request: &mut Request,
    stream: &StreamPlan,
    asked: Vec<(String, Value)>,
) -> Result<(), Failure> {
    let mut body = stream.body.clone().unwrap_or_default();
    body.extend(asked);
    let body = serde_json::to_vec(&body).map_err(|error| {
        Failure::new(
            FailureKind::ConfigInvalid,
            "the endpoint's `body` cannot be written as JSON",
        )
        .caused_by(error)
    })?;
    request.method = Method::POST;
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
