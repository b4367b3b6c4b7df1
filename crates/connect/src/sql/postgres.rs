//! PostgreSQL as a source: binary `COPY` inside one repeatable-read snapshot for all tables.

mod catalog;
mod connect;
mod copy;
mod failure;
mod numeric;
mod open_types;
mod pin;
mod read;
mod rows;
mod select;
mod types;

use super::choose::choose;
use super::plan::{Plan, plan};
use super::settings::Settings;
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, Start, Stream};
use domain::say::Quoted;
use domain::{SourceName, say};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc::Sender;
use types::Wire;

/// A PostgreSQL database that is being read.
pub struct Postgres {
    source: SourceName,
    settings: Settings,
    /// What the user should know, told with the next page.
    notices: Vec<String>,
    /// The connection with the snapshot. It is taken out while a table is read: what was interrupted is not used again.
    session: Option<Session>,
    plans: Vec<Plan<Wire>>,
}

/// A connection inside the snapshot.
struct Session {
    connection: PgConnection,
    /// `server_version_num`: 150004 is 15.4.
    version: u32,
}

impl Postgres {
    /// Connects and opens the snapshot.
    pub async fn open(
        source: &SourceName,
        block: &Value,
        credentials: &Credentials,
        egress: &Egress,
    ) -> Result<Self, Failure> {
        let settings = Settings::read(&connect::DIALECT, source, block, credentials)?;
        let session = connect::open(&settings.server, egress).await?;
        Ok(Self {
            source: source.clone(),
            settings,
            notices: Vec::new(),
            session: Some(session),
            plans: Vec::new(),
        })
    }

    /// Returns one line on what answered.
    pub async fn test(&mut self) -> Result<String, Failure> {
        let tables = self.streams().await?.len();
        let version = self.session.as_ref().map_or(0, |session| session.version);
        let server = &self.settings.server;
        Ok(format!(
            "PostgreSQL {}.{} at {}:{}, database {}: {tables} tables to read",
            version / 10_000,
            version % 10_000,
            server.host,
            server.port,
            server.database,
        ))
    }

    /// Returns the tables to read.
    pub async fn streams(&mut self) -> Result<Vec<Stream>, Failure> {
        let mut session = self.take_session()?;
        let place = say!("source ", name self.source);
        let choices = &self.settings.choices;
        let schemas = match self.settings.schemas.as_slice() {
            [] => vec!["public".to_owned()],
            schemas => schemas.to_vec(),
        };
        let found = catalog::tables(&mut session, &place, &schemas, choices).await?;
        let names: Vec<_> = found
            .iter()
            .map(|relation| relation.found.clone())
            .collect();
        let chosen = choose(&place, &names, &schemas, choices)?;
        self.notices.clear();
        let tables = catalog::describe(&mut session, &found, chosen, &mut self.notices).await?;
        self.plans = plan(&self.source, tables, choices)?;
        for plan in &mut self.plans {
            open_types::measure_whole(&mut session, &self.source, plan).await?;
        }
        self.session = Some(session);
        Ok(self.plans.iter().map(|plan| plan.stream.clone()).collect())
    }

    /// Reads the rows of `stream` into `pages`. It returns early, without a failure, when nobody takes them any more.
    pub async fn read(
        &mut self,
        stream: &Stream,
        start: Start,
        pages: Sender<Page>,
    ) -> Result<(), Failure> {
        if self.plans.is_empty() {
            self.streams().await?;
        }
        let is_asked = |plan: &&Plan<Wire>| plan.stream.origin == stream.origin;
        let plan = self.plans.iter().find(is_asked).cloned().ok_or_else(|| {
            let origin = Quoted(&stream.origin);
            Failure::new(
                FailureKind::Missing,
                say!("the database has no table ", name origin),
            )
        })?;
        let mut session = self.take_session()?;
        let notices = std::mem::take(&mut self.notices);
        match read::table(&mut session, &self.source, plan, &start, notices, &pages).await {
            Ok(()) => self.session = Some(session),
            Err(_) if pages.is_closed() => {}
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Ends the snapshot and the connection.
    pub async fn close(self) -> Result<(), Failure> {
        if let Some(session) = self.session {
            // All that was asked for has been read: a server that does not answer the farewell changes nothing.
            let _ = session.connection.close().await;
        }
        Ok(())
    }

    fn take_session(&mut self) -> Result<Session, Failure> {
        self.session.take().ok_or_else(|| {
            Failure::new(
                FailureKind::Unreachable,
                "the connection to the database was closed before its tables were read to their end",
            )
        })
    }
}
