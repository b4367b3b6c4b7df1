//! `POST /query`: one SELECT, in getdango's shape.

use crate::extract::{Given, Json, given};
use crate::passage::Asker;
use crate::problem::{Problem, Reply};
use crate::server::Server;
use crate::table::Api;
use app::query::{self, QueryRequest};
use app::{App, Error, render};
use axum::extract::State;
use domain::Code;
use security::permissions::QueryExecute;
use security::{Allow, Event};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// getdango's `sql ≤ 102400 chars`.
const SQL_CHARS_MAX: usize = 102_400;

pub(super) fn add(api: &mut Api) {
    api.post("/query", run)
        .about(
            "queries",
            "Runs one SELECT over the warehouse; rows and time are limited.",
        )
        .event(Event::QueryExecuted)
        .event(Event::QueryFailed)
        .event(Event::QueryRefused)
        .slow()
        .droppable()
        .takes::<Query>()
        .gives::<Answer>(200);
}

/// A query.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Query {
    /// At most 102400 characters.
    sql: String,
}

/// The rows of a query.
#[derive(Serialize, ToSchema)]
struct Answer {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    row_count: u64,
    /// There were more rows than `api.query_max_rows`.
    truncated: bool,
    warning: Option<String>,
}

async fn run(
    allow: Allow<QueryExecute>,
    State(server): State<Server>,
    asker: Asker,
    Json(asked): Json<Query>,
) -> Reply<Given<Answer>> {
    if asked.sql.trim().is_empty() {
        let error = Error::invalid(Code::QueryInvalid, "the query is empty");
        return Err(error.into());
    }
    if asked.sql.chars().count() > SQL_CHARS_MAX {
        return Err(Problem::field(
            &["body", "sql"],
            "string_too_long",
            "at most 102400 characters",
        ));
    }
    tokio::select! {
        answered = answer(server.app(), &allow, asked) => answered,
        () = asker.barred::<QueryExecute>(&server) => Err(Error::access_ended().into()),
    }
}

async fn answer(app: &App, allow: &Allow<QueryExecute>, asked: Query) -> Reply<Given<Answer>> {
    let request = QueryRequest {
        sql: asked.sql,
        rows_max: Some(app.settings().api.query_rows_max),
        is_held: true,
        timeout_seconds: None,
    };
    let mut result = query::run(app, allow, &request).await?;
    let columns = result.columns().to_vec();
    let mut objects = Vec::new();
    while let Some(batch) = result.next().await {
        let batch = batch.map_err(Error::of_query)?;
        render::json::append_objects(&batch, &columns, &mut objects);
    }
    let rows: Vec<Vec<Value>> = objects
        .into_iter()
        .map(|row| row.into_iter().map(|(_, value)| value).collect())
        .collect();
    let warning = match result.masked() {
        0 => None,
        masked => Some(format!(
            "{masked} values were masked because they hold a secret of this project"
        )),
    };
    Ok(given(Answer {
        columns: columns.into_iter().map(|column| column.name).collect(),
        row_count: rows.len() as u64,
        rows,
        truncated: result.truncated(),
        warning,
    }))
}
