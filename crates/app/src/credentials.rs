//! What a source signs in with: found where dlt would find it, in dlt's order, under dlt's names.
//!
//! Places: what `sources.yml` names with `<field>_env`, the environment, `/run/secrets`, `.dlt/secrets.toml`, for what is no
//! secret `.dlt/config.toml` and the source's block of `sources.yml`, then the connector's own variable (`STRIPE_API_KEY`) and
//! its default. The connector's variable comes late because it is the same for every source of a type.

pub mod hygiene;
mod levels;
mod lookup;
mod missing;
pub(crate) mod secrets_file;

use crate::config::{Place, SourceConfig, variables};
use crate::environment::{self, Environment, VariableOrigin};
use crate::error::{Error, Result};
use crate::project::Project;
use connect::Credentials;
use connect::catalog::Field;
use domain::say::Quoted;
use domain::{Code, Say, say};
use lookup::{Found, Lookup};
use missing::Missing;
use secrets_file::SecretsFile;
use security::permissions::{SourceManage, SourceSync, SourceViewCredentials};
use security::{Allow, Permission, Plain, Redactor};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The folder where Docker and Kubernetes put secrets.
pub const SECRET_FILES_DIR: &str = "/run/secrets";
pub(crate) const SECRETS_FILE: &str = ".dlt/secrets.toml";
const CONFIG_FILE: &str = ".dlt/config.toml";

/// A permission that includes the use of a source's credentials; using is not seeing.
pub trait UsesCredentials: Permission {}
impl UsesCredentials for SourceSync {}
impl UsesCredentials for SourceManage {}
impl UsesCredentials for SourceViewCredentials {}

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Given by whoever asked: a wizard's answer that is not saved yet.
    Given,
    /// An environment variable, or a line of `.env`.
    Variable {
        name: String,
        origin: VariableOrigin,
    },
    /// A file of `/run/secrets`.
    SecretFile(PathBuf),
    /// `.dlt/secrets.toml`, under this key.
    Secrets { key: String, line: u32 },
    /// `.dlt/config.toml`, under this key.
    Config { key: String, line: u32 },
    /// The source's block of `sources.yml`.
    Sources(Place),
    /// The connector's default.
    Default,
}

impl Origin {
    /// Returns the origin as messages name it.
    pub fn say(&self) -> Say {
        match self {
            Self::Given => Say::new("given"),
            Self::Variable { name, origin } => environment::describe(name, *origin),
            Self::SecretFile(path) => say!("", name path.as_path()),
            Self::Secrets { key, line } => {
                say!("`.dlt/secrets.toml` line ", *line, " (", name Quoted(key), ")")
            }
            Self::Config { key, line } => {
                say!("`.dlt/config.toml` line ", *line, " (", name Quoted(key), ")")
            }
            Self::Sources(place) => say!("`.dango/sources.yml`, the source in line ", place.line),
            Self::Default => Say::new("default"),
        }
    }
}

/// A source's credentials, and where each was found.
pub struct Resolved {
    pub credentials: Credentials,
    pub origins: BTreeMap<String, Origin>,
    /// What the user should change: a secret in a file that is committed.
    pub warnings: Vec<Say>,
}

/// Every place where credentials may lie, read once.
pub struct CredentialStore<'e> {
    environment: &'e Environment,
    secrets: SecretsFile,
    config: SecretsFile,
    files_dir: PathBuf,
    files: BTreeSet<String>,
}

impl<'e> CredentialStore<'e> {
    /// Opens the places of `project`; `files_dir` is [`SECRET_FILES_DIR`] but for tests.
    pub fn open(project: &Project, environment: &'e Environment, files_dir: &Path) -> Result<Self> {
        let secrets = SecretsFile::load(&project.secrets_file(), SECRETS_FILE)?;
        let config = SecretsFile::load(&project.dlt_config_file(), CONFIG_FILE)?;
        let files = list(files_dir)?;
        Ok(Self {
            environment,
            secrets,
            config,
            files_dir: files_dir.to_path_buf(),
            files,
        })
    }

    /// Returns the values of `.dlt/secrets.toml`.
    pub(crate) const fn secrets(&self) -> &SecretsFile {
        &self.secrets
    }

    /// Returns the names of the secret files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Teaches `redactor` everything in `.dlt/secrets.toml` whose name says that it is a secret, whichever source it is for.
    pub(crate) fn teach(&self, redactor: &Redactor) {
        let is_secret = |path: &[String]| {
            path.last()
                .is_some_and(|field| environment::is_secret_name(field))
        };
        for (_, leaf) in self.secrets.iter().filter(|(path, _)| is_secret(path)) {
            // What cannot be completed is told by whoever needs it.
            if let Ok(value) = &leaf.value
                && let Ok(full) = variables::expand(value.expose(), self.environment, |_, _| {})
            {
                learn(redactor, &full);
            }
        }
    }

