//! One stream: an endpoint with the API's defaults.

use super::api::Overrides;
use super::ask::{self, Param};
use super::parent::{self, Parent};
use crate::failure::{Failure, invalid};
use crate::rest::incremental::Incremental;
use crate::rest::select::Path;
use crate::rest::spec::{
    Api, EndpointSpec, ErrorRule, Method, OneOrMany, PaginatorKind, PaginatorSpec,
};
use crate::rest::values::Values;
use domain::names::normalize;
use domain::say::Quoted;
use domain::{Disposition, Say, say};
use reqwest::header::HeaderName;
use security::Plain;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// getdango's primary key for REST sources.
const PRIMARY_KEY_DEFAULT: &str = "id";

/// What endpoints take from their API.
pub(super) struct Defaults<'a> {
    pub(super) api: &'a Api,
    pub(super) overrides: &'a Overrides,
    pub(super) values: &'a Values<'a>,
    pub(super) place: &'a Say,
    /// A secret field is filled into `base_url`.
    pub(super) has_secret_base: bool,
}

/// A stream, ready to be read.
pub(in crate::rest) struct StreamPlan {
    /// The table.
    pub(in crate::rest) name: String,
    aliases: Vec<String>,
    pub(in crate::rest) is_chosen: bool,
    /// The path as it was written; the only form that is ever shown.
    pub(in crate::rest) path: String,
    /// The path with the source's fields filled in, the parent's not.
    pub(in crate::rest) target: String,
    pub(in crate::rest) is_post: bool,
    pub(in crate::rest) params: Vec<Param>,
    /// The endpoint's own headers: each is part of what signs a request.
    pub(in crate::rest) headers: Vec<(HeaderName, Plain<String>)>,
    /// A secret field is filled into the path or the base URL.
    has_secret_path: bool,
    pub(in crate::rest) body: Option<Map<String, Value>>,
    /// Where the records are: as described, or as they were found in the first answer that had some.
    pub(in crate::rest) selector: OnceLock<Path>,
    /// Lists inside a record that hold only their first entries.
    pub(in crate::rest) embedded: Vec<Path>,
    pub(in crate::rest) paginator: PaginatorSpec,
    pub(in crate::rest) primary_key: Vec<String>,
    pub(in crate::rest) disposition: Disposition,
    pub(in crate::rest) incremental: Option<Incremental>,
    pub(in crate::rest) parent: Option<Parent>,
    pub(in crate::rest) errors: Vec<ErrorRule>,
    pub(in crate::rest) json_columns: Vec<String>,
    pub(in crate::rest) is_resumable: bool,
}

impl Defaults<'_> {
    /// Returns the tables of all endpoints.
    pub(super) fn names(&self) -> Vec<String> {
        self.api
            .endpoints
            .iter()
            .map(|endpoint| table(&endpoint.0))
            .collect()
    }
}

impl StreamPlan {
    /// Returns the plan of `spec`; `names` are the tables of all endpoints, among which its parent is.
    pub(super) fn new(
        spec: &EndpointSpec,
        defaults: &Defaults<'_>,
        names: &[String],
    ) -> Result<Self, Failure> {
        let api = defaults.api;
        let name = table(spec);
        let place = say!("", *defaults.place, ", endpoint ", name Quoted(&name));
        if spec.path.trim().is_empty() && spec.name.is_none() {
            return Err(invalid(say!("", place, ": `path` is missing")));
        }
        let parent = parent::find(spec, names, &place)?;
        let incremental = spec.incremental.as_ref().map(|incremental| {
            let from = |own: &Option<String>, api: &Option<String>| own.clone().or(api.clone());
            let start = from(&defaults.overrides.start_date, &api.start_date);
            let end = from(&defaults.overrides.end_date, &api.end_date);
            let days = defaults.overrides.lookback_days.or(api.lookback_days);
            Incremental::new(
                incremental,
                &place,
                (start.as_deref(), end.as_deref()),
                days,
            )
        });
        let incremental = incremental.transpose()?;
        let (disposition, primary_key) = keyed(spec, api, &place)?;
        if incremental.is_some() && (disposition != Disposition::Merge || primary_key.is_empty()) {
            return Err(invalid(say!(
                "", place, ": `incremental` needs `disposition: merge` and a `primary_key`"
            ))
            .hint("records at the edge of two syncs are read twice, and only a key tells that they are the same"));
        }
        let paginator = spec.paginator.as_ref().or(api.paginator.as_ref());
        let paginator = paginator
            .map(|paginator| paginator.0.clone())
            .unwrap_or_default();
        check_paginator(&paginator, &place)?;
        let has_secret_path = defaults.has_secret_base || defaults.values.fills_secret(&spec.path);
        if spec.resumable == Some(true) && has_secret_path && paginator.kind.follows_links() {
            return Err(invalid(say!(
                "",
                place,
                ": `resumable` would write down links with the secret that is in this path"
            ))
            .hint("send the secret as a header or a parameter, or leave `resumable` away"));
        }
        let selector = spec.data_selector.as_ref().or(api.data_selector.as_ref());
        if !spec.embedded_lists.is_empty()
            && (selector.is_none() || paginator.has_more_path.is_none())
        {
            return Err(invalid(say!(
                "",
                place,
                ": `embedded_lists` needs a `data_selector` and the paginator's `has_more_path`, which hold for these lists too"
            )));
        }
        let is_ordered = matches!(
            paginator.kind,
            PaginatorKind::LastRecord | PaginatorKind::Cursor
        );
        let resumes = is_ordered && incremental.is_some() && parent.is_none();
        let is_told_apart = !primary_key.is_empty() && disposition != Disposition::Append;
        if spec.resumable == Some(true) && !is_told_apart {
            return Err(invalid(say!(
                "", place, ": `resumable` needs a `primary_key`, and `disposition: merge` or `replace`"
            ))
            .hint("records around the place where a load was cut off may be read twice, and only a key tells that they are the same"));
        }
        Ok(Self {
            is_chosen: true,
            aliases: spec.aliases.clone(),
            path: spec.path.clone(),
            target: ask::target(spec, defaults, &place)?,
            is_post: spec.method == Method::Post,
            params: ask::params(spec, defaults, &place)?,
            headers: ask::headers(&spec.headers, defaults.values, &place)?,
            has_secret_path,
            body: spec.body.clone(),
            selector: selector.map_or_else(OnceLock::new, |path| Path::parse(path).into()),
            embedded: spec
                .embedded_lists
                .iter()
                .map(|path| Path::parse(path))
                .collect(),
            paginator,
            primary_key,
            disposition,
            is_resumable: parent.is_none() && spec.resumable.unwrap_or(resumes),
            incremental,
            parent,
            errors: spec.errors.iter().chain(&api.errors).cloned().collect(),
            json_columns: spec
                .json_columns
                .iter()
                .map(|column| flattened(column))
                .collect(),
            name,
        })
    }

