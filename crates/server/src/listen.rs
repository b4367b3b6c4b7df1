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
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;

/// Connections at once, all doors together; further ones wait in the kernel's queue.
pub(crate) const CONNECTIONS_MAX: usize = 1_024;
/// A request's head must have come by then, on a kept connection too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A request's line and headers; cookies and tokens take one or two thousand.
const HEAD_BYTES_MAX: usize = 32 << 10;
const HEADERS_MAX: usize = 100;
/// After an error of accepting (too many open files), so that it does not spin.
const PAUSE: Duration = Duration::from_millis(50);

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
