//! Rows on their way from the reader into a table: any number of files through one insert, because a statement for
//! each would take the warehouse's memory file by file.

use super::delta::TableLoad;
use super::survey::{Changed, Target, with_filename};
use crate::Error;
use crate::reader::{ReaderFile, StreamRequest};
use crate::sync::request::SyncEvent;
use crate::sync::statements::LOAD_ID;
use domain::TableRef;
use domain::names::quote_literal;
use std::os::fd::OwnedFd;
use warehouse::{LoadTx, WarehouseError};

impl TableLoad<'_> {
    /// Streams the rows that the changed files have for a table into `into`, and returns how many they were.
    pub(super) async fn read(
        &mut self,
        tx: &mut LoadTx,
        target: &Target,
        into: &TableRef,
    ) -> Result<u64, Error> {
        let survey = self.survey;
        let has_rows = |changed: &&Changed<'_>| {
            let tables = &changed.inspection.tables;
            tables.iter().any(|table| table.name == target.name)
        };
        let files: Vec<_> = survey.changed.iter().filter(has_rows).collect();
        if files.is_empty() {
            return Ok(0);
        }
        let (ours, theirs) =
            sandbox::pair().map_err(|error| Error::from(WarehouseError::from(error)))?;
        let load_id = (LOAD_ID.to_owned(), quote_literal(self.load_id.as_str()));
        let columns = target.columns();
        let insert = tx
            .insert_from(into, &with_filename(&columns), &[load_id], theirs)
            .await?;
        let stream = StreamRequest {
            tables: survey.known(self.ledger.schema()),
            table: target.name.clone(),
            columns,
        };
        let send = async {
            let sent = self.send(stream, ours, &files).await;
            if sent.is_err() {
                // The worker would wait for the rest of the stream.
                self.reader.stop();
            }
            sent
        };
        match tokio::join!(send, insert.finish()) {
            (Ok(()), Ok(rows)) => Ok(rows),
            // The worker knows best why it stopped reading; why a stream broke off only the reader knows.
            (Err(failure), Ok(_) | Err(WarehouseError::Stream(_))) => Err(failure),
            (_, Err(error)) => Err(error.into()),
        }
    }

    /// Lets the reader write the files' rows into one stream.
    async fn send(
        &mut self,
        stream: StreamRequest,
        target: OwnedFd,
        files: &[&Changed<'_>],
    ) -> Result<(), Error> {
        let own = &self.survey.table.table;
        let is_own = stream.table == own.name.as_str();
        self.reader.open(stream, target).await?;
        let (mut rows, mut bytes) = (0, 0);
        for changed in files {
            let file = ReaderFile::new(changed.file, &own.options);
            let read = self.reader.read(&file, &changed.inspection, |_| {}).await?;
            domain::fault::point("sync.file_read");
            if is_own {
                rows += read.rows;
                bytes += read.bytes;
                self.context.event(&SyncEvent::Progress {
                    source: &self.context.source.name,
                    stream: own.name.as_str(),
                    rows,
                    bytes,
                });
            }
        }
        self.reader.finish().await?;
        Ok(())
    }
}
