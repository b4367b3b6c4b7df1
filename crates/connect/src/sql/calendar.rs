//! Days and microseconds since 1970 and their written forms, in the proleptic Gregorian calendar that both databases use.

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(super) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Returns the days from 1970-01-01 to a date of year `year` (0 is 1 BC), month and day. Years are counted from March, so
/// that the leap day is a year's last (Howard Hinnant, "chrono-compatible low-level date algorithms").
pub(super) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Returns the year (0 is 1 BC), month and day `days` after 1970-01-01.
pub(super) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
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

/// Writes a date as both databases do, with PostgreSQL's ` BC`.
pub(super) fn write_date(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    let (shown, era) = if year > 0 {
        (year, "")
    } else {
        (1 - year, " BC")
    };
    format!("{shown:04}-{month:02}-{day:02}{era}")
}

/// Writes the instant `micros` after 1970-01-01 00:00 with `zone` behind it, without a fraction when there is none.
pub(super) fn write_timestamp(micros: i128, zone: &str) -> String {
    let day = i128::from(MICROS_PER_DAY);
    // Both fit: a day's microseconds by definition, and no database has dates beyond 10^8 days.
    let days = i64::try_from(micros.div_euclid(day)).unwrap_or_default();
    let rest = i64::try_from(micros.rem_euclid(day)).unwrap_or_default();
    let (seconds, fraction) = (rest / MICROS_PER_SECOND, rest % MICROS_PER_SECOND);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let date = write_date(days);
    let (date, era) = date
        .strip_suffix(" BC")
        .map_or((date.as_str(), ""), |date| (date, " BC"));
    let fraction = if fraction == 0 {
        String::new()
    } else {
        format!(".{fraction:06}")
    };
    format!("{date} {hour:02}:{minute:02}:{second:02}{fraction}{zone}{era}")
}

/// Returns whether a date so many days after 1970-01-01 has a year of four digits, which every database reads back.
pub(super) const fn is_common(days: i64) -> bool {
    const FIRST: i64 = days_from_civil(1, 1, 1);
    const LAST: i64 = days_from_civil(9999, 12, 31);
    FIRST <= days && days <= LAST
}

/// Reads `YYYY-MM-DD` of the years 1 to 9999; `None` for anything else, dates that no calendar has among it.
pub(super) fn read_date(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return None;
    };
    let (year, month, day) = (
        number(&[y1, y2, y3, y4])?,
        number(&[m1, m2])?,
        number(&[d1, d2])?,
    );
    if year == 0 || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let days = days_from_civil(year, month, day);
    // A day that the month does not have lands in the next one.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// Reads `YYYY-MM-DD HH:MM:SS[.ffffff]` as microseconds.
pub(super) fn read_timestamp(text: &[u8]) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let (separator, time) = time.split_first()?;
    let micros = read_time(time).filter(|_| matches!(separator, b' ' | b'T'))?;
    Some(read_date(date)? * MICROS_PER_DAY + micros)
}

/// Reads `HH:MM:SS[.ffffff]` of one day as microseconds.
pub(super) fn read_time(text: &[u8]) -> Option<i64> {
    let (clock, fraction) = text.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = *clock else {
        return None;
    };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let micros = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=6).contains(&digits.len()) => {
            let missing = u32::try_from(6 - digits.len()).ok()?;
            number(digits)? * 10_i64.pow(missing)
        }
        _ => return None,
    };
    Some(((hour * 60 + minute) * 60 + second) * MICROS_PER_SECOND + micros)
}

/// Reads a few digits; longer text than any part of a date is not asked for.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + i64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn instants_are_written_as_the_databases_write_them() {
        let check = |micros: i128, expect: &str| assert_eq!(write_timestamp(micros, "+00"), expect);
        check(0, "1970-01-01 00:00:00+00");
        check(-1, "1969-12-31 23:59:59.999999+00");
        check(1_700_000_000_123_456, "2023-11-14 22:13:20.123456+00");
        check(
            -62_135_596_800_000_000 - 1_000_000,
            "0001-12-31 23:59:59+00 BC",
        );
        check(9_224_318_015_999_999_999, "294276-12-31 23:59:59.999999+00");
    }

    #[test]
    fn dates_that_no_calendar_has_are_not_read() {
        for text in [
            "0000-00-00",
            "2024-00-10",
            "2024-02-30",
            "0000-05-01",
            "2024-13-01",
            "24-1-1",
            "",
        ] {
            assert_eq!(read_date(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read_date(b"2024-02-29"), Some(days_from_civil(2024, 2, 29)));
        assert!(is_common(0) && !is_common(-800_000) && !is_common(3_000_000));
    }

    #[test]
    fn times_are_read_with_and_without_a_fraction() {
        let check = |text: &str, expect| assert_eq!(read_time(text.as_bytes()), expect, "{text}");
        check("23:59:59.999999", Some(MICROS_PER_DAY - 1));
        check("00:00:01.5", Some(1_500_000));
        check("24:00:00", None);
        check("-01:00:00", None);
        check("838:59:59", None);
        check("00:00:00.", None);
        assert_eq!(
            read_timestamp(b"1970-01-02 00:00:00.000001"),
            Some(MICROS_PER_DAY + 1)
        );
        assert_eq!(read_timestamp(b"1970-01-02"), None);
    }
}
