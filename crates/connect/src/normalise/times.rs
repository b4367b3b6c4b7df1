//! ISO 8601 timestamps, as dlt recognises them: a text that is a full date and time becomes an instant.

use chrono::{Datelike, NaiveDate, NaiveTime};

/// A date and time of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Microseconds since 1970-01-01; of UTC, where the text has no zone.
    pub(crate) micros: i64,
    pub(crate) has_zone: bool,
}

/// Returns the instant `text` says: `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.ffffff]]`, then nothing, `Z` or `±HH[:]MM`.
/// `None` for everything else, a date alone and digits beyond microseconds included: they would be lost.
pub(crate) fn timestamp(text: &str) -> Option<Instant> {
    let (day, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix(['T', ' ', 't'])?;
    let day = date(day)?;
    let (clock, offset_minutes) = split_zone(rest)?;
    let micros = time(clock)?;
    let local = i64::from(day)
        .checked_mul(86_400_000_000)?
        .checked_add(micros)?;
    let micros = local.checked_sub(offset_minutes.unwrap_or(0) * 60_000_000)?;
    Some(Instant {
        micros,
        has_zone: offset_minutes.is_some(),
    })
}

/// Returns the days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn date(text: &str) -> Option<i32> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = digits(text.get(..4)?)?;
    let day = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        digits(text.get(5..7)?)?,
        digits(text.get(8..)?)?,
    )?;
    // Days from the common era's first, minus those of 1970-01-01.
    Some(day.num_days_from_ce() - 719_163)
}

/// Returns the microseconds since midnight of `HH:MM[:SS[.ffffff]]`.
pub(crate) fn time(text: &str) -> Option<i64> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if clock.len() == 8 => (clock, fraction),
        Some(_) => return None,
        None => (text, "0"),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (pair(parts.next()?)?, pair(parts.next()?)?);
    let second = parts.next().map_or(Some(0), pair)?;
    if parts.next().is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hour, minute, second)?;
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(seconds * 1_000_000 + fraction_micros(fraction)?)
}

/// Returns the microseconds of the digits after the point; `None` when they say more than microseconds.
fn fraction_micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 12 {
        return None;
    }
    let mut micros = 0;
    for index in 0..fraction.len().max(6) {
        let digit = match fraction.as_bytes().get(index) {
            Some(byte @ b'0'..=b'9') => i64::from(byte - b'0'),
            Some(_) => return None,
            None => 0,
        };
        match index {
            0..6 => micros = micros * 10 + digit,
            _ if digit != 0 => return None,
            _ => {}
        }
    }
    Some(micros)
}

/// Splits the zone off a time; the offset is in minutes.
fn split_zone(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, Some(0)));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, None));
    };
    let (clock, zone) = text.split_at_checked(at)?;
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = match zone.len() {
        2 => (zone, "00"),
        4 => zone.split_at_checked(2)?,
        5 => zone.split_once(':')?,
        _ => return None,
    };
    let (hours, minutes) = (pair(hours)?, pair(minutes)?);
    if hours > 15 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes);
    Some((clock, Some(if sign == "-" { -offset } else { offset })))
}

fn pair(text: &str) -> Option<u32> {
    if text.len() == 2 { digits(text) } else { None }
}

fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn full_timestamps_become_instants_and_nothing_else_does() {
        let check = |text: &str, expect: Option<&str>| {
            let expect = expect.map(|e| {
                DateTime::parse_from_rfc3339(e)
                    .expect("test")
                    .timestamp_micros()
            });
            assert_eq!(timestamp(text).map(|t| t.micros), expect, "{text}");
        };
        check("2024-03-01T10:20:30Z", Some("2024-03-01T10:20:30Z"));
        check("2024-03-01 10:20:30.5", Some("2024-03-01T10:20:30.5Z"));
        check("2024-03-01T10:20", Some("2024-03-01T10:20:00Z"));
        check(
            "2024-03-01T10:20:30.123456+02:00",
            Some("2024-03-01T08:20:30.123456Z"),
        );
        check("2024-03-01T10:20:30-0530", Some("2024-03-01T15:50:30Z"));
        check(
            "2024-03-01T10:20:30.123456000Z",
            Some("2024-03-01T10:20:30.123456Z"),
        );
        check("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z"));
        for other in [
            "2024-03-01",
            "2024-02-30T00:00:00Z",
            "2024-03-01T24:00:00Z",
            "2024-03-01T10:20:30.1234567Z",
            "2024-03-01T10:20:60Z",
            "hello",
            "",
            "20240301T102030Z",
            "2024-03-01T",
            "2024-03-01T10",
            "2024-03-01T10:20:30+2",
            "2024-03-01T10:20:30.Z",
            "é024-03-01T10:20:30Z",
            "2024-03-01T1:2:3Z",
            "2024-03-01T10:20:30Zjunk",
            "+024-03-01T10:20:30Z",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn a_missing_zone_is_noticed() {
        assert_eq!(
            timestamp("2024-03-01T10:20:30").map(|t| t.has_zone),
            Some(false)
        );
        assert_eq!(
            timestamp("2024-03-01T10:20:30Z").map(|t| t.has_zone),
            Some(true)
        );
    }
}
