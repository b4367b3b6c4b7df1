//! What is known of a source before its streams are read: its tables, how far each stream was read, and where an interrupted
//! load stands.

use super::context::Context;
use super::ledger::{Cursors, Ledger, Progress, Tables, hash_text, target_of};
use super::staging::Writer;
use super::statements::{LOAD_ID, PARENT_ID};
use crate::Error;
use connect::{Stream, StreamTable};
use domain::{Column, Disposition, LoadId, TableRef, TableSchema};
use std::collections::{BTreeMap, BTreeSet};

/// A stream, and how this sync reads it.
pub(crate) struct Plan<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) own: TableRef,
    pub(crate) disposition: Disposition,
    /// What is asked for, of which stream: only the same load goes on where one was cut off.
    pub(crate) identity: String,
}

/// What is known of a source before its streams are read.
pub(crate) struct Before {
    pub(crate) load_id: LoadId,
    /// The tables there are, those of the bookkeeping among them.
    pub(crate) existing: BTreeMap<TableRef, TableSchema>,
    pub(crate) tables: Tables,
    pub(crate) cursors: Cursors,
    progress: Vec<Progress>,
    /// Streams that a load was cut off in which this one does not continue.
    given_up: BTreeSet<String>,
    /// Whether streams start from nothing.
    forgets: bool,
}

impl Before {
    /// Looks at what the warehouse has.
    pub(super) async fn look(
        context: &Context<'_>,
        ledger: &Ledger,
        writer: &mut Writer<'_>,
        existing: BTreeMap<TableRef, TableSchema>,
    ) -> Result<Self, Error> {
        let tables = Tables::find(context, ledger, &existing).await?;
        let tx = writer.tx().await?;
        ledger.create(tx).await?;
        let mut cursors = ledger.cursors(tx).await?;
        cursors.retain(|stream| existing.contains_key(&TableRef::new(ledger.schema(), stream)));
        // A part of a stream is no reason to forget how far the whole was read.
        let forgets = context.request.full_refresh && !context.request.is_partial();
        Ok(Self {
            load_id: context.new_load_id(),
            existing,
            tables,
            cursors,
            progress: ledger.progress(tx).await?,
            given_up: BTreeSet::new(),
            forgets,
        })
    }

    /// Goes on with the load that was cut off, in those streams that are asked for as they were then; what is left of the
    /// others is dropped.
    pub(super) async fn resume(
        &mut self,
        context: &Context<'_>,
        ledger: &Ledger,
        writer: &mut Writer<'_>,
        plans: &[Plan<'_>],
    ) -> Result<(), Error> {
        // Where a limit ends, the stream has more: no place to go on from.
        let may_resume = !context.request.dry_run && context.request.limit.is_none();
        let (goes_on, given_up): (Vec<_>, Vec<_>) = std::mem::take(&mut self.progress)
            .into_iter()
            .partition(|entry| {
                let is_same = |plan: &Plan<'_>| {
                    plan.stream.resumable
                        && plan.stream.name == entry.stream
                        && plan.identity == entry.identity
                };
                may_resume && plans.iter().any(is_same)
            });
        let tx = writer.tx().await?;
        for entry in &given_up {
            ledger.forget_progress(tx, Some(&entry.stream)).await?;
        }
        let tables = &self.tables;
        let is_needed = |table: &str| {
            let has = |entry: &Progress| tables.family(&entry.stream).contains(&table);
            goes_on.iter().any(has)
        };
        ledger.drop_staging(tx, is_needed).await?;
        writer.commit().await?;
        if let Some(first) = goes_on.first() {
            self.load_id = first.load_id.clone();
        }
        if !context.request.dry_run {
            self.given_up = given_up.into_iter().map(|entry| entry.stream).collect();
        }
        self.progress = goes_on;
        Ok(())
    }

