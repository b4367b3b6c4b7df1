//! Which rows a stream reads, in which order: from the remembered cursor, from `--since` and `--until`, and after a cut.

mod window;

use super::choice::Lookback;
use super::mark::Mark;
use crate::failure::{Failure, FailureKind};
use crate::page::Start;
use domain::{ColumnType, Disposition};
use serde::{Deserialize, Serialize};
pub(super) use window::{Floor, Unseen, first_not_before};
use window::{Window, overlap, remembered};

/// Where a cut load stood: what [`crate::Page::resume`] holds, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The key of the last row that was handed over.
    pub(super) after: Vec<String>,
    /// The highest cursor value when the first attempt began: whatever changed since lies above it.
    pub(super) began: Option<String>,
    /// The highest cursor value of all rows so far.
    pub(super) highest: Option<String>,
}

impl Position {
    pub(super) fn write(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    fn read(text: &str, key_columns: usize) -> Result<Self, Failure> {
        let position: Option<Self> = serde_json::from_str(text).ok();
        position
            .filter(|position| position.after.len() == key_columns)
            .ok_or_else(|| {
                Failure::new(
                    FailureKind::Changed,
                    "the place where the last attempt stopped no longer fits the table",
                )
                .hint("run the sync again with `--full-refresh`")
            })
    }
}

/// The order in which rows are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As the server likes: the fastest.
    Any,
    Key,
    /// By cursor, so that a limited read ends at a cursor value from which the next can go on.
    Cursor,
}

/// One statement's worth of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass {
    /// Only rows whose key comes after this one.
    pub(super) after: Option<Vec<String>>,
    /// Only rows whose key does not come after this one.
    pub(super) up_to: Option<Vec<String>>,
    pub(super) floors: Vec<Floor>,
    pub(super) until: Option<String>,
    /// Whether rows without a cursor value pass the bounds.
    pub(super) takes_null: bool,
    pub(super) order: Order,
    pub(super) rows_max: Option<u64>,
    /// Whether rows whose cursor equals that of the last row within `rows_max` come too: appended rows are asked for above
    /// the highest value only, so the next sync would miss them.
    pub(super) takes_ties: bool,
}

/// What the passes depend on besides [`Start`].
pub(super) struct Reading {
    pub(super) disposition: Disposition,
    pub(super) key_columns: usize,
    pub(super) is_resumable: bool,
    pub(super) cursor: Option<ColumnType>,
    pub(super) lookback: Option<Lookback>,
    /// What lies beyond is too far ahead to go on from.
    pub(super) horizon_micros: i64,
}

/// The passes of one attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) passes: Vec<Pass>,
    /// Where the attempt starts; `None` when the stream cannot resume. `began` is still to be asked for at a first attempt.
    pub(super) position: Option<Position>,
    pub(super) unseen: Unseen,
    /// The cursor value that the last load ended with: what is remembered never falls below it.
    pub(super) last: Option<Mark>,
    /// The first cursor value that is not remembered.
    pub(super) horizon: Option<Mark>,
    pub(super) warnings: Vec<String>,
}

/// Returns the statements of an attempt that starts at `start`.
pub(super) fn passes(reading: &Reading, start: &Start) -> Result<Attempt, Failure> {
    let mut warnings = Vec::new();
    let window = Window::new(reading, start, &mut warnings)?;
    let whole = Pass {
        after: None,
        up_to: None,
        takes_null: window.takes_null,
        floors: window.floor.into_iter().collect(),
        until: window.until,
        order: Order::Any,
        rows_max: start.rows_max,
        takes_ties: reading.disposition == Disposition::Append,
    };
    // A limited read ends by the cursor's order, not by the key's, and is over in one go.
    let (passes, position) = if start.rows_max.is_some() || !reading.is_resumable {
        let is_incremental =
            reading.cursor.is_some() && reading.disposition != Disposition::Replace;
        let order = if start.rows_max.is_some() && is_incremental {
            Order::Cursor
        } else {
            Order::Any
        };
        (vec![Pass { order, ..whole }], None)
    } else {
        let order = Order::Key;
        resumable(reading, Pass { order, ..whole }, start.resume.as_deref())?
    };
    let cursor = reading.cursor;
    Ok(Attempt {
        passes,
        position,
        unseen: window.unseen,
        last: window.last,
        horizon: cursor.and_then(|kind| first_not_before(reading.horizon_micros, kind)),
        warnings,
    })
}

