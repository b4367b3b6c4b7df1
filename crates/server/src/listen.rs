//! Connections: accepted up to a limit, read with limits, and let go in good order.

use crate::entrance::{Entrance, Peer};
use crate::socket;
use app::Cancel;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustix::process::{Resource, getrlimit, setrlimit};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::sync::Semaphore;

/// Connections at once, all doors together; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: u64 = 1_024;
/// Files that are no connections: databases, logs, children. Without them nobody is answered.
const OTHER_FILES: u64 = 512;
/// Connections that wait to be accepted; the kernel may allow fewer (`net.core.somaxconn`).
const QUEUE_MAX: u32 = 1_024;
/// A request's head must have come by then, on a kept connection too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A request's line and headers; cookies and tokens take one or two thousand.
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 100;
/// After an error of accepting (too many open files), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(50);

/// Returns how many connections there may be at once, and makes room for as many open files, as far as this process may: most
/// systems begin with 1,024, which idle connections alone would use up.
pub(crate) fn connections_max() -> usize {
    let wanted = CONNECTIONS_MAX + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|files| files < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files could not be raised");
        }
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let most = files.saturating_sub(OTHER_FILES).max(files / 2);
    usize::try_from(most.min(CONNECTIONS_MAX)).unwrap_or(1)
}

/// Listens with a queue for as many as come at once: whoever finds it full tries again a second later.
pub(crate) fn at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that starts again is not kept waiting by the connections of the one before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE_MAX)
}

/// What the listeners share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) connections: Arc<Semaphore>,
    pub(crate) graceful: Arc<GracefulShutdown>,
    pub(crate) stopping: Cancel,
}

/// Accepts connections of the network until the server stops.
pub(crate) async fn tcp(listener: TcpListener, entrance: Entrance, shared: Shared) {
    loop {
        let next = async {
            let permit = Arc::clone(&shared.connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = shared.stopping.cancelled() => return,
        };
        let (Ok(permit), Ok((stream, address))) = (permit, accepted) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Small answers must not wait for a second packet.
        let _ = stream.set_nodelay(true);
        let (entrance, watcher) = (entrance.clone(), shared.graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            serve(stream, Peer::Address(address.ip()), entrance, watcher).await;
        });
    }
}

/// Accepts connections of this machine's users until the server stops.
pub(crate) async fn unix(listener: UnixListener, entrance: Entrance, shared: Shared) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stopping.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let Some(user) = socket::peer(&stream) else {
            continue;
        };
        let (entrance, watcher) = (entrance.clone(), shared.graceful.watcher());
        tokio::spawn(async move {
            serve(stream, Peer::User(user), entrance, watcher).await;
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    entrance: Entrance,
    watcher: Watcher,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (entrance, peer) = (entrance.clone(), peer.clone());
        async move { Ok::<_, Infallible>(entrance.answer(peer, request.map(Body::new)).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
