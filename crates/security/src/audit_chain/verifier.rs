//! Verifying a log: record by record in order, against its checkpoints and against what was kept elsewhere.

use super::{Anchor, Checkpoint, Content, Digest, PublicKey, commitment};
use serde::Serialize;
use std::collections::BTreeMap;

/// More findings than these add nothing: the log is broken.
const FAULTS_MAX: usize = 50;

/// A personal value beside its record; both are empty once it was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub value: Option<String>,
    pub salt: Option<String>,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub seq: i64,
    pub previous: Option<Digest>,
    pub hash: Option<Digest>,
    pub content: Content,
    /// The personal values, by name.
    pub kept: BTreeMap<String, Kept>,
}

impl Stored {
    /// Returns the names of the personal values that were erased.
    pub fn erased(&self) -> Vec<&str> {
        let names = self.content.personal.keys();
        names
            .filter(|name| {
                self.kept
                    .get(*name)
                    .is_none_or(|kept| *kept == Kept::default())
            })
            .map(String::as_str)
            .collect()
    }

    /// Returns whether the record and its personal values are what was hashed, wherever it stands.
    fn holds(&self) -> bool {
        let (Some(previous), Some(hash)) = (self.previous, self.hash) else {
            return false;
        };
        let is_kept = |(name, kept): (&String, &Kept)| match (
            &kept.value,
            &kept.salt,
            self.content.personal.get(name.as_str()),
        ) {
            (Some(value), Some(salt), Some(expect)) => commitment(salt, value) == *expect,
            (None, None, _) => true,
            _ => false,
        };
        self.content.hash(previous) == hash && self.kept.iter().all(is_kept)
    }
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The record is not what was written.
    Edited { seq: i64 },
    /// These records are not there.
    Missing { seq: i64, until: i64 },
    /// The record does not follow the one before it: one was inserted, taken out or moved.
    Moved { seq: i64 },
    /// Records between are not those that the checkpoint signed.
    Rewritten { after: i64, until: i64, number: i64 },
    /// The checkpoint signed a record that is not there.
    Cut { seq: i64, number: i64, last: i64 },
    /// The checkpoint's signature is wrong.
    Forged { number: i64 },
    /// There is no checkpoint of this number, but later ones.
    CheckpointMissing { number: i64 },
    /// The checkpoint was signed by a key that the one before does not name.
    KeyChanged { number: i64 },
    /// The key on this machine is not the one that the last checkpoint names: a later checkpoint was removed, or the key.
    KeyLost { number: i64 },
    /// No checkpoint was signed by the key that was kept elsewhere: the log is another one.
    Foreign,
}

/// What was found out about a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    pub records: u64,
    /// The number of the last record.
    pub last: i64,
    /// Records with a personal value that was erased.
    pub erased: u64,
    pub checkpoints: u64,
    /// The last record that a checkpoint holds.
    pub signed_until: i64,
    pub faults: Vec<Fault>,
}

/// Takes the records of a log in order.
pub struct Verifier {
    checkpoints: Vec<Checkpoint>,
    anchors: Vec<Anchor>,
    key: Option<PublicKey>,
    /// What checkpoints, our own and those kept elsewhere, say about a record.
    signed: BTreeMap<i64, Vec<(i64, Digest)>>,
    head: Digest,
    proof: Proof,
}

impl Verifier {
    /// Begins with the checkpoints in order, what was kept elsewhere, and the public half of the key on this machine.
    pub fn new(checkpoints: Vec<Checkpoint>, anchors: Vec<Anchor>, key: Option<PublicKey>) -> Self {
        let mut signed: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        let kept = anchors.iter().filter_map(|anchor| match anchor {
            Anchor::Checkpoint(checkpoint) => Some(&**checkpoint),
            Anchor::Key(_) => None,
        });
        for checkpoint in checkpoints.iter().chain(kept) {
            signed
                .entry(checkpoint.seq)
                .or_default()
                .push((checkpoint.number, checkpoint.hash));
        }
        let mut made = Self {
            checkpoints,
            anchors,
            key,
            signed,
            head: Digest::START,
            proof: Proof {
                records: 0,
                last: 0,
                erased: 0,
                checkpoints: 0,
                signed_until: 0,
                faults: Vec::new(),
            },
        };
        made.check_checkpoints();
        made
    }

