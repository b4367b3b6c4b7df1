//! Everything a command works with: the project, its settings, its stores, and who acts.

use crate::config::{self, Finding, ProjectConfig, Sources};
use crate::environment::{Environment, VariableOrigin, describe};
use crate::identity::{Identity, SigningKeys};
use crate::lock::{Holder, ProjectLock};
use crate::operators::os_user;
use crate::project::Project;
use crate::{Error, Result, audit, logging, settle};
use connect::{Catalog, Egress};
use domain::{Clock, Code, ConnectorName, LoadId, Say, Timestamp, say};
use sandbox::{Launcher, Policy};
use security::permissions::{ConfigView, SourceView};
use security::{Actor, Allow, Entropy, Permission, Redactor, RequestId, authorize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::jobs::Owner;
use store::location::{BadUrl, Pool};
use store::{DatabaseUrl, Ids, Process, Store, StoreError};
use tokio::sync::Notify;
use warehouse::{Settings, Warehouse};

/// The redactor of this process: it learns every secret that is loaded, and every output passes through it.
pub static REDACTOR: LazyLock<Arc<Redactor>> = LazyLock::new(|| Arc::new(Redactor::new()));

/// The clock of the machine: the one place that reads it.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes as a parameter"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// The randomness of the machine: the one place that asks for it.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

/// The wish to stop, shared by everything that runs for a command.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    state: Arc<(AtomicBool, Notify)>,
}

impl Cancel {
    /// Asks everything to stop.
    pub fn cancel(&self) {
        self.state.0.store(true, Ordering::SeqCst);
        self.state.1.notify_waiters();
    }

    /// Returns whether somebody asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.state.0.load(Ordering::SeqCst)
    }

    /// Returns once somebody asked to stop.
    pub async fn cancelled(&self) {
        let asked = self.state.1.notified();
        if !self.is_cancelled() {
            asked.await;
        }
    }
}

/// How a command opens its project.
pub struct OpenOptions {
    /// `--project`.
    pub project: Option<PathBuf>,
    pub environment: Environment,
    /// The command, as the lock names it to whoever waits: `sync`.
    pub command: String,
    /// How long to wait for another command.
    pub wait_seconds: u64,
    pub launcher: Launcher,
    pub clock: Arc<dyn Clock>,
}

/// A project, opened.
pub struct App {
    pub project: Project,
    pub(crate) environment: Environment,
    pub(crate) settings: ProjectConfig,
    pub(crate) catalog: Catalog,
    /// What is wrong with connector files of the project: each switches its own type off.
    pub(crate) catalog_failures: Vec<connect::Failure>,
    pub(crate) store: Store,
    pub(crate) warehouse: Warehouse,
    pub(crate) launcher: Launcher,
    pub(crate) identity: Identity,
    pub clock: Arc<dyn Clock>,
    pub cancel: Cancel,
    actor: Actor,
    request: RequestId,
    loads: AtomicU64,
    /// Where people reach the server, once it listens.
    pub(crate) served_at: Option<String>,
    /// Ids of requests; the store has its own.
    ids: Ids,
    _lock: Option<ProjectLock>,
}

impl App {
    /// Opens the project with its lock; `waiting` is told for whom it waits. What an earlier process left is settled first.
    pub async fn open(
        options: OpenOptions,
        waiting: &mut (dyn FnMut(&Holder) + Send),
    ) -> Result<Self> {
        let app = Self::open_locked(options, Some(waiting)).await?;
        app.sequence_audit(audit::Sign::WhenDue).await;
        settle::settle(&app).await?;
        Ok(app)
    }

    /// Opens the project without its lock: for commands that touch neither the warehouse nor jobs.
    pub async fn open_read(options: OpenOptions) -> Result<Self> {
        Self::open_locked(options, None).await
    }

