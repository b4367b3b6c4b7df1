//! Changes to the text of a `secrets.toml`. An existing value is replaced, or its line cut out, in the text itself; only what
//! is new goes through the TOML writer. The result is read again before it counts.

use super::SecretName;
use crate::config::finding::suggestion;
use crate::credentials::SECRETS_FILE;
use crate::credentials::secrets_file::SecretsFile;
use crate::error::{Error, Result};
use domain::say::Quoted;
use domain::{Code, Say, say};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// Returns the text with `name` set to `secret`, and whether the name is new.
pub(super) fn set(
    text: &str,
    file: &SecretsFile,
    name: &SecretName,
    secret: &str,
) -> Result<(String, bool)> {
    let path = name.path();
    if file.has_below(path) {
        return Err(in_the_way(&path.join("."), "a table"));
    }
    let is_new = file.find(path).is_none();
    let edited = match file.find(path) {
        Some(leaf) => {
            let (before, rest) = text
                .split_at_checked(leaf.span.start)
                .ok_or_else(not_editable)?;
            let after = rest.get(leaf.span.len()..).ok_or_else(not_editable)?;
            format!(
                "{before}{}{after}",
                toml_edit::Value::from(secret).to_string().trim()
            )
        }
        None => match append(text, file, path, secret) {
            Some(edited) if check(&edited, file, path, Some(secret)).is_ok() => edited,
            _ => insert(text, path, secret)?,
        },
    };
    check(&edited, file, path, Some(secret))?;
    Ok((edited, is_new))
}

/// Appends a table with the one value; `None` when there is such a table.
fn append(text: &str, file: &SecretsFile, path: &[String], secret: &str) -> Option<String> {
    let (field, sections) = path.split_last()?;
    if file.has_below(sections) {
        return None;
    }
    let gap = match text {
        "" => "",
        _ if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let secret = toml_edit::Value::from(secret).to_string();
    Some(format!(
        "{text}{gap}[{}]\n{field} = {}\n",
        sections.join("."),
        secret.trim()
    ))
}

fn insert(text: &str, path: &[String], secret: &str) -> Result<String> {
    // The error would hold the text; it was read without one a moment ago.
    let mut document: DocumentMut = text.parse().map_err(|_| not_editable())?;
    let (field, sections) = path.split_last().ok_or_else(not_editable)?;
    let table = table_at(document.as_table_mut(), sections)?;
    table.insert(field, value(secret));
    Ok(document.to_string())
}

/// Returns the text without `name`.
pub(super) fn unset(text: &str, file: &SecretsFile, name: &SecretName) -> Result<(String, ())> {
    let path = name.path();
    let Some(leaf) = file.find(path) else {
        let names: Vec<String> = file.iter().map(|(path, _)| path.join(".")).collect();
        let mut hint = suggestion(&name.to_string(), names.iter().map(String::as_str));
        if hint.is_empty() {
            hint = Say::new("`dango secrets list` shows what there is");
        }
        let say = say!("there is no secret ", name Quoted(&name.to_string()), " in ", name Quoted(SECRETS_FILE));
        return Err(Error::not_found(Code::SecretNotFound, say).hint(hint));
    };
    let edited = match cut(text, leaf.key.start, leaf.span.end) {
        Some(edited) if check(&edited, file, path, None).is_ok() => edited,
        _ => remove(text, path)?,
    };
    check(&edited, file, path, None)?;
    Ok((edited, ()))
}

/// Cuts out the lines of an entry that has them to itself.
fn cut(text: &str, key: usize, end: usize) -> Option<String> {
    let start = text.get(..key)?.rfind('\n').map_or(0, |at| at + 1);
    let before_key = text.get(start..key)?;
    let tail = text.get(end..)?;
    let (rest, after) = match tail.find('\n') {
        Some(at) => (tail.get(..at)?, tail.get(at + 1..)?),
        None => (tail, ""),
    };
    let rest = rest.trim();
    let is_alone =
        !before_key.contains(['=', '{', '[']) && (rest.is_empty() || rest.starts_with('#'));
    is_alone.then(|| format!("{}{after}", text.get(..start).unwrap_or_default()))
}

/// Removes an entry of an inline table.
fn remove(text: &str, path: &[String]) -> Result<String> {
    let mut document: DocumentMut = text.parse().map_err(|_| not_editable())?;
    let (field, sections) = path.split_last().ok_or_else(not_editable)?;
    table_at(document.as_table_mut(), sections)?.remove(field);
    Ok(document.to_string())
}

/// Returns the table at `path`, created as a `[header]` where it is missing.
fn table_at<'t>(root: &'t mut Table, path: &[String]) -> Result<&'t mut dyn TableLike> {
    let mut table: &mut dyn TableLike = root;
    for (depth, key) in path.iter().enumerate() {
        let fresh = || {
            let mut fresh = Table::new();
            fresh.set_implicit(depth + 1 < path.len());
            Item::Table(fresh)
        };
        let item = table.entry(key).or_insert_with(fresh);
        table = item.as_table_like_mut().ok_or_else(|| {
            in_the_way(&path.get(..=depth).unwrap_or_default().join("."), "a value")
        })?;
    }
    Ok(table)
}

/// Makes sure that `edited` says what `before` said, but for the value at `path`.
fn check(edited: &str, before: &SecretsFile, path: &[String], secret: Option<&str>) -> Result<()> {
    let now = SecretsFile::parse(edited, SECRETS_FILE).map_err(|_| not_editable())?;
    let values = |file: &SecretsFile| -> Vec<(Vec<String>, Option<String>)> {
        let others = file.iter().filter(|(other, _)| *other != path);
        others
            .map(|(other, leaf)| {
                (
                    other.to_vec(),
                    leaf.value.as_ref().ok().map(|value| value.expose().clone()),
                )
            })
            .collect()
    };
    let written = now.find(path).and_then(|leaf| {
        leaf.value
            .as_ref()
            .ok()
            .map(|value| value.expose().as_str())
    });
    if values(&now) == values(before) && written == secret {
        Ok(())
    } else {
        Err(not_editable())
    }
}

fn in_the_way(key: &str, noun: &'static str) -> Error {
    let say = say!("", name Quoted(key), " in ", name Quoted(SECRETS_FILE), " is ", Say::new(noun));
    Error::conflict(Code::ConfigInvalid, say)
        .hint("choose another name, or change the file by hand")
}

fn not_editable() -> Error {
    let say = say!("", name Quoted(SECRETS_FILE), " cannot be changed without losing something");
    Error::invalid(Code::ConfigInvalid, say).hint("change it by hand")
}
