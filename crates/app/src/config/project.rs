//! `.dango/project.yml`: the settings of a project.

mod auth;
mod logins;
mod mail;
mod secret;
mod sections;
mod server;
mod warehouse_place;

use super::finding::{Finding, Report, Severity};
use super::read::Reader;
use super::tree::{self, Node, Place};
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::files;
use crate::identity::AuthConfig;
use crate::project::Project;
use connect::identity_providers::Endpoints;
use connect::mail::MailSecurity;
use domain::{Email, Say};
use sections::Sections;
use security::Plain;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

const FILE: &str = ".dango/project.yml";

/// The settings of a project, defaults filled in.
#[derive(Debug, Clone)]
pub struct ProjectConfig {
    pub name: String,
    pub created_by: String,
    pub purpose: String,
    pub organization: Option<String>,
    pub platform: PlatformConfig,
    pub sandbox: SandboxConfig,
    pub egress: EgressConfig,
    pub api: ApiConfig,
    pub auth: AuthConfig,
    pub logins: LoginsConfig,
    /// Without it nothing is mailed.
    pub mail: Option<MailConfig>,
    pub server: ServerConfig,
    pub rate_limits: RateLimits,
    pub audit: AuditConfig,
    /// Every setting that was read, for `config show`.
    pub settings: Vec<Setting>,
}

/// `platform:` where things are and what they may use.
#[derive(Debug, Clone)]
pub struct PlatformConfig {
    /// Absolute, links followed.
    pub warehouse_file: PathBuf,
    /// Absolute.
    pub dbt_dir: PathBuf,
    /// Absolute.
    pub data_dir: PathBuf,
    pub port: u16,
    /// Memory of the warehouse process.
    pub memory_limit_mb: u64,
    /// Threads of the warehouse process.
    pub threads: usize,
}

/// `sandbox:` the cage of child processes.
#[derive(Debug, Clone, Default)]
pub struct SandboxConfig {
    /// Whether a child is refused on a machine that cannot cage it.
    pub required: bool,
}

/// `egress:` where connections may go.
#[derive(Debug, Clone, Default)]
pub struct EgressConfig {
    /// Private hosts that may be contacted.
    pub allow_private: Vec<String>,
}

/// `api:` limits of queries.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    pub query_rows_max: u64,
    pub query_timeout_seconds: u64,
}

/// `server:` where it listens and who it is to others.
#[derive(Debug, Clone, Default)]
pub struct ServerConfig {
    /// The address to listen on; loopback when there is none.
    pub host: Option<String>,
    /// What others call it: `https://dango.example.com`.
    pub public_url: Option<String>,
    /// Further names that a request may be addressed to.
    pub hosts: Vec<String>,
    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Whether a proxy in front of it encrypts.
    pub behind_proxy: bool,
}

/// `auth.rate_limit:` how much one address, and one account, may ask.
#[derive(Debug, Clone, Copy)]
pub struct RateLimits {
    pub is_on: bool,
    pub login: RateConfig,
    pub api: RateConfig,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateConfig {
    pub requests: u64,
    pub window_seconds: u64,
}

/// `audit:` where copies of the audit log's checkpoints go.
#[derive(Debug, Clone, Default)]
pub struct AuditConfig {
    /// A file, best on another machine's disk: absolute, or relative to the project.
    pub checkpoint_file: Option<PathBuf>,
    /// An address that every checkpoint is posted to, as JSON.
    pub checkpoint_url: Option<Url>,
}

/// With whom people can sign in.
#[derive(Debug, Clone, Default)]
pub struct LoginsConfig {
    pub providers: Vec<ProviderConfig>,
    /// Whether an address that both sides have verified links a login to the account that has it.
    pub links_by_email: bool,
    /// Whether somebody of an allowed domain who has no account becomes a viewer.
    pub creates_viewers: bool,
}

/// `auth.oauth_providers.NAME:` one of them.
#[derive(Clone)]
pub struct ProviderConfig {
    pub name: String,
    /// What people call it.
    pub label: String,
    pub endpoints: Endpoints,
    pub client_id: String,
    pub client_secret: Option<Arc<Plain<String>>>,
    /// Domains of the addresses that may come in; without any, all.
    pub allowed_domains: Vec<String>,
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProviderConfig")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `mail:` the server through which links reach people.
#[derive(Clone)]
pub struct MailConfig {
    pub host: String,
    pub port: u16,
    pub security: MailSecurity,
    pub from: Email,
    pub username: Option<String>,
    pub password: Option<Arc<Plain<String>>>,
}

impl fmt::Debug for MailConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MailConfig")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A setting as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub value: serde_json::Value,
    pub origin: SettingOrigin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingOrigin {
    Default,
    /// `.dango/project.yml`, at this place.
    File(Place),
}

impl ProjectConfig {
    /// Reads the project's settings; an error in them is the first one found.
    pub fn load(project: &Project, environment: &Environment) -> Result<Self> {
        let (config, findings) = read(project, environment)?;
        match findings
            .into_iter()
            .find(|finding| finding.severity == Severity::Error)
        {
            Some(finding) => Err(Error::from(finding)),
            None => Ok(config),
        }
    }
}

/// Reads `project.yml` and everything there is to say about it.
pub(super) fn read(
    project: &Project,
    environment: &Environment,
) -> Result<(ProjectConfig, Vec<Finding>)> {
    let text = files::read_text(&project.project_file())?.unwrap_or_default();
    let mut report = Report::new(FILE);
    let root = tree::parse(&text).unwrap_or_else(|broken| {
        report.unreadable(&broken);
        Node {
            place: Place::START,
            shape: tree::Shape::Null,
        }
    });
    let mut section = Sections {
        reader: Reader {
            report: &mut report,
            environment,
        },
        settings: Vec::new(),
        secrets: project.secrets_file(),
    };
    let config = section.project_config(&root, project);
    Ok((config, report.findings))
}

impl SettingOrigin {
    /// Returns the origin as `config show --origin` prints it.
    pub fn say(self) -> Say {
        match self {
            Self::Default => Say::new("default"),
            Self::File(place) => Say::new(FILE).text(":").value(&place.line),
        }
    }
}

#[cfg(test)]
mod tests;