    async fn open_locked(
        options: OpenOptions,
        waiting: Option<&mut (dyn FnMut(&Holder) + Send)>,
    ) -> Result<Self> {
        let OpenOptions {
            project,
            mut environment,
            command,
            wait_seconds,
            launcher,
            clock,
        } = options;
        let project = Project::find(Path::new("."), project.as_deref(), &environment)?;
        environment.load_file(&project.env_file())?;
        environment.teach(&REDACTOR);
        logging::attach(&project)?;
        let settings = ProjectConfig::load(&project, &environment)?;
        let (catalog, catalog_failures) = Catalog::load(Some(&project.connectors_dir()));
        let lock = match waiting {
            Some(waiting) => {
                let (command, patience) = (
                    format!("dango {command}"),
                    Duration::from_secs(wait_seconds),
                );
                Some(ProjectLock::acquire(&project, &command, patience, waiting).await?)
            }
            None => None,
        };
        let ids = Ids::seeded(rand::random());
        let request = RequestId::new(ids.next(clock.now()));
        let owner = Owner::of_this_process()
            .map_err(|error| Error::file("read", Path::new("/proc/self/stat"), error))?;
        let process = Process {
            clock: Arc::clone(&clock),
            ids,
            owner,
        };
        let store = open_store(&project, &environment, process).await?;
        let warehouse = Warehouse::new(warehouse_settings(&project, &settings), launcher.clone());
        let keys = SigningKeys::find(&project, &environment);
        let identity = Identity::new(&settings, keys, &clock)?;
        let actor = Actor::Operator {
            os_user: os_user(&environment),
        };
        Ok(Self {
            project,
            environment,
            settings,
            catalog,
            catalog_failures,
            store,
            warehouse,
            launcher,
            identity,
            clock,
            cancel: Cancel::default(),
            actor,
            request,
            loads: AtomicU64::new(0),
            served_at: None,
            ids: Ids::seeded(rand::random()),
            _lock: lock,
        })
    }

    /// Checks that whoever runs the command has the permission `P`. A denial is in the audit log before anybody hears of it.
    pub async fn allow<P: Permission>(&self) -> Result<Allow<P>> {
        self.authorize(&self.actor, self.request).await
    }

    /// Checks that `actor`, who asks in `request`, has the permission `P`. A denial is in the audit log before anybody hears of it.
    pub async fn authorize<P: Permission>(
        &self,
        actor: &Actor,
        request: RequestId,
    ) -> Result<Allow<P>> {
        let denied = match authorize::<P>(actor, request) {
            Ok(allow) => return Ok(allow),
            Err(denied) => denied,
        };
        self.store.record_denial::<P>(actor, request, None).await?;
        Err(denied.into())
    }

    /// Checks that whoever was let in for `P` has the permission `Q` too, which a part of the work needs.
    pub(crate) async fn also<P: Permission, Q: Permission>(
        &self,
        allow: &Allow<P>,
    ) -> Result<Allow<Q>> {
        self.authorize::<Q>(allow.actor(), allow.request()).await
    }

    /// Returns the project's settings.
    pub const fn settings(&self) -> &ProjectConfig {
        &self.settings
    }

    /// Returns the variables the project was opened with.
    pub const fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns what changes at each commit of this process after which somebody may do less than before.
    pub fn access_ended(&self) -> tokio::sync::watch::Receiver<()> {
        self.store.access_ended()
    }

    /// Returns a new id of a request.
    pub fn new_request(&self) -> RequestId {
        RequestId::new(self.ids.next(self.clock.now()))
    }

    /// Ends the worker and closes the store.
    pub async fn close(self) {
        self.shut_down().await;
    }

    /// Ends the worker, gives the audit log's rows their place, and closes the store, for whoever shares the project; the lock goes with the last of them.
    pub async fn shut_down(&self) {
        self.store.write_counted().await;
        self.sequence_audit(audit::Sign::Now).await;
        let (warehouse, store) = (self.warehouse.clone(), self.store.clone());
        if let Err(error) = warehouse.close().await {
            tracing::warn!(error.text = %error, "the warehouse could not be closed");
        }
        if let Err(error) = store.close().await {
            tracing::warn!(error.text = %error, "the metadata database could not be closed");
        }
    }

    /// Returns the project's sources.
    pub fn sources(&self, allow: &Allow<SourceView>) -> Result<Sources> {
        Sources::load(allow, &self.project, &self.environment, &self.kinds())
    }

    /// Returns the names of the types of sources there are.
    pub(crate) fn kinds(&self) -> Vec<ConnectorName> {
        config::kinds(&self.catalog)
    }

    /// Returns the id of a new load.
    pub(crate) fn new_load_id(&self) -> LoadId {
        LoadId::new(self.clock.now(), self.loads.fetch_add(1, Ordering::Relaxed))
    }

