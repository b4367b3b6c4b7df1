//! What an endpoint's request is made of, with the source's fields filled in.

use super::parent::parent_field;
use super::stream::Defaults;
use crate::failure::{Failure, invalid};
use crate::rest::spec::EndpointSpec;
use crate::rest::template;
use crate::rest::values::{Values, scalar};
use domain::say::Quoted;
use domain::{Say, say};
use reqwest::header::HeaderName;
use security::Plain;
use serde_json::Value;
use std::collections::BTreeMap;

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

/// A parameter of the URL. The parent's fields are still open in its value.
pub(in crate::rest) struct Param {
    pub(in crate::rest) name: String,
    pub(in crate::rest) value: Plain<String>,
    /// A secret field was filled in: it is part of what signs the request.
    pub(in crate::rest) is_secret: bool,
}

/// Returns the parameters: the API's, then the endpoint's own.
pub(super) fn params(
    spec: &EndpointSpec,
    defaults: &Defaults<'_>,
    place: &Say,
) -> Result<Vec<Param>, Failure> {
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
            params.push(Param {
                name: name.clone(),
                value: open_fill(&text, defaults, place)?,
                is_secret: defaults.values.fills_secret(&text),
            });
        }
    }
    Ok(params)
}

/// Fills the source's fields into `text`; the parent's stay open.
fn open_fill(text: &str, defaults: &Defaults<'_>, place: &Say) -> Result<Plain<String>, Failure> {
    template::fill(text, |name| {
        let written = format!("{{{name}}}");
        if parent_field(name).is_some() {
            return Ok(written);
        }
        Ok(defaults.values.fill(&written, place)?.expose().clone())
    })
    .map(Plain::new)
}

/// Returns the headers `written`. A header may hold a credential, whatever its name, and is part of what signs the request.
pub(super) fn headers(
    written: &BTreeMap<String, String>,
    values: &Values<'_>,
    place: &Say,
) -> Result<Vec<(HeaderName, Plain<String>)>, Failure> {
    let header = |(name, value): (&String, &String)| {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            invalid(say!("", *place, ": ", name Quoted(name), " cannot be a header's name"))
        })?;
        Ok((parsed, values.fill(value, place)?))
    };
    written.iter().map(header).collect()
}
