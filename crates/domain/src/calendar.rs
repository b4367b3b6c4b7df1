//! Dates, times of day and timestamps as ISO 8601 writes them. One reading for files, APIs and databases, so that a text is
//! the same instant wherever it comes from.
//!
//! What is read says nothing beyond microseconds and is a moment of the years 1 to 9999 of the proleptic Gregorian calendar:
//! anything else is `None`, because it would come out of the warehouse as something else.

pub const MICROS_PER_SECOND: i64 = 1_000_000;
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A date and time of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// Microseconds since 1970-01-01; of UTC, where the text has no zone.
    pub micros: i64,
    pub has_zone: bool,
}

/// Returns the days since 1970-01-01 of `YYYY-MM-DD`.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let year = pair(*y1, *y2)? * 100 + pair(*y3, *y4)?;
    let (month, day) = (pair(*m1, *m2)?, pair(*d1, *d2)?);
    let valid =
        year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= month_days(year, month);
    if !valid {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

/// Returns the microseconds since midnight of `HH:MM[:SS[.ffffff]]`.
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let (micros, rest) = split_time(text)?;
    rest.is_empty().then_some(micros)
}

/// Returns the instant of `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.ffffff]]`, then nothing, `Z`, `±HH`, `±HHMM` or `±HH:MM`.
pub fn parse_timestamp(text: &[u8]) -> Option<Instant> {
    let (date, rest) = text.split_at_checked(10)?;
    let [b' ' | b'T' | b't', time @ ..] = rest else {
        return None;
    };
    let (micros, rest) = split_time(time)?;
    let offset = match rest {
        [] => None,
        rest => Some(zone(rest)?),
    };
    let days = i64::from(parse_date(date)?);
    Some(Instant {
        micros: days * MICROS_PER_DAY + micros - offset.unwrap_or(0) * MICROS_PER_SECOND,
        has_zone: offset.is_some(),
    })
}

/// Returns the days from 1970-01-01 to a date of year `year` (0 is 1 BC), month and day. Years are counted from March, so
/// that the leap day is a year's last (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns the year (0 is 1 BC), month and day `days` after 1970-01-01.
pub const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Reads `HH:MM[:SS[.ffffff]]` off the front: its microseconds, and what follows.
fn split_time(text: &[u8]) -> Option<(i64, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else {
        return None;
    };
    let (hour, minute) = (pair(*h1, *h2)?, pair(*m1, *m2)?);
    let (second, micros, rest) = match rest {
        [b':', s1, s2, b'.', rest @ ..] => {
            let (micros, rest) = fraction(rest)?;
            (pair(*s1, *s2)?, micros, rest)
        }
        [b':', s1, s2, rest @ ..] => (pair(*s1, *s2)?, 0, rest),
        rest => (0, 0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second;
    Some((seconds * MICROS_PER_SECOND + micros, rest))
}

/// Returns the microseconds of the digits behind the point, and what follows them. Beyond the sixth only zeros are taken:
/// another digit would be lost.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let (micros, beyond) = digits.split_at_checked(6).unwrap_or((digits, b""));
    if digits.is_empty() || beyond.iter().any(|digit| *digit != b'0') {
        return None;
    }
    let read = micros
        .iter()
        .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(((micros.len()..6).fold(read, |value, _| value * 10), rest))
}

/// Returns the seconds east of Greenwich.
fn zone(text: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match text {
        b"Z" | b"z" => return Some(0),
        [sign, h1, h2] => (sign, pair(*h1, *h2)?, 0),
        [sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] => {
            (sign, pair(*h1, *h2)?, pair(*m1, *m2)?)
        }
        _ => return None,
    };
    // The widest offset that any zone ever had is below 16 hours.
    if hours > 15 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

const fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970() {
        let check = |text: &str, expect| assert_eq!(parse_date(text.as_bytes()), expect, "{text}");
        check("1970-01-01", Some(0));
        check("1969-12-31", Some(-1));
        check("2000-02-29", Some(11_016));
        check("0001-01-01", Some(-719_162));
        check("9999-12-31", Some(2_932_896));
        for other in [
            "1900-02-29",
            "0000-01-01",
            "0000-00-00",
            "2024-00-10",
            "2024-13-01",
            "2024-04-31",
            "2024-1-01",
            "24-1-1",
            "20240301",
            "",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn dates_and_days_are_each_others_inverse() {
        for days in (-2_000_000..3_000_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(
            days_from_civil(2000, 2, 29) + 1,
            days_from_civil(2000, 3, 1)
        );
    }

    #[test]
    fn times_are_read_with_and_without_seconds_and_fraction() {
        let check = |text: &str, expect| assert_eq!(parse_time(text.as_bytes()), expect, "{text}");
        check("23:59:59.999999", Some(MICROS_PER_DAY - 1));
        check("00:00:01.5", Some(1_500_000));
        check("00:01", Some(60_000_000));
        for other in [
            "24:00:00",
            "00:60",
            "-01:00:00",
            "838:59:59",
            "00:00:00.",
            "00:01.5",
            "1:2:3",
            "00:00:00Z",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn timestamps_are_exact_to_the_microsecond() {
        let check = |text: &str, expect: Option<(i64, bool)>| {
            let read = parse_timestamp(text.as_bytes());
            assert_eq!(read.map(|at| (at.micros, at.has_zone)), expect, "{text}");
        };
        check("1970-01-01 00:00:01", Some((1_000_000, false)));
        check("1970-01-01T00:01", Some((60_000_000, false)));
        check("1970-01-01 00:00:00.5", Some((500_000, false)));
        check("1970-01-01 00:00:00.000001", Some((1, false)));
        check("1970-01-01 00:00:00.000001000", Some((1, false)));
        check("1970-01-01 01:00:00+01:00", Some((0, true)));
        check("1970-01-01T00:00:00-0130", Some((5_400_000_000, true)));
        check("1970-01-01T00:00:00+02", Some((-7_200_000_000, true)));
        check("1970-01-01T00:00:00Z", Some((0, true)));
        check("1970-01-01t00:00:00z", Some((0, true)));
        check(
            "2024-03-01T10:20:30.123456+02:00",
            Some((1_709_281_230_123_456, true)),
        );
        check(
            "0001-01-01T00:00:00Z",
            Some((-719_162 * MICROS_PER_DAY, true)),
        );
        for other in [
            "1970-01-01 00:00:00.0000001",
            "1970-01-01 00:00:00.0000010001",
            "1970-01-01 00:00:00.",
            "1970-01-01 00:00:00.Z",
            "1970-01-01 23:59:60",
            "1970-01-01 24:00:00",
            "1970-01-01 00:00:00 UTC",
            "1970-01-01_00:00:00",
            "1970-01-01T1:2:3Z",
            "1970-01-01T10",
            "1970-01-01T",
            "1970-01-01",
            "1970-02-30T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "1970-01-01T00:00:00+2",
            "1970-01-01T00:00:00+16:00",
            "1970-01-01T00:00:00Zjunk",
            "19700101T000000Z",
            "+970-01-01T00:00:00Z",
            "é970-01-01T00:00:00Z",
            "hello",
            "",
        ] {
            check(other, None);
        }
    }
}
