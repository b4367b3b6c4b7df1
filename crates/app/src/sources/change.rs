//! Adding, editing and removing sources. `sources.yml` and `.dlt/secrets.toml` are written with their comments kept. What
//! `sources.yml` will say is checked before anything is saved, and it is written once.

use super::{draft, probe};
use crate::config::edit::{self, Change, Draft};
use crate::config::{Finding, Place, SourceConfig, check_source};
use crate::effects::Progress;
use crate::secrets::{self, SecretName};
use crate::{App, Error, REDACTOR, Result};
use connect::Connector;
use domain::names::quote_identifier;
use domain::say::Quoted;
use domain::{Code, ConnectorName, Contract, SourceName, say};
use security::permissions::{ConfigManage, SourceManage, SourceSync};
use security::{Allow, Event, Plain};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::PathBuf;
use store::Act;

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
#[derive(Debug, Serialize, Deserialize)]
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
    let new = edit::NewSource {
        name: source.name.clone(),
        kind: source.kind.clone(),
        enabled: source.enabled,
        description: source.description.clone(),
        block,
    };
    let draft = checked(app, allow, &source.name, &[Change::Add(&new)])?;
    // Who adds a source without secrets needs no right to write them.
    let manage = if secrets.is_empty() {
        None
    } else {
        Some(app.also::<_, ConfigManage>(allow).await?)
    };
    let act = Act::new(Event::SourceAdded)
        .target(source.name.as_str())
        .detail("type", source.kind.as_str());
    let write = async |progress: &Progress| {
        let mut files = Vec::new();
        for ((field, value), manage) in secrets.iter().zip(manage.iter().cycle()) {
            let name = SecretName::parse(&format!("sources.{}.{field}", source.name))?;
            secrets::set(manage, &app.project, &name, value, &REDACTOR)?;
            progress.part_is_done();
        }
        if !secrets.is_empty() {
            files.push(PathBuf::from(".dlt/secrets.toml"));
        }
        domain::fault::point("source.secrets_written");
        draft.save()?;
        files.push(PathBuf::from(".dango/sources.yml"));
        Ok(files)
    };
    let files = app.effect(allow, act, write).await?;
    Ok(Added {
        name: source.name.clone(),
        tested,
        files,
    })
}

/// Makes the changes in the text of `sources.yml` and checks what it then says of the source `name`.
fn checked(
    app: &App,
    allow: &Allow<SourceManage>,
    name: &SourceName,
    changes: &[Change<'_>],
) -> Result<Draft> {
    let draft = Draft::new(allow, &app.project, changes)?;
    check_source(draft.text(), name, &app.environment, &app.catalog).map_err(Finding::of_change)?;
    Ok(draft)
}

/// Changes settings of a source, all of them or none; comments in the file stay.
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
    let places = changes.places(source.kind.as_str());
    let each = places.iter().map(|(path, value)| match value {
        Some(value) => Change::Set {
            name: &source.name,
            path,
            value: value.clone(),
        },
        None => Change::Unset {
            name: &source.name,
            path,
        },
    });
    let draft = checked(app, allow, &source.name, &each.collect::<Vec<_>>())?;
    let act = Act::new(Event::SourceUpdated).target(name.as_str());
    app.effect(allow, act, async |_| draft.save()).await
}

impl Changes {
    /// Returns where in the source of type `kind` each change is made, and the value; `None` takes the key out.
    fn places<'c>(&'c self, kind: &'c str) -> Vec<(Vec<&'c str>, Option<Value>)> {
        /// Keys of the source itself; all others are the connector's.
        const TOP: [&str; 6] = [
            "description",
            "tags",
            "lookback_days",
            "contract",
            "shrink_limit_percent",
            "enabled",
        ];
        let path = |key: &'c str| {
            if TOP.contains(&key) {
                vec![key]
            } else {
                vec![kind, key]
            }
        };
        let value = |key: &str, text: &str| match key {
            // A sentence that looks like a number is one all the same.
            "description" => Value::from(text),
            _ => scalar(text),
        };
        let set = self.set.iter();
        let mut places: Vec<_> = set
            .map(|(key, text)| (path(key), Some(value(key, text))))
            .collect();
        places.extend(self.unset.iter().map(|key| (path(key), None)));
        places.extend(
            self.enabled
                .map(|enabled| (vec!["enabled"], Some(enabled.into()))),
        );
        places
    }
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
    // Before the tables go: a file that cannot be changed would keep the source.
    let draft = Draft::new(allow, &app.project, &[Change::Remove(name)])?;
    let sync = app.also::<_, SourceSync>(allow).await?;
    let act = Act::new(Event::SourceRemoved)
        .target(name.as_str())
        .detail("drop_data", drop_data);
    let take_out = async |progress: &Progress| {
        let mut dropped = Vec::new();
        if drop_data && app.settings.platform.warehouse_file.exists() {
            dropped = drop_tables(app, &sync, name).await?;
            progress.part_is_done();
        }
        draft.save()?;
        Ok(dropped)
    };
    let tables_dropped = app.effect(allow, act, take_out).await?;
    Ok(Removed {
        name: name.clone(),
        tables_dropped,
    })
}

async fn drop_tables(
    app: &App,
    allow: &Allow<SourceSync>,
    name: &SourceName,
) -> Result<Vec<String>> {
    let schema = name.schema();
    let tables = app.warehouse.tables(&allow.narrow(), Some(&schema)).await?;
    let mut tx = app.warehouse.begin(allow).await?;
    tx.execute(&format!(
        "DROP SCHEMA IF EXISTS {} CASCADE",
        quote_identifier(&schema)
    ))
    .await?;
    tx.commit().await?;
    Ok(tables.iter().map(|table| table.table.to_string()).collect())
}
