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
use super::connect::Tls;
use super::database::{self, Chosen, Database};
use super::pages::Pages;
use super::passes::Pass;
use super::place::Place;
use super::plan::Plan;
use super::settings::{Dialect, Server, Settings};
use super::texts::Texts;
use crate::failure::Failure;
use domain::Say;
use sqlx::{Connection, MySqlConnection};
use std::net::SocketAddr;
use types::Wire;

/// A MySQL or MariaDB database that is being read.
pub type Mysql = Database<Session>;

/// A connection inside the snapshot.
pub struct Session {
    connection: MySqlConnection,
    /// What the server calls itself: `10.11.6-MariaDB-0+deb12u1`.
    version: String,
    horizon_micros: i64,
}

impl Session {
    fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }
}

impl database::Session for Session {
    const DIALECT: Dialect = connect::DIALECT;

    async fn open(server: &Server, tls: Tls, address: SocketAddr) -> Result<Self, Failure> {
        connect::open(server, tls, address).await
    }

    fn called(&self) -> String {
        let kind = if self.is_mariadb() {
            "MariaDB"
        } else {
            "MySQL"
        };
        let version = self.version.split('-').next().unwrap_or_default();
        format!("{kind} {version}")
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
        // What PostgreSQL calls a schema is a database here.
        let asked = match settings.schemas.as_slice() {
            [] => std::slice::from_ref(&settings.server.database),
            schemas => schemas,
        };
        let schemas = catalog::schemas(self, place, asked).await?;
        let found = catalog::tables(self, &schemas, &settings.choices).await?;
        let names = found.iter().map(|relation| relation.found.clone());
        let chosen = choose(
            place,
            &names.collect::<Vec<_>>(),
            &schemas,
            &settings.choices,
        )?;
        catalog::describe(self, &found, chosen, notices).await
    }

    async fn read(
        &mut self,
        plan: &Plan<Wire>,
        pass: &Pass,
        pages: &mut Pages<'_>,
    ) -> Result<(), Failure> {
        read::rows(self, plan, pass, pages).await
    }

    async fn close(self) {
        // All that was asked for has been read: a server that does not answer the farewell changes nothing.
        let _ = self.connection.close().await;
    }
}
