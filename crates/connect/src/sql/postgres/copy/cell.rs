//! The binary form of each type becomes a cell.

use super::super::super::batch::{Bad, Slot};
use super::super::super::calendar::write_timestamp;
use super::super::super::cells::Cells;
use super::super::numeric::{self, Number};
use super::super::types::Wire;
use domain::ColumnType;
use domain::calendar::MICROS_PER_DAY;
use domain::limits::CELL_BYTES_MAX;

/// Days and microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * MICROS_PER_DAY;

/// Writes one value into its column.
#[inline]
pub(super) fn cell(wire: Wire, slot: &mut Slot, row: usize, value: &[u8]) -> Result<(), Bad> {
    match (wire, &mut slot.cells) {
        (Wire::Int8, Cells::BigInt(cells)) | (Wire::Time, Cells::Micros(cells)) => {
            cells.push(i64::from_be_bytes(fixed(value)?));
        }
        (Wire::Int4, Cells::BigInt(cells)) => {
            cells.push(i64::from(i32::from_be_bytes(fixed(value)?)));
        }
        (Wire::Int2, Cells::BigInt(cells)) => {
            cells.push(i64::from(i16::from_be_bytes(fixed(value)?)));
        }
        (Wire::Oid, Cells::BigInt(cells)) => {
            cells.push(i64::from(u32::from_be_bytes(fixed(value)?)));
        }
        (Wire::Text, Cells::Text(cells)) | (Wire::Bytes, Cells::Binary(cells)) => {
            if value.len() > CELL_BYTES_MAX {
                return Err(Bad::TooLarge);
            }
            cells.push(value);
        }
        (Wire::Numeric { precision, scale }, Cells::Decimal(cells)) => {
            match numeric::decode(value, precision, scale) {
                Number::Exact(number) => cells.push(number),
                Number::Special(name) => slot.push_variant(row, name.to_owned()),
                Number::Unfit => return Err(Bad::Unfit),
            }
        }
        (Wire::Timestamp, Cells::Micros(cells)) => {
            match timestamp(i64::from_be_bytes(fixed(value)?)) {
                Ok(micros) => cells.push(micros),
                Err(micros) => {
                    let zone = if slot.kind() == ColumnType::TimestampTz {
                        "+00"
                    } else {
                        ""
                    };
                    slot.push_variant(row, write_timestamp(micros, zone));
                }
            }
        }
        (Wire::Date, Cells::Date(cells)) => cells.push(date(i32::from_be_bytes(fixed(value)?))),
        (Wire::Bool, Cells::Boolean(cells)) => cells.push(fixed::<1>(value)? != [0]),
        (Wire::Float8, Cells::Double(cells)) => cells.push(f64::from_be_bytes(fixed(value)?)),
        (Wire::Float4, Cells::Double(cells)) => {
            cells.push(f64::from(f32::from_be_bytes(fixed(value)?)));
        }
        (Wire::Uuid, Cells::Text(cells)) => cells.push(&uuid(fixed(value)?)),
        (Wire::Json, _) => return json(slot, row, value),
        _ => return Err(Bad::Unfit),
    }
    Ok(())
}

#[inline]
fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], Bad> {
    value.try_into().map_err(|_| Bad::Unfit)
}

/// Turns microseconds since 2000 into those since 1970. Both databases keep the ends of the range for the infinities, but
/// DuckDB's lower one is -MAX. The last 30 years of PostgreSQL's range (to the year 294276) do not fit: `Err`.
#[inline]
fn timestamp(micros: i64) -> Result<i64, i128> {
    match micros {
        i64::MAX => Ok(i64::MAX),
        i64::MIN => Ok(-i64::MAX),
        _ => match micros.checked_add(EPOCH_MICROS) {
            Some(shifted) if shifted != i64::MAX => Ok(shifted),
            _ => Err(i128::from(micros) + i128::from(EPOCH_MICROS)),
        },
    }
}

/// Turns days since 2000 into those since 1970; every date of PostgreSQL's is one of DuckDB's.
#[inline]
const fn date(days: i32) -> i32 {
    match days {
        i32::MAX => i32::MAX,
        i32::MIN => -i32::MAX,
        _ => days.saturating_add(EPOCH_DAYS),
    }
}

#[inline]
fn uuid(bytes: [u8; 16]) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble & 15))
            .copied()
            .unwrap_or(b'0')
    };
    let mut text = [b'-'; 36];
    let mut places = text
        .iter_mut()
        .enumerate()
        .filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    for byte in bytes {
        for nibble in [byte >> 4, byte] {
            if let Some((_, place)) = places.next() {
                *place = digit(nibble);
            }
        }
    }
    text
}

/// Writes JSON. PostgreSQL's `json` keeps the text as it came and lets halves of surrogate pairs pass, which are no Unicode
/// and which DuckDB refuses: such a value goes to the variant column.
fn json(slot: &mut Slot, row: usize, value: &[u8]) -> Result<(), Bad> {
    if value.len() > CELL_BYTES_MAX {
        return Err(Bad::TooLarge);
    }
    let has_escape = memchr::memmem::find(value, b"\\u").is_some();
    if has_escape && serde_json::from_slice::<serde_json::Value>(value).is_err() {
        slot.push_variant(row, String::from_utf8_lossy(value).into_owned());
    } else if let Cells::Text(cells) = &mut slot.cells {
        cells.push(value);
    }
    Ok(())
}
