//! A database that is being read, whatever its kind.

use super::connect;
use super::mark::Mark;
use super::pages::Pages;
use super::passes::{Attempt, Pass, passes};
use super::place::Place;
use super::plan::{Plan, Table, plan};
use super::select::{self, Syntax};
use super::settings::{Dialect, Server, Settings};
use super::texts::Texts;
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::page::{Page, Start, Stream};
use connect::Tls;
use domain::say::{Quoted, Say};
use domain::{SourceName, TableSchema, say};
use serde_json::Value;
use std::net::SocketAddr;
use tokio::sync::mpsc::Sender;

/// A table as one kind of database has it, and what is said about it.
pub(super) type Chosen<S> = (Table<<S as Syntax>::Wire>, super::choice::Choice);

/// A connection inside its snapshot: what differs between the kinds of database.
pub(super) trait Session: Syntax<Wire: Clone> + Sized {
    const DIALECT: Dialect;

    /// Signs in at `address`, encrypted as `tls` says, and begins the snapshot.
    async fn open(server: &Server, tls: Tls, address: SocketAddr) -> Result<Self, Failure>;

    /// Returns what the server is, with its version.
    fn called(&self) -> String;

    /// Returns the instant, by the server's clock, beyond which a time is too far ahead to go on from.
    fn horizon_micros(&self) -> i64;

    /// Returns the rows of `sql`, all of whose columns are texts.
    async fn fetch(&mut self, sql: String, at: &Place) -> Result<Vec<Texts>, Failure>;

    /// Returns the tables that `settings` ask for, and adds to `notices` what is left out of them.
    async fn tables(
        &mut self,
        place: &Say,
        settings: &Settings,
        notices: &mut Vec<String>,
    ) -> Result<Vec<Chosen<Self>>, Failure>;

    /// Decides the open types of a table that is read whole, so that its columns are known before it is read.
    async fn settle(&mut self, _: &SourceName, _: &mut Plan<Self::Wire>) -> Result<(), Failure> {
        Ok(())
    }

    /// Makes sure that the table is still what the snapshot says, and decides the types that are open still; `known` is the
    /// table in the warehouse.
    async fn prepare(
        &mut self,
        _plan: &mut Plan<Self::Wire>,
        _passes: &[Pass],
        _known: Option<&TableSchema>,
    ) -> Result<(), Failure> {
        Ok(())
    }

    /// Reads the rows of one pass into `pages`.
    async fn read(
        &mut self,
        plan: &Plan<Self::Wire>,
        pass: &Pass,
        pages: &mut Pages<'_>,
    ) -> Result<(), Failure>;

    /// Ends snapshot and connection.
    async fn close(self);
}

/// A database that is being read.
#[expect(
    private_bounds,
    reason = "there are the kinds of database that this module has, and no other"
)]
pub struct Database<S: Session> {
    source: SourceName,
    settings: Settings,
    /// What the user should know, told with the next page.
    notices: Vec<String>,
    /// The connection with the snapshot. It is taken out while a table is read: what was interrupted is not used again.
    session: Option<S>,
    plans: Vec<Plan<S::Wire>>,
}

#[expect(private_bounds, reason = "as above")]
impl<S: Session> Database<S> {
    /// Connects and opens the snapshot.
    pub async fn open(
        source: &SourceName,
        block: &Value,
        credentials: &Credentials,
        egress: &Egress,
    ) -> Result<Self, Failure> {
        let settings = Settings::read(&S::DIALECT, source, block, credentials)?;
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
        let tables = self.streams(&[]).await?.len();
        let called = self.session.as_ref().map(Session::called);
        let server = &self.settings.server;
        Ok(format!(
            "{} at {}:{}, database {}: {tables} tables to read",
            called.unwrap_or_default(),
            server.host,
            server.port,
            server.database,
        ))
    }

