//! Where APIs usually say what the next page is, for endpoints that name no paginator.

use super::{Seen, Step, absolute, link, text};
use crate::failure::Failure;
use crate::rest::select::Path;

/// Places of a link to the next page.
const LINKS: [&[&str]; 14] = [
    &["next"],
    &["next_url"],
    &["next_page_url"],
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

/// Returns the next page if the answer names it in a usual place.
pub(super) fn next(seen: &Seen<'_>) -> Result<Option<Step>, Failure> {
    if let Some(target) = link::find(seen.headers, "next") {
        return absolute(seen.url, &target).map(Some);
    }
    for place in LINKS {
        let link = Path::of(place)
            .get(seen.body)
            .and_then(text)
            .filter(|link| is_link(link));
        if let Some(link) = link {
            return absolute(seen.url, &link).map(Some);
        }
    }
    Ok(CURSORS.iter().find_map(|(place, param)| {
        let value = Path::of(place).get(seen.body).and_then(text)?;
        Some(Step::Cursor {
            param: (*param).to_owned(),
            value,
        })
    }))
}

/// A word or number in such a place is no link.
fn is_link(text: &str) -> bool {
    ["https://", "http://", "/", "?"]
        .iter()
        .any(|start| text.starts_with(start))
}
