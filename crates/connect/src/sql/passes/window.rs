//! Between which cursor values rows are read.

use super::super::choice::Lookback;
use super::super::mark::Mark;
use super::super::plan::is_time;
use super::Reading;
use crate::failure::{Failure, FailureKind};
use crate::page::Start;
use domain::calendar::MICROS_PER_DAY;
use domain::say::Quoted;
use domain::{ColumnType, Disposition, Timestamp, say};

/// Added to the look-back when a cut load goes on: a row whose writer had not committed when the first attempt began may
/// carry a time before it.
const OVERLAP_SECONDS: u64 = 3_600;

/// A lower bound of the cursor, the look-back taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Floor {
    pub(in crate::sql) value: String,
    /// Whether the bound itself is left out.
    pub(in crate::sql) is_strict: bool,
}

impl Floor {
    /// Returns the bound `lookback` below `mark`, that value among the rows.
    pub(super) fn below(mark: Mark, lookback: Option<Lookback>) -> Self {
        Self {
            value: mark.lowered(lookback).write(),
            is_strict: false,
        }
    }
}

/// Returns the cursor value that an earlier sync remembered as `text`.
pub(super) fn remembered(text: &str, kind: ColumnType) -> Result<Mark, Failure> {
    Mark::read(text, kind).ok_or_else(|| {
        Failure::new(
            FailureKind::Changed,
            say!("the remembered cursor value ", name Quoted(text), " does not fit the cursor's type ", kind),
        )
        .hint("run the sync again with `--full-refresh`")
    })
}

/// The bounds of the cursor.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) floor: Option<Floor>,
    pub(super) until: Option<String>,
    /// Whether rows without a cursor value, which no bound finds, come too.
    pub(super) takes_null: bool,
    pub(super) unseen: Unseen,
    /// The value that the last load ended with.
    pub(super) last: Option<Mark>,
}

impl Window {
    pub(super) fn new(
        reading: &Reading,
        start: &Start,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let asked = start.since.is_some() || start.until.is_some();
        let Some(cursor) = reading
            .cursor
            .filter(|_| reading.disposition != Disposition::Replace)
        else {
            if asked {
                warnings.push(
                    "is read whole: `--since` and `--until` need a cursor and merge or append"
                        .into(),
                );
            }
            return Ok(Self {
                floor: None,
                until: None,
                takes_null: true,
                unseen: Unseen::default(),
                last: None,
            });
        };
        if asked && !is_time(cursor) {
            warnings
                .push("is not bounded by `--since` and `--until`: its cursor is not a time".into());
        }
        let since = start.since.map(Timestamp::as_micros);
        let since = since.and_then(|micros| Mark::from_instant(micros, cursor));
        let until = start.until.map(Timestamp::as_micros);
        let until = until.and_then(|micros| first_not_before(micros, cursor));
        let horizon = first_not_before(reading.horizon_micros, cursor);
        let last = start.cursor.as_deref();
        let last = last.map(|text| remembered(text, cursor)).transpose()?;
        if let (Some(last), Some(horizon)) = (&last, &horizon)
            && last >= horizon
        {
            let last = last.write();
            warnings.push(format!(
                "goes on from the remembered cursor value `{last}`, which lies ahead of now: what changes until then is \
                 not seen; `--full-refresh` reads it anew"
            ));
        }
        Ok(if reading.disposition == Disposition::Append {
            Self::appended(last, since, until, horizon, warnings)
        } else {
            Self::merged(reading, last, since, until)
        })
    }

    /// Rows that are merged may come again, so any part of them can be read at any time.
    fn merged(
        reading: &Reading,
        last: Option<Mark>,
        since: Option<Mark>,
        until: Option<Mark>,
    ) -> Self {
        let floor = match since {
            Some(since) => Some(Floor::below(since, None)),
            None => last
                .clone()
                .map(|last| Floor::below(last, reading.lookback)),
        };
        Self {
            floor,
            takes_null: until.is_none(),
            until: until.map(|until| until.write()),
            unseen: Unseen::default(),
            last,
        }
    }

    /// Rows that are appended must come once and none may be passed over: a read goes on where the last one ended, whatever
    /// `since` says, and takes nothing from so far ahead that no later read could go on from there.
    fn appended(
        last: Option<Mark>,
        since: Option<Mark>,
        until: Option<Mark>,
        horizon: Option<Mark>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let is_first = last.is_none();
        let floor = match (&last, since) {
            (Some(last), since) => {
                let value = last.write();
                if since.is_some() {
                    warnings.push(format!(
                        "is appended to and goes on from its last cursor value `{value}`, whatever `--since` or \
                         `--backfill` says: earlier rows would stand there twice"
                    ));
                }
                Some(Floor {
                    value,
                    is_strict: true,
                })
            }
            (None, since) => since.map(|since| Floor::below(since, None)),
        };
        let unseen = Unseen {
            has_null: !is_first,
            from: horizon.as_ref().map(Mark::write),
        };
        let until = until.into_iter().chain(horizon).min();
        Self {
            floor,
            until: until.map(|until| until.write()),
            takes_null: is_first,
            unseen,
            last,
        }
    }
}

/// Rows of an appended table that a read leaves out; whoever reads says so where there are any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sql) struct Unseen {
    /// Rows without a cursor value: which of them are new cannot be known.
    pub(in crate::sql) has_null: bool,
    /// Rows whose cursor is this or later.
    pub(in crate::sql) from: Option<String>,
}

/// Returns the first value of a cursor of `kind` that is not before an instant.
pub(in crate::sql) fn first_not_before(micros: i64, kind: ColumnType) -> Option<Mark> {
    let rest_of_day = if kind == ColumnType::Date {
        MICROS_PER_DAY - 1
    } else {
        0
    };
    Mark::from_instant(micros.saturating_add(rest_of_day), kind)
}

pub(super) fn overlap(reading: &Reading) -> Lookback {
    let is_time = reading.cursor.is_some_and(is_time);
    match reading.lookback {
        Some(Lookback::Amount(amount)) if !is_time => Lookback::Amount(amount),
        Some(Lookback::Amount(seconds) | Lookback::Seconds(seconds)) => {
            Lookback::Seconds(seconds.max(OVERLAP_SECONDS))
        }
        None if is_time => Lookback::Seconds(OVERLAP_SECONDS),
        None => Lookback::Amount(0),
    }
}
