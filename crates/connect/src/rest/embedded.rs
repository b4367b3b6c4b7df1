//! Lists inside a record that are only the first page of themselves, as Stripe's `lines` of an invoice: where one says that
//! there is more, it is read from its own URL. That is one request more for the few records with long lists, not for all.

use super::fetch::Fetcher;
use super::paginate;
use super::parents::Fields;
use super::plan::{Plan, StreamPlan};
use super::select::Path;
use super::walk::{Route, Walk};
use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Say, say};
use serde_json::Value;

/// More entries than this are a stream of their own, and too much for one record in memory.
const ENTRIES_MAX: usize = 100_000;

/// What that took and found.
#[derive(Default)]
pub(super) struct Completed {
    pub(super) bytes: u64,
    pub(super) warnings: Vec<String>,
}

/// Reads the lists of `records` to their end.
pub(super) async fn complete(
    plan: &Plan,
    fetcher: &mut Fetcher,
    stream: &StreamPlan,
    parent: Option<&Fields>,
    records: &mut [Value],
) -> Result<Completed, Failure> {
    let mut completed = Completed::default();
    for record in records {
        for path in &stream.embedded {
            let Some(list) = path.get_mut(record).filter(|list| is_cut(stream, list)) else {
                continue;
            };
            let url = list.get("url").and_then(Value::as_str);
            let url = url.ok_or_else(|| endless(stream, path, &Say::new("it has no `url`")))?;
            let route = Route {
                plan,
                stream,
                parent,
                bounds: Vec::new(),
                list: Some(url),
            };
            let mut walk = Walk::new(route, None);
            let mut entries = Vec::new();
            while let Some(mut page) = walk.next(fetcher).await? {
                completed.bytes += page.bytes;
                entries.append(&mut page.records);
                if entries.len() > ENTRIES_MAX {
                    let why = say!("it has more than ", ENTRIES_MAX, " entries");
                    return Err(endless(stream, path, &why));
                }
            }
            if entries.is_empty() {
                let why = Say::new("nothing is at its `url`");
                return Err(endless(stream, path, &why));
            }
            completed.warnings.append(&mut walk.take_warnings());
            put(stream, list, entries);
        }
    }
    Ok(completed)
}

fn is_cut(stream: &StreamPlan, list: &Value) -> bool {
    paginate::has_more(&stream.paginator, list) == Some(true)
}

/// Puts all `entries` in the place of the first ones.
fn put(stream: &StreamPlan, list: &mut Value, entries: Vec<Value>) {
    if let Some(place) = stream.selector.get().and_then(|path| path.get_mut(list)) {
        *place = entries.into();
    }
    let has_more = stream.paginator.has_more_path.as_deref().map(Path::parse);
    if let Some(place) = has_more.as_ref().and_then(|path| path.get_mut(list)) {
        *place = false.into();
    }
}

fn endless(stream: &StreamPlan, path: &Path, why: &Say) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!(
            "the list ", name Quoted(&path.keys().join(".")), " of a record of stream ",
            name Quoted(&stream.name), " cannot be read to its end: ", *why
        ),
    )
    .hint("take it out of the endpoint's `embedded_lists`, and only its first entries are read")
}
