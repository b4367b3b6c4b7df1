//! The parent of a child stream, as the path names it.

use super::stream::table;
use crate::failure::{Failure, invalid};
use crate::rest::spec::EndpointSpec;
use crate::rest::template::{self, Part};
use domain::names::normalize;
use domain::say::Quoted;
use domain::{Say, say};
use serde_json::Value;

/// The stream whose records a child stream is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rest) struct Parent {
    /// The parent's table.
    pub(in crate::rest) stream: String,
    /// The parent's fields that the child needs: those of its path and parameters, then those its rows carry.
    pub(in crate::rest) fields: Vec<String>,
    /// Fields that the child's rows carry, and their keys there.
    pub(in crate::rest) included: Vec<(String, String)>,
}

/// Returns the parent that the `{parent.field}`s of path and parameters name; dlt writes `{resources.parent.field}`.
pub(super) fn find(
    spec: &EndpointSpec,
    names: &[String],
    place: &Say,
) -> Result<Option<Parent>, Failure> {
    let mut parent: Option<Parent> = None;
    let params = spec.params.values().filter_map(Value::as_str);
    let texts = std::iter::once(spec.path.as_str()).chain(params);
    for part in texts.flat_map(template::parts) {
        let Part::Name(name) = part else { continue };
        let Some((stream, field)) = parent_field(name) else {
            continue;
        };
        let stream = normalize(stream);
        if !names.contains(&stream) || stream == table(spec) {
            return Err(invalid(say!(
                "", *place, ": ", name Quoted(name), " names no other endpoint"
            )));
        }
        let known = parent.get_or_insert_with(|| Parent::new(&stream));
        if known.stream != stream {
            return Err(invalid(say!(
                "",
                *place,
                ": two parents are named; one is possible"
            )));
        }
        known.need(field);
    }
    match &mut parent {
        Some(parent) => spec
            .include_from_parent
            .iter()
            .for_each(|field| parent.include(field)),
        None if spec.include_from_parent.is_empty() => {}
        None => {
            return Err(invalid(say!(
                "",
                *place,
                ": `include_from_parent` needs a `{parent.field}` in the path"
            )));
        }
    }
    Ok(parent)
}

impl Parent {
    fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            fields: Vec::new(),
            included: Vec::new(),
        }
    }

    fn need(&mut self, field: &str) {
        if !self.fields.iter().any(|known| known == field) {
            self.fields.push(field.to_owned());
        }
    }

    fn include(&mut self, field: &str) {
        self.need(field);
        let key = format!("_{}_{}", self.stream, normalize(field));
        self.included.push((field.to_owned(), key));
    }
}

/// Splits `parent.field`.
pub(in crate::rest) fn parent_field(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("resources.")
        .unwrap_or(name)
        .split_once('.')
}
