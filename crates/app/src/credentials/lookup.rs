//! Looking up one field of one source, place by place.

use super::levels::{Level, levels};
use super::missing::Missing;
use super::secrets_file::{Leaf, SecretsFile};
use super::{CONFIG_FILE, CredentialStore, Origin, SECRETS_FILE};
use crate::config::{SourceConfig, variables};
use crate::environment::{self, is_secret_name};
use crate::error::{Error, Result};
use crate::files;
use connect::catalog::Field;
use domain::say::Quoted;
use domain::{Code, Say, say};
use security::{Plain, Redactor};
use serde_json::Value;

/// What sealed values begin with.
const SEALED_PREFIX: &str = "enc:v1:";
/// Levels of one place; ranks of different places do not overlap.
const RANKS_PER_PLACE: usize = 100;

/// The places, in dlt's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    NamedVariable,
    Environment,
    Files,
    Secrets,
    Config,
    Block,
    Connector,
}

impl Place {
    const ALL: [Self; 7] = [
        Self::NamedVariable,
        Self::Environment,
        Self::Files,
        Self::Secrets,
        Self::Config,
        Self::Block,
        Self::Connector,
    ];
}

/// A value, where it was found, and how good a place that is: lower is better.
pub(super) struct Found {
    pub(super) value: Plain<String>,
    pub(super) origin: Origin,
    pub(super) rank: usize,
    /// Whether the value stands in plain text in a file that is committed.
    pub(super) is_committed: bool,
}

impl Found {
    pub(super) fn given(value: Plain<String>) -> Self {
        Self {
            value,
            origin: Origin::Given,
            rank: 0,
            is_committed: false,
        }
    }

    fn new(value: Plain<String>, origin: Origin, place: Place, level: usize) -> Self {
        Self {
            value,
            origin,
            rank: place as usize * RANKS_PER_PLACE + level + 1,
            is_committed: false,
        }
    }
}

