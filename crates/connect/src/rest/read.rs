//! Reading a stream from its start, or from where an earlier attempt stopped.

use super::deliver::{Delivery, Flow};
use super::embedded;
use super::fetch::Fetcher;
use super::incremental::{Incremental, Mark};
use super::paginate::Step;
use super::parents::{self, Fields};
use super::plan::{Plan, StreamPlan};
use super::walk::{Records, Route, Walk};
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, Start};
use domain::say;
use domain::say::Quoted;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

/// Where a load that was cut off goes on: the resume key, as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Position {
    step: Option<Step>,
    /// The highest cursor value so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// The bounds that were asked for: they must stay the same over all attempts of a load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bounds: Vec<(String, String)>,
}

/// Reads `stream` and hands its pages on.
pub(super) async fn read(
    plan: &Plan,
    fetcher: &mut Fetcher,
    stream: &StreamPlan,
    schema: &str,
    start: &Start,
    pages: Sender<Page>,
) -> Result<(), Failure> {
    let time = fetcher.time().clone();
    let position = position(stream, start, &time)?;
    let incremental = stream.incremental.as_ref();
    let mark = incremental
        .zip(position.cursor.as_deref())
        .and_then(|(i, raw)| i.stored(raw));
    let mut delivery = Delivery::new(stream, start, schema, pages, time, mark);
    let contexts = parents::contexts(plan, fetcher, stream).await?;
    for (index, context) in contexts.iter().enumerate() {
        let reading = Reading {
            plan,
            stream,
            position: &position,
            index,
            context: context.as_ref(),
        };
        if reading.read_pages(fetcher, &mut delivery).await? == Flow::Stop {
            break;
        }
    }
    delivery.finish().await
}

/// One endpoint under one parent, being read.
struct Reading<'a> {
    plan: &'a Plan,
    stream: &'a StreamPlan,
    position: &'a Position,
    /// The number of the parent, and its fields.
    index: usize,
    context: Option<&'a Fields>,
}

impl Reading<'_> {
    async fn read_pages(
        &self,
        fetcher: &mut Fetcher,
        delivery: &mut Delivery<'_>,
    ) -> Result<Flow, Failure> {
        let (stream, position) = (self.stream, self.position);
        let route = Route {
            plan: self.plan,
            stream,
            parent: self.context,
            bounds: position.bounds.clone(),
            list: None,
        };
        let mut walk = Walk::new(route, position.step.clone());
        loop {
            let at = walk.position();
            let is_resumed_step = at.is_some() && at == position.step.as_ref();
            let at = at.map(|step| place(self.index, step)).transpose()?;
            let page = match walk.next(fetcher).await {
                Err(failure) if is_resumed_step => return Err(stale(stream, failure)),
                other => other?,
            };
            let (Some(mut page), Some(at)) = (page, at) else {
                return Ok(Flow::Continue);
            };
            delivery.warn(walk.take_warnings());
            delivery.warn(self.complete(fetcher, &mut page).await?);
            let mut flow = delivery.take(at, &page.records, page.bytes).await?;
            if flow == Flow::Continue {
                let step = walk.position().filter(|_| stream.is_resumable);
                let count = page.records.len();
                flow = delivery
                    .flush_if_due(count, |mark| resume_key(step, mark, position))
                    .await?;
            }
            if flow == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
    }

    /// Puts into the records of a page what they have elsewhere, the rest of their lists and the fields of their parent, and
    /// returns what the user should know.
    async fn complete(
        &self,
        fetcher: &mut Fetcher,
        page: &mut Records,
    ) -> Result<Vec<String>, Failure> {
        let (stream, records) = (self.stream, &mut page.records);
        let completed =
            embedded::complete(self.plan, fetcher, stream, self.context, records).await?;
        page.bytes += completed.bytes;
        if let (Some(parent), Some(fields)) = (&stream.parent, self.context) {
            parents::include(parent, fields, records);
        }
        Ok(completed.warnings)
    }
}

/// Returns what the ids of a page's rows without a key are derived from.
fn place(index: usize, step: &Step) -> Result<String, Failure> {
    let step = serde_json::to_string(step).map_err(|error| {
        Failure::new(
            FailureKind::Protocol,
            "a page's position cannot be written down",
        )
        .caused_by(error)
    })?;
    Ok(format!("{index} {step}"))
}

fn resume_key(step: Option<&Step>, mark: Option<&Mark>, position: &Position) -> Option<String> {
    let position = Position {
        step: Some(step?.clone()),
        cursor: mark.map(|mark| mark.raw().to_owned()),
        bounds: position.bounds.clone(),
    };
    serde_json::to_string(&position).ok()
}

/// Returns where to start: where an earlier attempt stopped, or at the first page with this sync's bounds.
fn position(
    stream: &StreamPlan,
    start: &Start,
    time: &crate::http::Time,
) -> Result<Position, Failure> {
    if let Some(resume) = &start.resume {
        return serde_json::from_str(resume).map_err(|error| {
            Failure::new(
                FailureKind::Changed,
                say!("stream ", name Quoted(&stream.name), " cannot go on where it stopped: its position cannot be read"),
            )
            .caused_by(error)
        });
    }
    let bounds = stream
        .incremental
        .as_ref()
        .map(|incremental| bounds(incremental, start, time));
    Ok(Position {
        bounds: bounds.unwrap_or_default(),
        ..Position::default()
    })
}

fn bounds(
    incremental: &Incremental,
    start: &Start,
    time: &crate::http::Time,
) -> Vec<(String, String)> {
    let now = time.now();
    let from = incremental.param.clone().zip(incremental.start(start, now));
    let to = incremental
        .end_param
        .clone()
        .zip(incremental.end(start, now));
    from.into_iter().chain(to).collect()
}

/// A position that the API no longer knows is not the user's failure: the stream starts again.
fn stale(stream: &StreamPlan, failure: Failure) -> Failure {
    if !matches!(
        failure.kind,
        FailureKind::Failed | FailureKind::Missing | FailureKind::ConfigInvalid
    ) {
        return failure;
    }
    Failure::new(
        FailureKind::Changed,
        say!("stream ", name Quoted(&stream.name), " cannot go on where it stopped: ", failure.say),
    )
    .hint("run the sync again: it starts this stream anew")
    .caused_by(failure)
}

/// Returns how many records the first page has.
pub(super) async fn first_page(
    plan: &Plan,
    fetcher: &mut Fetcher,
    stream: &StreamPlan,
) -> Result<Vec<Value>, Failure> {
    let mut walk = Walk::new(
        Route {
            plan,
            stream,
            parent: None,
            bounds: Vec::new(),
            list: None,
        },
        None,
    );
    Ok(walk
        .next(fetcher)
        .await?
        .map(|page| page.records)
        .unwrap_or_default())
}
