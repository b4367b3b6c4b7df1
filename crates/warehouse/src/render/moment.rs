//! Dates and times as text, over the engine's whole range: chrono's ends at the year 262,143, the engine's at 5,881,580.

use std::fmt::Write;

const DAY_SECONDS: i64 = 86_400;
/// How the engine stores the ends of time.
const INFINITY: &str = "infinity";
const NEGATIVE_INFINITY: &str = "-infinity";

/// A unit that instants are counted in, as a power of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Second,
    Milli,
    Micro,
    Nano,
}

impl Unit {
    const fn per_second(self) -> i64 {
        match self {
            Self::Second => 1,
            Self::Milli => 1_000,
            Self::Micro => 1_000_000,
            Self::Nano => 1_000_000_000,
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Second => 0,
            Self::Milli => 3,
            Self::Micro => 6,
            Self::Nano => 9,
        }
    }
}

/// Appends the date `days` after 1970-01-01.
pub(super) fn append_date(days: i32, out: &mut String) {
    match days {
        i32::MAX => out.push_str(INFINITY),
        days if days == -i32::MAX => out.push_str(NEGATIVE_INFINITY),
        days => append_day(i64::from(days), out),
    }
}

/// Appends the instant `count` units after 1970-01-01T00:00:00.
pub(super) fn append_timestamp(count: i64, unit: Unit, zoned: bool, out: &mut String) {
    match count {
        i64::MAX => return out.push_str(INFINITY),
        count if count == -i64::MAX => return out.push_str(NEGATIVE_INFINITY),
        _ => {}
    }
    let day_units = DAY_SECONDS * unit.per_second();
    append_day(count.div_euclid(day_units), out);
    out.push('T');
    append_time(count.rem_euclid(day_units), unit, out);
    if zoned {
        out.push('Z');
    }
}

/// Appends the time `count` units after midnight.
pub(super) fn append_time(count: i64, unit: Unit, out: &mut String) {
    let (seconds, fraction) = (count / unit.per_second(), count % unit.per_second());
    put(
        out,
        format_args!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    );
    append_fraction(fraction, unit.digits(), out);
}

/// Appends an interval as an ISO 8601 duration. Its parts are kept apart: a month is no number of days.
pub(super) fn append_interval(months: i32, days: i32, nanos: i64, out: &mut String) {
    let start = out.len();
    out.push('P');
    let mut part = |count: i64, letter: char| {
        if count != 0 {
            put(out, format_args!("{count}{letter}"));
        }
    };
    part(i64::from(months / 12), 'Y');
    part(i64::from(months % 12), 'M');
    part(i64::from(days), 'D');
    if nanos != 0 {
        out.push('T');
        let total = nanos.unsigned_abs();
        let sign = if nanos < 0 { "-" } else { "" };
        let (seconds, fraction) = (total / 1_000_000_000, total % 1_000_000_000);
        for (count, letter) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M')] {
            if count != 0 {
                put(out, format_args!("{sign}{count}{letter}"));
            }
        }
        if seconds % 60 != 0 || fraction != 0 {
            put(out, format_args!("{sign}{}", seconds % 60));
            append_fraction(i64::try_from(fraction).unwrap_or(0), 9, out);
            out.push('S');
        }
    }
    if out.len() == start + 1 {
        out.push_str("T0S");
    }
}

/// Appends `.123` without the zeros at its end; nothing when it is zero.
fn append_fraction(fraction: i64, digits: usize, out: &mut String) {
    if fraction != 0 {
        put(out, format_args!(".{fraction:0digits$}"));
        out.truncate(out.trim_end_matches('0').len());
    }
}

/// Appends the day as `YYYY-MM-DD`. The algorithm is the one of Howard Hinnant's "chrono-Compatible Low-Level Date
/// Algorithms": days are counted from a 1 March, in eras of 400 years.
fn append_day(days: i64, out: &mut String) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9_999).contains(&year) {
        put(out, format_args!("{year:04}-{month:02}-{day:02}"));
    } else {
        // ISO 8601 calls for a sign here.
        put(out, format_args!("{year:+05}-{month:02}-{day:02}"));
    }
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = out.write_fmt(arguments);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(append: impl FnOnce(&mut String)) -> String {
        let mut text = String::new();
        append(&mut text);
        text
    }

    #[test]
    fn dates_are_right_over_the_whole_range() {
        let check =
            |days: i32, expect: &str| assert_eq!(shown(|out| append_date(days, out)), expect);
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(11_016, "2000-02-29");
        check(-719_528, "0000-01-01");
        check(-719_529, "-0001-12-31");
        check(2_932_897, "+10000-01-01");
        check(2_147_483_646, "+5881580-07-10");
        check(i32::MAX, "infinity");
        check(-i32::MAX, "-infinity");
    }

    #[test]
    fn instants_and_times_keep_their_fraction() {
        let check = |count, unit, zoned, expect: &str| {
            assert_eq!(
                shown(|out| append_timestamp(count, unit, zoned, out)),
                expect
            );
        };
        check(
            1_700_000_000_123_456,
            Unit::Micro,
            true,
            "2023-11-14T22:13:20.123456Z",
        );
        check(-1, Unit::Micro, false, "1969-12-31T23:59:59.999999");
        check(1, Unit::Nano, false, "1970-01-01T00:00:00.000000001");
        check(0, Unit::Second, false, "1970-01-01T00:00:00");
        check(-i64::MAX, Unit::Micro, true, "-infinity");
        assert_eq!(
            shown(|out| append_time(86_400_000_000, Unit::Micro, out)),
            "24:00:00"
        );
    }

    #[test]
    fn intervals_keep_their_parts_apart() {
        let check = |months, days, nanos, expect: &str| {
            assert_eq!(
                shown(|out| append_interval(months, days, nanos, out)),
                expect
            );
        };
        check(14, 3, 14_706_700_000_000, "P1Y2M3DT4H5M6.7S");
        check(0, 0, 0, "PT0S");
        check(-1, 0, -500_000_000, "P-1MT-0.5S");
    }
}