    /// Returns whether children may run on a machine that cannot cage them.
    pub(crate) const fn cage_policy(&self) -> Policy {
        if self.settings.sandbox.required {
            Policy::Required
        } else {
            Policy::WherePossible
        }
    }

    /// Returns where sources may connect to.
    pub(crate) fn egress(&self) -> Egress {
        Egress::new(self.settings.egress.allow_private.iter().cloned())
    }
}

/// Opens the metadata database: on the server that the environment names, else the project's file. A server that does not
/// answer is an error; nothing takes its place.
async fn open_store(
    project: &Project,
    environment: &Environment,
    process: Process,
) -> Result<Store> {
    let names = ["DANGO_DATABASE_URL", "DAP_DATABASE_URL"];
    let given = names.into_iter().find_map(|name| {
        let url = environment.find(name)?;
        (!url.expose().trim().is_empty()).then_some((name, url))
    });
    let Some((name, url)) = given else {
        let opened = Store::open(&project.metadata_file(environment), process).await;
        return opened.map_err(|error| match environment.origin("DAP_DB_PATH") {
            Some(origin) => blame(error, &describe("DAP_DB_PATH", origin)),
            None => error.into(),
        });
    };
    let origin = environment.origin(name).unwrap_or(VariableOrigin::Process);
    let url = DatabaseUrl::parse(url, Pool::default()).map_err(|why| {
        let say = say!(
            "",
            describe(name, origin),
            " does not name a Postgres database: "
        );
        Error::invalid(
            Code::StoreFailed,
            say.text(match why {
                BadUrl::Malformed => "it is not a URL",
                BadUrl::Scheme => "it does not begin with `postgresql://`",
                BadUrl::Host => "it names no host",
                BadUrl::Database => "it names no database",
            }),
        )
        .hint("it has the form postgresql://USER:PASSWORD@HOST:5432/DATABASE")
    })?;
    let opened = Store::open_server(&url, process).await;
    opened.map_err(|error| blame(error, &describe(name, origin)))
}

/// Returns the error of a metadata database that a variable names; what has to be corrected is that variable.
fn blame(error: StoreError, variable: &Say) -> Error {
    let hint = match &error {
        StoreError::Unreachable { .. } => {
            say!(
                "start it, or correct ",
                *variable,
                "; nothing else takes its place"
            )
        }
        StoreError::SchemaForeign => say!("let ", *variable, " name a database of dango's own"),
        StoreError::Corrupt(_) => {
            say!(
                "restore what ",
                *variable,
                " names from a backup, or name another"
            )
        }
        StoreError::File(_) | StoreError::Access(_) => {
            say!(
                "check what ",
                *variable,
                " names, who owns it, and its mode"
            )
        }
        _ => return error.into(),
    };
    Error::from(error).hint(hint)
}

fn warehouse_settings(project: &Project, settings: &ProjectConfig) -> Settings {
    Settings {
        memory_mb: settings.platform.memory_limit_mb,
        threads: settings.platform.threads,
        ..Settings::new(&settings.platform.warehouse_file, project.spill_dir())
    }
}

/// Checks that whoever runs the program has the permission `P`.
pub(crate) fn operator<P: Permission>(environment: &Environment) -> Result<Allow<P>> {
    let request = RequestId::new(Ids::seeded(rand::random()).next(SystemClock.now()));
    Ok(authorize::<P>(
        &Actor::Operator {
            os_user: os_user(environment),
        },
        request,
    )?)
}

/// Checks the configuration without opening anything that a broken one would keep closed.
pub(crate) fn check_config(options: &OpenOptions) -> Result<Vec<Finding>> {
    let allow = operator::<ConfigView>(&options.environment)?;
    let project = Project::find(
        Path::new("."),
        options.project.as_deref(),
        &options.environment,
    )?;
    let mut environment = Environment::from_process();
    environment.load_file(&project.env_file())?;
    environment.teach(&REDACTOR);
    let (catalog, failures) = Catalog::load(Some(&project.connectors_dir()));
    let mut findings: Vec<_> = failures.into_iter().map(Finding::of_connector).collect();
    findings.extend(config::validate(&allow, &project, &environment, &catalog)?);
    Ok(findings)
}

#[cfg(test)]
mod tests;
