//! Which rows a stream reads, in which order: from the remembered cursor, from `--since` and `--until`, and after a cut.

mod window;

use super::choice::Lookback;
use crate::failure::{Failure, FailureKind};
use crate::page::Start;
use domain::{ColumnType, Disposition};
use serde::{Deserialize, Serialize};
pub(super) use window::Floor;
use window::{Window, overlap};

/// Where a cut load stood: what [`crate::Page::resume`] holds, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// The passes of one attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) passes: Vec<Pass>,
    /// Where the attempt starts; `None` when the stream cannot resume. `began` is still to be asked for at a first attempt.
    pub(super) position: Option<Position>,
    pub(super) warnings: Vec<String>,
}

/// Returns the statements of an attempt that starts at `start`.
pub(super) fn passes(reading: &Reading, start: &Start) -> Result<Attempt, Failure> {
    let mut warnings = Vec::new();
    let window = Window::new(reading, start, &mut warnings)?;
    let whole = Pass {
        after: None,
        up_to: None,
        takes_null: window.takes_null(reading),
        floors: window.floor.into_iter().collect(),
        until: window.until,
        order: Order::Any,
        rows_max: start.rows_max,
        takes_ties: reading.disposition == Disposition::Append,
    };
    // A limited read ends by the cursor's order, not by the key's, and is over in one go.
    if start.rows_max.is_some() || !reading.is_resumable {
        let is_incremental =
            reading.cursor.is_some() && reading.disposition != Disposition::Replace;
        let order = if start.rows_max.is_some() && is_incremental {
            Order::Cursor
        } else {
            Order::Any
        };
        return Ok(Attempt {
            passes: vec![Pass { order, ..whole }],
            position: None,
            warnings,
        });
    }
    let whole = Pass {
        order: Order::Key,
        ..whole
    };
    let Some(resume) = &start.resume else {
        let position = Position {
            after: Vec::new(),
            began: None,
            highest: None,
        };
        return Ok(Attempt {
            passes: vec![whole],
            position: Some(position),
            warnings,
        });
    };
    let position = Position::read(resume, reading.key_columns)?;
    let mut changed = Pass {
        up_to: Some(position.after.clone()),
        ..whole.clone()
    };
    if let (Some(began), Some(kind)) = (&position.began, reading.cursor) {
        changed
            .floors
            .push(Floor::new(began, false, kind, Some(overlap(reading)))?);
    }
    changed.takes_null = false;
    let rest = Pass {
        after: Some(position.after.clone()),
        ..whole
    };
    Ok(Attempt {
        passes: vec![changed, rest],
        position: Some(position),
        warnings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn reading(disposition: Disposition, is_resumable: bool) -> Reading {
        let cursor = Some(ColumnType::Timestamp);
        Reading {
            disposition,
            key_columns: 1,
            is_resumable,
            cursor,
            lookback: None,
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
