//! Verifying: the database against its own chain and checkpoints, against what was kept elsewhere, and `audit.jsonl` against the
//! database.

use super::journal::{BYTES_MAX, Journal};
use super::keys::KeyRing;
use super::{line, lock, page};
use crate::App;
use crate::error::{Error, Result};
use domain::{Code, Say, say};
use security::Allow;
use security::audit_chain::{Anchor, Checkpoint, Fault, Proof, PublicKey, Verifier};
use security::permissions::AuditView;
use serde::Serialize;
use std::path::PathBuf;
use store::StoreError;
use store::audit::{self, AuditRow};
use store::paging::LIMIT_MAX;

/// More findings than these add nothing.
const FAULTS_MAX: usize = 50;

/// What was found out about a log.
#[derive(Debug, Serialize)]
pub struct Verification {
    pub database: Proof,
    pub file: FileProof,
    /// Whether there was something kept elsewhere to compare with.
    pub is_anchored: bool,
    /// What nobody could prove with what was given.
    #[serde(serialize_with = "as_texts")]
    pub unproven: Vec<Say>,
}

/// What was found out about `audit.jsonl` and its older parts.
#[derive(Debug, Default, Serialize)]
pub struct FileProof {
    pub records: u64,
    /// The first record that is still there: older parts may have been put away.
    pub begins: i64,
    pub last: i64,
    pub faults: Vec<Fault>,
}

impl Verification {
    /// Returns whether nothing is wrong.
    pub fn holds(&self) -> bool {
        self.database.faults.is_empty() && self.file.faults.is_empty()
    }
}

fn as_texts<S: serde::Serializer>(says: &[Say], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(says.iter().map(Say::as_str))
}

/// Verifies the log; `anchors` is the text of what was kept elsewhere. Nothing is changed.
pub async fn verify(
    app: &App,
    allow: &Allow<AuditView>,
    anchors: Option<&str>,
) -> Result<Verification> {
    let anchors = match anchors {
        None => Vec::new(),
        Some(text) => Anchor::parse_all(text).map_err(|bad| {
            let say = say!("line ", bad.line, " of the anchor is neither a key nor a checkpoint of an audit log");
            Error::invalid(Code::AnchorInvalid, say).hint(
                "give the line that `dango init` printed, or lines of the file in `audit.checkpoint_file`",
            )
        })?,
    };
    let seen = look(app, allow).await?;
    let mut database = verify_database(app, allow, &seen, &anchors).await?;
    let file = verify_file(app, allow, seen.files).await?;
    if file.last > database.last {
        // The file still has what was taken off the end of the table.
        database.faults.push(Fault::Missing {
            seq: database.last + 1,
            until: file.last,
        });
    }
    let unproven = unproven(&database, &anchors);
    Ok(Verification {
        database,
        file,
        is_anchored: !anchors.is_empty(),
        unproven,
    })
}

/// What has to be seen at one moment, because whoever keeps the log changes it together.
struct Seen {
    checkpoints: Vec<Checkpoint>,
    key: Option<PublicKey>,
    /// The files, oldest first; the one that is appended to with its lines.
    files: Vec<(PathBuf, Option<Vec<String>>)>,
}

async fn look(app: &App, allow: &Allow<AuditView>) -> Result<Seen> {
    let _turn = lock::take_turn(&app.project).await?;
    let checkpoints: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| audit::list_checkpoints(&tx, 0).await)
        .await;
    let checkpoints = checkpoints.map_err(unreadable)?;
    let expected = checkpoints.last().map(|last| last.next_key);
    let key = KeyRing::of(&app.project).public(expected)?;
    let journal = Journal::open(&app.project.logs_dir(), BYTES_MAX)?;
    let mut files = Vec::new();
    for path in journal.list_files()? {
        let lines = if path == journal.live() {
            Some(journal.read(&path)?)
        } else {
            None
        };
        files.push((path, lines));
    }
    Ok(Seen {
        checkpoints,
        key,
        files,
    })
}

async fn verify_database(
    app: &App,
    allow: &Allow<AuditView>,
    seen: &Seen,
    anchors: &[Anchor],
) -> Result<Proof> {
    let proof: Result<_, StoreError> = app
        .store
        .run_read(allow, async |tx| {
            let checkpoints = seen.checkpoints.clone();
            let mut verifier = Verifier::new(checkpoints, anchors.to_vec(), seen.key);
            let mut seq = 0;
            loop {
                let records = audit::list_chained(&tx, seq, LIMIT_MAX).await?;
                let Some(last) = records.last() else {
                    return Ok(verifier.finish());
                };
                seq = last.seq;
                for record in &records {
                    verifier.record(record);
                }
            }
        })
        .await;
    proof.map_err(unreadable)
}

/// What somebody wrote into the tables that we never would is a finding, not a fault of ours.
fn unreadable(error: StoreError) -> Error {
    match error {
        StoreError::Stored { what } => {
            let say = say!(
                "the audit log was changed: ",
                Say::new(what),
                " cannot be read"
            );
            Error::invalid(Code::AuditBroken, say)
                .hint("compare `.dango/metadata.db` with a backup")
        }
        error => error.into(),
    }
}

async fn verify_file(
    app: &App,
    allow: &Allow<AuditView>,
    files: Vec<(PathBuf, Option<Vec<String>>)>,
) -> Result<FileProof> {
    let journal = Journal::open(&app.project.logs_dir(), BYTES_MAX)?;
    let mut proof = FileProof::default();
    let mut rows: std::collections::VecDeque<AuditRow> = std::collections::VecDeque::new();
    for (path, lines) in files {
        let lines = match lines {
            Some(lines) => lines,
            None => journal.read(&path)?,
        };
        for text in lines {
            let place = line::place(&text);
            if proof.records == 0 {
                proof.begins = place.as_ref().map_or(1, |place| place.seq);
                proof.last = proof.begins - 1;
            }
            proof.records += 1;
            let seq = place.map_or(proof.last + 1, |place| place.seq);
            proof.follow(seq);
            while rows.front().is_some_and(|row| row.seq < Some(seq)) {
                rows.pop_front();
            }
            if rows.is_empty() {
                rows.extend(page(app, allow, seq - 1).await?);
            }
            // What the database has no more is its own finding.
            let row = rows.front().filter(|row| row.seq == Some(seq));
            if row.is_some_and(|row| line::text(row) != text) {
                proof.fault(Fault::Edited { seq });
            }
        }
    }
    Ok(proof)
}

impl FileProof {
    /// Takes the number of the next line.
    fn follow(&mut self, seq: i64) {
        let expected = self.last + 1;
        if seq > expected {
            let until = seq - 1;
            self.fault(Fault::Missing {
                seq: expected,
                until,
            });
        } else if seq < expected {
            self.fault(Fault::Moved { seq });
        }
        self.last = self.last.max(seq);
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

fn unproven(proof: &Proof, anchors: &[Anchor]) -> Vec<Say> {
    let mut says = Vec::new();
    let has_checkpoint = anchors
        .iter()
        .any(|anchor| matches!(anchor, Anchor::Checkpoint(_)));
    if anchors.is_empty() {
        says.push(say!(
            "that the log as a whole was not replaced by another: `--anchor` takes what was kept elsewhere"
        ));
    } else if !has_checkpoint {
        says.push(say!(
            "that nobody who could read this machine's key signed another end: a checkpoint kept elsewhere would show it"
        ));
    }
    if proof.last > proof.signed_until {
        let first = proof.signed_until + 1;
        says.push(say!(
            "that records from ",
            first,
            " on are all there: no checkpoint holds them yet"
        ));
    }
    says
}
