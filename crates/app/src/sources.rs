//! Sources: what is synced, from its first question to its removal.

mod change;
mod show;

pub use change::{Added, Changes, FieldValue, NewSource, Removed, add, edit, remove, test_new};
pub use show::{
    RunSummary, ShownField, SourceDetail, SourceSummary, TableRows, history, list, show,
};

use crate::config::SourceConfig;
use crate::credentials::{CredentialStore, SECRET_FILES_DIR, UsesCredentials};
use crate::reader::Reader;
use crate::{App, Error, REDACTOR, Result};
use connect::catalog::Engine;
use connect::files::{FilesConfig, plan};
use connect::source::Source;
use connect::{Connector, Egress};
use domain::say::{Quoted, counted};
use domain::{Code, SourceName, say};
use security::permissions::SourceSync;
use security::{Allow, Plain};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Returns every type of source, by name.
pub fn kinds(app: &App) -> Vec<Connector> {
    app.catalog.list().cloned().collect()
}

/// Returns what a source of the type `kind` has to be told.
pub fn draft(app: &App, kind: &str) -> Result<Connector> {
    app.catalog.find(kind).cloned().ok_or_else(|| {
        let error = Error::not_found(
            Code::SourceTypeUnknown,
            say!("there is no source type ", name Quoted(kind)),
        );
        match app.catalog.suggest(kind) {
            Some(meant) => error.hint(say!("did you mean ", name Quoted(meant), "?")),
            None => error.hint("`dango source add` without a type lists them"),
        }
    })
}

/// Connects to a source with its stored credentials and says what answered.
pub async fn test(app: &App, allow: &Allow<SourceSync>, name: &SourceName) -> Result<String> {
    let sources = app.sources(&allow.narrow())?;
    probe(app, allow, sources.get(name.as_str())?, BTreeMap::new()).await
}

/// Connects to a source; the values `given` come before stored ones.
async fn probe<P: UsesCredentials>(
    app: &App,
    allow: &Allow<P>,
    source: &SourceConfig,
    given: BTreeMap<String, Plain<String>>,
) -> Result<String> {
    if engine(app, source)? == Engine::Files {
        return probe_files(app, source).await;
    }
    let mut opened = open_with(app, allow, source, given).await?;
    let answer = opened.test().await;
    opened.close().await;
    Ok(answer?)
}

async fn probe_files(app: &App, source: &SourceConfig) -> Result<String> {
    let block = source.block(&app.environment, &REDACTOR)?;
    let plan = plan(
        &FilesConfig::parse(&source.name, &block)?,
        app.project.root(),
    )?;
    // Starting the reader shows that it may read the folder.
    drop(Reader::start(&app.launcher, &plan.directory, app.cage_policy()).await?);
    let files: usize = plan.tables.iter().map(|table| table.files.len()).sum();
    let bytes: u64 = plan
        .tables
        .iter()
        .flat_map(|table| &table.files)
        .map(|file| file.bytes)
        .sum();
    Ok(format!(
        "{}, {bytes} bytes, for {}",
        counted(files, "file"),
        counted(plan.tables.len(), "table")
    ))
}

/// Returns what reads the source.
pub(crate) fn engine(app: &App, source: &SourceConfig) -> Result<Engine> {
    Ok(draft(app, source.kind.as_str())?.engine)
}

/// Opens a database or an API for a sync.
pub(crate) async fn open(
    app: &App,
    allow: &Allow<SourceSync>,
    source: &SourceConfig,
) -> Result<Source> {
    open_with(app, allow, source, BTreeMap::new()).await
}

async fn open_with<P: UsesCredentials>(
    app: &App,
    allow: &Allow<P>,
    source: &SourceConfig,
    given: BTreeMap<String, Plain<String>>,
) -> Result<Source> {
    let connector = draft(app, source.kind.as_str())?;
    let store = CredentialStore::open(&app.project, &app.environment, Path::new(SECRET_FILES_DIR))?;
    let resolved = store.resolve_with(allow, source, &connector.fields, &REDACTOR, given)?;
    for warning in &resolved.warnings {
        tracing::warn!(source.name = %source.name, "{warning}");
    }
    let mut block = source.block(&app.environment, &REDACTOR)?;
    if let (Engine::Rest, Some(days), Some(keys)) = (
        connector.engine,
        source.lookback_days,
        block.as_object_mut(),
    ) {
        // getdango's place for it is beside the block.
        keys.entry("lookback_days").or_insert_with(|| days.into());
    }
    let egress = egress(app, &resolved.credentials, &block);
    let time = Arc::clone(&app.clock);
    Ok(Source::open(
        &connector,
        &source.name,
        &block,
        resolved.credentials,
        &egress,
        time,
    )
    .await?)
}

/// Returns where the source may connect to. A private host may be contacted when the user names it himself, in the secrets
/// of the source or in its block; the link-local and metadata addresses never.
fn egress(app: &App, credentials: &connect::Credentials, block: &serde_json::Value) -> Egress {
    let mut egress = app.egress();
    let named = ["host", "base_url"].iter().filter_map(|key| {
        block
            .get(key)
            .and_then(serde_json::Value::as_str)
            .or_else(|| credentials.get(key))
    });
    for text in named {
        let url = url::Url::parse(text).ok();
        egress.permit(url.as_ref().and_then(url::Url::host_str).unwrap_or(text));
    }
    if let Some(url) = credentials
        .get("credentials")
        .and_then(|text| url::Url::parse(text).ok())
        && let Some(host) = url.host_str()
    {
        egress.permit(host);
    }
    egress
}
