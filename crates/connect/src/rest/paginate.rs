//! Which page comes next: decided from the answer alone, so that every rule is a table test.

mod link;
mod usual;

use super::select::Path;
use super::spec::{PaginatorKind, PaginatorSpec};
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// How a page is asked for. As JSON it is the stream's resume key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// As the endpoint is described, nothing added.
    First,
    Page(i64),
    Offset(u64),
    Cursor {
        param: String,
        /// As the API wrote it, text or number.
        value: Value,
    },
    Url(String),
}

/// An answer, as a paginator looks at it.
pub(super) struct Seen<'a> {
    /// The body; where the records were there may be nothing any more.
    pub(super) body: &'a Value,
    pub(super) records: &'a [Value],
    pub(super) headers: &'a HeaderMap,
    pub(super) url: &'a Url,
}

/// Returns how the first page is asked for.
pub(super) fn first(spec: &PaginatorSpec) -> Step {
    match spec.kind {
        PaginatorKind::PageNumber => Step::Page(spec.first_page.unwrap_or(0)),
        PaginatorKind::Offset => Step::Offset(spec.offset.unwrap_or(0)),
        _ => Step::First,
    }
}

/// Returns whether `step` is a guess: an API that counts from 1 may refuse page 0, or have nothing there.
pub(super) fn is_guess(spec: &PaginatorSpec, step: &Step) -> bool {
    spec.kind == PaginatorKind::PageNumber && spec.first_page.is_none() && *step == Step::Page(0)
}

/// Returns the parameters that ask for `step`.
pub(super) fn params(spec: &PaginatorSpec, step: &Step) -> Vec<(String, Value)> {
    let named =
        |name: &Option<String>, default: &str| name.clone().unwrap_or_else(|| default.into());
    let mut params = match step {
        Step::First | Step::Url(_) => Vec::new(),
        Step::Page(page) => vec![(named(&spec.page_param, "page"), (*page).into())],
        Step::Offset(offset) => vec![(named(&spec.offset_param, "offset"), (*offset).into())],
        Step::Cursor { param, value } => vec![(param.clone(), value.clone())],
    };
    if let Some(limit) = spec.limit
        && !matches!(step, Step::Url(_))
    {
        params.push((named(&spec.limit_param, "limit"), limit.into()));
    }
    params
}

/// Returns whether `body` says that there is more; `None` when the paginator does not say where it would.
pub(super) fn has_more(spec: &PaginatorSpec, body: &Value) -> Option<bool> {
    let path = spec.has_more_path.as_ref()?;
    Some(is_true(Path::parse(path).get(body)))
}

/// Returns how the page after `step` is asked for, `None` after the last.
pub(super) fn next(
    spec: &PaginatorSpec,
    step: &Step,
    seen: &Seen<'_>,
) -> Result<Option<Step>, Failure> {
    if has_more(spec, seen.body) == Some(false) {
        return Ok(None);
    }
    match spec.kind {
        PaginatorKind::None => Ok(None),
        PaginatorKind::Auto => usual::next(step, seen),
        PaginatorKind::PageNumber => Ok(next_page(spec, step, seen)),
        PaginatorKind::Offset => Ok(next_offset(spec, step, seen)),
        PaginatorKind::Cursor => {
            let path = spec.cursor_path.as_deref().unwrap_or("cursors.next");
            Ok(cursor(
                spec,
                "cursor",
                Path::parse(path).get(seen.body).and_then(cursor_value),
            ))
        }
        PaginatorKind::HeaderCursor => {
            let name = spec.cursor_header.as_deref().unwrap_or("x-next-cursor");
            let value = seen.headers.get(name).and_then(|value| value.to_str().ok());
            let value = value.filter(|value| !value.is_empty());
            Ok(cursor(spec, "cursor", value.map(Value::from)))
        }
        PaginatorKind::LastRecord => after_last_record(spec, seen),
        PaginatorKind::HeaderLink => {
            let relation = spec.link_relation.as_deref().unwrap_or("next");
            link::find(seen.headers, relation)
                .map(|link| absolute(seen.url, &link))
                .transpose()
        }
        PaginatorKind::JsonLink => {
            let path = spec.next_url_path.as_deref().unwrap_or("next");
            let link = Path::parse(path).get(seen.body).and_then(text);
            link.map(|link| absolute(seen.url, link)).transpose()
        }
    }
}

fn next_page(spec: &PaginatorSpec, step: &Step, seen: &Seen<'_>) -> Option<Step> {
    let Step::Page(page) = step else { return None };
    let next = page.checked_add(1)?;
    if seen.records.is_empty() && spec.stop_after_empty_page != Some(false) {
        return None;
    }
    // The total counts pages from 1 unless the first page has another number.
    let first = spec.first_page.unwrap_or(1);
    let total = spec
        .total_path
        .as_ref()
        .and_then(|path| number(Path::parse(path).get(seen.body)?));
    let is_over = total.is_some_and(|total| next >= total.saturating_add(first))
        || spec.page_max.is_some_and(|last| next > last);
    (!is_over).then_some(Step::Page(next))
}

fn next_offset(spec: &PaginatorSpec, step: &Step, seen: &Seen<'_>) -> Option<Step> {
    let Step::Offset(offset) = step else {
        return None;
    };
    let count = u64::try_from(seen.records.len()).unwrap_or(u64::MAX);
    // By what came, not by what was asked for: a server that gives less than the limit must not make holes.
    let next = offset.checked_add(count).filter(|next| next > offset)?;
    let total = spec
        .total_path
        .as_ref()
        .and_then(|path| number(Path::parse(path).get(seen.body)?));
    let is_over = total.is_some_and(|total| i64::try_from(next).is_ok_and(|next| next >= total))
        || spec.offset_max.is_some_and(|last| next >= last);
    (!is_over).then_some(Step::Offset(next))
}

fn cursor(spec: &PaginatorSpec, param: &str, value: Option<Value>) -> Option<Step> {
    let param = spec.cursor_param.as_deref().unwrap_or(param).to_owned();
    value.map(|value| Step::Cursor { param, value })
}

fn after_last_record(spec: &PaginatorSpec, seen: &Seen<'_>) -> Result<Option<Step>, Failure> {
    let Some(last) = seen.records.last() else {
        return Ok(None);
    };
    let field = spec.record_field.as_deref().unwrap_or("id");
    match Path::parse(field).get(last).and_then(cursor_value) {
        Some(value) => Ok(cursor(spec, "starting_after", Some(value))),
        None => Err(Failure::new(
            FailureKind::Protocol,
            say!("the last record of a page has no ", name Quoted(field), ", after which the next page would start"),
        )),
    }
}

/// Returns the step of a link, which may be relative to the page it stands on.
fn absolute(base: &Url, link: &str) -> Result<Step, Failure> {
    base.join(link)
        .map(|url| Step::Url(url.into()))
        .map_err(|error| {
            Failure::new(FailureKind::Protocol, "the link to the next page is no URL")
                .caused_by(error)
        })
}

/// Returns a text or number; `None` for anything that means "no more".
fn cursor_value(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(_) | Value::Number(_) => Some(value.clone()),
        _ => None,
    }
}

/// Returns a text that says something.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn number(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(more)) => *more,
        Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        // A link or an object in the place of a yes.
        Some(Value::Array(_) | Value::Object(_)) => true,
        Some(Value::Null) | None => false,
    }
}

#[cfg(test)]
mod tests;
