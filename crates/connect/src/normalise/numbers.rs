//! Numbers as JSON writes them: which of our types holds one exactly.
//!
//! JSON's grammar has no types, so the text decides: without a point or exponent it is an integer; with one it is a double
//! only if the double's shortest form says the same number, because money must not drift.

use domain::column::DECIMAL_PRECISION_MAX;
use std::fmt::Write as _;

/// Every decimal with this many significant digits survives the way into a double and back (IEEE 754 binary64).
const DOUBLE_DIGITS_SAFE: usize = 15;
/// Decimal exponents within which the above holds: no overflow, no subnormal.
const DOUBLE_EXPONENT_SAFE: u64 = 290;
/// Beyond this no type of ours holds a number, and no sum of exponents overflows; such a number is kept as it was written.
const EXPONENT_MAX: u64 = 1_000_000;

/// A number of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Integer(i64),
    /// A double that says exactly what the text says.
    Double(f64),
    /// An integer beyond 64 bits.
    Big,
    /// A fraction that no double holds.
    Inexact,
}

/// Returns what `text`, a number by JSON's grammar, is.
pub(super) fn classify(text: &str) -> Number {
    if !text.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return text.parse().map_or(Number::Big, Number::Integer);
    }
    let Some(digits) = Digits::parse(text) else {
        return Number::Inexact;
    };
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() && digits.is_double(double) => Number::Double(double),
        _ => Number::Inexact,
    }
}

/// Returns `text` as an integer of `DECIMAL(precision, scale)`, `None` when it does not fit exactly.
pub(super) fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let digits = Digits::parse(text)?;
    let (first, count) = (digits.first, i64::try_from(digits.count).ok()?);
    // The exponent of the last significant digit must not lie behind the scale.
    let zeros = first - count + 1 + i64::from(scale);
    if digits.count == 0 {
        return Some(0);
    }
    let total = count.checked_add(zeros)?;
    if zeros < 0 || total > i64::from(precision.min(DECIMAL_PRECISION_MAX)) {
        return None;
    }
    let unscaled = digits
        .iter()
        .fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let value = unscaled * 10_i128.checked_pow(u32::try_from(zeros).ok()?)?;
    Some(if digits.negative { -value } else { value })
}

/// Integers up to here are doubles whose shortest form says the same digits; beyond, neighbours share a double.
const SAFE_INTEGER_MAX: u64 = 1 << 53;

/// Returns `integer` as a double, `None` when the double would say something else.
pub(super) fn exact_double(integer: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "exact up to the limit")]
    let double = integer as f64;
    (integer.unsigned_abs() <= SAFE_INTEGER_MAX).then_some(double)
}

/// Returns `double` as an integer, `None` when it is none, or so large that its digits are not those it was written with.
pub(super) fn exact_integer(double: f64) -> Option<i64> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole and small, checked below"
    )]
    let integer = double as i64;
    (double.fract() == 0.0 && integer.unsigned_abs() <= SAFE_INTEGER_MAX).then_some(integer)
}

/// The significant digits of a decimal number and where they stand.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// Zeros before the first significant digit.
    skipped: usize,
    /// Significant digits, without leading and trailing zeros.
    count: usize,
    /// The power of ten of the first significant digit.
    first: i64,
}

