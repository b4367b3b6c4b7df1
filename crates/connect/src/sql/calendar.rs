//! Days and microseconds since 1970 and their written forms, in the proleptic Gregorian calendar that both databases use.

use domain::calendar::{
    MICROS_PER_DAY, MICROS_PER_SECOND, civil_from_days, days_from_civil, parse_date,
    parse_timestamp,
};

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
    parse_date(text).map(i64::from)
}

/// Reads `YYYY-MM-DD HH:MM:SS[.ffffff]` as microseconds; a zone is no part of a value of these databases.
pub(super) fn read_timestamp(text: &[u8]) -> Option<i64> {
    let instant = parse_timestamp(text)?;
    (!instant.has_zone).then_some(instant.micros)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn timestamps_have_a_time_and_no_zone() {
        let check = |text: &str, expect| {
            assert_eq!(read_timestamp(text.as_bytes()), expect, "{text}");
        };
        check("1970-01-02 00:00:00.000001", Some(MICROS_PER_DAY + 1));
        check(
            "1970-01-02 23:59:59",
            Some(2 * MICROS_PER_DAY - MICROS_PER_SECOND),
        );
        check("1970-01-02", None);
        check("1970-01-02 24:00:00", None);
        check("1970-01-02 00:00:00+01", None);
    }
}
