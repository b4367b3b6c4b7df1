//! The sections of `project.yml`, key by key, each with its default.

use super::warehouse_place;
use super::{
    ApiConfig, AuditConfig, EgressConfig, LoginsConfig, PlatformConfig, ProjectConfig, RateLimits,
    SandboxConfig, Setting, SettingOrigin,
};
use crate::config::read::{Fields, Reader};
use crate::config::tree::{Node, Place, Shape};
use crate::environment::is_secret_name;
use crate::identity::AuthConfig;
use crate::project::Project;
use domain::{limits, say};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use url::Url;

/// getdango's `api.query_max_rows`.
const QUERY_ROWS_MAX_DEFAULT: u64 = 10_000;
/// The engine gains little beyond, and a laptop has other things to do.
const THREADS_DEFAULT_MAX: usize = 8;

/// Reads the sections one by one.
pub(super) struct Sections<'a> {
    pub(super) reader: Reader<'a>,
    /// What was read so far.
    pub(super) settings: Vec<Setting>,
    /// `.dlt/secrets.toml`, which is opened when a secret is looked for.
    pub(super) secrets: PathBuf,
}

/// Returns what stands where nothing stands.
pub(super) const fn nothing() -> Node {
    Node {
        place: Place::START,
        shape: Shape::Null,
    }
}

