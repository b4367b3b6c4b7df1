//! `dango secrets`: the credentials of a project, stored and listed. A value comes in as [`Plain`] and never goes out.

mod edit;
mod recorded;

pub use recorded::{remove, store};

use crate::config::variables;
use crate::credentials::secrets_file::SecretsFile;
use crate::credentials::{CredentialStore, Origin, SECRETS_FILE};
use crate::environment::{self, Environment};
use crate::error::{Error, Result};
use crate::files::{self, Reach};
use crate::project::Project;
use domain::say::Quoted;
use domain::{Code, Say, say};
use security::mask::STARS;
use security::permissions::{ConfigManage, ConfigView};
use security::{Allow, Plain, Redactor, mask};
use std::fmt;
use std::path::Path;

/// The name of a secret: the path of its key, `sources.stripe.api_key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretName(Vec<String>);

impl SecretName {
    /// Parses `sources.stripe.api_key`, or short `stripe.api_key`.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |why: &'static str| {
            let say = say!("", name Quoted(text), " is not a secret's name: ", Say::new(why));
            Error::invalid(Code::UsageInvalid, say)
                .hint("write source and field: `stripe.api_key` or `sources.stripe.api_key`")
        };
        let mut path: Vec<String> = text.split('.').map(str::to_ascii_lowercase).collect();
        if path.first().is_some_and(|first| first != "sources") {
            path.insert(0, "sources".to_owned());
        }
        if path.len() < 3 {
            return Err(invalid("it needs a source and a field"));
        }
        let is_word = |part: &String| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        if !path.iter().all(is_word) {
            return Err(invalid("its parts have letters, digits, `_` and `-` only"));
        }
        Ok(Self(path))
    }

    fn path(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.join("."))
    }
}

/// A secret as it may be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    /// `sources.stripe.api_key`; for a variable or a file its own name.
    pub name: String,
    /// The value masked, or the variable it refers to.
    pub shown: String,
    pub origin: Origin,
}

/// Stores `value` under `name` in `.dlt/secrets.toml`, keeping comments and order; `redactor` learns it. Returns whether the
/// name is new.
pub(crate) fn set(
    _allow: &Allow<ConfigManage>,
    project: &Project,
    name: &SecretName,
    value: &Plain<String>,
    redactor: &Redactor,
) -> Result<bool> {
    let value = Plain::new(without_line_end(value.expose()).to_owned());
    environment::teach(redactor, &value);
    let written = Plain::new(writable(value.expose())?);
    change(project, |text, file| {
        edit::set(text, file, name, written.expose())
    })
}

/// Returns the error of a secret that [`remove`] would not find, before anybody is asked whether it may go.
pub fn check_unset(
    _allow: &Allow<ConfigManage>,
    project: &Project,
    name: &SecretName,
) -> Result<()> {
    let text = Plain::new(files::read_text(&project.secrets_file())?.unwrap_or_default());
    let file = SecretsFile::parse(text.expose(), SECRETS_FILE)?;
    edit::unset(text.expose(), &file, name).map(|_| ())
}

/// Removes the secret `name` from `.dlt/secrets.toml`.
pub(crate) fn unset(
    _allow: &Allow<ConfigManage>,
    project: &Project,
    name: &SecretName,
) -> Result<()> {
    change(project, |text, file| edit::unset(text, file, name))
}

/// Lists the secrets of `.dlt/secrets.toml`, then the variables and secret files that are called like one.
pub fn list(
    _allow: &Allow<ConfigView>,
    project: &Project,
    environment: &Environment,
    files_dir: &Path,
) -> Result<Vec<SecretInfo>> {
    let store = CredentialStore::open(project, environment, files_dir)?;
    let mut listed: Vec<SecretInfo> = Vec::new();
    for (path, leaf) in store.secrets().iter() {
        let key = path.join(".");
        let shown = match &leaf.value {
            Ok(value) if variables::is_reference(value.expose()) => value.expose().clone(),
            Ok(value) => mask(value.expose()),
            Err(noun) => format!("({noun})"),
        };
        listed.push(SecretInfo {
            name: key.clone(),
            shown,
            origin: Origin::Secrets {
                key,
                line: leaf.line,
            },
        });
    }
    for name in environment
        .names()
        .filter(|name| name.starts_with("SOURCES__"))
    {
        if let (Some(value), Some(origin)) = (environment.find(name), environment.origin(name)) {
            listed.push(SecretInfo {
                name: name.to_owned(),
                shown: mask(value.expose()),
                origin: Origin::Variable {
                    name: name.to_owned(),
                    origin,
                },
            });
        }
    }
    for name in store.files().filter(|name| name.starts_with("sources--")) {
        listed.push(SecretInfo {
            name: name.to_owned(),
            shown: STARS.to_owned(),
            origin: Origin::SecretFile(files_dir.join(name)),
        });
    }
    Ok(listed)
}

/// A pipe ends with a line end that is no part of the secret, unless the secret has lines of its own.
fn without_line_end(value: &str) -> &str {
    let single = value.strip_suffix('\n').filter(|rest| !rest.contains('\n'));
    single.map_or(value, |line| line.strip_suffix('\r').unwrap_or(line))
}

/// Returns the text to write for `value`: a lone `${VAR}` stays a reference, any other `${` is meant literally.
fn writable(value: &str) -> Result<String> {
    if value.is_empty() {
        return Err(Error::invalid(Code::UsageInvalid, "the secret is empty")
            .hint("`dango secrets unset NAME` removes one"));
    }
    if value.contains('\0') {
        return Err(Error::invalid(
            Code::UsageInvalid,
            "the secret has a NUL character",
        ));
    }
    if variables::is_reference(value) {
        return Ok(value.to_owned());
    }
    Ok(value.replace("${", "$${"))
}

/// Rewrites `.dlt/secrets.toml` with `edit`, as a whole or not at all.
fn change<T>(
    project: &Project,
    edit: impl FnOnce(&str, &SecretsFile) -> Result<(String, T)>,
) -> Result<T> {
    let path = project.secrets_file();
    let before = files::read_text(&path)?.map(Plain::new);
    let text = before.as_ref().map_or("", |text| text.expose());
    let file = SecretsFile::parse(text, SECRETS_FILE)?;
    let (after, answer) = edit(text, &file)?;
    let after = Plain::new(after);
    // Somebody's editor may have saved meanwhile.
    let now = files::read_text(&path)?.map(Plain::new);
    if now.as_ref().map(Plain::expose) != before.as_ref().map(Plain::expose) {
        let say = say!("", name Quoted(SECRETS_FILE), " was changed by somebody else meanwhile");
        return Err(Error::conflict(Code::ProjectLocked, say).hint("run the command again"));
    }
    files::create_folder(&project.root().join(".dlt"), Reach::Owner)?;
    files::write_whole(&path, after.expose().as_bytes(), Reach::Owner)?;
    Ok(answer)
}

#[cfg(test)]
mod tests;
