//! The audit log: its place in order, its checkpoints and its file are kept here; and it is read, exported and verified.
//!
//! The database is the log. Everything else follows it, and a failure to write that is told, not turned into a failure of what
//! was done: the act and its row are committed already.

mod journal;
mod keys;
mod line;
mod lock;
mod upkeep;
mod verify;
mod warnings;

pub use store::audit::{AuditFilter, AuditRow};
pub use verify::{FileProof, Verification, verify};
pub use warnings::take as take_warnings;

use crate::project::Project;
use crate::{App, Error, Result, SystemEntropy};
use domain::{Code, Timestamp, say};
use keys::KeyRing;
use security::audit_chain::PublicKey;
use security::permissions::{AuditView, ConfigManage};
use security::{Allow, Event};
use serde_json::{Map, Value};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use store::audit;
use store::paging::LIMIT_MAX;
use store::{Paging, StoreError};
use url::Url;

/// When a checkpoint is signed, if there is something to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// After a minute or a thousand records.
    WhenDue,
    /// Now: the process ends.
    Now,
}

impl App {
    /// Gives the rows of the audit log that were committed their place, writes them to `audit.jsonl`, and signs a checkpoint.
    /// What could not be done is told by [`take_warnings`]; the rows are in the database all the same.
    pub async fn sequence_audit(&self, sign: Sign) {
        if let Err(error) = Box::pin(upkeep::run(self, sign)).await {
            warnings::tell(&error);
        }
    }
}

/// Makes the first key of a project's audit log, unless it has one; returns the public half, which is the log's anchor. `None`
/// when a log is there already and its keys are not the first any more.
pub fn create_key(allow: &Allow<ConfigManage>, project: &Project) -> Result<Option<PublicKey>> {
    // Whoever may set a project up may make its key; nothing of the witness is written down.
    let _ = allow;
    let ring = KeyRing::of(project);
    if project.root().join(".dango/metadata.db").exists() {
        return Ok(None);
    }
    Ok(Some(ring.take(None, &SystemEntropy)?.key.public()))
}

/// Records as the file would have them, newest first.
#[derive(Debug)]
pub struct Records {
    pub items: Vec<Map<String, Value>>,
    /// Records that the filter takes.
    pub total: u64,
}

/// Returns the newest `limit` records that `filter` takes.
pub async fn list(
    app: &App,
    allow: &Allow<AuditView>,
    filter: &AuditFilter,
    limit: u64,
) -> Result<Records> {
    let (mut items, mut total) = (Vec::new(), 0);
    while (items.len() as u64) < limit {
        let offset = items.len() as u64;
        let paging = Paging::new((limit - offset).min(LIMIT_MAX), offset);
        let page: Result<_, StoreError> = app
            .store
            .run_read(allow, async |tx| audit::list(&tx, filter, paging).await)
            .await;
        let page = page?;
        total = page.total;
        if page.items.is_empty() {
            break;
        }
        items.extend(page.items.iter().map(line::object));
    }
    Ok(Records { items, total })
}

/// Returns one page of the rows that `filter` takes, newest first, and how many there are.
pub async fn list_page(
    app: &App,
    allow: &Allow<AuditView>,
    filter: &AuditFilter,
    paging: Paging,
) -> Result<(Vec<AuditRow>, u64)> {
    let page: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| audit::list(&tx, filter, paging).await)
        .await;
    let page = page?;
    Ok((page.items, page.total))
}

/// Returns the records after the one numbered `seq` that `filter` takes, in order, and the number of the last one looked at.
pub async fn list_after(
    app: &App,
    allow: &Allow<AuditView>,
    filter: &Wanted,
    seq: i64,
) -> Result<(Vec<Map<String, Value>>, i64)> {
    let rows = page(app, allow, seq).await?;
    let last = rows.last().and_then(|row| row.seq).unwrap_or(seq);
    let wanted = rows.iter().filter(|row| filter.takes(row));
    Ok((wanted.map(line::object).collect(), last))
}

