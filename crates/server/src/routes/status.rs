//! How the server is doing, for whoever is signed in; and its log.

use crate::extract::{Given, Search, given};
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::table::Api;
use app::sources::SourceSummary;
use axum::extract::State;
use security::Allow;
use security::permissions::{HealthView, LogsView, SourceView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// getdango's default and what one answer holds.
const LINES_DEFAULT: usize = 1_000;
const LINES_MAX: usize = 10_000;

pub(super) fn add(api: &mut Api) {
    api.get("/status", status)
        .about(
            "status",
            "Says how long the server runs, where, and what its sources last did.",
        )
        .gives::<Status>(200);
    api.get("/logs", logs)
        .about(
            "status",
            "Returns the last lines of the log, newest first; secrets are masked.",
        )
        .asks("limit", "how many lines, 1000 unless said otherwise")
        .gives::<Logs>(200);
}

/// How the server is doing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "getdango's name of the field")]
pub(crate) struct Status {
    pub(crate) status: String,
    pub(crate) dango_version: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) uptime_seconds: u64,
    pub(crate) syncs_running: u64,
    pub(crate) sources: Vec<SourceState>,
}

/// A source, and how its last sync ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SourceState {
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) enabled: bool,
    pub(crate) last_sync_at: Option<String>,
    pub(crate) last_sync_state: Option<String>,
    pub(crate) problem: Option<String>,
}

impl From<SourceSummary> for SourceState {
    fn from(source: SourceSummary) -> Self {
        let last = source.last_sync;
        Self {
            name: source.name,
            kind: source.kind,
            enabled: source.enabled,
            last_sync_at: last.as_ref().map(|run| run.started_at.to_rfc3339()),
            last_sync_state: last.map(|run| run.state),
            problem: source.problem,
        }
    }
}

/// Returns how the server is doing.
pub(super) async fn look(server: &Server, view: &Allow<SourceView>) -> app::Result<Status> {
    let app = server.app();
    let micros = app.clock.now().micros_since(server.started_at);
    let sources = app::sources::list(app, view).await?;
    Ok(Status {
        status: "running".to_owned(),
        dango_version: super::health::VERSION.to_owned(),
        addresses: server.addresses.clone(),
        uptime_seconds: u64::try_from(micros / 1_000_000).unwrap_or(0),
        syncs_running: server.syncs.running_count(),
        sources: sources.into_iter().map(SourceState::from).collect(),
    })
}

async fn status(allow: Allow<HealthView>, State(server): State<Server>) -> Reply<Given<Status>> {
    let view = server
        .app()
        .authorize::<SourceView>(allow.actor(), allow.request())
        .await?;
    Ok(given(look(&server, &view).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tail {
    limit: Option<usize>,
}

/// Lines of the log.
#[derive(Serialize, ToSchema)]
struct Logs {
    items: Vec<Value>,
}

async fn logs(
    allow: Allow<LogsView>,
    State(server): State<Server>,
    Search(tail): Search<Tail>,
) -> Reply<Given<Logs>> {
    let limit = tail.limit.unwrap_or(LINES_DEFAULT).min(LINES_MAX);
    let read = tokio::task::spawn_blocking(move || app::logging::tail(server.app(), &allow, limit));
    let items = read
        .await
        .map_err(|error| Problem::new(app::Error::bug("the log was not read").caused_by(error)))?;
    Ok(given(Logs { items: items? }))
}
