//! The configuration of a project: `project.yml` and `sources.yml`, checked as a whole, and edited without losing a comment.
//!
//! Nothing here needs a witness to be *read into the process*: who may do what is itself configured. Showing and changing it
//! does.

pub mod edit;
pub mod finding;
pub mod project;
mod read;
pub mod sources;
mod tree;
pub(crate) mod variables;

pub use finding::{Finding, Severity};
pub use project::{ProjectConfig, Setting, SettingOrigin};
pub use sources::{SourceConfig, SourceEntry, Sources};
pub use tree::Place;

use crate::REDACTOR;
use crate::environment::Environment;
use crate::error::Result;
use crate::project::Project;
use connect::Catalog;
use domain::{ConnectorName, SourceName};
use security::Allow;
use security::permissions::ConfigView;

/// Checks the configuration files and returns everything there is to say about them, errors first.
pub fn validate(
    _allow: &Allow<ConfigView>,
    project: &Project,
    environment: &Environment,
    catalog: &Catalog,
) -> Result<Vec<Finding>> {
    let mut findings = project::read(project, environment)?.1;
    let (sources, found) = sources::read(project, environment, &kinds(catalog))?;
    findings.extend(found);
    let blocks = sources.usable();
    findings.extend(blocks.filter_map(|source| check_block(source, environment, catalog)));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings)
}

/// Returns why the source `name` could not be used if `text` were the `sources.yml`: what [`validate`] would say of it.
pub(crate) fn check_source(
    text: &str,
    name: &SourceName,
    environment: &Environment,
    catalog: &Catalog,
) -> Result<(), Finding> {
    let (sources, _) = sources::parse(text, environment, &kinds(catalog));
    match sources.find(name.as_str()).map(|entry| &entry.source) {
        Some(Err(finding)) => Err(finding.clone()),
        Some(Ok(source)) => check_block(source, environment, catalog).map_or(Ok(()), Err),
        None => Ok(()),
    }
}

/// Returns the names of the types of sources there are.
pub(crate) fn kinds(catalog: &Catalog) -> Vec<ConnectorName> {
    catalog
        .list()
        .map(|connector| connector.kind.clone())
        .collect()
}

/// Returns what the connector has against the source's block.
fn check_block(
    source: &SourceConfig,
    environment: &Environment,
    catalog: &Catalog,
) -> Option<Finding> {
    let connector = catalog.find(source.kind.as_str())?;
    // A variable without a value was found already, or the source is disabled and needs none.
    let block = source.block(environment, &REDACTOR).ok()?;
    let checked = connect::source::check(connector, &source.name, &block);
    checked
        .err()
        .map(|failure| Finding::of_source(source, failure))
}

/// Returns the settings in force, defaults included, each with its origin; what looks like a secret is masked.
pub fn show(
    _allow: &Allow<ConfigView>,
    project: &Project,
    environment: &Environment,
) -> Result<Vec<Setting>> {
    Ok(ProjectConfig::load(project, environment)?.settings)
}
