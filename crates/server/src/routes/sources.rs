//! Sources. Adding one and changing its settings takes `config.manage`: a source names hosts, folders and variables, and whoever
//! may name those could read what is not his.

use super::Page;
use crate::extract::{Given, Json, Named, Paged, Search, given};
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::table::Api;
use app::sources::{Changes, FieldValue, NewSource, RunSummary, SourceSummary};
use axum::extract::State;
use axum::http::StatusCode;
use domain::{ConnectorName, SourceName};
use security::permissions::{ConfigManage, SourceManage, SourceSync, SourceView};
use security::{Allow, Event, Plain};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub(super) fn add(api: &mut Api) {
    api.get("/sources", list)
        .about(
            "sources",
            "Lists the sources and how their last syncs ended.",
        )
        .asks("offset", "items to skip")
        .asks(
            "limit",
            "items in the answer, 50 unless said otherwise, 500 at most",
        )
        .gives_page::<Source>();
    api.post("/sources", create)
        .about(
            "sources",
            "Adds a source; its secrets go to `.dlt/secrets.toml`.",
        )
        .event(Event::SourceAdded)
        .slow()
        .takes::<Creation>()
        .gives::<Created>(201);
    api.get("/sources/{name}/details", details)
        .about(
            "sources",
            "Shows a source: settings (secrets masked), tables, history.",
        )
        .slow()
        .gives::<Details>(200);
    api.patch("/sources/{name}", update)
        .about("sources", "Changes settings of a source.")
        .event(Event::SourceUpdated)
        .takes::<Change>()
        .gives::<Done>(200);
    api.post("/sources/{name}/toggle", toggle)
        .about("sources", "Switches a source on or off.")
        .event(Event::SourceUpdated)
        .takes::<Toggle>()
        .gives::<Done>(200);
    api.delete("/sources/{name}", remove)
        .about(
            "sources",
            "Removes a source; its tables stay unless told otherwise.",
        )
        .event(Event::SourceRemoved)
        .asks("drop_data", "true drops its tables, too")
        .slow()
        .gives::<RemovedSource>(200);
    api.post("/sources/{name}/test", test)
        .about("sources", "Connects to a source and says what answered.")
        .slow()
        .droppable()
        .gives::<Tested>(200);
    api.get("/sources/{name}/history", history)
        .about("sources", "Lists the syncs of a source, newest first.")
        .asks("offset", "items to skip")
        .asks(
            "limit",
            "items in the answer, 50 unless said otherwise, 500 at most",
        )
        .gives_page::<Run>();
}

/// A source in a list.
#[derive(Serialize, ToSchema)]
struct Source {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    enabled: bool,
    description: Option<String>,
    tags: Vec<String>,
    last_sync: Option<Run>,
    /// Why it cannot be used.
    problem: Option<String>,
}

/// A sync that ended.
#[derive(Serialize, ToSchema)]
struct Run {
    load_id: Option<String>,
    state: String,
    started_at: String,
    ended_at: String,
    rows_inserted: u64,
    rows_updated: u64,
    rows_deleted: u64,
    bytes_read: u64,
    schema_changes: Vec<String>,
    warnings: Vec<String>,
    error_code: Option<String>,
    error: Option<String>,
}

impl From<RunSummary> for Run {
    fn from(run: RunSummary) -> Self {
        Self {
            load_id: run.load_id,
            state: run.state,
            started_at: run.started_at.to_rfc3339(),
            ended_at: run.ended_at.to_rfc3339(),
            rows_inserted: run.rows_inserted,
            rows_updated: run.rows_updated,
            rows_deleted: run.rows_deleted,
            bytes_read: run.bytes_read,
            schema_changes: run.schema_changes,
            warnings: run.warnings,
            error_code: run.error_code,
            error: run.error,
        }
    }
}

impl From<SourceSummary> for Source {
    fn from(source: SourceSummary) -> Self {
        Self {
            name: source.name,
            kind: source.kind,
            enabled: source.enabled,
            description: source.description,
            tags: source.tags,
            last_sync: source.last_sync.map(Run::from),
            problem: source.problem,
        }
    }
}

async fn list(
    allow: Allow<SourceView>,
    State(server): State<Server>,
    Search(paged): Search<Paged>,
) -> Reply<Given<Page<Source>>> {
    let sources = app::sources::list(server.app(), &allow).await?;
    Ok(given(Page::of(
        sources.into_iter().map(Source::from).collect(),
        paged,
    )))
}

/// A source with everything there is to show of it.
#[derive(Serialize, ToSchema)]
struct Details {
    #[serde(flatten)]
    source: Source,
    fields: Vec<Field>,
    tables: Vec<Table>,
    history: Vec<Run>,
}

/// A setting of a source, masked where it is a secret.
#[derive(Serialize, ToSchema)]
struct Field {
    name: String,
    value: String,
    origin: String,
}

/// A table of a source.
#[derive(Serialize, ToSchema)]
struct Table {
    table: String,
    rows: u64,
}

