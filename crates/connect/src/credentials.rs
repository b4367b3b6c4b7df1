//! What a source signs in with: the values of the fields that its connector declares.

use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{SourceName, say};
use security::Plain;
use std::collections::BTreeMap;

/// The resolved values of a connector's fields, by field name (never by alias). The project decides where each was found;
/// whoever opens a source only asks for it.
#[derive(Default)]
pub struct Credentials {
    values: BTreeMap<String, Plain<String>>,
}

impl Credentials {
    /// Returns credentials without a value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of `field`, replacing an earlier one.
    pub fn insert(&mut self, field: impl Into<String>, value: Plain<String>) {
        self.values.insert(field.into(), value);
    }

    /// Returns the value of `field`, `None` when it is absent or empty.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.values
            .get(field)
            .map(|value| value.expose().as_str())
            .filter(|value| !value.is_empty())
    }

    /// Returns the value of `field`, or the failure that says it is missing.
    pub fn require(&self, source: &SourceName, field: &str) -> Result<&str, Failure> {
        self.get(field).ok_or_else(|| missing(source, field))
    }

    /// Returns the value of `field` as a secret, for whoever keeps it out of messages.
    pub(crate) fn secret(&self, field: &str) -> Option<&Plain<String>> {
        self.values.get(field)
    }

    /// Returns the names of the fields that have a value.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// Returns the failure of a source whose credential `field` was found nowhere.
fn missing(source: &SourceName, field: &str) -> Failure {
    let field = Quoted(field);
    Failure::new(
        FailureKind::CredentialMissing,
        say!("source ", name source, " needs ", name field, " and it was found nowhere"),
    )
    .hint(say!(
        "store it with `dango secrets set sources.",
        *source,
        ".",
        field,
        "`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_value_counts_as_missing() {
        let mut credentials = Credentials::new();
        credentials.insert("api_key", Plain::new(String::new()));
        let source = SourceName::parse("pay").expect("valid");
        assert_eq!(credentials.get("api_key"), None);
        let failure = credentials.require(&source, "api_key").expect_err("empty");
        assert_eq!(failure.kind, FailureKind::CredentialMissing);
        assert_eq!(
            failure.say.as_str(),
            "source `pay` needs `api_key` and it was found nowhere"
        );
    }
}
