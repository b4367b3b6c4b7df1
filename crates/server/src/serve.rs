//! Starting and stopping: where to listen and whether that is safe, and leaving nothing half done.

use crate::clients::Proxies;
use crate::cors::Origins;
use crate::entrance::Entrance;
use crate::hosts::Hosts;
use crate::listen::{self, Shared};
use crate::local::Local;
use crate::rates::Rates;
use crate::routes;
use crate::server::{Inner, Server};
use crate::socket;
use crate::syncs::Syncs;
use crate::table::Door;
use app::audit::Sign;
use app::identity::{links, switch};
use app::{App, Cancel, Error, Result};
use domain::say::Quoted;
use domain::{Code, Say, say};
use hyper_util::server::graceful::GracefulShutdown;
use security::permissions::SetUp;
use security::{Client, Plain, admit};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{RwLock, Semaphore};
use tokio::task::JoinSet;

/// DAP's port.
const DAP_PORT: u16 = 7333;
/// What says where to listen, for whoever has to change it.
#[derive(Clone, Copy)]
struct Named {
    host: &'static str,
    port: &'static str,
    /// The code of an address that is none.
    code: Code,
}

const WEB: Named = Named {
    host: "`--host` or `server.host`",
    port: "`--port`, or `platform.port` in `.dango/project.yml`",
    code: Code::UsageInvalid,
};
const DAP: Named = Named {
    host: "DAP_ENGINE_HOST",
    port: "DAP_ENGINE_PORT",
    code: Code::ConfigInvalid,
};

/// What runs gets so long to come to its end.
const DRAIN: Duration = Duration::from_secs(30);

/// How often the audit log's new rows are given their place.
const AUDIT_EVERY: Duration = Duration::from_secs(1);
/// After so many times, a failure that goes on is logged again.
const AUDIT_TOLD_EVERY: u64 = 600;

/// What the command line says about the server, before what the project's settings say.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub public_url: Option<String>,
    pub behind_proxy: bool,
    /// Refuses a signing key that is not given from outside.
    pub require_secret: bool,
}

/// A server that listens and does not answer yet.
pub struct Listening {
    server: Server,
    web: Vec<TcpListener>,
    dap: Vec<TcpListener>,
    socket: UnixListener,
    /// What is not as it should be, but no reason to stop.
    pub warnings: Vec<String>,
}

/// Opens the doors of the project, and says why not when that would not be safe.
pub async fn open(mut app: App, options: Options) -> Result<Listening> {
    let settings = app.settings().server.clone();
    // Before anything listens: a container whose key is lost with it must not start (exit 64).
    app.prepare_to_sign(options.require_secret || app.environment().is_on("DANGO_CONTAINER"))?;
    let proxies = Proxies::parse(&settings.trusted_proxies)?;
    let hosts = options.host.as_deref().or(settings.host.as_deref());
    let addresses = addresses(hosts, WEB)?;
    let is_encrypted = options.behind_proxy || settings.behind_proxy;
    if addresses.iter().any(|ip| !ip.is_loopback()) {
        check_open(&app, is_encrypted && !proxies.is_empty(), WEB).await?;
    }
    let is_off = !switch::is_on(&app.project);
    let port = options.port.unwrap_or(app.settings().platform.port);
    let web = bind(&addresses, port, WEB)?;
    let mut warnings = Vec::new();
    let dap = dap(&app, is_encrypted && !proxies.is_empty(), &mut warnings).await?;
    let port = web
        .first()
        .and_then(|listener| listener.local_addr().ok())
        .map_or(port, |at| at.port());
    let public = options
        .public_url
        .as_deref()
        .or(settings.public_url.as_deref());
    let all = web
        .iter()
        .chain(&dap)
        .filter_map(|listener| listener.local_addr().ok());
    let addresses = all.map(|at| at.to_string()).collect();
    let hosts = Hosts::new(port, public, &settings.hosts)?;
    let bound: Vec<_> = web.iter().chain(&dap).collect();
    let local = if is_off {
        check_local(&bound, &hosts, is_encrypted || !proxies.is_empty())?;
        warnings.push(
            "sign-in is switched off: whoever sits at this machine may do nearly everything; `dango auth enable` switches it on"
                .to_owned(),
        );
        Some(Local::new(&switch::make_local_token(&app)?))
    } else {
        None
    };
    let socket = socket::listen(&app.project)?;
    app.serve_at(hosts.url());
    let origins = Origins::read(app.environment())?;
    let app = Arc::new(app);
    let server = Server::new(Inner {
        hosts,
        proxies,
        rates: Rates::new(app.settings().rate_limits, Arc::clone(&app.clock)),
        local,
        origins,
        syncs: Syncs::default(),
        stopping: Cancel::default(),
        busy: Arc::new(RwLock::new(())),
        started_at: app.clock.now(),
        addresses,
        app,
    });
    Ok(Listening {
        server,
        web,
        dap,
        socket,
        warnings,
    })
}