async fn details(
    allow: Allow<SourceView>,
    State(server): State<Server>,
    Named(name): Named,
) -> Reply<Given<Details>> {
    let shown = app::sources::show(server.app(), &allow, &name).await?;
    let field = |field: app::sources::ShownField| Field {
        name: field.name,
        value: app::REDACTOR.redact(&field.value),
        origin: field.origin,
    };
    let table = |table: app::sources::TableRows| Table {
        table: table.table,
        rows: table.rows,
    };
    Ok(given(Details {
        source: shown.summary.into(),
        fields: shown.fields.into_iter().map(field).collect(),
        tables: shown.tables.into_iter().map(table).collect(),
        history: shown.history.into_iter().map(Run::from).collect(),
    }))
}

/// A source to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Creation {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// Settings of the type's block.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// By field; they are stored in `.dlt/secrets.toml`, and never shown again.
    #[serde(default)]
    #[schema(value_type = Object)]
    secrets: Secrets,
    description: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    /// Whether it is added only when it answers.
    #[serde(default)]
    test: bool,
}

const fn yes() -> bool {
    true
}

/// Secrets by name, taken over as they are read.
#[derive(Default)]
struct Secrets(BTreeMap<String, Plain<String>>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self(
            read.into_iter()
                .map(|(name, value)| (name, Plain::new(value)))
                .collect(),
        ))
    }
}

/// What was added.
#[derive(Serialize, ToSchema)]
struct Created {
    name: String,
    /// What the source answered; none when it was not tested.
    tested: Option<String>,
}

async fn create(
    allow: Allow<ConfigManage>,
    State(server): State<Server>,
    Json(wanted): Json<Creation>,
) -> Reply<Given<Created>> {
    let name = SourceName::parse(&wanted.name);
    let name =
        name.map_err(|error| Problem::field(&["body", "name"], "value_error", &error.to_string()))?;
    let kind = ConnectorName::parse(&wanted.kind);
    let kind =
        kind.map_err(|error| Problem::field(&["body", "type"], "value_error", &error.to_string()))?;
    let secrets = wanted.secrets.0.into_iter();
    let source = NewSource {
        name,
        kind,
        fields: secrets
            .map(|(name, value)| (name, FieldValue::Secret(value)))
            .collect(),
        description: wanted.description,
        enabled: wanted.enabled,
        extra: wanted.settings,
    };
    let manage = allow.narrow::<SourceManage>();
    let added = Box::pin(app::sources::add(
        server.app(),
        &manage,
        source,
        wanted.test,
    ))
    .await?;
    let created = Created {
        name: added.name.to_string(),
        tested: added.tested,
    };
    Ok(Given(StatusCode::CREATED, created))
}

/// Changes of a source's settings.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    /// Settings by name; null takes one out.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
}

/// It was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    success: bool,
}

pub(super) const DONE: Done = Done { success: true };

async fn update(
    allow: Allow<ConfigManage>,
    State(server): State<Server>,
    Named(name): Named,
    Json(change): Json<Change>,
) -> Reply<Given<Done>> {
    let mut changes = Changes::default();
    for (key, value) in change.settings {
        match value {
            Value::Null => changes.unset.push(key),
            Value::String(text) => changes.set.push((key, text)),
            other => changes.set.push((key, other.to_string())),
        }
    }
    app::sources::edit(
        server.app(),
        &allow.narrow::<SourceManage>(),
        &name,
        changes,
    )
    .await?;
    Ok(given(DONE))
}

/// On or off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Toggle {
    enabled: bool,
}

async fn toggle(
    allow: Allow<SourceManage>,
    State(server): State<Server>,
    Named(name): Named,
    Json(toggle): Json<Toggle>,
) -> Reply<Given<Done>> {
    let changes = Changes {
        enabled: Some(toggle.enabled),
        ..Changes::default()
    };
    app::sources::edit(server.app(), &allow, &name, changes).await?;
    Ok(given(DONE))
}

/// How a source is removed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Removal {
    #[serde(default)]
    pub(super) drop_data: bool,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
struct RemovedSource {
    name: String,
    tables_dropped: Vec<String>,
}

async fn remove(
    allow: Allow<SourceManage>,
    State(server): State<Server>,
    Named(name): Named,
    Search(how): Search<Removal>,
) -> Reply<Given<RemovedSource>> {
    let removed = app::sources::remove(server.app(), &allow, &name, how.drop_data).await?;
    Ok(given(RemovedSource {
        name: removed.name.to_string(),
        tables_dropped: removed.tables_dropped,
    }))
}

/// What a source answered.
#[derive(Serialize, ToSchema)]
struct Tested {
    source: String,
    ok: bool,
    answer: String,
}

async fn test(
    allow: Allow<SourceSync>,
    State(server): State<Server>,
    Named(name): Named,
) -> Reply<Given<Tested>> {
    let answer = Box::pin(app::sources::test(server.app(), &allow, &name)).await?;
    Ok(given(Tested {
        source: name.to_string(),
        ok: true,
        answer: app::REDACTOR.redact(&answer),
    }))
}

async fn history(
    allow: Allow<SourceView>,
    State(server): State<Server>,
    Named(name): Named,
    Search(paged): Search<Paged>,
) -> Reply<Given<Page<Run>>> {
    let app = server.app();
    app.sources(&allow)?.get(name.as_str())?;
    let (limit, offset) = (paged.limit(), paged.offset);
    let (runs, total) = app::sources::history(app, &allow, Some(&name), limit, offset).await?;
    Ok(given(Page {
        items: runs.into_iter().map(Run::from).collect(),
        total,
        offset,
        limit,
    }))
}
