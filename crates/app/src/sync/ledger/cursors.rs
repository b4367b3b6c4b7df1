//! The highest cursor value of each stream, in dlt's pipeline state.

use super::{Ledger, hash_text, instant, text};
use crate::Error;
use crate::sync::answers::number;
use connect::Stream;
use domain::names::quote_literal;
use domain::{LoadId, Timestamp};
use serde_json::{Map, Value, json};
use warehouse::LoadTx;

/// dlt's engine version of states that our rows are written like.
const STATE_ENGINE: i64 = 4;

/// What is remembered of each stream: dlt's `resources`. Streams that a sync does not read keep theirs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursors(Map<String, Value>);

impl Cursors {
    /// Returns the highest value of the stream's cursor; that of another column says nothing about it.
    pub(crate) fn find(&self, stream: &Stream) -> Option<String> {
        let column = stream.cursor.as_deref()?;
        let incremental = self.0.get(&stream.name)?.get("incremental")?;
        match incremental.get(column)?.get("last_value")? {
            Value::String(value) => Some(value.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// Returns whether anything is remembered of the stream, of whichever cursor.
    pub(crate) fn knows(&self, stream: &Stream) -> bool {
        self.0.contains_key(&stream.name)
    }

    /// Remembers the highest value of the stream's cursor; `None` forgets the stream.
    pub(crate) fn set(&mut self, stream: &Stream, value: Option<String>) {
        match (&stream.cursor, value) {
            (Some(column), Some(value)) => {
                let resource = json!({"incremental": {column.as_str(): {"last_value": value}}});
                self.0.insert(stream.name.clone(), resource);
            }
            _ => {
                self.0.remove(&stream.name);
            }
        }
    }

    /// Forgets the streams whose table is not there any more: they are read from their beginning.
    pub(crate) fn retain(&mut self, has_table: impl Fn(&str) -> bool) {
        self.0.retain(|stream, _| has_table(stream));
    }
}

impl Ledger {
    /// Returns what is remembered of each stream.
    pub(crate) async fn cursors(&self, tx: &mut LoadTx) -> Result<Cursors, Error> {
        let rows = tx
            .select(&format!(
                "SELECT state FROM {} ORDER BY version DESC LIMIT 1",
                self.table("_dlt_pipeline_state")
            ))
            .await?;
        let Some(state) = rows.first().and_then(|row| text(row, "state")) else {
            return Ok(Cursors::default());
        };
        let state: Value = serde_json::from_str(&state).unwrap_or_default();
        let resources = state.pointer(&format!("/sources/{}/resources", self.source));
        Ok(Cursors(
            resources
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
        ))
    }

    /// Writes what is remembered as a new version of the state, unless nothing changed.
    pub(crate) async fn set_cursors(
        &self,
        tx: &mut LoadTx,
        cursors: &Cursors,
        load_id: &LoadId,
        at: Timestamp,
    ) -> Result<(), Error> {
        let name = self.source.as_str();
        let state = json!({"sources": {name: {"resources": cursors.0}}}).to_string();
        let hash = hash_text(&state);
        let latest = tx
            .select(&format!(
                "SELECT version, version_hash FROM {} ORDER BY version DESC LIMIT 1",
                self.table("_dlt_pipeline_state")
            ))
            .await?;
        let latest = latest.first();
        if latest.and_then(|row| text(row, "version_hash")).as_deref() == Some(hash.as_str()) {
            return Ok(());
        }
        let version = latest.map_or(Ok(0), |row| number(row, "version"))? + 1;
        let row = [
            ("version", version.to_string()),
            ("engine_version", STATE_ENGINE.to_string()),
            ("pipeline_name", quote_literal(name)),
            ("created_at", instant(at)),
            ("version_hash", quote_literal(&hash)),
            ("_dlt_load_id", quote_literal(load_id.as_str())),
            ("_dlt_id", quote_literal(hash.get(..14).unwrap_or(&hash))),
        ];
        self.insert_text(tx, "_dlt_pipeline_state", &row, ("state", &state))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Disposition;

    fn stream(name: &str, cursor: Option<&str>) -> Stream {
        Stream {
            name: name.into(),
            origin: name.into(),
            disposition: Disposition::Merge,
            primary_key: Vec::new(),
            cursor: cursor.map(str::to_owned),
            resumable: false,
            rows_estimated: None,
            schema: None,
        }
    }

    #[test]
    fn a_value_belongs_to_its_stream_and_its_column() {
        let (orders, other) = (stream("orders", Some("at")), stream("other", Some("at")));
        let mut cursors = Cursors::default();
        cursors.set(&orders, Some("7".into()));
        assert_eq!(cursors.find(&orders).as_deref(), Some("7"));
        for another in [
            &other,
            &stream("orders", Some("id")),
            &stream("orders", None),
        ] {
            assert_eq!(cursors.find(another), None, "{another:?}");
        }
        cursors.set(&other, Some("8".into()));
        cursors.set(&other, None);
        assert_eq!(cursors.find(&orders).as_deref(), Some("7"));
        assert_eq!(cursors.find(&other), None);
        cursors.retain(|stream| stream != "orders");
        assert_eq!(cursors, Cursors::default());
    }
}
