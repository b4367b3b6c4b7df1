//! What a cell of a delimited file says: its class in the first pass, its value in the second. Both passes use the same
//! parsers, so a type that was decided over the whole file fits every cell of it.

use domain::calendar::{parse_date, parse_timestamp};

/// What a cell can be. Text is whatever no other class reproduces exactly: leading zeros, exponents, thousands
/// separators, a sign `+`, more digits than a decimal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Text,
    Boolean,
    /// Fits 64 bits; `digits` counts without the sign.
    Integer {
        digits: u8,
    },
    /// `whole` digits before the point (0 for `0.5`) and `scale` behind it.
    Decimal {
        whole: u8,
        scale: u8,
    },
    Date,
    Timestamp,
    TimestampTz,
}

/// Digits that always fit 64 bits.
const DIGITS_SAFE: usize = 18;
/// Digits of the widest decimal.
const DIGITS_MAX: usize = 38;

/// Returns what `cell` is.
pub(crate) fn classify(cell: &[u8]) -> Class {
    match cell.first() {
        Some(b'0'..=b'9') if cell.get(4) == Some(&b'-') => classify_instant(cell),
        Some(b'0'..=b'9' | b'-' | b'.') => classify_number(cell),
        Some(b't' | b'T' | b'f' | b'F') if parse_boolean(cell).is_some() => Class::Boolean,
        _ => Class::Text,
    }
}

fn classify_instant(cell: &[u8]) -> Class {
    if cell.len() == 10 {
        return parse_date(cell).map_or(Class::Text, |_| Class::Date);
    }
    match parse_timestamp(cell) {
        Some(instant) if instant.has_zone => Class::TimestampTz,
        Some(_) => Class::Timestamp,
        None => Class::Text,
    }
}

fn classify_number(cell: &[u8]) -> Class {
    let Some(number) = Number::parse(cell) else {
        return Class::Text;
    };
    let (whole, scale) = (number.whole.len(), number.fraction.len());
    if scale == 0 && (whole <= DIGITS_SAFE || number.to_i64().is_some()) {
        return Class::Integer {
            digits: digits(whole),
        };
    }
    let whole = if number.whole == b"0" { 0 } else { whole };
    if whole + scale > DIGITS_MAX {
        return Class::Text;
    }
    Class::Decimal {
        whole: digits(whole),
        scale: digits(scale),
    }
}

fn digits(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

/// A number in plain notation, taken apart.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Number<'a> {
    fn parse(cell: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match cell {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let end = rest
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(rest.len());
        let (whole, rest) = rest.split_at_checked(end)?;
        let fraction = match rest {
            [] if !whole.is_empty() => rest,
            [b'.', fraction @ ..]
                if !fraction.is_empty() && fraction.iter().all(u8::is_ascii_digit) =>
            {
                fraction
            }
            _ => return None,
        };
        // `007` is an identifier, not the number 7.
        if whole.len() > 1 && whole.first() == Some(&b'0') {
            return None;
        }
        Some(Self {
            negative,
            whole,
            fraction,
        })
    }

    fn to_i64(&self) -> Option<i64> {
        let mut value = 0_i64;
        for byte in self.whole {
            // Built downwards, because the lowest number has no positive counterpart.
            value = value.checked_mul(10)?.checked_sub(i64::from(byte - b'0'))?;
        }
        if self.negative {
            Some(value)
        } else {
            value.checked_neg()
        }
    }
}

/// Returns the value of an integer cell.
pub(crate) fn parse_integer(cell: &[u8]) -> Option<i64> {
    let number = Number::parse(cell)?;
    if number.fraction.is_empty() {
        number.to_i64()
    } else {
        None
    }
}

/// Returns the unscaled value of a number cell in `DECIMAL(precision, scale)`, `None` when it does not fit exactly.
pub(crate) fn parse_decimal(cell: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let number = Number::parse(cell)?;
    let padding = usize::from(scale).checked_sub(number.fraction.len())?;
    let whole: &[u8] = if number.whole == b"0" {
        b""
    } else {
        number.whole
    };
    if whole.len() + usize::from(scale) > usize::from(precision) {
        return None;
    }
    let all = || whole.iter().chain(number.fraction);
    let value = if whole.len() + usize::from(scale) <= DIGITS_SAFE {
        let read = all().fold(0_i64, |value, byte| value * 10 + i64::from(byte - b'0'));
        i128::from((0..padding).fold(read, |value, _| value * 10))
    } else {
        let read = all().fold(0_i128, |value, byte| value * 10 + i128::from(byte - b'0'));
        (0..padding).fold(read, |value, _| value * 10)
    };
    Some(if number.negative { -value } else { value })
}

/// Returns the value of a boolean cell: `true` or `false` in any case.
pub(crate) fn parse_boolean(cell: &[u8]) -> Option<bool> {
    if cell.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if cell.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Class::*;
    use super::*;

    #[test]
    fn cells_are_classified_by_what_reproduces_them() {
        let check =
            |cell: &str, expect: Class| assert_eq!(classify(cell.as_bytes()), expect, "{cell}");
        check("0", Integer { digits: 1 });
        check("-12", Integer { digits: 2 });
        check("9223372036854775807", Integer { digits: 19 });
        check("-9223372036854775808", Integer { digits: 19 });
        check(
            "9223372036854775808",
            Decimal {
                whole: 19,
                scale: 0,
            },
        );
        check(
            "12345678901234567890",
            Decimal {
                whole: 20,
                scale: 0,
            },
        );
        check(
            &"9".repeat(38),
            Decimal {
                whole: 38,
                scale: 0,
            },
        );
        check(&"9".repeat(39), Text);
        check("10.75", Decimal { whole: 2, scale: 2 });
        check("0.75", Decimal { whole: 0, scale: 2 });
        check("-.5", Decimal { whole: 0, scale: 1 });
        check(
            &format!("0.{}", "1".repeat(38)),
            Decimal {
                whole: 0,
                scale: 38,
            },
        );
        check(&format!("1.{}", "1".repeat(38)), Text);
        check("true", Boolean);
        check("FALSE", Boolean);
        check("2024-02-29", Date);
        check("2024-02-29 10:00:00", Timestamp);
        check("2024-02-29T10:00:00Z", TimestampTz);
        for text in [
            "007",
            "-01",
            "00.5",
            "5.",
            ".",
            "-",
            "+3",
            "1e5",
            "1E5",
            "0x10",
            "1,234",
            "1 000",
            " 1",
            "1 ",
            "t",
            "yes",
            "truely",
            "NaN",
            "inf",
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "1234-5",
            "10:30",
            "2024-02-29 24:00:00",
            "٣",
            "1_000",
            "--1",
            "-true",
        ] {
            check(text, Text);
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        let check = |cell: &str, precision, scale, expect| {
            assert_eq!(
                parse_decimal(cell.as_bytes(), precision, scale),
                expect,
                "{cell}"
            );
        };
        check("10.75", 4, 2, Some(1075));
        check("3", 4, 2, Some(300));
        check("-.5", 4, 2, Some(-50));
        check("0.05", 2, 2, Some(5));
        check("100", 4, 2, None);
        check("0.005", 4, 2, None);
        check(
            "12345678901234567890.5",
            22,
            2,
            Some(1_234_567_890_123_456_789_050),
        );
        check(&"9".repeat(38), 38, 0, Some(10_i128.pow(38) - 1));
    }
}
