//! `.dango/sources.yml`: what is synced. A source that cannot be used is reported and left out; the others go on.

mod file;
mod item;

pub(super) use file::{parse, read};

mod written;

use super::finding::{Finding, Severity, nearest};
use super::tree::Place;
use super::variables;
use crate::environment::{self, Environment};
use crate::error::{Error, Result};
use crate::project::Project;
use domain::say::Quoted;
use domain::{Code, ConnectorName, Contract, Say, SourceName, say};
use security::permissions::SourceView;
use security::{Allow, Redactor};
use serde_json::Value;

pub(super) const FILE: &str = ".dango/sources.yml";

/// Returns the other name that the block of a source of the type `kind` may have: the files connector has two.
pub(super) fn block_alias(kind: &str) -> Option<&'static str> {
    match kind {
        "csv" => Some("local_files"),
        "local_files" => Some("csv"),
        _ => None,
    }
}

/// A source that can be used.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    pub name: SourceName,
    pub kind: ConnectorName,
    pub enabled: bool,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub lookback_days: Option<u32>,
    pub contract: Contract,
    /// Percent of a table's rows that a sync may remove; 100 switches the protection off.
    pub shrink_limit_percent: u8,
    /// The connector's own settings, variables as written: for showing. [`Self::block`] fills them in.
    pub block_as_written: Value,
    /// Where the source stands in `sources.yml`.
    pub place: Place,
}

impl SourceConfig {
    /// Returns the connector's own settings with their variables filled in, without getdango's `<field>_env`, which whoever
    /// resolves the credentials follows. A value may be a secret from here on; `redactor` learns those of variables whose
    /// names say so.
    pub fn block(&self, environment: &Environment, redactor: &Redactor) -> Result<Value> {
        self.teach(environment, redactor);
        let mut block = self.block_as_written.clone();
        if let Some(keys) = block.as_object_mut() {
            keys.retain(|key, value| !(key.ends_with("_env") && value.is_string()));
        }
        fill(&block, self.kind.as_str(), environment, redactor)
    }

    /// Teaches `redactor` what stands in the block and is a secret, by mistake or because an API is described that way.
    pub(crate) fn teach(&self, environment: &Environment, redactor: &Redactor) {
        written::teach(&self.block_as_written, environment, redactor);
    }
}

fn fill(
    value: &Value,
    path: &str,
    environment: &Environment,
    redactor: &Redactor,
) -> Result<Value> {
    Ok(match value {
        Value::String(text) if variables::is_template(text) => {
            let full = variables::expand(text, environment, |name, value| {
                if environment::is_secret_name(name) {
                    environment::teach(redactor, value);
                }
            });
            let full = full.map_err(|incomplete| {
                let (code, say, hint) = incomplete.tell(path);
                Error::invalid(code, say!("`", Say::new(FILE), "`: ", say)).hint(hint)
            })?;
            Value::String(full.expose().clone())
        }
        Value::Array(items) => {
            let filled = items
                .iter()
                .map(|item| fill(item, path, environment, redactor));
            Value::Array(filled.collect::<Result<_>>()?)
        }
        Value::Object(entries) => {
            let filled = entries.iter().map(|(key, value)| {
                Ok((
                    key.clone(),
                    fill(value, &format!("{path}.{key}"), environment, redactor)?,
                ))
            });
            Value::Object(filled.collect::<Result<_>>()?)
        }
        other => other.clone(),
    })
}

/// One entry of `sources.yml`.
#[derive(Debug, Clone)]
pub struct SourceEntry {
    /// The name as far as there is one; not checked when the source is broken.
    pub name: String,
    pub place: Place,
    /// The source, or the first reason why it cannot be used.
    pub source: Result<SourceConfig, Finding>,
}

/// The sources of a project.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    entries: Vec<SourceEntry>,
}

impl Sources {
    /// Reads the sources of `project`; `types` are the known source types. Fails only when the file as a whole cannot be used.
    pub fn load(
        _allow: &Allow<SourceView>,
        project: &Project,
        environment: &Environment,
        types: &[ConnectorName],
    ) -> Result<Self> {
        let (sources, findings) = read(project, environment, types)?;
        let of_the_file =
            |finding: &Finding| finding.severity == Severity::Error && finding.source.is_none();
        match findings.into_iter().find(of_the_file) {
            Some(finding) => Err(Error::from(finding)),
            None => Ok(sources),
        }
    }

    /// Returns every entry, broken ones included, in the order of the file.
    pub fn entries(&self) -> &[SourceEntry] {
        &self.entries
    }

    /// Returns the sources that can be used, disabled ones included.
    pub fn usable(&self) -> impl Iterator<Item = &SourceConfig> {
        self.entries
            .iter()
            .filter_map(|entry| entry.source.as_ref().ok())
    }

    /// Returns why each of the other sources cannot be used.
    pub fn broken(&self) -> impl Iterator<Item = (&SourceEntry, &Finding)> {
        self.entries
            .iter()
            .filter_map(|entry| Some((entry, entry.source.as_ref().err()?)))
    }

    /// Returns the entry called `name`.
    pub fn find(&self, name: &str) -> Option<&SourceEntry> {
        self.entries
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Returns the source called `name`, or why it cannot be used.
    pub fn get(&self, name: &str) -> Result<&SourceConfig> {
        match self.find(name) {
            Some(SourceEntry {
                source: Ok(source), ..
            }) => Ok(source),
            Some(SourceEntry {
                source: Err(finding),
                ..
            }) => Err(finding.clone().into()),
            None => Err(self.unknown(name)),
        }
    }

    /// Returns the error of a source that is not there.
    pub fn unknown(&self, name: &str) -> Error {
        let hint = match nearest(name, self.entries.iter().map(|entry| entry.name.as_str())) {
            Some(near) => say!("did you mean ", name Quoted(near), "?"),
            None => Say::new("`dango source list` shows what there is"),
        };
        Error::not_found(
            Code::SourceNotFound,
            say!("there is no source ", name Quoted(name)),
        )
        .hint(hint)
    }
}

#[cfg(test)]
mod tests;