impl Sections<'_> {
    /// Reads everything below `root`.
    pub(super) fn project_config(&mut self, root: &Node, project: &Project) -> ProjectConfig {
        let nothing = nothing();
        let mut top = Fields::open(root, "", self.reader.report)
            .or_else(|| Fields::open(&nothing, "", self.reader.report));
        let mut section = |name| {
            top.as_mut()
                .and_then(|top| top.take(name))
                .unwrap_or(&nothing)
        };
        let nodes = [
            "project", "platform", "sandbox", "egress", "api", "server", "audit", "auth", "mail",
        ]
        .map(&mut section);
        let [
            about,
            platform,
            sandbox,
            egress,
            api,
            server,
            audit,
            auth,
            mail,
        ] = nodes;
        let folder = project
            .root()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let (name, created_by, purpose, organization) = self.about(about, &folder);
        let mut config = ProjectConfig {
            name,
            created_by,
            purpose,
            organization,
            platform: self.platform(platform, project),
            sandbox: self.sandbox(sandbox),
            egress: self.egress(egress),
            api: self.api(api),
            server: self.server(server),
            rate_limits: RateLimits::default(),
            auth: AuthConfig::default(),
            logins: LoginsConfig::default(),
            mail: None,
            audit: self.audit(audit, project),
            settings: Vec::new(),
        };
        self.auth(auth, &mut config);
        // What is not there is not shown: most projects have no mail server.
        config.mail = match mail.shape {
            Shape::Null => None,
            _ => self.mail(mail),
        };
        if let Some(top) = top {
            top.finish(self.reader.report);
        }
        ProjectConfig {
            settings: std::mem::take(&mut self.settings),
            ..config
        }
    }

    fn about(&mut self, node: &Node, folder: &str) -> (String, String, String, Option<String>) {
        let Some(mut fields) = Fields::open(node, "project", self.reader.report) else {
            return (folder.to_owned(), String::new(), String::new(), None);
        };
        let name = self.text(&mut fields, "name", folder);
        let created_by = self.text(&mut fields, "created_by", "");
        let purpose = self.text(&mut fields, "purpose", "");
        let organization = self.text(&mut fields, "organization", "");
        for key in [
            "dango_version",
            "created",
            "stakeholders",
            "sla",
            "limitations",
            "getting_started",
        ] {
            // For people; Dango keeps them and does nothing with them.
            fields.take(key);
        }
        fields.finish(self.reader.report);
        (
            name,
            created_by,
            purpose,
            Some(organization).filter(|name| !name.is_empty()),
        )
    }

    fn platform(&mut self, node: &Node, project: &Project) -> PlatformConfig {
        let nothing = Node {
            place: node.place,
            shape: Shape::Null,
        };
        let available = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = available.min(THREADS_DEFAULT_MAX) as u64;
        let mut fields = Fields::open(node, "platform", self.reader.report);
        let opened = fields.is_some();
        if !opened {
            fields = Fields::open(&nothing, "platform", self.reader.report);
        }
        let mut path = |this: &mut Self, key, default: &str| {
            let text = fields
                .as_mut()
                .map(|fields| this.text(fields, key, default));
            let text = text.filter(|text| !text.is_empty());
            warehouse_place::resolve(&project.root().join(text.as_deref().unwrap_or(default)))
        };
        let warehouse_file = path(self, "duckdb_path", "data/warehouse.duckdb");
        if let Some(objection) = warehouse_place::objection(project, &warehouse_file) {
            let place = match self.settings.last().map(|setting| setting.origin) {
                Some(SettingOrigin::File(place)) => place,
                _ => node.place,
            };
            self.reader
                .report
                .error(place, objection, warehouse_place::HINT);
        }
        let dbt_dir = path(self, "dbt_project_dir", "dbt");
        let data_dir = path(self, "data_dir", "data");
        let mut number = |this: &mut Self, key, default, range| {
            fields
                .as_mut()
                .map_or(default, |fields| this.integer(fields, key, default, range))
        };
        let port = number(self, "port", 8800, 1..=65_535);
        let memory = number(
            self,
            "memory_limit_mb",
            limits::WORKER_MEMORY_MB_DEFAULT,
            64..=1 << 20,
        );
        let threads = number(self, "threads", threads, 1..=256);
        if let Some(mut fields) = fields {
            fields.accept_unused(&UNUSED_PLATFORM, self.reader.report);
            fields.finish(self.reader.report);
        }
        PlatformConfig {
            warehouse_file,
            dbt_dir,
            data_dir,
            port: u16::try_from(port).unwrap_or(8800),
            memory_limit_mb: memory,
            threads: usize::try_from(threads).unwrap_or(1),
        }
    }

    fn sandbox(&mut self, node: &Node) -> SandboxConfig {
        let Some(mut fields) = Fields::open(node, "sandbox", self.reader.report) else {
            return SandboxConfig::default();
        };
        let required = self.boolean(&mut fields, "required", false);
        fields.accept_unused(&["read_paths"], self.reader.report);
        fields.finish(self.reader.report);
        SandboxConfig { required }
    }

    fn egress(&mut self, node: &Node) -> EgressConfig {
        let Some(mut fields) = Fields::open(node, "egress", self.reader.report) else {
            return EgressConfig::default();
        };
        let path = fields.path("allow_private");
        let found = fields.take("allow_private");
        let hosts = found
            .and_then(|node| self.reader.texts(node, &path))
            .unwrap_or_default();
        self.setting(path, hosts.clone().into(), found);
        fields.finish(self.reader.report);
        EgressConfig {
            allow_private: hosts,
        }
    }

    fn api(&mut self, node: &Node) -> ApiConfig {
        let mut config = ApiConfig {
            query_rows_max: QUERY_ROWS_MAX_DEFAULT,
            query_timeout_seconds: limits::QUERY_TIMEOUT_SECONDS_DEFAULT,
        };
        let Some(mut fields) = Fields::open(node, "api", self.reader.report) else {
            return config;
        };
        config.query_rows_max = self.integer(
            &mut fields,
            "query_max_rows",
            config.query_rows_max,
            1..=100_000_000,
        );
        config.query_timeout_seconds = self.integer(
            &mut fields,
            "query_timeout_seconds",
            config.query_timeout_seconds,
            1..=86_400,
        );
        fields.finish(self.reader.report);
        config
    }

    fn audit(&mut self, node: &Node, project: &Project) -> AuditConfig {
        let Some(mut fields) = Fields::open(node, "audit", self.reader.report) else {
            return AuditConfig::default();
        };
        let file = self.text(&mut fields, "checkpoint_file", "");
        let url = self.text(&mut fields, "checkpoint_url", "");
        let checkpoint_url = (!url.is_empty()).then(|| Url::parse(&url));
        if matches!(checkpoint_url, Some(Err(_))) {
            let place = match self.settings.last().map(|setting| setting.origin) {
                Some(SettingOrigin::File(place)) => place,
                _ => node.place,
            };
            self.reader.report.error(
                place,
                say!("`audit.checkpoint_url` is no address"),
                "it has the form `https://host/path`",
            );
        }
        fields.finish(self.reader.report);
        AuditConfig {
            checkpoint_file: (!file.is_empty()).then(|| project.root().join(file)),
            checkpoint_url: checkpoint_url.and_then(Result::ok),
        }
    }

    pub(super) fn text(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        default: &str,
    ) -> String {
        let (path, found) = (fields.path(key), fields.take(key));
        let read = found.and_then(|node| self.reader.text(node, &path));
        let value = read.unwrap_or_else(|| default.to_owned());
        self.setting(path, value.clone().into(), found);
        value
    }

    pub(super) fn boolean(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        default: bool,
    ) -> bool {
        let (path, found) = (fields.path(key), fields.take(key));
        let value = found
            .and_then(|node| self.reader.boolean(node, &path))
            .unwrap_or(default);
        self.setting(path, value.into(), found);
        value
    }

    pub(super) fn integer(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let (path, found) = (fields.path(key), fields.take(key));
        let read = found.and_then(|node| self.reader.integer(node, &path, range));
        let value = read.unwrap_or(default);
        self.setting(path, value.into(), found);
        value
    }

    pub(super) fn setting(&mut self, key: String, value: serde_json::Value, found: Option<&Node>) {
        let origin = found.map_or(SettingOrigin::Default, |node| {
            SettingOrigin::File(node.place)
        });
        // Numbers and switches are none, whatever they are called: `auth.password_max_age_days`.
        let may_be_secret = value.is_string() || value.is_array();
        let value = if may_be_secret && is_secret_name(&key) {
            security::mask::STARS.into()
        } else {
            value
        };
        self.settings.push(Setting { key, value, origin });
    }
}

/// Keys of the heritage that this version does nothing with.
const UNUSED_PLATFORM: [&str; 10] = [
    "metabase_port",
    "dbt_docs_port",
    "marimo_port",
    "auto_sync",
    "auto_dbt",
    "debounce_seconds",
    "watch_patterns",
    "watch_directories",
    "dbt_coalesce_seconds",
    "workers",
];
