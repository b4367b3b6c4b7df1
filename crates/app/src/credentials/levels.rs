//! Where a field may stand: dlt's levels, from the most specific to the most general, and their names in each place.
//!
//! dlt asks each place in turn (environment, secret files, `secrets.toml`), and in each place goes from the longest path to
//! the bare name: first below the pipeline's name, which is the source's, then without it.

use domain::{ConnectorName, SourceName};

/// The sections above a field: `["sources", "shop", "credentials"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) sections: Vec<String>,
}

impl Level {
    fn new(sections: &[&str]) -> Self {
        Self {
            sections: sections.iter().map(ToString::to_string).collect(),
        }
    }

    /// Returns the path of `field` in a TOML file.
    pub(super) fn path(&self, field: &str) -> Vec<String> {
        let mut path = self.sections.clone();
        path.push(field.to_owned());
        path
    }

    /// Returns the environment variable of `field`: `SOURCES__SHOP__API_KEY`.
    pub(super) fn variable(&self, field: &str) -> String {
        self.path(field).join("__").to_ascii_uppercase()
    }

    /// Returns the secret file of `field`: `sources--shop--api-key`.
    pub(super) fn file(&self, field: &str) -> String {
        self.path(field)
            .join("--")
            .to_ascii_lowercase()
            .replace('_', "-")
    }

    /// Returns the level above when this one is the `credentials` of another.
    pub(super) fn owner(&self) -> Option<Self> {
        let (last, above) = self.sections.split_last()?;
        (last == "credentials" && !above.is_empty()).then(|| Self {
            sections: above.to_vec(),
        })
    }

    /// Returns whether nothing but the field's own name is left.
    pub(super) fn is_bare(&self) -> bool {
        self.sections.is_empty()
    }
}

/// Returns the levels of a source, most specific first.
pub(super) fn levels(source: &SourceName, kind: &ConnectorName) -> Vec<Level> {
    let (name, kind) = (source.as_str(), kind.as_str());
    let sections: [&[&str]; 8] = [
        &["sources", name, "credentials"],
        &["sources", name],
        // dlt's own order for a source `name` of a module `kind`.
        &["sources", kind, name, "credentials"],
        &["sources", kind, name],
        &["sources", kind, "credentials"],
        &["sources", kind],
        &["sources"],
        &[],
    ];
    let below_pipeline = sections.iter().map(|sections| {
        let mut path = vec![name];
        path.extend_from_slice(sections);
        path
    });
    let mut levels: Vec<Level> = Vec::new();
    for path in below_pipeline.chain(sections.iter().map(|sections| sections.to_vec())) {
        let level = Level::new(&path);
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_go_from_the_pipeline_to_the_bare_name() {
        let source = SourceName::parse("my_shop").expect("a name");
        let kind = ConnectorName::parse("stripe").expect("a name");
        let variables: Vec<_> = levels(&source, &kind)
            .iter()
            .map(|l| l.variable("api_key"))
            .collect();
        assert_eq!(
            variables,
            [
                "MY_SHOP__SOURCES__MY_SHOP__CREDENTIALS__API_KEY",
                "MY_SHOP__SOURCES__MY_SHOP__API_KEY",
                "MY_SHOP__SOURCES__STRIPE__MY_SHOP__CREDENTIALS__API_KEY",
                "MY_SHOP__SOURCES__STRIPE__MY_SHOP__API_KEY",
                "MY_SHOP__SOURCES__STRIPE__CREDENTIALS__API_KEY",
                "MY_SHOP__SOURCES__STRIPE__API_KEY",
                "MY_SHOP__SOURCES__API_KEY",
                "MY_SHOP__API_KEY",
                "SOURCES__MY_SHOP__CREDENTIALS__API_KEY",
                "SOURCES__MY_SHOP__API_KEY",
                "SOURCES__STRIPE__MY_SHOP__CREDENTIALS__API_KEY",
                "SOURCES__STRIPE__MY_SHOP__API_KEY",
                "SOURCES__STRIPE__CREDENTIALS__API_KEY",
                "SOURCES__STRIPE__API_KEY",
                "SOURCES__API_KEY",
                "API_KEY",
            ]
        );
        let files: Vec<_> = levels(&source, &kind)
            .iter()
            .map(|l| l.file("api_key"))
            .collect();
        assert_eq!(
            (files[9].as_str(), files[15].as_str()),
            ("sources--my-shop--api-key", "api-key")
        );
    }

    #[test]
    fn a_source_called_like_its_type_is_looked_up_once() {
        let source = SourceName::parse("stripe").expect("a name");
        let kind = ConnectorName::parse("stripe").expect("a name");
        assert_eq!(levels(&source, &kind).len(), 12);
    }
}
