//! The source as it is tried before it is saved: what will be stored as a reference to a variable is tried with its value.

use super::settings::is_variable;
use crate::context::Context;
use crate::errors::Stop;
use app::error::{Error, Kind};
use app::sources::{FieldValue, NewSource};
use app::{App, Environment};
use domain::say::Quoted;
use domain::{Code, say};
use security::permissions::SourceManage;
use security::{Allow, Plain};

/// Connects to a source that is not saved yet and returns what it answered.
pub(super) async fn run(
    context: &Context,
    app: &App,
    allow: &Allow<SourceManage>,
    source: &NewSource,
) -> Result<String, Stop> {
    let tried = with_values(source, &context.place()?.environment)?;
    Ok(app::sources::test_new(app, allow, &tried).await?)
}

/// Returns a copy of `source` with the values of its variables.
fn with_values(source: &NewSource, environment: &Environment) -> Result<NewSource, Stop> {
    let mut fields = std::collections::BTreeMap::new();
    for (name, value) in &source.fields {
        let copy = match value {
            FieldValue::Text(text) => FieldValue::Text(text.clone()),
            FieldValue::Secret(secret) => FieldValue::Secret(filled(secret, environment)?),
        };
        fields.insert(name.clone(), copy);
    }
    Ok(NewSource {
        name: source.name.clone(),
        kind: source.kind.clone(),
        fields,
        description: source.description.clone(),
        enabled: source.enabled,
        extra: source.extra.clone(),
    })
}

fn filled(secret: &Plain<String>, environment: &Environment) -> Result<Plain<String>, Stop> {
    let Some(variable) = reference(secret.expose()) else {
        return Ok(Plain::new(secret.expose().clone()));
    };
    if let Some(value) = environment.find(variable) {
        return Ok(Plain::new(value.expose().clone()));
    }
    let say =
        say!("variable ", name Quoted(variable), " is not set, so the source cannot be tried");
    let hint =
        "set it in the environment or in `.env`, or save the source untried with `--no-test`";
    Err(Error::new(Kind::Invalid, Code::VariableMissing, say)
        .hint(hint)
        .into())
}

/// Returns the variable of a secret that is nothing but `${VARIABLE}`.
fn reference(text: &str) -> Option<&str> {
    text.strip_prefix("${")?
        .strip_suffix('}')
        .filter(|name| is_variable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_tried_with_its_value() {
        let environment = Environment::from_pairs([("SHOP_PASSWORD", "hunter2")]);
        let check = |text: &str, expect: Option<&str>| {
            let filled = filled(&Plain::new(text.into()), &environment);
            assert_eq!(
                filled.ok().map(|secret| secret.expose().clone()).as_deref(),
                expect,
                "{text}"
            );
        };
        check("${SHOP_PASSWORD}", Some("hunter2"));
        check("${OTHER}", None);
        check("a${SHOP_PASSWORD}", Some("a${SHOP_PASSWORD}"));
        check("plain", Some("plain"));
    }
}