    /// Takes the next record.
    pub fn record(&mut self, stored: &Stored) {
        let expected = self.proof.last + 1;
        let is_gap = stored.seq > expected;
        if is_gap {
            let until = stored.seq - 1;
            self.fault(Fault::Missing {
                seq: expected,
                until,
            });
        }
        if !stored.holds() {
            self.fault(Fault::Edited { seq: stored.seq });
        } else if !is_gap && stored.previous != Some(self.head) {
            self.fault(Fault::Moved { seq: stored.seq });
        }
        self.proof.records += 1;
        self.proof.last = stored.seq;
        self.proof.erased += u64::from(!stored.erased().is_empty());
        // What follows is measured by what stands here, so that each change is named once.
        self.head = stored.hash.unwrap_or(Digest::START);
        let signed = self.signed.remove(&stored.seq).unwrap_or_default();
        for (number, hash) in signed {
            if stored.hash == Some(hash) {
                self.proof.signed_until = stored.seq;
            } else {
                let after = self.proof.signed_until;
                self.fault(Fault::Rewritten {
                    after,
                    until: stored.seq,
                    number,
                });
            }
        }
    }

    /// Ends with what was found out.
    pub fn finish(mut self) -> Proof {
        let last = self.proof.last;
        let beyond = std::mem::take(&mut self.signed);
        if let Some((seq, of)) = beyond.into_iter().next_back() {
            let number = of.first().map_or(0, |(number, _)| *number);
            self.fault(Fault::Cut { seq, number, last });
        }
        let knows = |key: &PublicKey| {
            let mut checkpoints = self.checkpoints.iter();
            checkpoints.any(|checkpoint| checkpoint.key == *key || checkpoint.next_key == *key)
                || (self.checkpoints.is_empty() && self.key.as_ref() == Some(key))
        };
        let is_foreign = self
            .anchors
            .iter()
            .any(|anchor| matches!(anchor, Anchor::Key(key) if !knows(key)));
        if is_foreign {
            self.fault(Fault::Foreign);
        }
        self.proof
    }

    fn check_checkpoints(&mut self) {
        let checkpoints = std::mem::take(&mut self.checkpoints);
        let trusted_from = self.trusted_from(&checkpoints);
        let (mut number, mut named) = (0, None);
        for checkpoint in &checkpoints {
            number += 1;
            if checkpoint.number != number {
                self.fault(Fault::CheckpointMissing { number });
                (number, named) = (checkpoint.number, None);
            }
            if !checkpoint.is_signed() {
                self.fault(Fault::Forged { number });
            }
            let is_named = named.is_none_or(|named| named == checkpoint.key);
            // A later anchor holds everything before it, whoever signed that.
            if !is_named && number > trusted_from {
                self.fault(Fault::KeyChanged { number });
            }
            named = Some(checkpoint.next_key);
        }
        if let Some(last) = checkpoints.last()
            && self.key != Some(last.next_key)
        {
            let number = last.number;
            self.fault(Fault::KeyLost { number });
        }
        self.proof.checkpoints = checkpoints.len() as u64;
        self.checkpoints = checkpoints;
    }

    /// Returns the number of the last checkpoint that something kept elsewhere vouches for.
    fn trusted_from(&self, checkpoints: &[Checkpoint]) -> i64 {
        let number = |anchor: &Anchor| match anchor {
            Anchor::Checkpoint(kept) => Some(kept.number),
            Anchor::Key(key) => {
                let mut signed = checkpoints.iter().rev();
                signed
                    .find(|checkpoint| checkpoint.key == *key)
                    .map(|checkpoint| checkpoint.number)
            }
        };
        self.anchors.iter().filter_map(number).max().unwrap_or(0)
    }

    fn fault(&mut self, fault: Fault) {
        if self.proof.faults.len() < FAULTS_MAX {
            self.proof.faults.push(fault);
        }
    }
}
