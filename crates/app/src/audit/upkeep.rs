//! Keeping the log: places, the file, checkpoints. Each step looks at what is there and does what is missing, so that a process
//! may end between any two.

use super::journal::{BYTES_MAX, Journal};
use super::keys::KeyRing;
use super::{Sign, journal, line, lock, page};
use crate::error::{Error, Result};
use crate::{App, SystemEntropy, files};
use domain::Timestamp;
use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use security::audit_chain::{Anchor, AuditKey, Checkpoint, Digest};
use security::permissions::AuditView;
use security::{Allow, Event};
use std::io::{self, Write as _};
use std::path::Path;
use store::audit::{self, AuditFilter, Head};
use store::{Act, Paging, StoreError};

/// A checkpoint after so many microseconds with records, or so many records.
const INTERVAL_MICROS: i64 = 60_000_000;
const RECORDS_MAX: i64 = 1_000;
/// What the log calls a person's end; his values are erased from the files, too.
const ERASED: &str = Event::UserErased.as_str();

pub(super) async fn run(app: &App, sign: Sign) -> Result<()> {
    let kept = keep(app, sign).await;
    // Others take their turn while somebody far away answers.
    kept.and(post_checkpoint(app).await)
}

async fn keep(app: &App, sign: Sign) -> Result<()> {
    let Some(_turn) = lock::take_turn(&app.project).await? else {
        return Ok(());
    };
    let allow = app.allow::<AuditView>().await?;
    // Places and signatures matter more than the file: one that cannot be written must not keep them back.
    let journal = open_journal(app, &allow).await;
    app.store.sequence(&SystemEntropy).await?;
    let Some(head) = app.store.find_head().await? else {
        return journal.map(drop);
    };
    let written = match &journal {
        Ok(journal) => write_file(app, &allow, journal, head).await,
        Err(_) => Ok(()),
    };
    let signed = sign_head(app, &allow, head, sign).await;
    journal.and(written).and(signed)
}

/// Opens the file, once that of another program is out of the way.
async fn open_journal(app: &App, allow: &Allow<AuditView>) -> Result<Journal> {
    let journal = Journal::open(&app.project.logs_dir(), BYTES_MAX)?;
    keep_legacy(app, allow, &journal).await?;
    Ok(journal)
}

/// Puts the log of another program aside, with its hash in ours.
async fn keep_legacy(app: &App, allow: &Allow<AuditView>, journal: &Journal) -> Result<()> {
    let Some(path) = journal.find_unchained()? else {
        return Ok(());
    };
    let bytes = fs::read(&path).map_err(|error| Error::file("read", &path, error))?;
    let digest = Digest::of(&bytes).to_string();
    let known: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            let filter = AuditFilter {
                event: Some(Event::AuditLegacyKept),
                ..AuditFilter::default()
            };
            audit::list(&tx, &filter, Paging::default()).await
        })
        .await;
    let is_known = known?
        .items
        .iter()
        .any(|row| row.details.get("sha256").and_then(|text| text.as_str()) == Some(&digest));
    if !is_known {
        let act = Act::new(Event::AuditLegacyKept)
            .detail("sha256", digest)
            .detail("bytes", bytes.len());
        app.store.record(allow, act).await?;
    }
    domain::fault::point("audit legacy recorded");
    journal.keep_legacy().map(drop)
}

/// Appends what the file lacks.
async fn write_file(
    app: &App,
    allow: &Allow<AuditView>,
    journal: &Journal,
    head: Head,
) -> Result<()> {
    let mut seq = journal.find_last()?;
    while seq < head.seq {
        let rows = page(app, allow, seq).await?;
        let Some(last) = rows.last().and_then(|row| row.seq) else {
            return Ok(());
        };
        if rows.iter().any(|row| row.event == ERASED) {
            erase(app, allow, journal).await?;
        }
        let lines: String = rows.iter().map(line::text).collect();
        journal.append(&lines, &line::day(app.clock.now()))?;
        seq = last;
    }
    Ok(())
}

