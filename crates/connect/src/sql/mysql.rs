//! MySQL and MariaDB as a source: one consistent snapshot, values as the text the server writes.
//!
//! The text protocol is on purpose: zero dates, times beyond a day and unsigned numbers have a written form and no binary
//! one that the driver would hand out.

mod catalog;
mod connect;
mod decode;
mod failure;
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
use sqlx::{Connection, MySqlConnection};
use tokio::sync::mpsc::Sender;
use types::Wire;

/// A MySQL or MariaDB database that is being read.
pub struct Mysql {
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
    connection: MySqlConnection,
    /// What the server calls itself: `10.11.6-MariaDB-0+deb12u1`.
    version: String,
}

impl Session {
    fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }
}

impl Mysql {
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
        let session = self.session.as_ref();
        let kind = if session.is_some_and(Session::is_mariadb) {
            "MariaDB"
        } else {
            "MySQL"
        };
        let version = session.map_or("", |session| session.version.as_str());
        let version = version.split('-').next().unwrap_or_default();
        let server = &self.settings.server;
        Ok(format!(
            "{kind} {version} at {}:{}, database {}: {tables} tables to read",
            server.host, server.port, server.database,
        ))
    }

    /// Returns the tables to read.
    pub async fn streams(&mut self) -> Result<Vec<Stream>, Failure> {
        let mut session = self.take_session()?;
        let place = say!("source ", name self.source);
        let choices = &self.settings.choices;
        // What PostgreSQL calls a schema is a database here.
        let asked = match self.settings.schemas.as_slice() {
            [] => std::slice::from_ref(&self.settings.server.database),
            schemas => schemas,
        };
        let schemas = catalog::schemas(&mut session, &place, asked).await?;
        let found = catalog::tables(&mut session, &schemas, choices).await?;
        let names: Vec<_> = found
            .iter()
            .map(|relation| relation.found.clone())
            .collect();
        let chosen = choose(&place, &names, &schemas, choices)?;
        self.notices.clear();
        let tables = catalog::describe(&mut session, &found, chosen, &mut self.notices).await?;
        self.plans = plan(&self.source, tables, choices)?;
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
        match read::table(&mut session, &self.source, &plan, &start, notices, &pages).await {
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
