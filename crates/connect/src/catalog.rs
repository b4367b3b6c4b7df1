//! The types of sources there are, and what each has to be told: built in, from the connector files that come with the
//! program, and from the connector files of a project.

mod built_in;
mod connector_files;
pub(crate) mod suggest;

use crate::failure::{Failure, FailureKind};
use crate::rest::spec::Api;
use domain::say::Quoted;
use domain::{ConnectorName, say};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Something a source of a type has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The key in `secrets.toml` or in the source's block of `sources.yml`.
    pub name: String,
    pub aliases: Vec<String>,
    /// Whether it belongs into `secrets.toml` and is never shown.
    pub secret: bool,
    pub required: bool,
    pub default: Option<String>,
    /// The environment variable that is tried last.
    pub env: Option<String>,
    /// One sentence for the wizard.
    pub help: String,
}

impl Field {
    /// Returns whether `name` is this field's name or one of its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }
}

/// What reads the sources of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// The caged reader: see [`crate::files`].
    Files,
    Postgres,
    Mysql,
    Rest,
}

/// A type of source.
#[derive(Debug, Clone)]
pub struct Connector {
    pub kind: ConnectorName,
    pub title: String,
    /// One sentence.
    pub summary: String,
    pub engine: Engine,
    pub fields: Vec<Field>,
    /// The hosts its credentials may go to; empty where the source itself names the host.
    pub hosts: Vec<String>,
    /// The endpoints of a connector file, by table name.
    pub streams: Vec<String>,
    /// The connector file's description; `None` for a type that is built in.
    pub(crate) api: Option<Arc<Api>>,
}

impl Connector {
    /// Returns the field that `name` names or is an alias of.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.is_called(name))
    }
}

/// Every type of source of a project.
#[derive(Debug, Clone)]
pub struct Catalog {
    connectors: BTreeMap<ConnectorName, Connector>,
}

impl Catalog {
    /// Returns the built-in types, those of the connector files that come with the program, and those in the folder
    /// `project_connectors`, which need not exist. A broken file of the project's disables its own type alone: it is among
    /// the failures, with line and column.
    pub fn load(project_connectors: Option<&Path>) -> (Self, Vec<Failure>) {
        let mut catalog = Self {
            connectors: BTreeMap::new(),
        };
        let mut failures = Vec::new();
        let shipped = built_in::connectors().into_iter().map(Ok);
        for connector in shipped.chain(connector_files::embedded()) {
            catalog.add(connector, &mut failures);
        }
        if let Some(folder) = project_connectors {
            for connector in connector_files::of_project(folder) {
                catalog.add(connector, &mut failures);
            }
        }
        (catalog, failures)
    }

    fn add(&mut self, connector: Result<Connector, Failure>, failures: &mut Vec<Failure>) {
        match connector {
            Err(failure) => failures.push(failure),
            Ok(connector) if self.connectors.contains_key(&connector.kind) => {
                failures.push(
                    Failure::new(
                        FailureKind::ConfigInvalid,
                        say!("there is a source type ", name connector.kind, " already"),
                    )
                    .hint("give the connector file another `name`"),
                );
            }
            Ok(connector) => {
                self.connectors.insert(connector.kind.clone(), connector);
            }
        }
    }

    /// Returns the type called `name`.
    pub fn find(&self, name: &str) -> Option<&Connector> {
        self.connectors
            .values()
            .find(|connector| connector.kind.as_str() == name)
    }

    /// Returns every type, by name.
    pub fn list(&self) -> impl Iterator<Item = &Connector> {
        self.connectors.values()
    }

    /// Returns the type that `name` was probably meant to be.
    pub fn suggest(&self, name: &str) -> Option<&str> {
        suggest::closest(name, self.connectors.keys().map(ConnectorName::as_str))
    }

