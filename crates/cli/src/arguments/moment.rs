//! Moments as users type them: `2026-01-31`, `2026-01-31T10:00`, or an age such as `7d`, `2w`, `1m`.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use domain::Timestamp;
use std::str::FromStr;

const DAY_SECONDS: i64 = 86_400;
/// An age beyond this is a typing error, not a wish.
const AGE_DAYS_MAX: i64 = 36_600;

/// A moment, or an age that becomes one when the current time is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    /// So many seconds ago.
    Ago(i64),
}

impl Moment {
    /// Returns the moment, counting ages back from `now`.
    pub(crate) const fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(seconds) => now.plus_seconds(-seconds),
        }
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        age(text).map(Self::Ago).or_else(|| instant(text).map(Self::At)).ok_or(
            "a date (2026-01-31), a time (2026-01-31T10:00, UTC unless it says otherwise) or an age (12h, 7d, 2w, 1m) is \
             expected",
        )
    }
}

/// Parses an age only: what `--backfill` takes.
pub(crate) fn parse_age(text: &str) -> Result<Moment, &'static str> {
    age(text.trim())
        .map(Moment::Ago)
        .ok_or("an age is expected: 12h, 7d, 2w or 1m (30 days)")
}

/// Returns the seconds of `7d`, `2w`, `12h` or `1m`, which is 30 days as it was in getdango.
fn age(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        "h" => 3_600,
        "d" => DAY_SECONDS,
        "w" => 7 * DAY_SECONDS,
        "m" => 30 * DAY_SECONDS,
        _ => return None,
    };
    let age = number.parse::<i64>().ok()?.checked_mul(seconds)?;
    (age <= AGE_DAYS_MAX * DAY_SECONDS).then_some(age)
}

fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_micros(zoned.timestamp_micros()));
    }
    let naive = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
    .or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    })?;
    Some(Timestamp::from_micros(naive.and_utc().timestamp_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_ages_are_read() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let check = |text: &str, expect: &str| {
            let moment: Moment = text.parse().expect(text);
            assert_eq!(moment.resolve(now).to_rfc3339(), expect, "{text}");
        };
        check("2026-01-31", "2026-01-31T00:00:00.000000Z");
        check("2026-01-31T10:00", "2026-01-31T10:00:00.000000Z");
        check("2026-01-31 10:00:01.5", "2026-01-31T10:00:01.500000Z");
        check("2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00.000000Z");
        check("12h", "2027-01-14T20:00:00.000000Z");
        check("7d", "2027-01-08T08:00:00.000000Z");
        check("2w", "2027-01-01T08:00:00.000000Z");
        check("1m", "2026-12-16T08:00:00.000000Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "d",
            "-7d",
            "7 d",
            "7y",
            "yesterday",
            "2026-02-30",
            "99999999999999999999d",
            "9999999d",
            "é",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        assert!(parse_age("2026-01-31").is_err());
        assert_eq!(parse_age(" 7d "), Ok(Moment::Ago(604_800)));
    }
}
