//! Adding, editing and removing sources. `sources.yml` and `.dlt/secrets.toml` are written with their comments kept, and
//! nothing is saved before it is known to hold.

use super::{draft, probe};
use crate::config::edit::{self, Change};
use crate::config::{Place, SourceConfig};
use crate::secrets::{self, SecretName};
use crate::{App, Error, REDACTOR, Result};
use connect::Connector;
use domain::names::quote_identifier;
use domain::say::Quoted;
use domain::{Code, ConnectorName, Contract, SourceName, say};
use security::permissions::{ConfigManage, SourceManage, SourceSync};
use security::{Allow, Event, Plain};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::Act;
use store::effects::Outcome;

/// What a setting is set to.
pub enum FieldValue {
    /// Goes to `sources.yml`.
    Text(String),
    /// Goes to `.dlt/secrets.toml`.
    Secret(Plain<String>),
}

/// A source to be added.
pub struct NewSource {
    pub name: SourceName,
    pub kind: ConnectorName,
    /// By field name, or any other key of the type's block.
    pub fields: BTreeMap<String, FieldValue>,
    pub description: Option<String>,
    pub enabled: bool,
    /// Further keys of the type's block, as JSON.
    pub extra: Map<String, Value>,
}

/// What was added.
#[derive(Debug, Serialize)]
pub struct Added {
    pub name: SourceName,
    /// What the source answered; `None` when it was not tested.
    pub tested: Option<String>,
    /// The files that were written.
    pub files: Vec<PathBuf>,
}

/// Changes of a source.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub set: Vec<(String, String)>,
    pub unset: Vec<String>,
    pub enabled: Option<bool>,
}

/// What was removed.
#[derive(Debug, Serialize)]
pub struct Removed {
    pub name: SourceName,
    pub tables_dropped: Vec<String>,
}

impl NewSource {
    /// Returns the source as it would stand in `sources.yml`, and its secrets.
    fn split(
        &self,
        connector: &Connector,
    ) -> (Map<String, Value>, BTreeMap<String, Plain<String>>) {
        let mut block = self.extra.clone();
        let mut secrets = BTreeMap::new();
        for (key, value) in &self.fields {
            let name = connector
                .field(key)
                .map_or(key.as_str(), |field| field.name.as_str());
            match value {
                FieldValue::Text(text) => {
                    block.insert(key.clone(), scalar(text));
                }
                FieldValue::Secret(secret) => {
                    secrets.insert(name.to_owned(), Plain::new(secret.expose().clone()));
                }
            }
        }
        (block, secrets)
    }

    fn config(&self, block: Map<String, Value>) -> SourceConfig {
        SourceConfig {
            name: self.name.clone(),
            kind: self.kind.clone(),
            enabled: self.enabled,
            description: self.description.clone(),
            tags: Vec::new(),
            lookback_days: None,
            contract: Contract::default(),
            shrink_limit_percent: 50,
            tables: Vec::new(),
            block_as_written: Value::Object(block),
            place: Place::START,
        }
    }
}

/// Returns the value that YAML should hold for a setting typed as text: numbers and booleans as such, `[a, b]` as a list.
fn scalar(text: &str) -> Value {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ (Value::Bool(_) | Value::Array(_) | Value::Object(_))) => value,
        Ok(Value::Number(number)) if number.to_string() == text => Value::Number(number),
        _ => match text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            Some(list) => list
                .split(',')
                .map(|item| Value::from(item.trim()))
                .collect(),
            None => Value::from(text),
        },
    }
}

/// Connects to a source that is not saved yet and says what answered.
pub async fn test_new(
    app: &App,
    allow: &Allow<SourceManage>,
    source: &NewSource,
) -> Result<String> {
    let (block, secrets) = source.split(&draft(app, source.kind.as_str())?);
    probe(app, allow, &source.config(block), secrets).await
}

/// Adds a source, after it answered when `test` is set. Secrets are written first: a source without them would be broken.
pub async fn add(
    app: &App,
    allow: &Allow<SourceManage>,
    source: NewSource,
    test: bool,
) -> Result<Added> {
    if app
        .sources(&allow.narrow())?
        .find(source.name.as_str())
        .is_some()
    {
        return Err(Error::conflict(
            Code::SourceExists,
            say!("there is a source ", name source.name, " already"),
        )
        .hint("choose another name, or change it with `dango source edit`"));
    }
    let tested = if test {
        Some(test_new(app, allow, &source).await?)
    } else {
        None
    };
    let (block, secrets) = source.split(&draft(app, source.kind.as_str())?);
    let act = Act::new(Event::SourceAdded)
        .target(source.name.as_str())
        .detail("type", source.kind.as_str());
    let effect = app.store.begin_effect(allow, act).await?;
    let written = write(app, allow, &source, block, &secrets);
    let outcome = if written.is_ok() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    app.store.finish_effect(allow, effect, outcome).await?;
    Ok(Added {
        name: source.name.clone(),
        tested,
        files: written?,
    })
}

