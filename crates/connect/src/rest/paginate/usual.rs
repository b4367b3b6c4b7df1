//! Where APIs usually say what the next page is, for endpoints that name no paginator. An answer that says that there is
//! more, and not in a way that can be followed, is a failure.

use super::{Seen, Step, absolute, cursor_value, is_true, link, number, text};
use crate::failure::{Failure, FailureKind};
use crate::rest::select::Path;
use domain::say;
use domain::say::Quoted;
use serde_json::Value;

/// Places of a link to the next page.
const LINKS: [&[&str]; 17] = [
    &["next"],
    &["next_url"],
    &["next_page"],
    &["next_page", "uri"],
    &["next_page_url"],
    &["nextPage"],
    &["links", "next"],
    &["links", "next", "href"],
    &["_links", "next"],
    &["_links", "next", "href"],
    &["paging", "next"],
    &["pagination", "next"],
    &["pagination", "next_url"],
    &["meta", "next"],
    &["info", "next"],
    &["@odata.nextLink"],
    &["nextLink"],
];
/// Places of a cursor, and the parameter that takes it.
const CURSORS: [(&[&str], &str); 9] = [
    (&["next_cursor"], "cursor"),
    (&["nextCursor"], "cursor"),
    (&["cursors", "next"], "cursor"),
    (&["cursor", "next"], "cursor"),
    (&["meta", "next_cursor"], "cursor"),
    (&["pagination", "next_cursor"], "cursor"),
    (&["response_metadata", "next_cursor"], "cursor"),
    (&["nextPageToken"], "pageToken"),
    (&["next_page_token"], "page_token"),
];

/// Where the words below may stand, besides the answer itself.
const PLACES: [&str; 10] = [
    "meta",
    "links",
    "_links",
    "pagination",
    "paging",
    "page",
    "pageInfo",
    "page_info",
    "info",
    "response_metadata",
];
/// The number of the next page, which is asked for with `page`. An API that means something else by it answers with the same
/// page again, and that is noticed.
const PAGES: [&str; 2] = ["next_page", "nextPage"];
/// Words whose value is the next page, or says that there is one.
const NEXT: [&str; 4] = ["next", "next_page", "nextPage", "nextPageToken"];
const MORE: [&str; 7] = [
    "has_more",
    "hasMore",
    "has_next",
    "hasNext",
    "has_next_page",
    "hasNextPage",
    "more",
];
/// Words that say whether this was the last page.
const LAST: [&str; 3] = ["last", "is_last", "isLast"];
/// How many pages there are.
const TOTALS: [&str; 6] = [
    "total_pages",
    "totalPages",
    "page_count",
    "pageCount",
    "last_page",
    "pages",
];

/// Returns the next page if the answer names it in a usual place.
pub(super) fn next(step: &Step, seen: &Seen<'_>) -> Result<Option<Step>, Failure> {
    if let Some(target) = link::find(seen.headers, "next") {
        return absolute(seen.url, &target).map(Some);
    }
    let mut links = LINKS.iter().filter_map(|place| {
        let link = Path::of(place).get(seen.body).and_then(text)?;
        is_link(link).then_some(link)
    });
    if let Some(link) = links.next() {
        return absolute(seen.url, link).map(Some);
    }
    let cursor = CURSORS.iter().find_map(|(place, param)| {
        let value = Path::of(place).get(seen.body).and_then(cursor_value)?;
        Some(Step::Cursor {
            param: (*param).to_owned(),
            value,
        })
    });
    let page = || {
        let (_, page) = find(seen.body, &PAGES, |value| number(value).is_some())?;
        number(page).filter(|page| *page > 0).map(Step::Page)
    };
    if let Some(next) = cursor.or_else(page) {
        return Ok(Some(next));
    }
    match promise(step, seen.body) {
        Some(word) => Err(unknown_way(&word)),
        None => Ok(None),
    }
}

/// Returns the word by which `body` says that there is another page.
fn promise(step: &Step, body: &Value) -> Option<String> {
    let is_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(entries) => entries.values().any(|value| !value.is_null()),
        _ => true,
    };
    let is_several = |value: &Value| number(value).is_some_and(|pages| pages > 1);
    let found = find(body, &MORE, |value| is_true(Some(value)))
        .or_else(|| find(body, &NEXT, is_something))
        .or_else(|| find(body, &LAST, |value| *value == Value::Bool(false)))
        // On later pages it says nothing of how many are left.
        .or_else(|| find(body, &TOTALS, is_several).filter(|_| *step == Step::First));
    found.map(|(word, _)| word)
}

/// Returns the first of `words` in `body`, or in one of the usual places in it, whose value is `wanted`.
fn find<'a>(
    body: &'a Value,
    words: &[&str],
    wanted: impl Fn(&Value) -> bool,
) -> Option<(String, &'a Value)> {
    let own = words
        .iter()
        .map(|word| ((*word).to_owned(), body.get(word)));
    let placed = PLACES.iter().flat_map(|place| {
        let inside = body.get(place);
        words.iter().map(move |word| {
            let value = inside.and_then(|inside| inside.get(word));
            (format!("{place}.{word}"), value)
        })
    });
    own.chain(placed)
        .filter_map(|(word, value)| Some((word, value?)))
        .find(|(_, value)| wanted(value))
}

fn unknown_way(word: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("an answer says by ", name Quoted(word), " that there is more, but not how to ask for it"),
    )
    .hint("set the endpoint's `paginator` to how this API pages; `single_page` takes the first page alone")
}

/// A word or number in such a place is no link.
fn is_link(text: &str) -> bool {
    ["https://", "http://", "/", "?"]
        .iter()
        .any(|start| text.starts_with(start))
}
