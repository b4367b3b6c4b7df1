//! PostgreSQL's binary `numeric`: base-10000 digits with a weight, as `numeric_send` writes them.

/// What a binary numeric holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// The value times ten to the scale that was asked for.
    Exact(i128),
    /// `NaN`, `Infinity` or `-Infinity`.
    Special(&'static str),
    /// A value that the scale or the precision cannot hold, or bytes that are no numeric.
    Unfit,
}

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const POSITIVE_INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;
/// So many digits of base 10000 fit 64 bits.
const DIGITS_SHORT: usize = 4;

/// Ten to the powers 0 to 38.
const POWERS: [i128; 39] = {
    let mut powers = [1_i128; 39];
    let mut at = 1;
    while at < 39 {
        #[expect(
            clippy::indexing_slicing,
            reason = "a constant's own bounds are checked when it is built"
        )]
        {
            powers[at] = powers[at - 1] * 10;
        }
        at += 1;
    }
    powers
};

/// Decodes `bytes` for a decimal of `precision` digits, `scale` of them behind the point.
#[inline]
pub(super) fn decode(bytes: &[u8], precision: u8, scale: u8) -> Number {
    let Some((&[n1, n2, w1, w2, s1, s2, _, _], mut digits)) = bytes.split_first_chunk::<8>() else {
        return Number::Unfit;
    };
    let sign = u16::from_be_bytes([s1, s2]);
    match sign {
        0 | NEGATIVE => {}
        NAN => return Number::Special("NaN"),
        POSITIVE_INFINITY => return Number::Special("Infinity"),
        NEGATIVE_INFINITY => return Number::Special("-Infinity"),
        _ => return Number::Unfit,
    }
    let count = usize::from(u16::from_be_bytes([n1, n2]));
    if digits.len() != count * 2 {
        return Number::Unfit;
    }
    let weight = i32::from(i16::from_be_bytes([w1, w2]));
    let exponent = (weight + 1 - i32::from(i16::from_be_bytes([n1, n2]))) * 4 + i32::from(scale);
    let is_negative = sign == NEGATIVE;
    if count <= DIGITS_SHORT {
        return short(digits, exponent, is_negative, precision);
    }
    let mut value = 0_i128;
    while let Some((&digit, rest)) = digits.split_first_chunk::<2>() {
        let digit = i128::from(i16::from_be_bytes(digit));
        match value
            .checked_mul(10_000)
            .and_then(|value| value.checked_add(digit))
        {
            Some(next) => value = next,
            None if rest.is_empty() => return wide(value, digit, exponent, is_negative, precision),
            None => return Number::Unfit,
        }
        digits = rest;
    }
    fit(value, exponent, is_negative, precision)
}

/// Decodes up to four digits, which is nearly every value there is, without dividing 128 bits.
#[inline]
fn short(mut digits: &[u8], exponent: i32, is_negative: bool, precision: u8) -> Number {
    let mut value = 0_i64;
    while let Some((&digit, rest)) = digits.split_first_chunk::<2>() {
        value = value * 10_000 + i64::from(i16::from_be_bytes(digit));
        digits = rest;
    }
    // A digit has at most three decimals too many, and none of them may count.
    let (value, exponent) = match exponent {
        -1 if value % 10 == 0 => (value / 10, 0),
        -2 if value % 100 == 0 => (value / 100, 0),
        -3 if value % 1_000 == 0 => (value / 1_000, 0),
        _ => (value, exponent),
    };
    fit(i128::from(value), exponent, is_negative, precision)
}

#[inline]
fn fit(value: i128, exponent: i32, is_negative: bool, precision: u8) -> Number {
    let power = |exponent: u32| {
        POWERS
            .get(usize::try_from(exponent).unwrap_or(usize::MAX))
            .copied()
    };
    let scaled = if value == 0 || exponent == 0 {
        Some(value)
    } else if exponent > 0 {
        power(exponent.unsigned_abs()).and_then(|power| value.checked_mul(power))
    } else {
        power(exponent.unsigned_abs())
            .filter(|power| value % power == 0)
            .map(|power| value / power)
    };
    let limit = POWERS
        .get(usize::from(precision))
        .copied()
        .unwrap_or_default();
    match scaled {
        Some(scaled) if scaled < limit => Number::Exact(if is_negative { -scaled } else { scaled }),
        _ => Number::Unfit,
    }
}