/// The search for the fields of one source.
pub(super) struct Lookup<'a> {
    store: &'a CredentialStore<'a>,
    source: &'a SourceConfig,
    redactor: &'a Redactor,
    levels: Vec<Level>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(
        store: &'a CredentialStore<'a>,
        source: &'a SourceConfig,
        redactor: &'a Redactor,
    ) -> Self {
        Self {
            store,
            source,
            redactor,
            levels: levels(&source.name, &source.kind),
        }
    }

    pub(super) fn missing<'c>(&self, field: &'c Field) -> Missing<'c> {
        Missing::new(field, self.levels.clone())
    }

    /// Returns the value of `field` from the first place that has it. An empty one counts only where a value is optional.
    pub(super) fn find(&self, field: &Field) -> Result<Option<Found>> {
        for place in Place::ALL {
            let Some(found) = self.find_in(place, field)? else {
                continue;
            };
            if found.value.expose().starts_with(SEALED_PREFIX) {
                return Err(sealed(&found.origin));
            }
            if !(field.required && found.value.expose().is_empty()) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn find_in(&self, place: Place, field: &Field) -> Result<Option<Found>> {
        match place {
            Place::NamedVariable => Ok(self.in_named_variable(field)),
            Place::Environment => Ok(self.in_environment(field)),
            Place::Files => self.in_files(field),
            Place::Secrets => {
                let origin = |key, line| Origin::Secrets { key, line };
                self.in_toml(field, &self.store.secrets, (place, SECRETS_FILE), origin)
            }
            // dlt never reads a credential from config.toml, which is committed.
            Place::Config if field.secret => Ok(None),
            Place::Config => {
                let origin = |key, line| Origin::Config { key, line };
                self.in_toml(field, &self.store.config, (place, CONFIG_FILE), origin)
            }
            Place::Block => self.in_block(field),
            Place::Connector => Ok(self.in_connector(field)),
        }
    }

    fn names(field: &Field) -> impl Iterator<Item = &str> {
        std::iter::once(field.name.as_str()).chain(field.aliases.iter().map(String::as_str))
    }

    fn variable(&self, name: &str, place: Place, level: usize) -> Option<Found> {
        // As in a shell's `${NAME:-}`, an empty variable is as good as none.
        let value = self
            .store
            .environment
            .find(name)
            .filter(|value| !value.expose().is_empty())?;
        let origin = Origin::Variable {
            name: name.to_owned(),
            origin: self.store.environment.origin(name)?,
        };
        Some(Found::new(
            Plain::new(value.expose().clone()),
            origin,
            place,
            level,
        ))
    }

    /// getdango's convention: `<field>_env` in the source's block names a variable.
    fn in_named_variable(&self, field: &Field) -> Option<Found> {
        let block = &self.source.block_as_written;
        let named = Self::names(field).find_map(|name| block.get(format!("{name}_env"))?.as_str());
        self.variable(named?, Place::NamedVariable, 0)
    }

    fn in_environment(&self, field: &Field) -> Option<Found> {
        for (rank, level) in self.levels.iter().enumerate() {
            // `HOST`, `PORT`, `USER` belong to the machine.
            if level.is_bare() && !field.secret {
                continue;
            }
            for name in Self::names(field) {
                if let Some(found) = self.variable(&level.variable(name), Place::Environment, rank)
                {
                    if is_structured(name, found.value.expose()) {
                        continue;
                    }
                    return Some(found);
                }
                // `…__CREDENTIALS` may hold all fields as one JSON object.
                let Some(owner) = level.owner() else { continue };
                if let Some(whole) =
                    self.variable(&owner.variable("credentials"), Place::Environment, rank)
                    && let Some(value) = member(whole.value.expose(), name)
                {
                    return Some(Found { value, ..whole });
                }
            }
        }
        None
    }

    fn in_files(&self, field: &Field) -> Result<Option<Found>> {
        if !field.secret || self.store.files.is_empty() {
            return Ok(None);
        }
        for (rank, level) in self.levels.iter().enumerate() {
            for name in Self::names(field) {
                if let Some(found) = self.file(&level.file(name), rank)?
                    && !is_structured(name, found.value.expose())
                {
                    return Ok(Some(found));
                }
                let Some(owner) = level.owner() else { continue };
                if let Some(whole) = self.file(&owner.file("credentials"), rank)?
                    && let Some(value) = member(whole.value.expose(), name)
                {
                    return Ok(Some(Found { value, ..whole }));
                }
            }
        }
        Ok(None)
    }

    fn file(&self, name: &str, rank: usize) -> Result<Option<Found>> {
        if !self.store.files.contains(name) {
            return Ok(None);
        }
        let path = self.store.files_dir.join(name);
        let Some(text) = files::read_text(&path)? else {
            return Ok(None);
        };
        // Editors and `echo` end a file with a line end that is no part of the secret.
        let value = text.strip_suffix('\n').unwrap_or(&text);
        let value = Plain::new(value.strip_suffix('\r').unwrap_or(value).to_owned());
        Ok(Some(Found::new(
            value,
            Origin::SecretFile(path),
            Place::Files,
            rank,
        )))
    }

    fn in_toml(
        &self,
        field: &Field,
        file: &SecretsFile,
        (place, file_name): (Place, &'static str),
        origin: fn(String, u32) -> Origin,
    ) -> Result<Option<Found>> {
        for (rank, level) in self.levels.iter().enumerate() {
            for name in Self::names(field) {
                let path = level.path(name);
                if let Some(leaf) = file.find(&path) {
                    let key = path.join(".");
                    let value = self.expand(leaf, &key, file_name)?;
                    // A template's `api_key = ""` stands for "not yet".
                    let is_blank = field.required && value.expose().is_empty();
                    if !is_blank && !is_structured(name, value.expose()) {
                        return Ok(Some(Found::new(value, origin(key, leaf.line), place, rank)));
                    }
                }
                let Some(owner) = level.owner() else { continue };
                let path = owner.path("credentials");
                if let Some(leaf) = file.find(&path) {
                    let key = path.join(".");
                    let whole = self.expand(leaf, &key, file_name)?;
                    if let Some(value) = member(whole.expose(), name) {
                        return Ok(Some(Found::new(value, origin(key, leaf.line), place, rank)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Returns the value of `leaf` with its variables filled in.
    fn expand(&self, leaf: &Leaf, key: &str, file: &'static str) -> Result<Plain<String>> {
        let at = || say!("", name Quoted(file), " line ", leaf.line, ": ");
        let value = leaf.value.as_ref().map_err(|noun| {
            let say = say!("", at(), name Quoted(key), " must be text, not ", Say::new(noun));
            Error::invalid(Code::ConfigInvalid, say)
        })?;
        let full = variables::expand(value.expose(), self.store.environment, |name, value| {
            if is_secret_name(name) {
                environment::teach(self.redactor, value);
            }
        });
        full.map_err(|incomplete| {
            let (code, say, hint) = incomplete.tell(key);
            Error::invalid(code, say!("", at(), say)).hint(hint)
        })
    }

    /// The source's own block of `sources.yml`: the place for what is no secret.
    fn in_block(&self, field: &Field) -> Result<Option<Found>> {
        let block = &self.source.block_as_written;
        let written = Self::names(field).find_map(|name| Some((name, block.get(name)?)));
        let Some((name, written)) = written else {
            return Ok(None);
        };
        let text = match written {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            // A list or a map is the connector's own affair.
            Value::Null | Value::Array(_) | Value::Object(_) => return Ok(None),
        };
        let key = format!("{}.{name}", self.source.kind);
        let value =
            variables::expand(&text, self.store.environment, |_, _| {}).map_err(|incomplete| {
                let (code, say, hint) = incomplete.tell(&key);
                Error::invalid(code, say!("`.dango/sources.yml`: ", say)).hint(hint)
            })?;
        let mut found = Found::new(value, Origin::Sources(self.source.place), Place::Block, 0);
        found.is_committed = !variables::is_template(&text);
        Ok(Some(found))
    }

    /// The connector's own variable, then its default.
    fn in_connector(&self, field: &Field) -> Option<Found> {
        let variable = field.env.as_ref();
        let found = variable.and_then(|name| self.variable(name, Place::Connector, 0));
        found.or_else(|| {
            let value = Plain::new(field.default.clone()?);
            Some(Found::new(value, Origin::Default, Place::Connector, 1))
        })
    }
}

/// Returns whether the value of a field called `credentials` is a JSON object, which holds other fields.
fn is_structured(name: &str, value: &str) -> bool {
    name == "credentials" && value.trim_start().starts_with('{')
}

/// Returns the member `name` of the JSON object `text`.
fn member(text: &str, name: &str) -> Option<Plain<String>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let object: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
    match object.get(name)? {
        Value::String(text) => Some(Plain::new(text.clone())),
        Value::Null => None,
        other => Some(Plain::new(other.to_string())),
    }
}

fn sealed(origin: &Origin) -> Error {
    let say = say!(
        "",
        origin.say(),
        " holds a sealed value, which this version cannot open"
    );
    Error::invalid(Code::ConfigInvalid, say).hint("store the value again with `dango secrets set`")
}
