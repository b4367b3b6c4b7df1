//! The text of a value becomes a cell.

use super::super::batch::{Bad, Slot};
use super::super::calendar::{read_date, read_timestamp};
use super::super::cells::Cells;
use super::types::Wire;
use domain::calendar::parse_time;
use domain::limits::CELL_BYTES_MAX;

/// Writes one value into its column.
#[inline]
pub(super) fn cell(wire: Wire, slot: &mut Slot, row: usize, value: &[u8]) -> Result<(), Bad> {
    match (wire, &mut slot.cells) {
        (Wire::BigInt, Cells::BigInt(cells)) => cells.push(integer(value)?),
        (Wire::Decimal { precision, scale }, Cells::Decimal(cells)) => {
            cells.push(decimal(value, precision, scale)?);
        }
        (Wire::Text, Cells::Text(cells)) | (Wire::Bytes, Cells::Binary(cells)) => {
            if value.len() > CELL_BYTES_MAX {
                return Err(Bad::TooLarge);
            }
            cells.push(value);
        }
        (Wire::Double, Cells::Double(cells)) => {
            let text = std::str::from_utf8(value).map_err(|_| Bad::Unfit)?;
            cells.push(text.parse().map_err(|_| Bad::Unfit)?);
        }
        // Zero dates, days that no month has, and times that are not of a day.
        (Wire::Date, Cells::Date(cells)) => {
            match read_date(value).and_then(|days| i32::try_from(days).ok()) {
                Some(days) => cells.push(days),
                None => moved(slot, row, value),
            }
        }
        (Wire::Timestamp, Cells::Micros(cells)) => match read_timestamp(value) {
            Some(micros) => cells.push(micros),
            None => moved(slot, row, value),
        },
        (Wire::Time, Cells::Micros(cells)) => match parse_time(value) {
            Some(micros) => cells.push(micros),
            None => moved(slot, row, value),
        },
        (Wire::Bits, Cells::BigInt(cells)) => {
            cells.push(i64::try_from(bits(value)?).map_err(|_| Bad::Unfit)?);
        }
        (Wire::Bits, Cells::Decimal(cells)) => cells.push(i128::from(bits(value)?)),
        (Wire::Json, _) => return json(slot, row, value),
        _ => return Err(Bad::Unfit),
    }
    Ok(())
}

#[cold]
fn moved(slot: &mut Slot, row: usize, value: &[u8]) {
    slot.push_variant(row, String::from_utf8_lossy(value).into_owned());
}

/// Reads a whole number; leading zeros come from ZEROFILL.
fn integer(value: &[u8]) -> Result<i64, Bad> {
    let (digits, is_negative) = match value {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    if digits.is_empty() {
        return Err(Bad::Unfit);
    }
    // Counted below zero, where there is room for one more.
    let negative = digits.iter().try_fold(0_i64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_sub(digit)
    });
    let number = negative.and_then(|n| {
        if is_negative {
            Some(n)
        } else {
            n.checked_neg()
        }
    });
    number.ok_or(Bad::Unfit)
}

/// Reads a decimal that is written with all digits of its scale, or with fewer.
fn decimal(value: &[u8], precision: u8, scale: u8) -> Result<i128, Bad> {
    let (digits, is_negative) = match value {
        [b'-', digits @ ..] => (digits, true),
        digits => (digits, false),
    };
    let mut number = 0_i128;
    let mut decimals = None;
    for byte in digits {
        match byte {
            b'.' if decimals.is_none() => decimals = Some(0),
            b'0'..=b'9' => {
                let digit = i128::from(byte - b'0');
                number = number
                    .checked_mul(10)
                    .and_then(|n| n.checked_add(digit))
                    .ok_or(Bad::Unfit)?;
                decimals = decimals.map(|decimals: u32| decimals + 1);
            }
            _ => return Err(Bad::Unfit),
        }
    }
    let missing = u32::from(scale)
        .checked_sub(decimals.unwrap_or(0))
        .ok_or(Bad::Unfit)?;
    let limit = 10_i128
        .checked_pow(u32::from(precision))
        .ok_or(Bad::Unfit)?;
    let scaled = 10_i128
        .checked_pow(missing)
        .and_then(|power| number.checked_mul(power));
    let scaled = scaled
        .filter(|scaled| *scaled < limit && !digits.is_empty())
        .ok_or(Bad::Unfit)?;
    Ok(if is_negative { -scaled } else { scaled })
}

fn bits(value: &[u8]) -> Result<u64, Bad> {
    if value.len() > 8 {
        return Err(Bad::Unfit);
    }
    Ok(value
        .iter()
        .fold(0, |number, byte| (number << 8) | u64::from(*byte)))
}

/// Writes JSON. MariaDB's check can be switched off, and lets pass what DuckDB does not take: such a value goes to the
/// variant column.
fn json(slot: &mut Slot, row: usize, value: &[u8]) -> Result<(), Bad> {
    if value.len() > CELL_BYTES_MAX {
        return Err(Bad::TooLarge);
    }
    if serde_json::from_slice::<serde_json::Value>(value).is_err() {
        moved(slot, row, value);
    } else if let Cells::Text(cells) = &mut slot.cells {
        cells.push(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_to_their_ends() {
        let check =
            |text: &str, expect| assert_eq!(integer(text.as_bytes()).ok(), expect, "{text}");
        check("9223372036854775807", Some(i64::MAX));
        check("-9223372036854775808", Some(i64::MIN));
        check("00042", Some(42));
        for text in ["", "-", "9223372036854775808", "1.5", "1e3", "+1"] {
            check(text, None);
        }
    }

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        let check = |text: &str, precision, scale, expect| {
            assert_eq!(
                decimal(text.as_bytes(), precision, scale).ok(),
                expect,
                "{text}"
            );
        };
        check(
            "18446744073709551615",
            20,
            0,
            Some(18_446_744_073_709_551_615),
        );
        check("-0.05", 5, 2, Some(-5));
        check("12.5", 5, 2, Some(1_250));
        check(
            "99999999999999999999999999999999999999",
            38,
            0,
            Some(10_i128.pow(38) - 1),
        );
        for text in ["", "1.234", "1000", "1.2.3", "1e3", "--1"] {
            check(text, 5, 2, None);
        }
    }

    #[test]
    fn bits_are_a_number_with_the_highest_first() {
        assert_eq!(bits(&[1, 0]).ok(), Some(256));
        assert_eq!(bits(&[255; 8]).ok(), Some(u64::MAX));
        assert!(bits(&[0; 9]).is_err());
    }
}
