//! Answers that come bit by bit: server-sent events for browsers, lines of JSON for the command line.

use crate::passage::Asker;
use crate::server::Server;
use crate::syncs::{End, Next, Running};
use app::sync::{SourceOutcome, SyncNews};
use app::told::Told;
use app::{Error, REDACTOR, Result};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use security::permissions::SourceView;
use serde::Serialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Pieces that may wait for a slow reader; then the writer waits.
const PIECES_MAX: usize = 16;
/// How often an open stream shows that it lives.
const ALIVE: Duration = Duration::from_secs(10);

/// Writes the pieces of an answer. When nobody reads any more, writing says so.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Bytes>);

impl Writer {
    /// Writes a line of JSON; returns whether somebody still reads.
    pub(crate) async fn line(&self, value: &impl Serialize) -> bool {
        let mut bytes = serde_json::to_vec(value).unwrap_or_default();
        bytes.push(b'\n');
        self.0.send(bytes.into()).await.is_ok()
    }

    async fn text(&self, text: String) -> bool {
        self.0.send(text.into()).await.is_ok()
    }

    /// Returns once nobody reads any more.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }
}

fn body() -> (Writer, Body) {
    let (sender, receiver) = mpsc::channel(PIECES_MAX);
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        let piece: Bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(piece), receiver))
    });
    (Writer(sender), Body::from_stream(pieces))
}

/// Answers the command line: lines while `work` goes on, and one last line with how it ended. Work whose reader has gone is
/// dropped.
pub(crate) fn lines<T, W>(work: impl FnOnce(Writer) -> W) -> Response
where
    T: Serialize + Send,
    W: Future<Output = Result<T>> + Send + 'static,
{
    let (writer, body) = body();
    let work = Box::pin(work(writer.clone()));
    tokio::spawn(async move {
        tokio::select! {
            ended = work => end(&writer, ended).await,
            () = writer.closed() => {}
        }
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

async fn end<T: Serialize>(writer: &Writer, ended: Result<T>) {
    match ended {
        Ok(value) => {
            let text = json!({ "done": value }).to_string();
            writer.text(REDACTOR.redact(&text) + "\n").await
        }
        Err(error) => {
            if error.kind == app::Kind::Bug {
                app::logging::failed(&error);
            }
            writer.line(&json!({ "failed": Told::from(&error) })).await
        }
    };
}

/// Answers the command line: one line with how `work` ended. Work that changes something is done to its end.
pub(crate) fn last_line<T: Serialize + Send>(
    server: &Server,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Response {
    let (writer, body) = body();
    let (busy, work) = (Arc::clone(&server.busy), Box::pin(work));
    tokio::spawn(async move {
        let _busy = busy.read().await;
        end(&writer, work.await).await;
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// Answers the command line with a sync. One whose reader has gone is stopped, as the command alone would be.
pub(crate) fn sync_lines(sync: Arc<Running>) -> Response {
    let (writer, body) = body();
    tokio::spawn(async move {
        tokio::select! {
            () = retell(&sync, &writer) => {}
            () = writer.closed() => sync.cancel.cancel(),
        }
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

async fn retell(sync: &Running, writer: &Writer) {
    let mut after = 0;
    writer.line(&json!({ "started": sync.id })).await;
    loop {
        match sync.next(after).await {
            Next::News(number, news) => {
                after = number;
                writer.line(&json!({ "news": &*news })).await;
            }
            Next::End(ended) => {
                let retold = match &*ended {
                    End::Done(outcomes) => Ok(outcomes
                        .iter()
                        .map(SourceOutcome::retold)
                        .collect::<Vec<_>>()),
                    End::Failed(error) => Err(error.retold()),
                };
                return end(writer, retold).await;
            }
        }
    }
}

/// Answers a browser with a sync, from the event after `after` on, for as long as it may look.
pub(crate) fn sync_events(
    server: Server,
    asker: Asker,
    sync: Arc<Running>,
    after: u64,
) -> Response {
    let (writer, body) = body();
    tokio::spawn(async move {
        tokio::select! {
            () = tell(&sync, after, &writer) => {}
            () = asker.barred::<SourceView>(&server) => {}
            () = writer.closed() => {}
            () = server.stopping.cancelled() => {}
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn tell(sync: &Running, mut after: u64, writer: &Writer) {
    let mut alive = tokio::time::interval(ALIVE);
    alive.tick().await;
    loop {
        let next = tokio::select! {
            next = sync.next(after) => next,
            _ = alive.tick() => {
                if !writer.text(": alive\n\n".into()).await {
                    return;
                }
                continue;
            }
        };
        match next {
            Next::News(number, news) => {
                after = number;
                let text = event(number, news.name(), &shown(&news));
                if !writer.text(text).await {
                    return;
                }
            }
            Next::End(ended) => {
                writer.text(event(after + 1, "end", &summary(&ended))).await;
                return;
            }
        }
    }
}

fn event(number: u64, name: &str, data: &Value) -> String {
    // JSON has no line breaks, so it is one line of data.
    let data = REDACTOR.redact(&data.to_string());
    format!("id: {number}\nevent: {name}\ndata: {data}\n\n")
}

/// Returns an event as browsers read it: the outcome of a source in its documented shape.
fn shown(news: &SyncNews) -> Value {
    match news {
        SyncNews::SourceEnded(outcome) => outcome.to_json(),
        other => {
            let value = serde_json::to_value(other).unwrap_or_default();
            let named = value.as_object().and_then(|map| map.values().next());
            named.cloned().unwrap_or_default()
        }
    }
}

/// Returns how a sync ended, as its status shows it.
pub(crate) fn summary(end: &End) -> Value {
    match end {
        End::Done(outcomes) => {
            let is_failed = outcomes.iter().any(|outcome| outcome.error.is_some());
            let sources: Vec<_> = outcomes.iter().map(SourceOutcome::to_json).collect();
            json!({"status": if is_failed { "failed" } else { "succeeded" }, "sources": sources})
        }
        End::Failed(error) => json!({"status": "failed", "error": Error::to_json(error)}),
    }
}
