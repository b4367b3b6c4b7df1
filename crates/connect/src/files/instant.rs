//! ISO 8601 dates and timestamps, as files write them. What is accepted here comes out of the warehouse as the same instant.

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Returns the days since 1970-01-01 of `YYYY-MM-DD`.
pub(crate) fn parse_date(cell: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = cell else {
        return None;
    };
    let year = pair(*y1, *y2)? * 100 + pair(*y3, *y4)?;
    let (month, day) = (pair(*m1, *m2)?, pair(*d1, *d2)?);
    let valid =
        year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= month_days(year, month);
    valid.then(|| days_from_civil(year, month, day))
}

/// Returns the microseconds since 1970-01-01 of `YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]]`, and whether a zone (`Z`, `±HH`,
/// `±HHMM`, `±HH:MM`) made it an instant.
pub(crate) fn parse_timestamp(cell: &[u8]) -> Option<(i64, bool)> {
    let (date, rest) = cell.split_at_checked(10)?;
    let [b' ' | b'T', h1, h2, b':', m1, m2, rest @ ..] = rest else {
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
    let offset = match rest {
        [] => None,
        rest => Some(zone(rest)?),
    };
    let seconds = i64::from(parse_date(date)?) * SECONDS_PER_DAY
        + i64::from(hour * 3600 + minute * 60 + second)
        - offset.unwrap_or(0);
    Some((seconds * MICROS_PER_SECOND + micros, offset.is_some()))
}

/// Returns the microseconds of one to six digits, and what follows them. A seventh digit would be lost, so it is refused.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (digits, rest) = rest.split_at_checked(end)?;
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    let read = digits
        .iter()
        .fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
    Some(((digits.len()..6).fold(read, |value, _| value * 10), rest))
}

/// Returns the seconds east of Greenwich.
fn zone(rest: &[u8]) -> Option<i64> {
    let (sign, hours, minutes) = match rest {
        b"Z" => return Some(0),
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
    let seconds = i64::from(hours * 3600 + minutes * 60);
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[inline]
fn pair(tens: u8, ones: u8) -> Option<i32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i32::from(tens) * 10 + i32::from(ones))
}

fn month_days(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in eras of 400 years that start on 1 March, so that the leap day comes last.
fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
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
        check("1900-02-29", None);
        check("0000-01-01", None);
        check("2024-04-31", None);
        check("2024-1-01", None);
    }

    #[test]
    fn timestamps_are_exact_to_the_microsecond() {
        let check =
            |text: &str, expect| assert_eq!(parse_timestamp(text.as_bytes()), expect, "{text}");
        check("1970-01-01 00:00:01", Some((1_000_000, false)));
        check("1970-01-01T00:01", Some((60_000_000, false)));
        check("1970-01-01 00:00:00.5", Some((500_000, false)));
        check("1970-01-01 00:00:00.000001", Some((1, false)));
        check("1970-01-01 00:00:00.0000001", None);
        check("1970-01-01 00:00:00.", None);
        check("1970-01-01 01:00:00+01:00", Some((0, true)));
        check("1970-01-01T00:00:00-0130", Some((5_400_000_000, true)));
        check("1970-01-01T00:00:00+02", Some((-7_200_000_000, true)));
        check("1970-01-01T00:00:00Z", Some((0, true)));
        check("1970-01-01T00:00:00z", None);
        check("1970-01-01 23:59:60", None);
        check("1970-01-01 00:00:00 UTC", None);
        check("1970-01-01_00:00:00", None);
    }
}
