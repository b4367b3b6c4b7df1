//! What an endpoint's request is made of, with the source's fields filled in.

use super::parent::parent_field;
use super::stream::{Defaults, invalid};
use crate::failure::Failure;
use crate::rest::spec::EndpointSpec;
use crate::rest::template;
use crate::rest::values::scalar;
use domain::say::Quoted;
use domain::{Say, say};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// Returns the path; the parent's fields stay open.
pub(super) fn target(
    spec: &EndpointSpec,
    defaults: &Defaults<'_>,
    place: &Say,
) -> Result<String, Failure> {
    template::fill(&spec.path, |name| {
        let written = format!("{{{name}}}");
        if parent_field(name).is_some() {
            return Ok(written);
        }
        let value = defaults.values.fill(&written, place)?;
        template::path_segment(value.expose()).ok_or_else(|| {
            invalid(
                say!("", *place, ": the value of ", name Quoted(name), " cannot be part of a path"),
            )
        })
    })
}

/// Returns the parameters: the API's, then the endpoint's own.
pub(super) fn params(
    spec: &EndpointSpec,
    defaults: &Defaults<'_>,
    place: &Say,
) -> Result<Vec<(String, String)>, Failure> {
    let mut merged = defaults.api.params.clone();
    merged.extend(spec.params.clone());
    let mut params = Vec::new();
    for (name, value) in merged {
        let texts = match &value {
            Value::Null => continue,
            // Repeated parameters: `expand=a&expand=b`.
            Value::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>(),
            value => scalar(value).map(|text| vec![text]),
        };
        let texts = texts.ok_or_else(|| {
            invalid(say!("", *place, ": the parameter ", name Quoted(&name), " must be a text, number or boolean"))
        })?;
        for text in texts {
            params.push((name.clone(), open_fill(&text, defaults, place)?));
        }
    }
    Ok(params)
}

/// Fills the source's fields into `text`; the parent's stay open.
fn open_fill(text: &str, defaults: &Defaults<'_>, place: &Say) -> Result<String, Failure> {
    template::fill(text, |name| {
        let written = format!("{{{name}}}");
        if parent_field(name).is_some() {
            return Ok(written);
        }
        Ok(defaults.values.fill(&written, place)?.expose().clone())
    })
}

/// Returns the endpoint's own headers.
pub(super) fn headers(
    spec: &EndpointSpec,
    defaults: &Defaults<'_>,
    place: &Say,
) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &spec.headers {
        let wrong = || invalid(say!("", *place, ": ", name Quoted(name), " cannot be a header"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let value = defaults.values.fill(value, place)?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}
