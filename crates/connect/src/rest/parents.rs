//! Child streams: an endpoint that is asked once for each record of another.

use super::fetch::Fetcher;
use super::plan::{Parent, Plan, StreamPlan};
use super::select::Path;
use super::walk::{Route, Walk};
use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::Pin;

/// One request for each of these is a day's work at ten a second; more is a mistake.
const PARENTS_MAX: usize = 1_000_000;
/// Parents of parents of parents are described nowhere.
const GENERATIONS_MAX: usize = 3;

/// The parent's fields that a child needs.
pub(super) type Fields = BTreeMap<String, Value>;

/// Returns what `stream` is to be asked for: once per parent record, or once (`None`) if it has no parent.
pub(super) async fn contexts(
    plan: &Plan,
    fetcher: &mut Fetcher,
    stream: &StreamPlan,
) -> Result<Vec<Option<Fields>>, Failure> {
    collect(plan, fetcher, stream, 0).await
}

type Collecting<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<Option<Fields>>, Failure>> + Send + 'a>>;

fn collect<'a>(
    plan: &'a Plan,
    fetcher: &'a mut Fetcher,
    stream: &'a StreamPlan,
    generation: usize,
) -> Collecting<'a> {
    Box::pin(async move {
        let Some(parent) = &stream.parent else {
            return Ok(vec![None]);
        };
        let Some(source) = plan
            .stream(&parent.stream)
            .filter(|_| generation < GENERATIONS_MAX)
        else {
            return Err(Failure::new(
                FailureKind::ConfigInvalid,
                say!("the parents of stream ", name Quoted(&stream.name), " go in a circle or too deep"),
            ));
        };
        let grandparents = collect(plan, fetcher, source, generation + 1).await?;
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        for context in &grandparents {
            // All parents, not only new ones: a child may be new where its parent is old.
            let route = Route {
                plan,
                stream: source,
                parent: context.as_ref(),
                bounds: Vec::new(),
                list: None,
            };
            let mut walk = Walk::new(route, None);
            while let Some(page) = walk.next(fetcher).await? {
                for record in &page.records {
                    let fields = pick(parent, context.as_ref(), record);
                    if seen.insert(serde_json::to_string(&fields).unwrap_or_default()) {
                        found.push(Some(fields));
                    }
                }
                if found.len() > PARENTS_MAX {
                    return Err(too_many(stream, parent));
                }
            }
        }
        Ok(found)
    })
}

/// Returns the fields a child needs; one that the record lacks may be the grandparent's.
fn pick(parent: &Parent, context: Option<&Fields>, record: &Value) -> Fields {
    let inherited = |field: &String| context.and_then(|fields| fields.get(field));
    parent
        .fields
        .iter()
        .filter_map(|field| {
            let value = Path::parse(field)
                .get(record)
                .or_else(|| inherited(field))?;
            Some((field.clone(), value.clone()))
        })
        .collect()
}

fn too_many(stream: &StreamPlan, parent: &Parent) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!(
            "stream ", name Quoted(&stream.name), " would be asked for more than ", PARENTS_MAX,
            " records of ", name Quoted(&parent.stream)
        ),
    )
}

/// Puts the parent's fields into the child's records.
pub(super) fn include(parent: &Parent, fields: &Fields, records: &mut [Value]) {
    for record in records {
        let Value::Object(entries) = record else {
            continue;
        };
        for (field, key) in &parent.included {
            if let Some(value) = fields.get(field) {
                entries.insert(key.clone(), value.clone());
            }
        }
    }
}
