//! What the catalog holds, kept between queries: reading it takes 15 ms, most of a small query's time.

use crate::duck::{Connection, EngineError};
use crate::gate::Catalog;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The catalog as of the last commit. Only this process can change it, because it holds the file.
#[derive(Default)]
pub(super) struct Snapshots {
    /// Odd while a commit is under way, and higher after each: whoever read the same even number before and after it looked
    /// at the catalog saw the catalog of that number.
    generation: AtomicU64,
    latest: Mutex<Option<(u64, Arc<Catalog>)>>,
}

impl Snapshots {
    /// Begins a read-only transaction on `connection` and returns the catalog that it sees.
    pub(super) fn begin(&self, connection: &Connection) -> Result<Arc<Catalog>, EngineError> {
        let before = self.generation.load(Ordering::SeqCst);
        connection.execute("BEGIN TRANSACTION READ ONLY")?;
        // The transaction's view is fixed by its first look at the catalog, not by BEGIN.
        connection.text("SELECT oid FROM system.main.duckdb_schemas()", &[])?;
        let settled = before.is_multiple_of(2) && before == self.generation.load(Ordering::SeqCst);
        if settled && let Some(catalog) = self.find(before) {
            return Ok(catalog);
        }
        let catalog = Arc::new(Catalog::read(connection)?);
        if settled {
            let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            *latest = Some((before, Arc::clone(&catalog)));
        }
        Ok(catalog)
    }

    /// Runs a commit between two steps of the generation.
    pub(super) fn commit(
        &self,
        commit: impl FnOnce() -> Result<u64, EngineError>,
    ) -> Result<u64, EngineError> {
        self.generation.fetch_add(1, Ordering::SeqCst);
        let outcome = commit();
        self.generation.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    fn find(&self, generation: u64) -> Option<Arc<Catalog>> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest
            .as_ref()
            .filter(|(known, _)| *known == generation)
            .map(|(_, catalog)| Arc::clone(catalog))
    }
}
