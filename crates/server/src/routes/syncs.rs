//! Syncs: started here, they go on in the background.

use crate::extract::{Given, Id, Json, Named, given};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::streams;
use crate::syncs::{self, Running};
use crate::table::Api;
use app::Error;
use app::sync::SyncRequest;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{Code, SourceName, Timestamp};
use security::permissions::{SourceSync, SourceView};
use security::{Allow, Event};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;

pub(super) fn add(api: &mut Api) {
    api.post("/sync/trigger", trigger)
        .about(
            "syncs",
            "Syncs sources in the background, every enabled one when none is named.",
        )
        .event(Event::SyncTriggered)
        .event(Event::SyncCompleted)
        .event(Event::SyncFailed)
        .takes::<Trigger>()
        .gives::<Started>(202);
    api.post("/sources/{name}/sync", sync_one)
        .about("syncs", "Syncs one source in the background.")
        .event(Event::SyncTriggered)
        .event(Event::SyncCompleted)
        .event(Event::SyncFailed)
        .takes::<How>()
        .gives::<Started>(202);
    api.get("/sync/status/{id}", status)
        .about("syncs", "Says how far a sync is, or how it ended.")
        .gives::<SyncStatus>(200);
    api.get("/sync/{id}/events", events)
        .about("syncs", "Streams a sync's progress as server-sent events; `Last-Event-ID` goes on where a stream broke off.")
        .slow()
        .answers(200);
    api.post("/sync/{id}/cancel", cancel)
        .about("syncs", "Stops a sync, but for a commit that has begun.")
        .event(Event::SyncInterrupted)
        .gives::<SyncStatus>(200);
}

/// Which sources to sync, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Trigger {
    /// Names; every enabled source when there are none.
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    full_refresh: bool,
    /// Read so far back again: `7d`, `2w`.
    backfill: Option<String>,
    #[serde(default)]
    allow_empty_replace: bool,
}

/// How to sync a source.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default)]
    full_refresh: bool,
    /// Only rows from this moment on, RFC 3339 or a date.
    start_date: Option<String>,
    /// Only rows before this moment.
    end_date: Option<String>,
    #[serde(default)]
    allow_empty_replace: bool,
}

/// A sync that was started.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "getdango's name of the field")]
struct Started {
    success: bool,
    #[schema(value_type = String, format = "uuid")]
    job_id: Uuid,
    sources: Vec<String>,
    status: &'static str,
    started_at: String,
}

impl Started {
    fn of(sync: &Running) -> Given<Self> {
        Given(
            StatusCode::ACCEPTED,
            Self {
                success: true,
                job_id: sync.id,
                sources: sync.sources.clone(),
                status: "started",
                started_at: sync.started_at.to_rfc3339(),
            },
        )
    }
}

fn wrong(place: &str, text: &str) -> Problem {
    Problem::field(&["body", place], "value_error", text)
}

async fn trigger(
    allow: Allow<SourceSync>,
    State(server): State<Server>,
    Json(wanted): Json<Trigger>,
) -> Reply<Given<Started>> {
    let names = wanted.sources.iter().map(|name| SourceName::parse(name));
    let names = names.collect::<Result<_, _>>();
    let names = names.map_err(|error| wrong("sources", &error.to_string()))?;
    let since = match &wanted.backfill {
        None => None,
        Some(age) => {
            let seconds = seconds_of(age)
                .ok_or_else(|| wrong("backfill", "write an age such as `7d`, `2w` or `1m`"))?;
            Some(server.app().clock.now().plus_seconds(-seconds))
        }
    };
    let request = SyncRequest {
        names,
        full_refresh: wanted.full_refresh,
        since,
        allow_empty_replace: wanted.allow_empty_replace,
        ..SyncRequest::default()
    };
    Ok(Started::of(&*syncs::start(&server, allow, request)?))
}

/// Returns the seconds of an age: `7d`, `2w`, `1m` (30 days).
fn seconds_of(age: &str) -> Option<i64> {
    const DAY: i64 = 86_400;
    let (number, days) = match age.strip_suffix(['d', 'w', 'm']) {
        Some(number) if age.ends_with('d') => (number, 1),
        Some(number) if age.ends_with('w') => (number, 7),
        Some(number) => (number, 30),
        None => return None,
    };
    let number = number.parse::<u16>().ok().filter(|number| *number > 0)?;
    Some(i64::from(number) * days * DAY)
}

async fn sync_one(
    allow: Allow<SourceSync>,
    State(server): State<Server>,
    Named(name): Named,
    Json(how): Json<How>,
) -> Reply<Given<Started>> {
    let moment = |place: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => {
            let at = Timestamp::from_rfc3339(text)
                .or_else(|| Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")));
            at.map(Some)
                .ok_or_else(|| wrong(place, "write `2026-01-31` or `2026-01-31T10:00:00Z`"))
        }
    };
    let request = SyncRequest {
        names: vec![name],
        full_refresh: how.full_refresh,
        since: moment("start_date", &how.start_date)?,
        until: moment("end_date", &how.end_date)?,
        allow_empty_replace: how.allow_empty_replace,
        ..SyncRequest::default()
    };
    Ok(Started::of(&*syncs::start(&server, allow, request)?))
}

/// Where a sync stands.
#[derive(Serialize, ToSchema)]
pub(super) struct SyncStatus {
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    sources: Vec<String>,
    /// `running`, `succeeded` or `failed`.
    status: String,
    /// Who started it.
    actor: String,
    started_at: String,
    ended_at: Option<String>,
    /// How each source ended, once all have.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
}

impl SyncStatus {
    fn of(sync: &Running) -> Self {
        let (ended_at, result) = match sync.end() {
            None => (None, None),
            Some((at, end)) => (Some(at.to_rfc3339()), Some(streams::summary(&end))),
        };
        let status = result
            .as_ref()
            .and_then(|result| result.get("status")?.as_str());
        Self {
            id: sync.id,
            sources: sync.sources.clone(),
            status: status.unwrap_or("running").to_owned(),
            actor: sync.actor.clone(),
            started_at: sync.started_at.to_rfc3339(),
            ended_at,
            result,
        }
    }
}

/// Returns the sync of this id.
pub(super) fn find(server: &Server, id: Uuid) -> Result<Arc<Running>, Problem> {
    server.syncs.find(id).ok_or_else(|| {
        let error = Error::not_found(Code::SyncNotFound, "there is no such sync");
        Problem::new(error.hint("`/sources/NAME/history` has those of long ago"))
    })
}

async fn status(
    _: Allow<SourceView>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<SyncStatus>> {
    Ok(given(SyncStatus::of(&*find(&server, id)?)))
}

async fn events(
    _: Allow<SourceView>,
    State(server): State<Server>,
    Id(id): Id,
    asker: Asker,
    headers: HeaderMap,
) -> Reply<Response> {
    let sync = find(&server, id)?;
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(streams::sync_events(server, asker, sync, last.unwrap_or(0)))
}

async fn cancel(
    _: Allow<SourceSync>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<SyncStatus>> {
    let sync = find(&server, id)?;
    sync.cancel.cancel();
    Ok(given(SyncStatus::of(&sync)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_days_weeks_and_months() {
        assert_eq!(seconds_of("7d"), Some(7 * 86_400));
        assert_eq!(seconds_of("2w"), Some(14 * 86_400));
        assert_eq!(seconds_of("1m"), Some(30 * 86_400));
        for wrong in ["", "d", "0d", "-1d", "7", "7y", "99999d"] {
            assert_eq!(seconds_of(wrong), None, "{wrong}");
        }
    }
}
