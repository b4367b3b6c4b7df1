//! Between which cursor values rows are read.

use super::super::calendar::MICROS_PER_DAY;
use super::super::choice::Lookback;
use super::super::mark::Mark;
use super::super::plan::is_time;
use super::Reading;
use crate::failure::{Failure, FailureKind};
use crate::page::Start;
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
    /// Returns the bound `lookback` below `value`, a cursor value that an earlier sync remembered.
    pub(super) fn new(
        value: &str,
        is_strict: bool,
        kind: ColumnType,
        lookback: Option<Lookback>,
    ) -> Result<Self, Failure> {
        let mark = Mark::read(value, kind).ok_or_else(|| {
            Failure::new(
                FailureKind::Changed,
                say!("the remembered cursor value ", name Quoted(value), " does not fit the cursor's type ", kind),
            )
            .hint("run the sync again with `--full-refresh`")
        })?;
        Ok(Self {
            value: mark.lowered(lookback).write(),
            is_strict,
        })
    }
}

/// The bounds of the cursor.
pub(super) struct Window {
    pub(super) floor: Option<Floor>,
    pub(super) until: Option<String>,
}

impl Window {
    pub(super) fn new(
        reading: &Reading,
        start: &Start,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Failure> {
        let none = Self {
            floor: None,
            until: None,
        };
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
            return Ok(none);
        };
        let until = start.until.and_then(|until| written(until, cursor));
        let since = start.since.and_then(|since| written(since, cursor));
        if asked && until.is_none() && since.is_none() {
            warnings
                .push("is not bounded by `--since` and `--until`: its cursor is not a time".into());
        }
        let floor = match (since, &start.cursor) {
            (Some(value), _) => Some(Floor {
                value,
                is_strict: false,
            }),
            (None, Some(value)) => {
                // Rows that are only appended must not come twice; merged ones may.
                let is_strict = reading.disposition == Disposition::Append;
                Some(Floor::new(value, is_strict, cursor, reading.lookback)?)
            }
            (None, None) => None,
        };
        Ok(Self { floor, until })
    }

    /// Rows without a cursor value are found by no bound. Merged ones come every time, appended ones at the first load only.
    pub(super) fn takes_null(&self, reading: &Reading) -> bool {
        self.until.is_none() && (reading.disposition == Disposition::Merge || self.floor.is_none())
    }
}

/// Writes an instant as a value of a cursor of `kind`; `None` when such a cursor holds no times.
fn written(at: Timestamp, kind: ColumnType) -> Option<String> {
    let micros = at.as_micros();
    Some(match kind {
        ColumnType::Timestamp => Mark::Timestamp(micros).write(),
        ColumnType::TimestampTz => Mark::TimestampTz(micros).write(),
        ColumnType::Date => {
            Mark::Date(i32::try_from(micros.div_euclid(MICROS_PER_DAY)).ok()?).write()
        }
        _ => return None,
    })
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