    /// Returns how a stream is read.
    pub(super) fn plan<'a>(
        &self,
        context: &Context<'_>,
        ledger: &Ledger,
        stream: &'a Stream,
    ) -> Result<Plan<'a>, Error> {
        let own = TableRef::new(ledger.schema(), &stream.name);
        let disposition = self.disposition(context, stream, &own)?;
        let request = context.request;
        let columns = stream.schema.as_ref().map(|schema| &schema.columns);
        let identity = serde_json::json!([
            stream.origin,
            stream.primary_key,
            stream.cursor,
            columns,
            disposition,
            request.full_refresh,
            request.since,
            request.until,
        ]);
        Ok(Plan {
            stream,
            own,
            disposition,
            identity: hash_text(&identity.to_string()),
        })
    }

    /// Returns how the stream's rows change its table in this sync.
    fn disposition(
        &self,
        context: &Context<'_>,
        stream: &Stream,
        own: &TableRef,
    ) -> Result<Disposition, Error> {
        let partial = context.request.is_partial();
        let exists = self.existing.contains_key(own);
        // Nothing says which of its rows the table has: appended, all of them would stand there twice.
        let is_unknown = exists && self.cursor(stream).is_none() && stream.cursor.is_some();
        match stream.disposition {
            Disposition::Append if is_unknown && partial => {
                Err(Error::partial_append(&stream.name))
            }
            // What was appended may be gone at the source: only the user may say that it is read anew.
            Disposition::Append if is_unknown && !self.forgets && self.cursors.knows(stream) => {
                Err(Error::append_with_another_cursor(own))
            }
            Disposition::Append if is_unknown => Ok(Disposition::Replace),
            // A part of a table must not take the place of the whole.
            Disposition::Replace if partial && exists && stream.primary_key.is_empty() => {
                Err(Error::partial_replace(&stream.name))
            }
            Disposition::Replace if partial && exists => Ok(Disposition::Merge),
            _ if self.forgets => Ok(Disposition::Replace),
            other => Ok(other),
        }
    }

    /// Returns whether the load goes on where one was cut off.
    pub(super) const fn is_resumed(&self) -> bool {
        !self.progress.is_empty()
    }

    /// Returns where a stream was cut off.
    pub(super) fn progress(&self, stream: &str) -> Option<&Progress> {
        self.progress.iter().find(|entry| entry.stream == stream)
    }

    /// Returns whether a load was cut off in the stream which this one does not continue.
    pub(super) fn gave_up(&self, stream: &str) -> bool {
        self.given_up.contains(stream)
    }

    /// Returns the value of its cursor up to which a stream was read.
    pub(super) fn cursor(&self, stream: &Stream) -> Option<String> {
        if self.forgets {
            return None;
        }
        self.cursors.find(stream)
    }

    /// Returns the tables of a stream as they are, parents first.
    pub(super) fn known(&self, own: &TableRef) -> Vec<TableSchema> {
        let family = self.tables.family(&own.table);
        family
            .iter()
            .filter_map(|table| self.existing.get(&TableRef::new(&own.schema, *table)))
            .cloned()
            .collect()
    }

    /// Returns the tables of a stream with what an interrupted load has staged for them: its types are decided too.
    pub(super) fn known_and_staged(&self, own: &TableRef) -> Vec<TableSchema> {
        let mut known = self.known(own);
        for StreamTable { schema, .. } in self.staged(own) {
            match known.iter_mut().find(|table| table.table == schema.table) {
                Some(table) => {
                    let is_new = |c: &Column| table.columns.iter().all(|k| k.name != c.name);
                    let new: Vec<_> = schema.columns.into_iter().filter(is_new).collect();
                    table.columns.extend(new);
                }
                None => known.push(schema),
            }
        }
        known
    }

    /// Returns the child tables of a stream that there are, each with the table it hangs from, parents first.
    pub(crate) fn children(&self, own: &TableRef) -> Vec<(TableRef, TableRef)> {
        let hangs = |schema: &TableSchema| schema.columns.iter().any(|c| c.name == PARENT_ID);
        let child = |schema: TableSchema| {
            let parent = self.tables.parent(&schema.table.table)?;
            Some((schema.table.clone(), TableRef::new(&own.schema, parent)))
        };
        let known = self.known(own).into_iter();
        known.filter(hangs).filter_map(child).collect()
    }

    /// Returns the tables of a stream that an interrupted load has staged rows for, parents first.
    pub(super) fn staged(&self, own: &TableRef) -> Vec<StreamTable> {
        let family = self.tables.family(&own.table);
        let staging = |table: &&str| {
            let schema = self.existing.values().find(|schema| {
                schema.table.schema == own.schema && target_of(&schema.table.table) == Some(table)
            })?;
            let mut columns = schema.columns.clone();
            columns.retain(|column| column.name != LOAD_ID);
            Some(StreamTable {
                schema: TableSchema {
                    table: TableRef::new(&own.schema, *table),
                    columns,
                    primary_key: schema.primary_key.clone(),
                },
                parent: self.tables.parent(table).map(str::to_owned),
            })
        };
        family.iter().filter_map(staging).collect()
    }
}