/// Refuses to be reached from anywhere but this machine while sign-in is off.
fn check_local(bound: &[&TcpListener], hosts: &Hosts, is_proxied: bool) -> Result<()> {
    let is_here = bound.iter().all(|listener| {
        let at = listener.local_addr();
        at.is_ok_and(|at| at.ip().is_loopback())
    });
    if is_here && !is_proxied && hosts.is_loopback() {
        return Ok(());
    }
    let say = say!(
        "sign-in is switched off, so the server must not be reached from outside this machine"
    );
    let hint = "switch it on with `dango auth enable`, or listen on 127.0.0.1 without a proxy and without `server.public_url`";
    Err(Error::denied(Code::ListenRefused, say).hint(hint))
}

/// Refuses to be reached from outside before that is safe.
async fn check_open(app: &App, is_encrypted: bool, named: Named) -> Result<()> {
    let refused = |say, hint: &'static str| {
        let error: Error = Error::denied(Code::ListenRefused, say);
        let hint = say!(
            "",
            Say::new(hint),
            ", or let ",
            Say::new(named.host),
            " be 127.0.0.1"
        );
        Err(error.hint(hint))
    };
    let allow = admit::<SetUp>(Client::default(), app.new_request());
    if links::is_set_up_open(app, &allow).await? {
        return refused(
            say!("the server must not be reached from outside: there is no admin yet"),
            "create one with `dango user add EMAIL --role admin`, in a container by DANGO_ADMIN_EMAIL and DANGO_ADMIN_PASSWORD_FILE",
        );
    }
    if !is_encrypted {
        return refused(
            say!("the server must not be reached from outside: connections would not be encrypted"),
            "put a proxy with TLS before it, and say so with `--behind-proxy` and `server.trusted_proxies`",
        );
    }
    Ok(())
}

/// Returns the addresses that `host` names; both of loopback when nothing is said.
fn addresses(host: Option<&str>, named: Named) -> Result<Vec<IpAddr>> {
    match host {
        None | Some("localhost") => {
            Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
        }
        Some(text) => {
            let bare = text.trim_start_matches('[').trim_end_matches(']');
            let ip = bare.parse().map_err(|_| {
                let say = say!("", name Quoted(text), " is no address to listen on");
                let host = Say::new(named.host);
                let hint = say!("give ", host, " an address such as 127.0.0.1 or 0.0.0.0");
                Error::invalid(named.code, say).hint(hint)
            })?;
            Ok(vec![ip])
        }
    }
}

/// Listens on one port of all the addresses; on whichever is free when `port` is 0.
fn bind(addresses: &[IpAddr], mut port: u16, named: Named) -> Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for ip in addresses {
        match listen::at(SocketAddr::new(*ip, port)) {
            Ok(listener) => {
                port = listener.local_addr().map_or(port, |at| at.port());
                listeners.push(listener);
            }
            // A machine without IPv6 has the other loopback address.
            Err(_) if !listeners.is_empty() && ip.is_loopback() => {}
            Err(error) => {
                let say = say!("port ", port, " cannot be listened on");
                let made = match error.kind() {
                    ErrorKind::AddrInUse => Error::conflict(
                        Code::AddressInUse,
                        say!("port ", port, " is in use by another program"),
                    )
                    .hint(say!("choose another one with ", Say::new(named.port))),
                    ErrorKind::PermissionDenied => {
                        Error::denied(Code::ListenRefused, say).hint(say!(
                            "ports below 1024 are for root: choose another one with ",
                            Say::new(named.port)
                        ))
                    }
                    _ => Error::invalid(Code::ListenRefused, say).hint(say!(
                        "",
                        Say::new(named.host),
                        " must be an address of this machine"
                    )),
                };
                return Err(made.caused_by(error));
            }
        }
    }
    Ok(listeners)
}

