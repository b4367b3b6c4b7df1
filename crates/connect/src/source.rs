//! A source that is read in this process: a database or an API. Files are read by a caged child: see [`crate::files`].

use crate::catalog::{Connector, Engine};
use crate::credentials::Credentials;
use crate::egress::Egress;
use crate::failure::{Failure, FailureKind};
use crate::files::FilesConfig;
use crate::http::Time;
use crate::page::{Page, Start, Stream};
use crate::rest::{self, Rest};
use crate::sql;
use crate::sql::mysql::Mysql;
use crate::sql::postgres::Postgres;
use domain::{SourceName, TableSchema, say};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

/// An open source.
pub enum Source {
    Postgres(Box<Postgres>),
    Mysql(Box<Mysql>),
    Rest(Box<Rest>),
}

impl Source {
    /// Opens the source `name` of type `connector`, as its `block` of `sources.yml` says.
    pub async fn open(
        connector: &Connector,
        name: &SourceName,
        block: &Value,
        credentials: Credentials,
        egress: &Egress,
        time: impl Into<Time>,
    ) -> Result<Self, Failure> {
        match connector.engine {
            Engine::Postgres => {
                let postgres = Postgres::open(name, block, &credentials, egress).await?;
                Ok(Self::Postgres(Box::new(postgres)))
            }
            Engine::Mysql => {
                let mysql = Mysql::open(name, block, &credentials, egress).await?;
                Ok(Self::Mysql(Box::new(mysql)))
            }
            Engine::Rest => {
                let rest = Rest::open(connector, name, block, &credentials, egress, time.into())?;
                Ok(Self::Rest(Box::new(rest)))
            }
            Engine::Files => Err(Failure::new(
                FailureKind::ConfigInvalid,
                say!(
                    "source ",
                    name name,
                    " is read from files, not over a connection"
                ),
            )),
        }
    }

    /// Asks the source whether it is there and lets us in; returns what answered, in one line.
    pub async fn test(&mut self) -> Result<String, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.test().await,
            Self::Mysql(mysql) => mysql.test().await,
            Self::Rest(rest) => rest.test().await,
        }
    }

    /// Returns the streams the source has, as far as they are to be read. `known` are the tables that the warehouse has of
    /// it: they keep their names.
    pub async fn streams(&mut self, known: &[TableSchema]) -> Result<Vec<Stream>, Failure> {
        match self {
            Self::Postgres(postgres) => postgres.streams(known).await,
            Self::Mysql(mysql) => mysql.streams(known).await,
            Self::Rest(rest) => Ok(rest.streams()),
        }
    }

    /// Reads `stream` and hands its pages on. It returns early, without a failure, when nobody takes them any more.
    pub async fn read(
        &mut self,
        stream: &Stream,
        start: Start,
        pages: Sender<Page>,
    ) -> Result<(), Failure> {
        match self {
            Self::Postgres(postgres) => postgres.read(stream, start, pages).await,
            Self::Mysql(mysql) => mysql.read(stream, start, pages).await,
            Self::Rest(rest) => rest.read(stream, &start, pages).await,
        }
    }

    /// Ends the connection.
    pub async fn close(self) {
        match self {
            Self::Postgres(postgres) => postgres.close().await,
            Self::Mysql(mysql) => mysql.close().await,
            Self::Rest(_) => {}
        }
    }
}

/// Checks a source's block as far as that is possible without its credentials and without a connection.
pub fn check(connector: &Connector, name: &SourceName, block: &Value) -> Result<(), Failure> {
    match connector.engine {
        Engine::Rest => rest::check_block(connector, name, block),
        Engine::Postgres | Engine::Mysql => sql::check(name, block),
        Engine::Files => FilesConfig::parse(name, block).map(drop),
    }
}