impl<'a> Digits<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        if exponent.unsigned_abs() > EXPONENT_MAX {
            return None;
        }
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (whole, fraction) = (whole.as_bytes(), fraction.as_bytes());
        let all = || whole.iter().chain(fraction);
        let skipped = all().take_while(|digit| **digit == b'0').count();
        let trailing = all().rev().take_while(|digit| **digit == b'0').count();
        let count = (whole.len() + fraction.len()).saturating_sub(skipped + trailing);
        let first = i64::try_from(whole.len()).ok()? - 1 - i64::try_from(skipped).ok()?;
        let first = first.checked_add(exponent)?;
        Some(Self {
            negative,
            whole,
            fraction,
            skipped,
            count,
            first,
        })
    }

    fn iter(&self) -> impl Iterator<Item = u8> {
        self.whole
            .iter()
            .chain(self.fraction)
            .copied()
            .skip(self.skipped)
            .take(self.count)
    }

    /// Returns whether `double`, parsed from this text, is this number and not a neighbour.
    fn is_double(&self, double: f64) -> bool {
        if self.count <= DOUBLE_DIGITS_SAFE && self.first.unsigned_abs() < DOUBLE_EXPONENT_SAFE {
            return true;
        }
        let mut shortest = Shortest::default();
        if write!(shortest, "{double:e}").is_err() {
            return false;
        }
        let Some(other) = Digits::parse(shortest.as_str()) else {
            return false;
        };
        self.count == other.count
            && (self.count == 0 || self.first == other.first)
            && self.iter().eq(other.iter())
    }
}

/// A text of up to 32 bytes without an allocation; the shortest form of a double has at most 24.
#[derive(Default)]
struct Shortest {
    bytes: [u8; 32],
    length: usize,
}

impl Shortest {
    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or("")
    }
}

impl std::fmt::Write for Shortest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_of_a_number_decides_what_it_is() {
        let check = |text: &str, expect: Number| assert_eq!(classify(text), expect, "{text}");
        check("0", Number::Integer(0));
        check("-9223372036854775808", Number::Integer(i64::MIN));
        check("9223372036854775808", Number::Big);
        check("10.75", Number::Double(10.75));
        check("10.50", Number::Double(10.5));
        check("1.0", Number::Double(1.0));
        check("1E2", Number::Double(100.0));
        check("0.1", Number::Double(0.1));
        check(
            "0.30000000000000004",
            Number::Double(0.300_000_000_000_000_04),
        );
        check("0.30000000000000005", Number::Inexact);
        check("0.1000000000000000055511151231257827", Number::Inexact);
        check("12345678901234567890.5", Number::Inexact);
        check("1e400", Number::Inexact);
        check("5e-324", Number::Double(5e-324));
        check("1e-400", Number::Inexact);
        check("0.0", Number::Double(0.0));
        for huge in [
            "1e99999999999999999999",
            "1e9223372036854775807",
            "1e-9223372036854775808",
            "-0.1e-9223372036854775808",
            "100e9223372036854775807",
            "0e9223372036854775807",
            "1e1000001",
        ] {
            check(huge, Number::Inexact);
        }
    }

    #[test]
    fn decimals_take_only_what_fits_exactly() {
        let check = |text: &str, precision, scale, expect: Option<i128>| {
            assert_eq!(decimal(text, precision, scale), expect, "{text}");
        };
        check("10.75", 10, 2, Some(1075));
        check("-10.7", 10, 2, Some(-1070));
        check("10.755", 10, 2, None);
        check("1e3", 10, 2, Some(100_000));
        check("123456789", 10, 2, None);
        check(
            "18446744073709551616",
            38,
            0,
            Some(18_446_744_073_709_551_616),
        );
        check("0.00", 10, 2, Some(0));
        check("1e999999999", 38, 0, None);
        check("1e-9223372036854775808", 38, 38, None);
        check("1e9223372036854775807", 38, 0, None);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            rng_seed: proptest::test_runner::RngSeed::Fixed(7),
            ..ProptestConfig::default()
        })]

        #[test]
        fn every_double_is_exact_in_its_own_shortest_form(double in proptest::num::f64::NORMAL) {
            prop_assert_eq!(classify(&format!("{double:e}")), Number::Double(double));
        }

        #[test]
        fn integers_and_doubles_convert_only_exactly(integer in any::<i64>()) {
            if let Some(double) = exact_double(integer) {
                prop_assert_eq!(exact_integer(double).unwrap_or(i64::MAX), integer);
            }
        }
    }
}