/// Listens for DAP's clients; a second project on the machine does without.
async fn dap(
    app: &App,
    is_encrypted: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<TcpListener>> {
    let environment = app.environment();
    let host = environment
        .setting("DAP_ENGINE_HOST")
        .unwrap_or("127.0.0.1");
    let addresses = addresses(Some(host), DAP)?;
    if addresses.iter().any(|ip| !ip.is_loopback()) {
        check_open(app, is_encrypted, DAP).await?;
    }
    let port = match environment.setting("DAP_ENGINE_PORT") {
        None => DAP_PORT,
        Some(text) => text.parse().map_err(|_| {
            let say = say!("DAP_ENGINE_PORT is ", name Quoted(text), ", which is no port");
            Error::invalid(Code::ConfigInvalid, say).hint("a port is a number up to 65535")
        })?,
    };
    match bind(&addresses, port, DAP) {
        Err(error) if error.code == Code::AddressInUse => {
            warnings.push(format!(
                "port {port} is in use by another program, so DAP's clients are not served; DAP_ENGINE_PORT chooses another"
            ));
            Ok(Vec::new())
        }
        bound => bound,
    }
}

impl Listening {
    /// Returns the address at which the first admin is made, `None` when there is one. It is for the terminal alone.
    pub async fn set_up_link(&self) -> Result<Option<Plain<String>>> {
        let token = links::open_set_up(self.server.app()).await?;
        Ok(token.map(|token| links::address(self.server.app(), links::Page::SetUp, &token)))
    }

    /// Returns the project.
    pub fn app(&self) -> &App {
        self.server.app()
    }

    /// Returns one of the doors, for whoever answers without a connection: tests.
    pub fn entrance(&self, door: Door) -> Entrance {
        Entrance::new(&self.server, door, &routes::table())
    }

    /// Returns the address to tell people.
    pub fn url(&self) -> String {
        self.server.hosts.url()
    }

    /// Returns every address it listens on.
    pub fn addresses(&self) -> &[String] {
        &self.server.addresses
    }
}

/// Gives the audit log's rows their place while the server runs.
async fn keep_audit(server: Server) {
    for tick in 1_u64.. {
        tokio::select! {
            () = tokio::time::sleep(AUDIT_EVERY) => {}
            () = server.stopping.cancelled() => return,
        }
        server.app().sequence_audit(Sign::WhenDue).await;
        if tick.is_multiple_of(AUDIT_TOLD_EVERY) {
            // They are in the log; what is forgotten here is told again if it still holds.
            drop(app::audit::take_warnings());
        }
    }
}

/// Answers until `stop` is done or the operator asks; then lets what runs come to its end.
pub async fn serve(listening: Listening, stop: impl Future<Output = ()>) {
    let Listening {
        server,
        web,
        dap,
        socket,
        ..
    } = listening;
    let table = routes::table();
    let graceful = Arc::new(GracefulShutdown::new());
    let mut doors = JoinSet::new();
    let shared = Shared {
        connections: Arc::new(Semaphore::new(listen::connections_max())),
        graceful: Arc::clone(&graceful),
        stopping: server.stopping.clone(),
    };
    for (door, listeners) in [(Door::Web, web), (Door::Dap, dap)] {
        let entrance = Entrance::new(&server, door, &table);
        for listener in listeners {
            doors.spawn(listen::tcp(listener, entrance.clone(), shared.clone()));
        }
    }
    let operators = Entrance::new(&server, Door::Socket, &table);
    doors.spawn(listen::unix(socket, operators, shared));
    doors.spawn(keep_audit(server.clone()));
    tokio::select! {
        () = stop => server.stopping.cancel(),
        () = server.stopping.cancelled() => {}
    }
    tracing::info!("the server stops");
    let drained = tokio::time::timeout(DRAIN, async {
        // Closed, so that nothing new comes in.
        doors.join_all().await;
        server.syncs.stop().await;
        if let Some(graceful) = Arc::into_inner(graceful) {
            graceful.shutdown().await;
        }
        let _busy = server.busy.write().await;
    });
    if drained.await.is_err() {
        tracing::warn!("some requests were cut off");
    }
    server.app().shut_down().await;
    // A socket that is left behind does no harm: the next start removes it.
    let _ = fs_err::remove_file(server.app().project.socket_file());
    // One that is left behind opens nothing: the next start makes another.
    let _ = fs_err::remove_file(server.app().project.local_token_file());
}
