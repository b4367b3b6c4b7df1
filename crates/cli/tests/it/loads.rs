//! What a load does to its tables: cut off and gone on with, seen twice, with columns that change.

mod contracts;
mod cursors;
mod interrupts;
mod lists;
mod nested;
mod resumed;
mod windows;

use crate::project::Project;
use serde_json::Value;
use testkit::servers::{DATABASE, PASSWORD, Postgres, USER};

fn rows(project: &Project, sql: &str) -> Value {
    project.run(&["query", sql, "--json"]).succeeded().json()
}

/// Syncs and returns the outcome of the only source.
#[track_caller]
fn sync(project: &Project, words: &[&str]) -> Value {
    let words = [&["sync", "--json"], words].concat();
    project.run(&words).succeeded().json()["sources"][0].clone()
}

fn changed(outcome: &Value) -> [&Value; 3] {
    [
        &outcome["rows_inserted"],
        &outcome["rows_updated"],
        &outcome["rows_deleted"],
    ]
}

/// A schema of the shared PostgreSQL server, and the source `p` that reads it.
struct Schema {
    server: &'static Postgres,
    name: &'static str,
}

impl Schema {
    /// Makes the schema anew and runs `sql` in it.
    fn new(name: &'static str, sql: &str) -> Self {
        let schema = Self {
            server: Postgres::shared(),
            name,
        };
        schema.sql(&format!(
            "DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}; SET search_path = {name}; {sql}"
        ));
        schema
    }

    /// Runs `sql` in the schema and returns what it prints.
    fn sql(&self, sql: &str) -> String {
        let sql = format!("SET search_path = {}; {sql}", self.name);
        self.server.sql(DATABASE, &sql)
    }

    fn project(&self, tables: &[&str], more: &str) -> Project {
        let project = Project::new();
        let secret = format!("[sources.p]\npassword = \"{PASSWORD}\"\n");
        project.write(".dlt/secrets.toml", &secret);
        self.describe(&project, tables, more);
        project
    }

    /// Writes the source's description: `tables` are YAML flow maps, `more` further keys of the source.
    fn describe(&self, project: &Project, tables: &[&str], more: &str) {
        let tables: Vec<_> = tables.iter().map(|table| format!("{{{table}}}")).collect();
        let text = format!(
            "version: \"1.0\"\nsources:\n  - {{name: p, type: postgres, shrink_limit_percent: 100, {more}\
             postgres: {{host: 127.0.0.1, port: {}, database: {DATABASE}, username: {USER}, schemas: [{}], tables: [{}]}}}}\n",
            self.server.port(),
            self.name,
            tables.join(", ")
        );
        project.write(".dango/sources.yml", &text);
    }
}
