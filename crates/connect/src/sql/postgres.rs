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
use super::connect::Tls;
use super::database::{self, Chosen, Database};
use super::pages::Pages;
use super::passes::Pass;
use super::place::Place;
use super::plan::Plan;
use super::settings::{Dialect, Server, Settings};
use super::texts::Texts;
use crate::failure::Failure;
use domain::{Say, SourceName, TableSchema};
use sqlx::{Connection, PgConnection};
use std::net::SocketAddr;
use types::Wire;

/// A PostgreSQL database that is being read.
pub type Postgres = Database<Session>;

/// A connection inside the snapshot.
pub struct Session {
    connection: PgConnection,
    /// `server_version_num`: 150004 is 15.4.
    version: u32,
    horizon_micros: i64,
}

impl database::Session for Session {
    const DIALECT: Dialect = connect::DIALECT;

    async fn open(server: &Server, tls: Tls, address: SocketAddr) -> Result<Self, Failure> {
        connect::open(server, tls, address).await
    }

    fn called(&self) -> String {
        let (major, minor) = (self.version / 10_000, self.version % 10_000);
        format!("PostgreSQL {major}.{minor}")
    }

    fn horizon_micros(&self) -> i64 {
        self.horizon_micros
    }

    async fn fetch(&mut self, sql: String, at: &Place) -> Result<Vec<Texts>, Failure> {
        rows::fetch(self, sql, at).await
    }

    async fn tables(
        &mut self,
        place: &Say,
        settings: &Settings,
        notices: &mut Vec<String>,
    ) -> Result<Vec<Chosen<Self>>, Failure> {
        let schemas = match settings.schemas.as_slice() {
            [] => vec!["public".to_owned()],
            schemas => schemas.to_vec(),
        };
        let found = catalog::tables(self, place, &schemas, &settings.choices).await?;
        let names = found.iter().map(|relation| relation.found.clone());
        let chosen = choose(
            place,
            &names.collect::<Vec<_>>(),
            &schemas,
            &settings.choices,
        )?;
        catalog::describe(self, &found, chosen, notices).await
    }

    async fn settle(&mut self, source: &SourceName, plan: &mut Plan<Wire>) -> Result<(), Failure> {
        open_types::measure_whole(self, source, plan).await
    }

    async fn prepare(
        &mut self,
        plan: &mut Plan<Wire>,
        passes: &[Pass],
        known: Option<&TableSchema>,
    ) -> Result<(), Failure> {
        pin::pin(self, &plan.table.found).await?;
        open_types::decide(self, plan, passes, known).await
    }

    async fn read(
        &mut self,
        plan: &Plan<Wire>,
        pass: &Pass,
        pages: &mut Pages<'_>,
    ) -> Result<(), Failure> {
        read::copy(self, plan, pass, pages).await
    }

    async fn close(self) {
        // All that was asked for has been read: a server that does not answer the farewell changes nothing.
        let _ = self.connection.close().await;
    }
}
