//! Small questions to the server; every value comes as text.

use super::super::place::{Place, within};
use super::super::texts::Texts;
use super::Session;
use super::failure::failure;
use crate::failure::Failure;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, Error, Executor, Row, raw_sql};

/// Runs `sql` for its effect. Every identifier and value in it is quoted by its builder.
pub(super) async fn execute(session: &mut Session, sql: String, at: &Place) -> Result<(), Failure> {
    let running = session.connection.execute(raw_sql(AssertSqlSafe(sql)));
    within(at, failure, running).await.map(|_| ())
}

/// Runs `sql` for its effect, which a server that does not know it may refuse.
pub(super) async fn try_execute(
    session: &mut Session,
    sql: String,
    at: &Place,
) -> Result<(), Failure> {
    let running = async {
        match session
            .connection
            .execute(raw_sql(AssertSqlSafe(sql)))
            .await
        {
            Ok(_) | Err(Error::Database(_)) => Ok(()),
            Err(error) => Err(error),
        }
    };
    within(at, failure, running).await
}

/// Returns the rows of `sql`.
pub(super) async fn fetch(
    session: &mut Session,
    sql: String,
    at: &Place,
) -> Result<Vec<Texts>, Failure> {
    let running = session.connection.fetch_all(raw_sql(AssertSqlSafe(sql)));
    let rows = within(at, failure, running).await?;
    let read = |row: &MySqlRow| {
        let texts = (0..row.len()).map(|index| {
            let bytes = row.try_get_unchecked::<Option<&[u8]>, _>(index)?;
            Ok(bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        });
        texts
            .collect::<Result<_, Error>>()
            .map(Texts)
            .map_err(|error| failure(error, at))
    };
    rows.iter().map(read).collect()
}