fn write(
    app: &App,
    allow: &Allow<SourceManage>,
    source: &NewSource,
    block: Map<String, Value>,
    secrets: &BTreeMap<String, Plain<String>>,
) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let manage = app.allow::<ConfigManage>()?;
    for (field, value) in secrets {
        let name = SecretName::parse(&format!("sources.{}.{field}", source.name))?;
        secrets::set(&manage, &app.project, &name, value, &REDACTOR)?;
    }
    if !secrets.is_empty() {
        files.push(PathBuf::from(".dlt/secrets.toml"));
    }
    domain::fault::point("source.secrets_written");
    let new = edit::NewSource {
        name: source.name.clone(),
        kind: source.kind.clone(),
        enabled: source.enabled,
        description: source.description.clone(),
        more: Map::new(),
        block,
    };
    edit::apply(allow, &app.project, &Change::Add(&new))?;
    files.push(PathBuf::from(".dango/sources.yml"));
    Ok(files)
}

/// Changes settings of a source; comments in the file stay.
pub async fn edit(
    app: &App,
    allow: &Allow<SourceManage>,
    name: &SourceName,
    changes: Changes,
) -> Result<()> {
    let sources = app.sources(&allow.narrow())?;
    let source = sources.get(name.as_str())?;
    let connector = draft(app, source.kind.as_str())?;
    if let Some((key, _)) = changes
        .set
        .iter()
        .find(|(key, _)| connector.field(key).is_some_and(|field| field.secret))
    {
        return Err(Error::invalid(
            Code::UsageInvalid,
            say!("", name Quoted(key), " is a secret and does not belong into `sources.yml`"),
        )
        .hint(say!(
            "store it with `dango secrets set sources.",
            *name,
            ".",
            Quoted(key),
            "`"
        )));
    }
    let effect = app
        .store
        .begin_effect(allow, Act::new(Event::SourceUpdated).target(name.as_str()))
        .await?;
    let edited = change(app, allow, source, &changes);
    let outcome = if edited.is_ok() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    app.store.finish_effect(allow, effect, outcome).await?;
    edited
}

fn change(
    app: &App,
    allow: &Allow<SourceManage>,
    source: &SourceConfig,
    changes: &Changes,
) -> Result<()> {
    const TOP: [&str; 7] = [
        "description",
        "tags",
        "lookback_days",
        "contract",
        "shrink_limit_percent",
        "tables",
        "enabled",
    ];
    let kind = source.kind.as_str();
    let apply = |change: &Change<'_>| edit::apply(allow, &app.project, change);
    for (key, value) in &changes.set {
        let value = scalar(value);
        let path: &[&str] = if TOP.contains(&key.as_str()) {
            &[key]
        } else {
            &[kind, key]
        };
        apply(&Change::Set {
            name: &source.name,
            path,
            value,
        })?;
    }
    for key in &changes.unset {
        let path: &[&str] = if TOP.contains(&key.as_str()) {
            &[key]
        } else {
            &[kind, key]
        };
        apply(&Change::Unset {
            name: &source.name,
            path,
        })?;
    }
    if let Some(enabled) = changes.enabled {
        apply(&Change::Set {
            name: &source.name,
            path: &["enabled"],
            value: enabled.into(),
        })?;
    }
    Ok(())
}

/// Removes a source from `sources.yml`; its tables go only when `drop_data` is set, its secrets stay where they are.
pub async fn remove(
    app: &App,
    allow: &Allow<SourceManage>,
    name: &SourceName,
    drop_data: bool,
) -> Result<Removed> {
    let sources = app.sources(&allow.narrow())?;
    if sources.find(name.as_str()).is_none() {
        return Err(sources.unknown(name.as_str()));
    }
    let act = Act::new(Event::SourceRemoved)
        .target(name.as_str())
        .detail("drop_data", drop_data);
    let effect = app.store.begin_effect(allow, act).await?;
    let removed = take_out(app, allow, name, drop_data).await;
    let outcome = if removed.is_ok() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    app.store.finish_effect(allow, effect, outcome).await?;
    Ok(Removed {
        name: name.clone(),
        tables_dropped: removed?,
    })
}

async fn take_out(
    app: &App,
    allow: &Allow<SourceManage>,
    name: &SourceName,
    drop_data: bool,
) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    if drop_data && app.settings.platform.warehouse_file.exists() {
        let schema = name.schema();
        let tables = app.warehouse.tables(&allow.narrow(), Some(&schema)).await?;
        dropped = tables.iter().map(|table| table.table.to_string()).collect();
        let mut tx = app.warehouse.begin(&app.allow::<SourceSync>()?).await?;
        tx.execute(&format!(
            "DROP SCHEMA IF EXISTS {} CASCADE",
            quote_identifier(&schema)
        ))
        .await?;
        tx.commit().await?;
    }
    edit::apply(allow, &app.project, &Change::Remove(name))?;
    Ok(dropped)
}