    /// Returns the type called `name`, or the failure that says which there are.
    pub fn get(&self, name: &str) -> Result<&Connector, Failure> {
        self.find(name).ok_or_else(|| {
            let failure = Failure::new(
                FailureKind::ConfigInvalid,
                say!("there is no source type ", name Quoted(name)),
            );
            match self.suggest(name) {
                Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
                None => failure.hint("`dango source add --help` lists the types"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_type_is_complete() {
        let (catalog, failures) = Catalog::load(None);
        assert!(failures.is_empty(), "{failures:?}");
        for name in [
            "local_files",
            "csv",
            "postgres",
            "mysql",
            "rest_api",
            "stripe",
        ] {
            let connector = catalog.get(name).expect("shipped");
            assert!(
                connector.summary.ends_with('.'),
                "{name}: {}",
                connector.summary
            );
            for field in &connector.fields {
                assert!(
                    field.help.ends_with('.'),
                    "{name}.{}: {}",
                    field.name,
                    field.help
                );
                assert!(
                    !(field.required && field.default.is_some()),
                    "{name}.{}",
                    field.name
                );
                let others = connector
                    .fields
                    .iter()
                    .filter(|other| other.is_called(&field.name));
                assert_eq!(others.count(), 1, "{name}.{} stands twice", field.name);
            }
        }
        let stripe = catalog.get("stripe").expect("shipped");
        assert_eq!(stripe.hosts, ["api.stripe.com"]);
        assert_eq!(
            stripe.field("stripe_secret_key").map(|f| f.name.as_str()),
            Some("api_key")
        );
        assert_eq!(
            stripe.streams,
            [
                "charges",
                "customers",
                "subscriptions",
                "invoices",
                "products",
                "prices"
            ]
        );
    }

    #[test]
    fn a_misspelt_type_gets_a_suggestion() {
        let (catalog, _) = Catalog::load(None);
        let failure = catalog.get("postgress").expect_err("unknown");
        assert_eq!(failure.hint.as_str(), "did you mean `postgres`?");
    }

    #[test]
    fn a_broken_connector_file_disables_only_its_own_type() {
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| {
            fs_err::write(folder.path().join(name), text).expect("written");
        };
        let good = "title: Shop\nsummary: A shop.\nhosts: [api.shop.example]\nbase_url: https://api.shop.example\nendpoints:\n  - orders\n";
        write("shop.yml", good);
        write(
            "broken.yml",
            "title: Broken\nendpoints:\n  - path: a\n   name: b\n",
        );
        write(
            "typo.yml",
            "title: Typo\nendpoints:\n  - path: orders\n    paginater: offset\n",
        );
        write(
            "word.yml",
            "base_url: https://a.example\nhosts: [a.example]\nendpoints:\n  - {path: a, paginator: {type: ofset}}\n",
        );
        write("stripe.yml", good);
        write(
            "host.yml",
            "base_url: https://a.example\nhosts: [b.example]\nendpoints: [a]\n",
        );
        write("empty.yml", "");
        write("Bad Name.yml", good);
        write("notes.txt", "not a connector");
        let (catalog, failures) = Catalog::load(Some(folder.path()));
        assert!(catalog.find("shop").is_some());
        assert!(catalog.find("broken").is_none() && catalog.find("typo").is_none());
        let mut said: Vec<_> = failures
            .iter()
            .map(|f| format!("{f} / {}", f.hint))
            .collect();
        said.sort();
        let said = said.join("\n");
        for part in [
            "typo.yml` line 4 column 5: unknown key `paginater` / did you mean `paginator`?",
            "word.yml` line 4",
            "unknown word `ofset` / did you mean `offset`?",
            "broken.yml` line 4",
            "there is a source type `stripe` already",
            "host.yml",
            "empty.yml",
            "Bad Name.yml",
        ] {
            assert!(said.contains(part), "{part} is not in:\n{said}");
        }
        assert_eq!(failures.len(), 7, "{said}");
    }
}
