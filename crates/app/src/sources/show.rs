//! Looking at sources.

use super::draft;
use crate::config::{SourceConfig, SourceEntry};
use crate::credentials::{CredentialStore, SECRET_FILES_DIR};
use crate::sync::ledger::is_bookkeeping;
use crate::{App, REDACTOR, Result};
use domain::{SourceName, Timestamp};
use security::permissions::{SourceView, SourceViewCredentials};
use security::{Allow, authorize};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use store::sync_runs::{self, SyncRun};
use store::{Paging, StoreError};

/// Runs of the history that `source show` prints.
const HISTORY: u64 = 20;

/// A source in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceSummary {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub enabled: bool,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub last_sync: Option<RunSummary>,
    /// Why it cannot be used.
    pub problem: Option<String>,
}

/// A sync that ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSummary {
    pub load_id: Option<String>,
    pub state: String,
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub started_at: Timestamp,
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub ended_at: Timestamp,
    pub rows_inserted: u64,
    pub rows_updated: u64,
    pub rows_deleted: u64,
    pub bytes_read: u64,
    pub schema_changes: Vec<String>,
    pub warnings: Vec<String>,
    pub error_code: Option<String>,
    pub error: Option<String>,
}

/// A source with everything there is to show of it.
#[derive(Debug, Serialize)]
pub struct SourceDetail {
    #[serde(flatten)]
    pub summary: SourceSummary,
    pub fields: Vec<ShownField>,
    pub tables: Vec<TableRows>,
    /// Newest first.
    pub history: Vec<RunSummary>,
}

/// A setting of a source, masked where it is a secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownField {
    pub name: String,
    pub value: String,
    pub origin: String,
}

/// A table of a source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TableRows {
    pub table: String,
    pub rows: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn rfc3339<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339())
}

fn from_rfc3339<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    Timestamp::from_rfc3339(&text).ok_or_else(|| serde::de::Error::custom("no time in RFC 3339"))
}

impl<'de> Deserialize<'de> for SourceDetail {
    /// In two steps, because serde's `flatten` cannot read numbers that keep every digit.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            fields: Vec<ShownField>,
            tables: Vec<TableRows>,
            history: Vec<RunSummary>,
        }
        let whole = Value::deserialize(deserializer)?;
        let rest = Rest::deserialize(&whole).map_err(serde::de::Error::custom)?;
        Ok(Self {
            summary: SourceSummary::deserialize(&whole).map_err(serde::de::Error::custom)?,
            fields: rest.fields,
            tables: rest.tables,
            history: rest.history,
        })
    }
}

impl From<SyncRun> for RunSummary {
    fn from(run: SyncRun) -> Self {
        let (error_code, error) = run.failure.map_or((None, None), |failure| {
            (Some(failure.code), Some(failure.text))
        });
        Self {
            load_id: run.load_id.map(|id| id.to_string()),
            state: run.outcome.to_string(),
            started_at: run.started_at,
            ended_at: run.ended_at,
            rows_inserted: run.rows_inserted,
            rows_updated: run.rows_updated,
            rows_deleted: run.rows_deleted,
            bytes_read: run.report.bytes_read,
            schema_changes: run.schema_changes,
            warnings: run.warnings,
            error_code,
            error,
        }
    }
}

/// Returns every source in the order of `sources.yml`, broken ones included.
pub async fn list(app: &App, allow: &Allow<SourceView>) -> Result<Vec<SourceSummary>> {
    let latest = app
        .store
        .run_read(allow, async |tx| sync_runs::list_latest(&tx).await)
        .await
        .map_err(|error: StoreError| crate::Error::from(error))?;
    let sources = app.sources(allow)?;
    Ok(sources
        .entries()
        .iter()
        .map(|entry| summary(entry, &latest))
        .collect())
}

fn summary(entry: &SourceEntry, latest: &BTreeMap<SourceName, SyncRun>) -> SourceSummary {
    match &entry.source {
        Ok(source) => SourceSummary {
            name: source.name.to_string(),
            kind: source.kind.to_string(),
            enabled: source.enabled,
            description: source.description.clone(),
            tags: source.tags.clone(),
            last_sync: latest.get(&source.name).cloned().map(RunSummary::from),
            problem: None,
        },
        Err(finding) => SourceSummary {
            name: entry.name.clone(),
            kind: String::new(),
            enabled: false,
            description: None,
            tags: Vec::new(),
            last_sync: None,
            problem: Some(finding.say.to_string()),
        },
    }
}

