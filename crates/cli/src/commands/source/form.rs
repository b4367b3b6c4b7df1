//! What a type of source has to be told, as far as questions and flags need it.

use app::{Connector, Field};
use domain::ConnectorName;

/// The questions of one type of source.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) kind: ConnectorName,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) fields: Vec<Field>,
    /// The tables that are known without connecting.
    pub(super) streams: Vec<String>,
}

impl From<&Connector> for Form {
    fn from(connector: &Connector) -> Self {
        Self {
            kind: connector.kind.clone(),
            title: connector.title.clone(),
            summary: connector.summary.clone(),
            fields: connector.fields.clone(),
            streams: connector.streams.clone(),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn field(
        name: &str,
        alias: &str,
        secret: bool,
        required: bool,
        default: Option<&str>,
    ) -> Field {
        Field {
            name: name.into(),
            aliases: vec![alias.into()],
            secret,
            required,
            default: default.map(str::to_owned),
            env: None,
            help: format!("help of {name}"),
        }
    }

    pub(in super::super) fn form() -> Form {
        Form {
            kind: ConnectorName::parse("postgres").expect("a name"),
            title: "PostgreSQL".into(),
            summary: "tables of a database".into(),
            fields: vec![
                field("host", "server", false, true, None),
                field("port", "p", false, true, Some("5432")),
                field("password", "pwd", true, true, None),
                field("dbname", "database", false, false, None),
            ],
            streams: vec!["charges".into(), "customers".into()],
        }
    }
}
