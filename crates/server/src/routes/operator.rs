//! What the command line asks while the server holds the project: the same use cases, in the shape the commands work with.

use super::sources::Removal;
use super::status::look;
use super::syncs::find;
use crate::extract::{Given, Id, Json, Named, Search, given};
use crate::problem::Reply;
use crate::server::Server;
use crate::streams::{self, Writer};
use crate::syncs;
use crate::table::{Api, Reach};
use app::identity::links;
use app::query::{self, ExportFormat, OutputFile, QueryRequest};
use app::sync::SyncRequest;
use app::{Error, render};
use axum::extract::State;
use axum::response::Response;
use security::permissions::{
    HealthView, PlatformManage, QueryExecute, SourceManage, SourceSync, SourceView, UsersManage,
};
use security::{Allow, Event};
use serde::Deserialize;
use serde_json::{Value, json};

/// A query with its SQL and some room for JSON's escapes.
const QUERY_BYTES_MAX: usize = 4 << 20;

pub(super) fn add(api: &mut Api) {
    let operator = |route: &mut crate::table::Route| {
        route.reach(Reach::Operator).slow().answers(200);
    };
    let about = "operator";
    operator(
        api.get("/operator/status", status)
            .about(about, "`dango status`."),
    );
    operator(
        api.post("/operator/stop", stop)
            .about(about, "`dango stop`."),
    );
    operator(
        api.post("/operator/set-up", set_up)
            .about(
                about,
                "The link that makes the first admin, for the terminal of `dango start`.",
            )
            .event(Event::SetUpOpened),
    );
    operator(
        api.post("/operator/syncs", sync)
            .about(about, "`dango sync`, line by line.")
            .event(Event::SyncTriggered),
    );
    operator(
        api.post("/operator/syncs/{id}/cancel", cancel)
            .about(about, "Ctrl-C of `dango sync`.")
            .event(Event::SyncInterrupted),
    );
    operator(
        api.post("/operator/query", run)
            .about(about, "`dango query`, line by line.")
            .event(Event::QueryExecuted)
            .body_max(QUERY_BYTES_MAX),
    );
    operator(
        api.post("/operator/export", export)
            .about(about, "`dango query --output`.")
            .event(Event::QueryExported)
            .body_max(QUERY_BYTES_MAX),
    );
    operator(
        api.get("/operator/db", database)
            .about(about, "`dango db status`."),
    );
    operator(
        api.post("/operator/db/compact", compact)
            .about(about, "`dango db compact`.")
            .event(Event::WarehouseCompacted),
    );
    operator(
        api.get("/operator/sources/{name}", show)
            .about(about, "`dango source show`."),
    );
    operator(
        api.delete("/operator/sources/{name}", remove)
            .about(about, "`dango source remove`.")
            .event(Event::SourceRemoved),
    );
}

async fn status(allow: Allow<HealthView>, State(server): State<Server>) -> Reply<Given<Value>> {
    let view = server
        .app()
        .authorize::<SourceView>(allow.actor(), allow.request())
        .await?;
    let status = look(&server, &view).await?;
    Ok(given(
        json!({"pid": std::process::id(), "url": server.hosts.url(), "server": status}),
    ))
}

async fn stop(_: Allow<PlatformManage>, State(server): State<Server>) -> Given<Value> {
    server.stopping.cancel();
    given(json!({ "pid": std::process::id() }))
}

async fn set_up(_: Allow<UsersManage>, State(server): State<Server>) -> Reply<Given<Value>> {
    let app = server.app();
    let token = links::open_set_up(app).await?;
    let link = token.map(|token| links::address(app, links::Page::SetUp, &token));
    let link = link.as_ref().map(security::Plain::expose);
    Ok(given(json!({ "link": link })))
}

async fn sync(
    allow: Allow<SourceSync>,
    State(server): State<Server>,
    Json(request): Json<SyncRequest>,
) -> Response {
    match syncs::start(&server, allow, request) {
        Ok(sync) => streams::sync_lines(sync),
        Err(error) => streams::lines(|_| async { Err::<(), _>(error) }),
    }
}