    /// Returns the tables to read; those that are `known` keep the names they have in the warehouse.
    pub async fn streams(&mut self, known: &[TableSchema]) -> Result<Vec<Stream>, Failure> {
        let mut session = self.take_session()?;
        let place = say!("source ", name self.source);
        self.notices.clear();
        let tables = session
            .tables(&place, &self.settings, &mut self.notices)
            .await?;
        self.plans = plan(&self.source, tables, &self.settings.choices, known)?;
        for plan in &mut self.plans {
            session.settle(&self.source, plan).await?;
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
            self.streams(&start.known).await?;
        }
        let is_asked = |plan: &&Plan<S::Wire>| plan.stream.origin == stream.origin;
        let plan = self.plans.iter().find(is_asked).cloned().ok_or_else(|| {
            let origin = Quoted(&stream.origin);
            Failure::new(
                FailureKind::Missing,
                say!("the database has no table ", name origin),
            )
        })?;
        let mut session = self.take_session()?;
        match self.table(&mut session, plan, &start, &pages).await {
            Ok(()) => self.session = Some(session),
            Err(_) if pages.is_closed() => {}
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    /// Ends the snapshot and the connection.
    pub async fn close(self) {
        if let Some(session) = self.session {
            session.close().await;
        }
    }

    fn take_session(&mut self) -> Result<S, Failure> {
        self.session.take().ok_or_else(|| {
            Failure::new(
                FailureKind::Unreachable,
                "the connection to the database was closed before its tables were read to their end",
            )
        })
    }

    async fn table(
        &mut self,
        session: &mut S,
        mut plan: Plan<S::Wire>,
        start: &Start,
        out: &Sender<Page>,
    ) -> Result<(), Failure> {
        let mut attempt = passes(&plan.reading(session.horizon_micros()), start)?;
        if attempt
            .position
            .as_ref()
            .is_some_and(|at| at.after.is_empty())
        {
            let began = highest(session, &plan, &attempt).await?;
            if let Some(position) = &mut attempt.position {
                position.began = began;
            }
        }
        let is_known = |known: &&TableSchema| known.table.table == plan.stream.name;
        let known = start.known.iter().find(is_known);
        session.prepare(&mut plan, &attempt.passes, known).await?;
        let mut pages = Pages::new(&self.source, &plan, &attempt, out);
        pages.warn(std::mem::take(&mut self.notices));
        pages.warn_of(std::mem::take(&mut attempt.warnings));
        for pass in &attempt.passes {
            session.read(&plan, pass, &mut pages).await?;
        }
        pages.warn_of(unseen(session, &plan, &attempt).await?);
        pages.end().await
    }
}

/// Returns the cursor's highest value in the snapshot that can be gone on from.
async fn highest<S: Session>(
    session: &mut S,
    plan: &Plan<S::Wire>,
    attempt: &Attempt,
) -> Result<Option<String>, Failure> {
    let horizon = attempt.horizon.as_ref().map(Mark::write);
    let Some(sql) = select::highest::<S>(plan, horizon.as_deref()) else {
        return Ok(None);
    };
    let at = Place::table(&plan.table.found.origin());
    let rows = session.fetch(sql, &at).await?;
    Ok(rows.first().and_then(|row| row.get(0)).map(str::to_owned))
}

/// Returns a sentence for each kind of rows that the passes leave out, as far as there are any.
async fn unseen<S: Session>(
    session: &mut S,
    plan: &Plan<S::Wire>,
    attempt: &Attempt,
) -> Result<Vec<String>, Failure> {
    let at = Place::table(&plan.table.found.origin());
    let cursor = plan.stream.cursor.as_deref().unwrap_or_default();
    let mut warnings = Vec::new();
    if attempt.unseen.has_null
        && let Some(sql) = select::any::<S>(plan, None)
        && !session.fetch(sql, &at).await?.is_empty()
    {
        warnings.push(format!(
            "has rows without a value of `{cursor}`: only the first sync takes them, for nothing says which of them are new"
        ));
    }
    if let Some(from) = &attempt.unseen.from
        && let Some(sql) = select::any::<S>(plan, Some(from))
        && !session.fetch(sql, &at).await?.is_empty()
    {
        warnings.push(format!(
            "has rows whose `{cursor}` lies more than two days ahead of now: they are left out until their time comes"
        ));
    }
    Ok(warnings)
}