/// Writes lines anew whose records lost a person's values. Other lines stay as they are, whatever somebody did to them.
async fn erase(app: &App, allow: &Allow<AuditView>, journal: &Journal) -> Result<()> {
    for path in journal.list_files()? {
        let mut lines = journal.read(&path)?;
        let mut is_changed = false;
        let mut rows = std::collections::VecDeque::new();
        for text in &mut lines {
            let Some(place) = line::place(text) else {
                continue;
            };
            while rows
                .front()
                .is_some_and(|row: &audit::AuditRow| row.seq < Some(place.seq))
            {
                rows.pop_front();
            }
            if rows.is_empty() {
                rows.extend(page(app, allow, place.seq - 1).await?);
            }
            let row = rows.front().filter(|row| {
                row.seq == Some(place.seq) && row.hash.as_deref() == Some(&place.hash)
            });
            if let Some(row) = row.filter(|row| !row.erased.is_empty()) {
                let anew = line::text(row);
                is_changed |= anew != *text;
                *text = anew;
            }
        }
        if is_changed {
            journal::rewrite(&path, &lines)?;
        }
    }
    Ok(())
}

/// Signs the head of the chain when it is time to.
async fn sign_head(app: &App, allow: &Allow<AuditView>, mut head: Head, sign: Sign) -> Result<()> {
    let last = app.store.find_last_checkpoint().await?;
    let now = app.clock.now();
    if !is_due(last.as_ref(), head, now, sign) {
        return copy_checkpoints(app, allow, last.as_ref()).await;
    }
    let ring = KeyRing::of(&app.project);
    let held = ring.take(last.as_ref().map(|last| last.next_key), &SystemEntropy)?;
    if held.is_renewed {
        let act = Act::new(Event::AuditKeyRenewed).detail("key", held.key.public().to_string());
        app.store.record(allow, act).await?;
        app.store.sequence(&SystemEntropy).await?;
        // Its line follows with the next ones.
        head = app.store.find_head().await?.unwrap_or(head);
    }
    let next = AuditKey::generate(&SystemEntropy);
    ring.store_next(&next)?;
    domain::fault::point("audit key stored");
    let number = last.map_or(1, |last| last.number + 1);
    let made = held
        .key
        .sign(number, head.seq, head.hash, now, next.public());
    app.store.add_checkpoint(&made).await?;
    ring.advance()?;
    domain::fault::point("audit key advanced");
    copy_checkpoints(app, allow, Some(&made)).await
}

fn is_due(last: Option<&Checkpoint>, head: Head, now: Timestamp, sign: Sign) -> bool {
    let Some(last) = last else { return true };
    let (records, age) = (head.seq - last.seq, now.micros_since(last.at));
    // A clock that was set back must not keep checkpoints away.
    let is_time = !(0..INTERVAL_MICROS).contains(&age) || records >= RECORDS_MAX;
    records > 0 && (is_time || sign == Sign::Now)
}

/// Appends the checkpoints that the copy kept elsewhere lacks.
async fn copy_checkpoints(
    app: &App,
    allow: &Allow<AuditView>,
    last: Option<&Checkpoint>,
) -> Result<()> {
    let (Some(path), Some(last)) = (&app.settings.audit.checkpoint_file, last) else {
        return Ok(());
    };
    let copied = find_copied(path).map_err(|error| Error::file("read", path, error))?;
    if copied >= last.number {
        return Ok(());
    }
    let missing: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| audit::list_checkpoints(&tx, copied).await)
        .await;
    let lines: String = missing?
        .iter()
        .map(|checkpoint| checkpoint.to_line() + "\n")
        .collect();
    append(path, &lines).map_err(|error| Error::file("written", path, error))
}

/// Sends the last checkpoint to the address that is set, unless it was sent. It holds everything before it, so that one which
/// could not be sent is not missed.
async fn post_checkpoint(app: &App) -> Result<()> {
    let Some(url) = &app.settings.audit.checkpoint_url else {
        return Ok(());
    };
    let Some(last) = app.store.find_last_checkpoint().await? else {
        return Ok(());
    };
    let path = app.project.run_dir().join("audit.posted");
    let posted = files::read_text(&path)?.and_then(|text| text.trim().parse().ok());
    if posted == Some(last.number) {
        return Ok(());
    }
    connect::webhook::post_json(&app.egress(), url, last.to_line()).await?;
    let number = last.number.to_string();
    files::write_whole(&path, number.as_bytes(), files::Reach::Owner)
}

/// Returns the number of the last checkpoint in the copy.
fn find_copied(path: &Path) -> io::Result<i64> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let anchors = text
        .lines()
        .filter_map(|line| Anchor::parse_all(line).ok())
        .flatten();
    let numbers = anchors.filter_map(|anchor| match anchor {
        Anchor::Checkpoint(checkpoint) => Some(checkpoint.number),
        Anchor::Key(_) => None,
    });
    Ok(numbers.max().unwrap_or(0))
}

fn append(path: &Path, lines: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}