async fn cancel(
    _: Allow<SourceSync>,
    State(server): State<Server>,
    Id(id): Id,
) -> Reply<Given<Value>> {
    find(&server, id)?.cancel.cancel();
    Ok(given(json!({})))
}

/// A query, and what its rows are to be: text of a form, or objects.
#[derive(Deserialize)]
struct Query {
    request: QueryRequest,
    format: Option<render::Format>,
}

async fn run(
    allow: Allow<QueryExecute>,
    State(server): State<Server>,
    Json(asked): Json<Query>,
) -> Response {
    streams::lines(move |writer| async move { rows(&server, &allow, asked, &writer).await })
}

/// Runs a query and writes its rows as they come.
async fn rows(
    server: &Server,
    allow: &Allow<QueryExecute>,
    asked: Query,
    writer: &Writer,
) -> app::Result<Value> {
    let mut result = query::run(server.app(), allow, &asked.request).await?;
    let columns = result.columns().to_vec();
    writer.line(&json!({ "columns": columns })).await;
    let unwritten = |error: std::io::Error| Error::bug("rows were not written").caused_by(error);
    let mut rendered = match asked.format {
        None => None,
        Some(form) => {
            let renderer = render::Renderer::new(Pieces::default(), form, &columns);
            Some(renderer.map_err(unwritten)?)
        }
    };
    let mut count = 0;
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(Error::of_query)?;
        count += batch.num_rows() as u64;
        if let Some(renderer) = &mut rendered {
            renderer.write(&batch).map_err(unwritten)?;
            let text = renderer.get_mut().take();
            writer.line(&json!({ "text": text })).await;
        } else {
            let mut objects = Vec::new();
            render::json::append_objects(&batch, &columns, &mut objects);
            writer.line(&json!({ "rows": objects })).await;
        }
    }
    if let Some(renderer) = rendered {
        let text = renderer.finish().map_err(unwritten)?.take();
        writer.line(&json!({ "text": text })).await;
    }
    Ok(json!({"rows": count, "truncated": result.truncated(), "masked": result.masked()}))
}

/// Text that was rendered and not yet sent.
#[derive(Default)]
struct Pieces(Vec<u8>);

impl Pieces {
    /// Returns what was rendered since the last time; renderers write whole characters.
    fn take(&mut self) -> String {
        String::from_utf8(std::mem::take(&mut self.0)).unwrap_or_default()
    }
}

impl std::io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A query into a file.
#[derive(Deserialize)]
struct Export {
    request: QueryRequest,
    format: ExportFormat,
    file: OutputFile,
}

async fn export(
    allow: Allow<QueryExecute>,
    State(server): State<Server>,
    Json(asked): Json<Export>,
) -> Response {
    streams::lines(move |_| async move {
        query::export(
            server.app(),
            &allow,
            &asked.request,
            asked.format,
            &asked.file,
        )
        .await
    })
}

async fn database(allow: Allow<HealthView>, State(server): State<Server>) -> Response {
    streams::lines(move |_| async move { app::database::status(server.app(), &allow).await })
}

async fn compact(allow: Allow<PlatformManage>, State(server): State<Server>) -> Response {
    let work = server.clone();
    streams::last_line(&server, async move {
        app::database::compact(work.app(), &allow).await
    })
}

async fn show(
    allow: Allow<SourceView>,
    State(server): State<Server>,
    Named(name): Named,
) -> Response {
    streams::lines(move |_| async move { app::sources::show(server.app(), &allow, &name).await })
}

async fn remove(
    allow: Allow<SourceManage>,
    State(server): State<Server>,
    Named(name): Named,
    Search(how): Search<Removal>,
) -> Response {
    let work = server.clone();
    streams::last_line(&server, async move {
        app::sources::remove(work.app(), &allow, &name, how.drop_data).await
    })
}