    /// Finds the credentials of `source`, whose connector declares `fields`. `redactor` learns every secret that is found.
    pub fn resolve<P: UsesCredentials>(
        &self,
        allow: &Allow<P>,
        source: &SourceConfig,
        fields: &[Field],
        redactor: &Redactor,
    ) -> Result<Resolved> {
        self.resolve_with(allow, source, fields, redactor, BTreeMap::new())
    }

    /// Like [`Self::resolve`], but the values `given` come before all others.
    pub fn resolve_with<P: UsesCredentials>(
        &self,
        _allow: &Allow<P>,
        source: &SourceConfig,
        fields: &[Field],
        redactor: &Redactor,
        mut given: BTreeMap<String, Plain<String>>,
    ) -> Result<Resolved> {
        let lookup = Lookup::new(self, source, redactor);
        let mut found: BTreeMap<&str, Found> = BTreeMap::new();
        let mut missing: Vec<Missing<'_>> = Vec::new();
        for field in fields {
            if let Some(value) = given.remove(&field.name) {
                found.insert(&field.name, Found::given(value));
            } else if let Some(value) = lookup.find(field)? {
                found.insert(&field.name, value);
            } else if field.required {
                missing.push(lookup.missing(field));
            }
        }
        drop_shadowed_url(&mut found);
        if !missing.is_empty() {
            return Err(not_found(source, &missing, self));
        }
        let mut resolved = Resolved {
            credentials: Credentials::new(),
            origins: BTreeMap::new(),
            warnings: Vec::new(),
        };
        for (name, found) in found {
            if fields
                .iter()
                .any(|field| field.name == name && field.secret)
            {
                learn(redactor, &found.value);
                resolved.warnings.extend(misplaced(source, name, &found));
            }
            resolved.origins.insert(name.to_owned(), found.origin);
            resolved.credentials.insert(name, found.value);
        }
        Ok(resolved)
    }
}

/// Returns the warning about a secret that stands in a committed file in plain text.
fn misplaced(source: &SourceConfig, field: &str, found: &Found) -> Option<Say> {
    if !found.is_committed {
        return None;
    }
    let field = Quoted(field);
    Some(say!(
        "", name field, " of the source ", name source.name, " is a secret and stands in a file that is committed; move it: `dango secrets set sources.",
        source.name, ".", field, "`"
    ))
}

/// Teaches `redactor` a secret; of a URL also the password within.
fn learn(redactor: &Redactor, secret: &Plain<String>) {
    environment::teach(redactor, secret);
    if let Ok(url) = url::Url::parse(secret.expose().trim())
        && let Some(password) = url.password()
    {
        redactor.learn(&Plain::new(password.to_owned()));
        redactor.learn(&Plain::new(decode(password)));
    }
}

/// Decodes `%41`; anything else stays as it is.
fn decode(text: &str) -> String {
    // A form's decoder knows the escapes; the plus sign, which it would take for a blank, is escaped first.
    let pair = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next();
    decoded.map_or_else(String::new, |(_, value)| value.into_owned())
}

/// A connection's URL and its single fields are two forms of one thing: the form that was found in the better place counts,
/// so that an ambient `POSTGRES_CREDENTIALS` does not overrule a source's own table.
fn drop_shadowed_url(found: &mut BTreeMap<&str, Found>) {
    let Some(url) = found.get("credentials") else {
        return;
    };
    let parts = ["host", "database", "username", "password"];
    let best = parts
        .iter()
        .filter_map(|part| found.get(part))
        .map(|part| part.rank)
        .min();
    if best.is_some_and(|best| best < url.rank) {
        found.remove("credentials");
    }
}

/// Returns the one error about everything that was found nowhere.
fn not_found(source: &SourceConfig, missing: &[Missing<'_>], store: &CredentialStore<'_>) -> Error {
    let mut names = Say::default();
    for (index, field) in missing.iter().enumerate() {
        let gap = if index == 0 { "" } else { " and " };
        names = names.text(gap).name(&Quoted(&field.field.name));
    }
    let mut hint = say!("searched, in this order: ");
    if let Some(first) = missing.first() {
        hint = hint.value(&first.places(store));
    }
    for Missing { field, .. } in missing {
        let (name, field_name) = (&source.name, Quoted(&field.name));
        let next = if field.secret {
            say!(
                "\nstore it with `dango secrets set sources.",
                *name,
                ".",
                field_name,
                "`"
            )
        } else {
            say!(
                "\nset it with `dango source edit ",
                *name,
                " --set ",
                field_name,
                "=…`"
            )
        };
        hint = hint.value(&next);
    }
    let say = say!("source ", name source.name, " needs ", names, ", found nowhere");
    Error::invalid(Code::CredentialMissing, say).hint(hint)
}

/// Returns the names of the files in the folder of secret files; none when there is no such folder.
fn list(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(BTreeSet::new());
        }
        // Somebody else's folder: what is in it was not meant for us.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(BTreeSet::new()),
        Err(error) => return Err(Error::file("read", folder, error)),
    };
    entries
        .take(domain::limits::FILES_MAX)
        .map(|entry| {
            let entry = entry.map_err(|error| Error::file("read", folder, error))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests;
