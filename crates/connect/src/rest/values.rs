//! What a description's `{field}`s are filled with: the credentials, the source's block, the fields' defaults.

use super::spec::FieldSpec;
use super::template::{self, Part};
use crate::catalog::Field;
use crate::credentials::Credentials;
use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Say, SourceName, say};
use security::Plain;
use serde_json::{Map, Value};

/// The values of a source's fields.
pub(super) enum Values<'a> {
    /// A source's own.
    Source {
        name: &'a SourceName,
        fields: &'a [Field],
        block: &'a Map<String, Value>,
        credentials: &'a Credentials,
    },
    /// Made up, for checking a connector file: every declared field has one.
    Declared { fields: &'a [FieldSpec] },
}

impl Values<'_> {
    /// Returns `text` with its fields filled in; `place` is what messages call the text.
    pub(super) fn fill(&self, text: &str, place: &Say) -> Result<Plain<String>, Failure> {
        template::fill(text, |name| self.get(name, place)).map(Plain::new)
    }

    fn get(&self, name: &str, place: &Say) -> Result<String, Failure> {
        let unknown = || {
            Failure::new(
                FailureKind::ConfigInvalid,
                say!("", *place, ": there is no field ", name Quoted(name)),
            )
            .hint("a connector file declares its fields under `fields`; `rest_api` has `auth_token`, `basic_username`, `basic_password`, `client_id` and `client_secret`")
        };
        match self {
            Self::Declared { fields } => {
                let mut fields = fields.iter();
                let field = fields
                    .find(|field| field.is_called(name))
                    .ok_or_else(unknown)?;
                Ok(field.default.clone().unwrap_or_else(|| "x".to_owned()))
            }
            Self::Source {
                name: source,
                fields,
                block,
                credentials,
            } => {
                let field = fields
                    .iter()
                    .find(|field| field.is_called(name))
                    .ok_or_else(unknown)?;
                if let Some(value) = credentials.get(&field.name) {
                    return Ok(value.to_owned());
                }
                let written = block.iter().find(|(key, _)| field.is_called(key));
                match written
                    .and_then(|(_, value)| scalar(value))
                    .or_else(|| field.default.clone())
                {
                    Some(value) => Ok(value),
                    None => credentials.require(source, &field.name).map(str::to_owned),
                }
            }
        }
    }

    /// Returns whether a secret field is filled into `text`.
    pub(super) fn fills_secret(&self, text: &str) -> bool {
        let is_secret = |name: &str| match self {
            Self::Declared { fields } => fields
                .iter()
                .any(|field| field.secret && field.is_called(name)),
            Self::Source { fields, .. } => fields
                .iter()
                .any(|field| field.secret && field.is_called(name)),
        };
        template::parts(text)
            .iter()
            .any(|part| matches!(part, Part::Name(name) if is_secret(name)))
    }

    /// Returns whether `name` has a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name, &Say::default()).is_ok()
    }
}

/// Returns a scalar as text.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
