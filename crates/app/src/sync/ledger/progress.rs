//! How far an unfinished load came, stream by stream.

use super::{Ledger, text};
use crate::Error;
use crate::sync::answers::number;
use domain::LoadId;
use domain::names::quote_literal;
use warehouse::LoadTx;

/// Where an unfinished stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) load_id: LoadId,
    pub(crate) stream: String,
    /// From where the source goes on; `None` when the stream was read to its end.
    pub(crate) resume: Option<String>,
    pub(crate) cursor: Option<String>,
    /// What was asked for, of which stream: only the same load may go on here.
    pub(crate) identity: String,
    pub(crate) rows: u64,
}

fn literal(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".into(), quote_literal)
}

impl Ledger {
    /// Returns how far an unfinished load came, one entry for each of its resumable streams.
    pub(crate) async fn progress(&self, tx: &mut LoadTx) -> Result<Vec<Progress>, Error> {
        let rows = tx
            .select(&format!(
                "SELECT load_id, stream, resume, cursor, schema_hash, rows FROM {}",
                self.table("_dango_progress")
            ))
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Progress {
                    load_id: LoadId::from_stored(text(row, "load_id").unwrap_or_default()),
                    stream: text(row, "stream").unwrap_or_default(),
                    resume: text(row, "resume"),
                    cursor: text(row, "cursor"),
                    identity: text(row, "schema_hash").unwrap_or_default(),
                    rows: number(row, "rows")?,
                })
            })
            .collect()
    }

    /// Remembers how far a stream came.
    pub(crate) async fn set_progress(
        &self,
        tx: &mut LoadTx,
        progress: &Progress,
    ) -> Result<(), Error> {
        self.forget_progress(tx, Some(&progress.stream)).await?;
        tx.execute(&format!(
            "INSERT INTO {} VALUES ({}, {}, {}, {}, {}, {})",
            self.table("_dango_progress"),
            quote_literal(progress.load_id.as_str()),
            quote_literal(&progress.stream),
            literal(progress.resume.as_deref()),
            literal(progress.cursor.as_deref()),
            quote_literal(&progress.identity),
            progress.rows
        ))
        .await?;
        Ok(())
    }

    /// Forgets the progress of one stream, or of all.
    pub(crate) async fn forget_progress(
        &self,
        tx: &mut LoadTx,
        stream: Option<&str>,
    ) -> Result<(), Error> {
        let only = stream.map_or(String::new(), |s| {
            format!(" WHERE stream = {}", quote_literal(s))
        });
        tx.execute(&format!(
            "DELETE FROM {}{only}",
            self.table("_dango_progress")
        ))
        .await?;
        Ok(())
    }
}