    /// Returns whether a secret goes along with the requests of this stream, besides the API's own.
    pub(super) fn has_secret(&self) -> bool {
        self.has_secret_path
            || !self.headers.is_empty()
            || self.params.iter().any(|param| param.is_secret)
    }

    /// Returns whether `wanted` names this stream, in any spelling.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        let wanted = normalize(wanted);
        self.name == wanted || self.aliases.iter().any(|alias| normalize(alias) == wanted)
    }
}

/// Returns the endpoint's table: its name, or the words of its path that are no version and no field.
pub(super) fn table(spec: &EndpointSpec) -> String {
    if let Some(name) = &spec.name {
        return normalize(name);
    }
    let is_version = |word: &&str| {
        word.strip_prefix('v')
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    let path = spec.path.split(['?', '#']).next().unwrap_or_default();
    let words = path.split('/').filter(|word| {
        !word.is_empty() && !word.contains('{') && !is_version(word) && *word != "api"
    });
    normalize(&words.collect::<Vec<_>>().join("_"))
}

/// Returns how rows reach the table, and what identifies them. Without a word about either it is getdango's default: merged by
/// `id`. A key that is explicitly none leaves replacing.
fn keyed(
    spec: &EndpointSpec,
    api: &Api,
    place: &Say,
) -> Result<(Disposition, Vec<String>), Failure> {
    let disposition = spec.disposition.or(api.disposition);
    let key = spec
        .primary_key
        .as_ref()
        .or(api.primary_key.as_ref())
        .map(OneOrMany::to_vec);
    let key = match (key, disposition) {
        (Some(key), _) => key,
        (None, None | Some(Disposition::Merge)) => vec![PRIMARY_KEY_DEFAULT.to_owned()],
        (None, Some(_)) => Vec::new(),
    };
    let default = if key.is_empty() {
        Disposition::Replace
    } else {
        Disposition::Merge
    };
    let disposition = disposition.unwrap_or(default);
    if disposition == Disposition::Merge && key.is_empty() {
        return Err(invalid(say!(
            "",
            *place,
            ": `disposition: merge` needs a `primary_key`"
        )));
    }
    Ok((
        disposition,
        key.iter().map(|part| flattened(part)).collect(),
    ))
}

/// Returns the column of a record's field: `a.b` is flattened to `a__b`.
fn flattened(field: &str) -> String {
    let keys: Vec<_> = Path::parse(field)
        .keys()
        .iter()
        .flat_map(|k| k.split("__").map(normalize).collect::<Vec<_>>())
        .collect();
    keys.join("__")
}

fn check_paginator(paginator: &PaginatorSpec, place: &Say) -> Result<(), Failure> {
    if paginator.stop_after_empty_page != Some(false) {
        return Ok(());
    }
    if paginator.kind != PaginatorKind::PageNumber {
        return Err(invalid(say!(
            "",
            *place,
            ": `stop_after_empty_page: false` is for `page_number`: after an empty page no other paginator knows the next one"
        )));
    }
    let has_end = paginator.total_path.is_some()
        || paginator.has_more_path.is_some()
        || paginator.page_max.is_some();
    if !has_end {
        return Err(invalid(say!(
            "",
            *place,
            ": `stop_after_empty_page: false` needs `total_path`, `has_more_path` or `maximum_page`, or it would never end"
        )));
    }
    Ok(())
}
