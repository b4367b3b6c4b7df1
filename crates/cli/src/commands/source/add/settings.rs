//! Settings and secrets given by flags. A secret among the settings is refused without being repeated.

use crate::commands::source::form::Form;
use crate::errors::{Stop, unreadable, usage};
use crate::prompts;
use app::Field;
use app::environment::is_secret_name;
use app::sources::FieldValue;
use domain::say;
use domain::say::Quoted;
use security::Plain;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// A field closer than this to the typed one is worth suggesting.
const SIMILARITY_MIN: f64 = 0.8;

/// Parses `KEY=VALUE`s. A key that the form does not know is a further one of the type's block, which `app` checks.
pub(in crate::commands::source) fn parse(
    pairs: &[String],
    form: &Form,
) -> Result<BTreeMap<String, String>, Stop> {
    let mut settings = BTreeMap::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            // Not repeated: whoever writes it wrong may have written a secret.
            return Err(usage(
                "`--set` needs the form KEY=VALUE",
                "for example `--set host=db.example.com`",
            ));
        };
        let field = field(form, key)?;
        let name = field.map_or(key, |field| field.name.as_str());
        if field.map_or_else(|| is_secret_name(key), |field| field.secret) {
            return Err(secret_on_command_line(name));
        }
        if settings.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(usage(
                say!("", name Quoted(name), " is set twice"),
                "set it once",
            ));
        }
    }
    Ok(settings)
}

fn secret_on_command_line(name: &str) -> Stop {
    let flags = format!(
        "`--secret-stdin {name}`, `--secret-env {name}=VARIABLE` or `--secret-file {name}=PATH`"
    );
    usage(
        say!("", name Quoted(name), " is a secret, and a secret is never taken from the command line"),
        say!(
            "use ",
            Quoted(&flags),
            "; and change this one, it has been seen"
        ),
    )
}

/// Returns the field that `key` means. A key that is almost a field's name is refused: it is a typing error.
fn field<'a>(form: &'a Form, key: &str) -> Result<Option<&'a Field>, Stop> {
    let is_meant =
        |field: &&Field| field.name == key || field.aliases.iter().any(|alias| alias == key);
    if let Some(field) = form.fields.iter().find(is_meant) {
        return Ok(Some(field));
    }
    let similarity = |field: &&Field| strsim::jaro_winkler(&field.name, key);
    let nearest = form
        .fields
        .iter()
        .max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let Some(near) = nearest.filter(|field| similarity(field) >= SIMILARITY_MIN) else {
        return Ok(None);
    };
    let kind = form.kind.as_str();
    Err(usage(
        say!("type ", name Quoted(kind), " has no setting ", name Quoted(key)),
        say!("did you mean ", name Quoted(&near.name), "?"),
    ))
}

/// Returns what is chosen among the source's tables or endpoints, as the keys of `sources.yml`.
pub(super) fn extra(tables: &[String], endpoints: &[String]) -> Map<String, Value> {
    let table = |table: &String| match table.split_once('=') {
        Some((name, pattern)) => json!({"name": name, "pattern": pattern}),
        None => Value::from(table.as_str()),
    };
    let mut extra = Map::new();
    if !tables.is_empty() {
        extra.insert("tables".into(), tables.iter().map(table).collect());
    }
    if !endpoints.is_empty() {
        extra.insert(
            "endpoints".into(),
            endpoints.iter().map(String::as_str).collect(),
        );
    }
    extra
}

/// Where the flags say that secrets come from.
pub(super) struct Secrets<'a> {
    pub(super) stdin: &'a [String],
    /// What stdin said, when one of them is to be found there.
    pub(super) typed: Option<Plain<String>>,
    pub(super) variables: &'a [String],
    pub(super) files: &'a [String],
    pub(super) together: Option<&'a Path>,
}

impl Secrets<'_> {
    /// Reads them all.
    pub(super) fn read(self, form: &Form) -> Result<BTreeMap<String, FieldValue>, Stop> {
        let mut found = Vec::new();
        for pair in self.variables {
            let (key, variable) = split(pair, "--secret-env FIELD=VARIABLE")?;
            if !is_variable(variable) {
                return Err(usage(
                    say!(
                        "`--secret-env ",
                        Quoted(key),
                        "=…` takes the name of a variable, not a value (not repeated here)"
                    ),
                    "for example `--secret-env password=SHOP_DB_PASSWORD`",
                ));
            }
            found.push((key.to_owned(), Plain::new(format!("${{{variable}}}"))));
        }
        for pair in self.files {
            let (key, path) = split(pair, "--secret-file FIELD=PATH")?;
            found.push((key.to_owned(), prompts::secret_from_file(Path::new(path))?));
        }
        if let Some(path) = self.together {
            let text =
                Plain::new(fs_err::read_to_string(path).map_err(|error| unreadable(&error))?);
            found.extend(lines(&text)?);
        }
        if let Some(typed) = self.typed {
            found.extend(by_line(self.stdin, typed)?);
        }
        let mut secrets = BTreeMap::new();
        for (key, value) in found {
            let name = secret_field(form, &key)?;
            if value.expose().is_empty() {
                return Err(usage(
                    say!("the secret ", name Quoted(&name), " is empty"),
                    "nothing was saved",
                ));
            }
            secrets.insert(name, FieldValue::Secret(value));
        }
        Ok(secrets)
    }
}

