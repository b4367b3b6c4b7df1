//! The way to the project: opened here, or, while a server holds it, through that server's socket. A command is written once,
//! against the door, and tells the same either way.

mod client;

pub(crate) use client::{Client, Line};

use crate::context::Context;
use crate::errors::Stop;
use crate::progress;
use app::App;
use app::database::{Compacted, DatabaseStatus};
use app::error::Error;
use app::query::{ExportFormat, ExportReport, OutputFile, QueryRequest};
use app::sources::{Removed, SourceDetail};
use app::sync::{SourceOutcome, SyncNews, SyncRequest};
use domain::SourceName;
use security::permissions::{
    HealthView, PlatformManage, QueryExecute, SourceManage, SourceSync, SourceView,
};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Where the work is done.
pub(crate) enum Door {
    Here(Box<App>),
    There(Client),
}

impl Door {
    /// Shuts the project when it was opened here.
    pub(crate) async fn close(self) {
        if let Self::Here(app) = self {
            app.close().await;
        }
    }

    /// Returns what the warehouse holds.
    pub(crate) async fn database_status(&self) -> Result<DatabaseStatus, Stop> {
        match self {
            Self::Here(app) => {
                let allow = app.allow::<HealthView>().await?;
                Ok(app::database::status(app, &allow).await?)
            }
            Self::There(client) => client.get("/operator/db").await,
        }
    }

    /// Compacts the warehouse.
    pub(crate) async fn compact(&self) -> Result<Compacted, Stop> {
        match self {
            Self::Here(app) => {
                let allow = app.allow::<PlatformManage>().await?;
                Ok(app::database::compact(app, &allow).await?)
            }
            Self::There(client) => client.post("/operator/db/compact", &json!({})).await,
        }
    }

    /// Returns everything there is to show of a source.
    pub(crate) async fn source(&self, name: &SourceName) -> Result<SourceDetail, Stop> {
        match self {
            Self::Here(app) => {
                let allow = app.allow::<SourceView>().await?;
                Ok(app::sources::show(app, &allow, name).await?)
            }
            Self::There(client) => client.get(&format!("/operator/sources/{name}")).await,
        }
    }

    /// Removes a source.
    pub(crate) async fn remove_source(
        &self,
        name: &SourceName,
        drop_data: bool,
    ) -> Result<Removed, Stop> {
        match self {
            Self::Here(app) => {
                let allow = app.allow::<SourceManage>().await?;
                Ok(app::sources::remove(app, &allow, name, drop_data).await?)
            }
            Self::There(client) => {
                let path = format!("/operator/sources/{name}?drop_data={drop_data}");
                client.delete(&path).await
            }
        }
    }

    /// Writes a query's rows into a file.
    pub(crate) async fn export(
        &self,
        request: &QueryRequest,
        format: ExportFormat,
        file: &OutputFile,
    ) -> Result<ExportReport, Stop> {
        match self {
            Self::Here(app) => {
                let allow = app.allow::<QueryExecute>().await?;
                Ok(app::query::export(app, &allow, request, format, file).await?)
            }
            Self::There(client) => {
                let body = json!({"request": request, "format": format, "file": file});
                client.post("/operator/export", &body).await
            }
        }
    }

    /// Syncs; Ctrl-C stops it, but for a commit that has begun.
    pub(crate) async fn sync(
        &self,
        context: &Context,
        request: &SyncRequest,
    ) -> Result<Vec<SourceOutcome>, Stop> {
        let observer = progress::observer(context.output);
        let tell = || {
            context.output.tell(
                "stopping; a commit that has begun is finished (Ctrl-C again does not wait for it)",
            );
        };
        match self {
            Self::Here(app) => {
                let allow = app.allow::<SourceSync>().await?;
                let running = app::sync::run(app, &allow, request, &*observer, &app.cancel);
                let stop = || {
                    tell();
                    app.cancel.cancel();
                };
                Ok(context.interrupts.or_ask(Box::pin(running), stop).await?)
            }
            Self::There(client) => {
                let id = Arc::new(OnceLock::new());
                let on_line = |line: Line| {
                    match line {
                        Line::Started(started) => {
                            let _ = id.set(started);
                        }
                        Line::News(news) => SyncNews::tell(&news, &*observer),
                        Line::Columns(_) | Line::Rows(_) | Line::Text(_) => {}
                    }
                    Ok(())
                };
                let running = client.post_lines("/operator/syncs", request, on_line);
                let stop = || {
                    tell();
                    let (client, id) = (client.clone(), Arc::clone(&id));
                    tokio::spawn(async move {
                        let Some(id) = id.get() else { return };
                        let path = format!("/operator/syncs/{id}/cancel");
                        let _ = client.post_plain::<Value>(&path).await;
                    });
                };
                context.interrupts.or_ask(Box::pin(running), stop).await
            }
        }
    }
}

impl Context {
    /// Opens the project for `command`, or finds the server that holds it. Whoever else holds it is waited for; a server that
    /// is only starting is found as soon as it listens.
    pub(crate) async fn door(&self, command: &str) -> Result<Door, Stop> {
        // What the environment and `.env` hold is masked here, too.
        let place = self.place()?;
        let client = Client::new(place.project);
        if client.is_there().await? {
            return Ok(Door::There(client));
        }
        tokio::select! {
            biased;
            opened = self.open(command) => Ok(Door::Here(Box::new(opened?))),
            found = client.appears() => Ok(Door::There(found?)),
        }
    }
}

/// Returns the error of a server that went away.
pub(crate) fn gone(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Stop {
    let error = Error::unavailable(
        domain::Code::ServerUnreachable,
        "the server that holds this project went away in the middle of its answer",
    );
    let hint = "`dango status` shows whether it runs; run the command again";
    Stop::Failed(error.hint(hint).caused_by(cause))
}
