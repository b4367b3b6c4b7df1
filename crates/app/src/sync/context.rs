//! What the sync of one source works with.

use super::Begun;
use super::apply::Permits;
use super::request::{Observer, SyncEvent, SyncRequest};
use crate::config::SourceConfig;
use crate::{App, Cancel, Error};
use domain::{LoadId, TableRef, TableSchema};
use security::Allow;
use security::permissions::SourceSync;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The sync of one source: who asked, for what, with which rights.
pub(crate) struct Context<'a> {
    pub(crate) app: &'a App,
    pub(crate) allow: &'a Allow<SourceSync>,
    pub(crate) source: &'a SourceConfig,
    pub(crate) request: &'a SyncRequest,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a Cancel,
    /// The job this sync is, from the moment its load has an id; a dry run has none and leaves no trace.
    pub(crate) job: &'a OnceLock<Begun>,
}

impl Context<'_> {
    /// Returns the id of a new load.
    pub(crate) fn new_load_id(&self) -> LoadId {
        self.app.new_load_id()
    }

    /// Returns what the user and the source's configuration allow.
    pub(crate) fn permits(&self) -> Permits {
        Permits {
            contract: self.source.contract,
            accept_schema: self.request.accept_schema,
            allow_empty_replace: self.request.allow_empty_replace,
            shrink_limit_percent: self.source.shrink_limit_percent,
        }
    }

    /// Returns the tables of a schema as they are now.
    pub(crate) async fn tables(
        &self,
        schema: &str,
    ) -> Result<BTreeMap<TableRef, TableSchema>, Error> {
        let view = self.allow.narrow();
        let tables = self.app.warehouse.tables(&view, Some(schema)).await?;
        Ok(tables
            .into_iter()
            .map(|table| (table.table.clone(), table))
            .collect())
    }

    /// Makes the job with the load's id in it, so that a later start can find out what became of it, and tells the observer.
    pub(crate) async fn started(&self, load_id: &LoadId, resumed: bool) -> Result<(), Error> {
        if !self.request.dry_run {
            let begun = super::begin_job(self, load_id, resumed).await?;
            // Only the load itself sets it, once.
            let _ = self.job.set(begun);
            domain::fault::point("sync.job_begun");
        }
        self.event(&SyncEvent::SourceStarted {
            source: &self.source.name,
            resumed,
        });
        Ok(())
    }

    /// Hands an event to whoever watches.
    pub(crate) fn event(&self, event: &SyncEvent<'_>) {
        self.observer.event(event);
    }

    /// Returns an error once the user asked to stop.
    pub(crate) fn check_cancelled(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }
}