fn secret_field(form: &Form, key: &str) -> Result<String, Stop> {
    match field(form, key)? {
        Some(field) if field.secret => Ok(field.name.clone()),
        _ => Err(usage(
            say!("", name Quoted(key), " is no secret of type ", name Quoted(form.kind.as_str())),
            say!("set it with `--set ", Quoted(key), "=…`"),
        )),
    }
}

/// Returns one secret as all that was typed, several as one line each.
fn by_line(keys: &[String], all: Plain<String>) -> Result<Vec<(String, Plain<String>)>, Stop> {
    if let [key] = keys {
        return Ok(vec![(key.clone(), all)]);
    }
    let values: Vec<_> = all
        .expose()
        .lines()
        .map(|line| Plain::new(line.to_owned()))
        .collect();
    if values.len() != keys.len() {
        return Err(usage(
            say!(
                "stdin has ",
                values.len(),
                " lines for ",
                keys.len(),
                " secrets"
            ),
            "write each secret on a line of its own, in the order of the flags",
        ));
    }
    Ok(keys.iter().cloned().zip(values).collect())
}

fn split<'a>(pair: &'a str, form: &'static str) -> Result<(&'a str, &'a str), Stop> {
    pair.split_once('=')
        .filter(|(key, value)| !key.is_empty() && !value.is_empty())
        .ok_or_else(|| {
            usage(
                say!("the form is ", name Quoted(form)),
                "see `dango source add --help`",
            )
        })
}

/// Parses lines `FIELD=VALUE`; `#` starts a comment line.
fn lines(text: &Plain<String>) -> Result<Vec<(String, Plain<String>)>, Stop> {
    let numbered = text.expose().lines().enumerate();
    let meant =
        numbered.filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    meant
        .map(|(index, line)| {
            let (key, value) = line.split_once('=').ok_or_else(|| {
                usage(
                    say!(
                        "line ",
                        index + 1,
                        " of the secrets file is not FIELD=VALUE"
                    ),
                    "nothing was saved",
                )
            })?;
            Ok((key.trim().to_owned(), Plain::new(value.trim().to_owned())))
        })
        .collect()
}

pub(super) fn is_variable(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    starts_well
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::source::form::tests::form;
    use crate::output::{error_text, style::Palette};

    fn told(stop: Stop) -> String {
        match stop {
            Stop::Failed(error) => error_text(&error, Palette::Plain),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn settings_are_taken_by_name_and_alias() {
        let pairs = ["host=a=b".to_owned(), "database=shop".to_owned()];
        let settings = parse(&pairs, &form()).map_err(told).expect("well-formed");
        assert_eq!(
            settings.into_iter().collect::<Vec<_>>(),
            [
                ("dbname".to_owned(), "shop".to_owned()),
                ("host".to_owned(), "a=b".to_owned()),
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_and_no_value_is_repeated() {
        let check = |pair: &str, expect: &str| {
            let text = told(
                parse(&[pair.to_owned()], &form())
                    .map(|_| ())
                    .expect_err(pair),
            );
            assert!(text.contains(expect), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        };
        check("password=hunter2", "`password` is a secret");
        check("pwd=hunter2", "`password` is a secret");
        check("hunter2", "KEY=VALUE");
        check("hots=hunter2", "did you mean `host`?");
        check("api_key=hunter2", "`api_key` is a secret");
    }

    #[test]
    fn secrets_come_from_variables_and_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets");
        fs_err::write(&path, "# shop\npassword = hunter2\n").expect("written");
        let none: &[String] = &[];
        let read = |variables: &[String], together| {
            Secrets {
                stdin: none,
                typed: None,
                variables,
                files: none,
                together,
            }
            .read(&form())
        };
        let value = |secrets: BTreeMap<String, FieldValue>| match secrets.get("password") {
            Some(FieldValue::Secret(secret)) => secret.expose().clone(),
            _ => String::new(),
        };
        let variables = ["password=SHOP_DB_PASSWORD".to_owned()];
        assert_eq!(
            value(read(&variables, None).map_err(told).expect("a variable")),
            "${SHOP_DB_PASSWORD}"
        );
        assert_eq!(
            value(read(none, Some(&path)).map_err(told).expect("a file")),
            "hunter2"
        );
        for wrong in ["password=hunter2", "host=HOST", "password", "=X"] {
            let text = told(
                read(&[wrong.to_owned()], None)
                    .map(|_| ())
                    .expect_err(wrong),
            );
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