/// Returns the syncs of a source, or of all, newest first, and how many there are.
pub async fn history(
    app: &App,
    allow: &Allow<SourceView>,
    name: Option<&SourceName>,
    limit: u64,
    offset: u64,
) -> Result<(Vec<RunSummary>, u64)> {
    let listed = app
        .store
        .run_read(allow, async |tx| {
            sync_runs::list(&tx, name, Paging::new(limit, offset)).await
        })
        .await
        .map_err(|error: StoreError| crate::Error::from(error))?;
    let runs = listed.items.into_iter().map(RunSummary::from).collect();
    Ok((runs, listed.total))
}

/// Returns a source with its settings (secrets masked), its tables and its history.
pub async fn show(app: &App, allow: &Allow<SourceView>, name: &SourceName) -> Result<SourceDetail> {
    let sources = app.sources(allow)?;
    let source = sources.get(name.as_str())?;
    let (history, _) = history(app, allow, Some(name), HISTORY, 0).await?;
    Ok(SourceDetail {
        summary: SourceSummary {
            name: source.name.to_string(),
            kind: source.kind.to_string(),
            enabled: source.enabled,
            description: source.description.clone(),
            tags: source.tags.clone(),
            last_sync: history.first().cloned(),
            problem: None,
        },
        fields: fields(app, allow, source)?,
        tables: tables(app, allow, source).await?,
        history,
    })
}

/// Returns the settings: the block as it is written, then the connector's fields that were found elsewhere.
fn fields(app: &App, allow: &Allow<SourceView>, source: &SourceConfig) -> Result<Vec<ShownField>> {
    let connector = draft(app, source.kind.as_str())?;
    source.teach(&app.environment, &REDACTOR);
    let mut shown = Vec::new();
    if let Value::Object(block) = &source.block_as_written {
        for (key, value) in block {
            let is_secret = connector.field(key).is_some_and(|field| field.secret);
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            shown.push(ShownField {
                name: key.clone(),
                value: if is_secret && !text.starts_with("${") {
                    security::mask(&text)
                } else {
                    text
                },
                origin: format!(".dango/sources.yml line {}", source.place.line),
            });
        }
    }
    let store = CredentialStore::open(&app.project, &app.environment, Path::new(SECRET_FILES_DIR))?;
    // Where credentials lie is for whoever may see them; to others the source is shown without.
    let Ok(see) = authorize::<SourceViewCredentials>(allow.actor(), allow.request()) else {
        return Ok(shown);
    };
    // What is missing is the business of `source test`; here it is only not shown.
    let Ok(resolved) = store.resolve(&see, source, &connector.fields, &REDACTOR) else {
        return Ok(shown);
    };
    for (name, origin) in &resolved.origins {
        if shown.iter().any(|field| {
            connector
                .field(&field.name)
                .is_some_and(|f| f.name == *name)
        }) {
            continue;
        }
        let value = resolved.credentials.get(name).unwrap_or_default();
        let is_secret = connector.field(name).is_none_or(|field| field.secret);
        shown.push(ShownField {
            name: name.clone(),
            value: if is_secret {
                security::mask(value)
            } else {
                value.to_owned()
            },
            origin: origin.say().to_string(),
        });
    }
    Ok(shown)
}

async fn tables(
    app: &App,
    allow: &Allow<SourceView>,
    source: &SourceConfig,
) -> Result<Vec<TableRows>> {
    if !app.settings.platform.warehouse_file.exists() {
        return Ok(Vec::new());
    }
    let schema = source.name.schema();
    let mut tables = Vec::new();
    for table in app.warehouse.tables(allow, Some(&schema)).await? {
        if is_bookkeeping(&table.table.table) {
            continue;
        }
        let query = format!("SELECT count(*) AS n FROM {}", table.table.to_sql());
        let rows = app.warehouse.select(allow, &query).await?;
        let rows = rows
            .first()
            .map_or(Ok(0), |row| crate::sync::number(row, "n"))?;
        tables.push(TableRows {
            table: table.table.table,
            rows,
        });
    }
    Ok(tables)
}
