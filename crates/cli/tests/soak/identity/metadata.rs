//! The metadata database as other programs read it.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use testkit::servers::{PASSWORD, Postgres, USER};

/// Where the metadata of a project is.
#[derive(Clone)]
pub(crate) enum Metadata {
    Sqlite,
    /// The database of this name.
    Postgres(&'static Postgres, String),
}

impl Metadata {
    /// Returns the variables that tell dango.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres(server, database) => {
                let url = format!(
                    "postgresql://{USER}:{PASSWORD}@127.0.0.1:{}/{database}",
                    server.port()
                );
                vec![("DANGO_DATABASE_URL", url)]
            }
        }
    }

    /// Makes a database for a project, as full as `self` is; a file is copied with the project.
    pub(crate) fn copied(&self, name: String) -> Self {
        match self {
            Self::Sqlite => Self::Sqlite,
            Self::Postgres(server, from) => {
                server.sql(
                    "postgres",
                    &format!("CREATE DATABASE {name} TEMPLATE {from}"),
                );
                Self::Postgres(server, name)
            }
        }
    }

    /// Returns the rows of a query.
    pub(crate) fn rows(&self, file: &PathBuf, query: &str) -> Result<Vec<Value>, String> {
        let mut command = match self {
            Self::Sqlite => {
                let mut command = Command::new("sqlite3");
                command
                    .args(["-json", "-cmd", ".timeout 10000"])
                    .arg(file)
                    .arg(query);
                command
            }
            Self::Postgres(server, database) => {
                let query = format!("SELECT coalesce(json_agg(t), '[]') FROM ({query}) t");
                server.psql(database, &query)
            }
        };
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        if output.stdout.is_empty() {
            return Ok(Vec::new());
        }
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    }
}