/// Returns the text of an anchor that is kept at `url`.
pub async fn fetch_anchor(app: &App, allow: &Allow<AuditView>, url: &Url) -> Result<String> {
    let _ = allow;
    Ok(connect::webhook::get_text(&app.egress(), url).await?)
}

/// Returns the number of the last record that has its place.
pub async fn find_last(app: &App, allow: &Allow<AuditView>) -> Result<i64> {
    let _ = allow;
    let head = app.store.find_head().await?;
    Ok(head.map_or(0, |head| head.seq))
}

/// Which records somebody follows.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// One of the two names of an event.
    pub event: Option<String>,
    pub email: Option<String>,
    pub since: Option<Timestamp>,
}

impl Wanted {
    fn takes(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, of: &[Option<&str>]| {
            wanted
                .as_deref()
                .is_none_or(|wanted| of.contains(&Some(wanted)))
        };
        is(&self.event, &[Some(&row.event), Some(&row.event_type)])
            && is(&self.email, &[row.email.as_deref()])
            && self.since.is_none_or(|since| row.created_at >= since)
    }
}

/// Writes every record that has its place to `out`, as lines of JSON; returns how many. That it was done is recorded.
pub async fn export(app: &App, allow: &Allow<AuditView>, out: impl Write) -> Result<u64> {
    write_records(app, allow, out, not_written).await
}

async fn write_records(
    app: &App,
    allow: &Allow<AuditView>,
    out: impl Write,
    failed: impl Fn(std::io::Error) -> Error,
) -> Result<u64> {
    app.store.record(allow, Event::AuditExported).await?;
    app.sequence_audit(Sign::WhenDue).await;
    let mut out = BufWriter::new(out);
    let (mut seq, mut count) = (0, 0);
    loop {
        let rows = page(app, allow, seq).await?;
        let Some(last) = rows.last().and_then(|row| row.seq) else {
            break;
        };
        for row in &rows {
            out.write_all(line::text(row).as_bytes()).map_err(&failed)?;
        }
        (seq, count) = (last, count + rows.len() as u64);
    }
    out.flush().map_err(&failed)?;
    Ok(count)
}

/// Writes every record to the file `path`, which is there whole or not at all, for its owner alone.
pub async fn export_file(
    app: &App,
    allow: &Allow<AuditView>,
    path: &Path,
    force: bool,
) -> Result<u64> {
    if fs_err::symlink_metadata(path).is_ok() && !force {
        let say = say!("", name path, " exists already");
        return Err(Error::conflict(Code::OutputExists, say)
            .hint("choose another name, or overwrite it with `--force`"));
    }
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let broken = |error| Error::file("written", path, error);
    let temporary = tempfile::Builder::new()
        .prefix(".dango-")
        .suffix(".tmp")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(broken)?;
    // Whatever goes wrong from here on, the temporary file goes with it, and what was there before stays.
    let count = write_records(app, allow, temporary.as_file(), broken).await?;
    temporary.as_file().sync_all().map_err(broken)?;
    temporary
        .persist(path)
        .map_err(|error| broken(error.error))?;
    Ok(count)
}

fn not_written(error: std::io::Error) -> Error {
    if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        let say = "the export is not whole: the disk it goes to is full";
        return Error::unavailable(Code::DiskFull, say)
            .hint("free some space there, or write it elsewhere, and run the command again")
            .caused_by(error);
    }
    Error::invalid(Code::OutputFailed, "the export could not be written").caused_by(error)
}

/// Returns the next records after the one numbered `seq`.
async fn page(app: &App, allow: &Allow<AuditView>, seq: i64) -> Result<Vec<AuditRow>> {
    let rows: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            audit::list_sequenced(&tx, seq, LIMIT_MAX).await
        })
        .await;
    Ok(rows?)
}

#[cfg(test)]
mod tests;
