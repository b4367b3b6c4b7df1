//! Small questions to the server, by the simple protocol: it works through connection poolers, where prepared statements
//! do not, and gives every value as text.

use super::super::place::{Place, within};
use super::super::texts::Texts;
use super::Session;
use super::failure::failure;
use crate::failure::Failure;
use sqlx::{AssertSqlSafe, Executor, Row, raw_sql};

/// Runs `sql` for its effect. Every identifier and value in it is quoted by its builder.
pub(super) async fn execute(session: &mut Session, sql: String, at: &Place) -> Result<(), Failure> {
    within(
        at,
        failure,
        session.connection.execute(raw_sql(AssertSqlSafe(sql))),
    )
    .await
    .map(|_| ())
}

/// Returns the rows of `sql`, all of whose columns are of type text.
pub(super) async fn fetch(
    session: &mut Session,
    sql: String,
    at: &Place,
) -> Result<Vec<Texts>, Failure> {
    let rows = within(
        at,
        failure,
        session.connection.fetch_all(raw_sql(AssertSqlSafe(sql))),
    )
    .await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let texts = (0..row.len()).map(|index| row.try_get_unchecked::<Option<String>, _>(index));
        texts
            .collect::<Result<_, _>>()
            .map(Texts)
            .map_err(|error| failure(error, at))
    };
    rows.iter().map(read).collect()
}