/// Joins `last` to `value`, when the zeros that fill the last digit up are what does not fit 128 bits: 38 digits that do not
/// begin at a boundary of four take eleven digits of base 10000.
#[cold]
fn wide(value: i128, last: i128, exponent: i32, is_negative: bool, precision: u8) -> Number {
    let power = match exponent {
        -1 => 10,
        -2 => 100,
        -3 => 1_000,
        _ => return Number::Unfit,
    };
    let joined = value
        .checked_mul(10_000 / power)
        .and_then(|value| value.checked_add(last / power));
    match joined {
        Some(joined) if last % power == 0 => fit(joined, 0, is_negative, precision),
        _ => Number::Unfit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodes as the server does: decimal text to base-10000 digits without leading and trailing zeros.
    fn encode(text: &str) -> Vec<u8> {
        let (sign, text) = text
            .strip_prefix('-')
            .map_or((0_u16, text), |text| (NEGATIVE, text));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = format!(
            "{:0>width$}",
            whole,
            width = whole.len().next_multiple_of(4)
        );
        let fraction = format!(
            "{:0<width$}",
            fraction,
            width = fraction.len().next_multiple_of(4)
        );
        let all = format!("{whole}{fraction}");
        let mut digits: Vec<i16> = (0..all.len())
            .step_by(4)
            .map(|at| all[at..at + 4].parse().expect("digits"))
            .collect();
        let mut weight = i16::try_from(whole.len() / 4).expect("short") - 1;
        while digits.first() == Some(&0) {
            digits.remove(0);
            weight -= 1;
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        let mut bytes = Vec::new();
        bytes.extend(i16::try_from(digits.len()).expect("short").to_be_bytes());
        bytes.extend(weight.to_be_bytes());
        bytes.extend(sign.to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(digits.iter().flat_map(|digit| digit.to_be_bytes()));
        bytes
    }

    #[test]
    fn numbers_are_decoded_exactly_or_not_at_all() {
        let check = |text: &str, precision, scale, expect| {
            assert_eq!(decode(&encode(text), precision, scale), expect, "{text}");
        };
        check("0", 10, 2, Number::Exact(0));
        check("1.5", 10, 2, Number::Exact(150));
        check("-12345.67", 10, 2, Number::Exact(-1_234_567));
        check("0.0001", 10, 4, Number::Exact(1));
        check("0.0001", 10, 3, Number::Unfit);
        check("100000000", 9, 0, Number::Exact(100_000_000));
        check("100000000", 8, 0, Number::Unfit);
        check(
            "99999999999999999999999999999999999999",
            38,
            0,
            Number::Exact(POWERS[38] - 1),
        );
        check(
            "-99999999999999999999999999999999999999",
            38,
            0,
            Number::Exact(1 - POWERS[38]),
        );
        check(
            "9999999999999999999999999999999999999.9",
            38,
            1,
            Number::Exact(POWERS[38] - 1),
        );
        check(
            "999999999999999999999999999999999999.99",
            38,
            2,
            Number::Exact(POWERS[38] - 1),
        );
        check(
            "99999999999999999999999999999999999.999",
            38,
            3,
            Number::Exact(POWERS[38] - 1),
        );
        check(
            "0.99999999999999999999999999999999999999",
            38,
            38,
            Number::Exact(POWERS[38] - 1),
        );
        check(
            "100000000000000000000000000000000000000",
            38,
            0,
            Number::Unfit,
        );
        check(
            "9999999999999999999999999999999999999999999999",
            38,
            0,
            Number::Unfit,
        );
    }

    #[test]
    fn what_is_no_number_is_told_apart() {
        let special = |sign: u16| decode(&[0, 0, 0, 0, (sign >> 8) as u8, 0, 0, 0], 10, 2);
        assert_eq!(special(NAN), Number::Special("NaN"));
        assert_eq!(special(POSITIVE_INFINITY), Number::Special("Infinity"));
        assert_eq!(special(NEGATIVE_INFINITY), Number::Special("-Infinity"));
        assert_eq!(special(0x1000), Number::Unfit);
        for bytes in [
            &[][..],
            &[0; 7],
            &[0, 1, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(decode(bytes, 10, 2), Number::Unfit);
        }
    }
}
