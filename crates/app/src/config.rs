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

use crate::environment::Environment;
use crate::error::Result;
use crate::project::Project;
use domain::ConnectorName;
use security::Allow;
use security::permissions::ConfigView;

/// Checks the configuration files and returns everything there is to say about them, errors first.
pub fn validate(
    _allow: &Allow<ConfigView>,
    project: &Project,
    environment: &Environment,
    types: &[ConnectorName],
) -> Result<Vec<Finding>> {
    let mut findings = project::read(project, environment)?.1;
    findings.extend(sources::read(project, environment, types)?.1);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings)
}

/// Returns the settings in force, defaults included, each with its origin; what looks like a secret is masked.
pub fn show(
    _allow: &Allow<ConfigView>,
    project: &Project,
    environment: &Environment,
) -> Result<Vec<Setting>> {
    Ok(ProjectConfig::load(project, environment)?.settings)
}