/// Returns the passes of a load that can go on after a cut, and where it stands: what changed behind `resume`, and the rest.
fn resumable(
    reading: &Reading,
    whole: Pass,
    resume: Option<&str>,
) -> Result<(Vec<Pass>, Option<Position>), Failure> {
    let Some(resume) = resume else {
        return Ok((vec![whole], Some(Position::default())));
    };
    let position = Position::read(resume, reading.key_columns)?;
    let mut changed = Pass {
        up_to: Some(position.after.clone()),
        takes_null: false,
        ..whole.clone()
    };
    if let (Some(began), Some(kind)) = (&position.began, reading.cursor) {
        let began = remembered(began, kind)?;
        changed
            .floors
            .push(Floor::below(began, Some(overlap(reading))));
    }
    let rest = Pass {
        after: Some(position.after.clone()),
        ..whole
    };
    Ok((vec![changed, rest], Some(position)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    /// 2030-01-01.
    const HORIZON: i64 = 1_893_456_000_000_000;

    fn reading(disposition: Disposition, is_resumable: bool) -> Reading {
        let cursor = Some(ColumnType::Timestamp);
        Reading {
            disposition,
            key_columns: 1,
            is_resumable,
            cursor,
            lookback: None,
            horizon_micros: HORIZON,
        }
    }

    #[test]
    fn appended_rows_come_once_and_merged_rows_may_come_again() {
        let start = Start {
            cursor: Some("2024-01-01 00:00:00".into()),
            ..Start::default()
        };
        let check = |disposition, is_strict, takes_null| {
            let attempt = passes(&reading(disposition, false), &start).expect("passes");
            let [pass] = attempt.passes.try_into().expect("one");
            assert_eq!(
                (pass.floors[0].is_strict, pass.takes_null),
                (is_strict, takes_null)
            );
        };
        check(Disposition::Append, true, false);
        check(Disposition::Merge, false, true);
        let replaced = passes(&reading(Disposition::Replace, false), &start).expect("passes");
        assert!(replaced.passes[0].floors.is_empty() && replaced.passes[0].takes_null);
    }

    #[test]
    fn an_appended_stream_goes_on_where_it_ended_and_no_further_than_the_horizon() {
        let at = |day: i64| Some(Timestamp::from_micros(day * 86_400_000_000));
        let check = |last: Option<&str>, since, until, expect: (&str, &str), warned| {
            let start = Start {
                cursor: last.map(str::to_owned),
                since,
                until,
                ..Start::default()
            };
            let attempt = passes(&reading(Disposition::Append, false), &start).expect("passes");
            let [pass] = attempt.passes.try_into().expect("one");
            let floor = pass.floors.first().map_or("", |floor| &floor.value);
            assert_eq!((floor, pass.until.as_deref().unwrap_or_default()), expect);
            assert_eq!(pass.takes_null, last.is_none());
            assert_eq!(attempt.warnings.len(), warned, "{:?}", attempt.warnings);
        };
        let (last, horizon) = ("2024-01-01 00:00:00", "2030-01-01 00:00:00");
        check(None, None, None, ("", horizon), 0);
        check(None, at(0), None, ("1970-01-01 00:00:00", horizon), 0);
        check(Some(last), None, None, (last, horizon), 0);
        for since in [0, 19_800] {
            check(Some(last), at(since), None, (last, horizon), 1);
        }
        check(Some(last), None, at(0), (last, "1970-01-01 00:00:00"), 0);
        check(Some(last), None, at(30_000), (last, horizon), 0);
        let ahead = "2031-01-01 00:00:00";
        check(Some(ahead), None, None, (ahead, horizon), 1);
    }

    #[test]
    fn a_date_on_which_the_end_falls_is_not_left_out() {
        let check = |micros: i64, expect: &str| {
            let start = Start {
                since: Some(Timestamp::from_micros(micros)),
                until: Some(Timestamp::from_micros(micros)),
                ..Start::default()
            };
            let dates = Reading {
                cursor: Some(ColumnType::Date),
                ..reading(Disposition::Merge, false)
            };
            let [pass] = passes(&dates, &start)
                .expect("passes")
                .passes
                .try_into()
                .expect("one");
            let bounds = format!(
                "{} {}",
                pass.floors[0].value,
                pass.until.unwrap_or_default()
            );
            assert_eq!(bounds, expect);
        };
        check(0, "1970-01-01 1970-01-01");
        check(1, "1970-01-01 1970-01-02");
        check(43_200_000_000, "1970-01-01 1970-01-02");
    }

    #[test]
    fn a_cut_load_reads_what_changed_and_then_the_rest() {
        let resume = r#"{"after":["7"],"began":"2024-01-01 00:00:00","highest":null}"#;
        let start = Start {
            resume: Some(resume.into()),
            ..Start::default()
        };
        let attempt = passes(&reading(Disposition::Merge, true), &start).expect("passes");
        let [changed, rest] = attempt.passes.try_into().expect("two");
        assert_eq!(
            (changed.up_to, changed.after),
            (Some(vec!["7".into()]), None)
        );
        assert_eq!(changed.floors[0].value, "2023-12-31 23:00:00");
        assert_eq!((rest.up_to, rest.after), (None, Some(vec!["7".into()])));
        assert!(rest.floors.is_empty() && rest.order == Order::Key);
    }

    #[test]
    fn a_limited_read_is_ordered_by_the_cursor_and_does_not_resume() {
        let start = Start {
            rows_max: Some(5),
            ..Start::default()
        };
        let attempt = passes(&reading(Disposition::Merge, true), &start).expect("passes");
        assert_eq!(
            (attempt.passes[0].order, attempt.position),
            (Order::Cursor, None)
        );
    }

    #[test]
    fn since_and_until_bound_the_cursor_or_say_why_not() {
        let at = Timestamp::from_micros(0);
        let start = Start {
            since: Some(at),
            until: Some(at),
            ..Start::default()
        };
        let attempt = passes(&reading(Disposition::Merge, false), &start).expect("passes");
        assert_eq!(
            attempt.passes[0].until.as_deref(),
            Some("1970-01-01 00:00:00")
        );
        assert!(!attempt.passes[0].takes_null && attempt.warnings.is_empty());
        let replaced = passes(&reading(Disposition::Replace, false), &start).expect("passes");
        assert_eq!(replaced.warnings.len(), 1);
    }

    #[test]
    fn a_remembered_value_of_another_type_is_refused() {
        let start = Start {
            cursor: Some("17".into()),
            ..Start::default()
        };
        let failure = passes(&reading(Disposition::Merge, false), &start).expect_err("a number");
        assert_eq!(failure.kind, FailureKind::Changed);
    }

    #[test]
    fn a_position_of_another_key_is_refused() {
        for resume in [
            "",
            "{}",
            r#"{"after":["1","2"],"began":null,"highest":null}"#,
        ] {
            let start = Start {
                resume: Some(resume.into()),
                ..Start::default()
            };
            let failure = passes(&reading(Disposition::Merge, true), &start).expect_err(resume);
            assert_eq!(failure.kind, FailureKind::Changed);
        }
    }
}
