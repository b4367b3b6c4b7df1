//! The binary `COPY` format: a header, rows of length-prefixed fields, a trailer (PostgreSQL's documentation of `COPY`).

use super::super::batch::{Batch, Slot};
use super::super::calendar::{MICROS_PER_DAY, write_timestamp};
use super::super::cells::Cells;
use super::numeric::{self, Number};
use super::types::Wire;
use crate::failure::{Failure, FailureKind};
use domain::limits::CELL_BYTES_MAX;
use domain::say::Quoted;
use domain::{ColumnType, say};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Days and microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * MICROS_PER_DAY;

/// Reads a stream of `COPY` data, whose chunks need not end where rows do.
pub(super) struct Decoder {
    wires: Vec<Wire>,
    /// The start of a row or header whose end has not come yet.
    carried: Vec<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Header,
    Rows,
    Ended,
}

/// Why a value could not be taken.
enum Bad {
    Length,
    TooLarge,
    Unfit,
}

impl Decoder {
    pub(super) fn new(wires: Vec<Wire>) -> Self {
        Self { wires, carried: Vec::new(), state: State::Header }
    }

    /// Reads rows of `chunk` into `batch` until the batch is full or the chunk used up; returns how much of it was used. A
    /// row that has only begun is kept.
    pub(super) fn read(&mut self, chunk: &[u8], batch: &mut Batch) -> Result<usize, Failure> {
        if self.carried.is_empty() {
            let used = self.rows(chunk, batch)?;
            let rest = chunk.get(used..).unwrap_or_default();
            if batch.is_full() || rest.is_empty() {
                return Ok(used);
            }
            self.carried.extend_from_slice(rest);
            return Ok(chunk.len());
        }
        // The server sends whole rows; only a proxy in between cuts them up. What it joined is taken in one go.
        let mut carried = std::mem::take(&mut self.carried);
        carried.extend_from_slice(chunk);
        let mut used = 0;
        loop {
            let taken = self.row(carried.get(used..).unwrap_or_default(), batch)?;
            if taken == 0 {
                break;
            }
            used += taken;
        }
        carried.drain(..used);
        self.carried = carried;
        Ok(chunk.len())
    }

    /// Returns whether the trailer has come.
    pub(super) fn is_ended(&self) -> bool {
        self.state == State::Ended && self.carried.is_empty()
    }

    /// Reads whole rows of `data` until `batch` is full; returns how many bytes they took.
    fn rows(&mut self, data: &[u8], batch: &mut Batch) -> Result<usize, Failure> {
        let mut used = 0;
        while !batch.is_full() {
            let taken = self.row(data.get(used..).unwrap_or_default(), batch)?;
            if taken == 0 {
                break;
            }
            used += taken;
        }
        Ok(used)
    }

    /// Reads one row, the header or the trailer; returns how many bytes it took, 0 when it is not whole.
    #[inline]
    fn row(&mut self, data: &[u8], batch: &mut Batch) -> Result<usize, Failure> {
        match self.state {
            State::Header => return self.header(data),
            State::Ended if data.is_empty() => return Ok(0),
            State::Ended => return Err(malformed()),
            State::Rows => {}
        }
        let Some((&count, fields)) = data.split_first_chunk::<2>() else { return Ok(0) };
        let count = i16::from_be_bytes(count);
        if count == -1 {
            self.state = State::Ended;
            return Ok(2);
        }
        if usize::try_from(count).ok() != Some(self.wires.len()) {
            return Err(malformed());
        }
        let Some(length) = fields_length(fields, self.wires.len())? else { return Ok(0) };
        let mut rest = fields;
        let row = batch.rows;
        for (index, (wire, slot)) in self.wires.iter().zip(&mut batch.slots).enumerate() {
            let Some((&length, after)) = rest.split_first_chunk::<4>() else { return Err(malformed()) };
            let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else {
                slot.cells.push_null();
                rest = after;
                continue;
            };
            let Some((value, after)) = after.split_at_checked(length) else { return Err(malformed()) };
            if let Err(bad) = cell(*wire, slot, row, value) {
                return Err(bad_cell(&bad, batch, index));
            }
            rest = after;
        }
        batch.end_row(length + 2);
        Ok(length + 2)
    }

    fn header(&mut self, data: &[u8]) -> Result<usize, Failure> {
        let Some((signature, rest)) = data.split_at_checked(SIGNATURE.len()) else { return Ok(0) };
        if signature != SIGNATURE {
            return Err(malformed());
        }
        let Some((_flags, rest)) = rest.split_first_chunk::<4>() else { return Ok(0) };
        let Some((&extension, rest)) = rest.split_first_chunk::<4>() else { return Ok(0) };
        let extension = usize::try_from(i32::from_be_bytes(extension)).map_err(|_| malformed())?;
        if rest.len() < extension {
            return Ok(0);
        }
        self.state = State::Rows;
        Ok(SIGNATURE.len() + 8 + extension)
    }
}

/// Returns the bytes that `count` fields take, `None` when they are not all there.
#[inline]
fn fields_length(fields: &[u8], count: usize) -> Result<Option<usize>, Failure> {
    let mut rest = fields;
    for _ in 0..count {
        let Some((&length, after)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(length);
        if length < -1 {
            return Err(malformed());
        }
        let Some((_, after)) = after.split_at_checked(usize::try_from(length).unwrap_or(0)) else {
            return Ok(None);
        };
        rest = after;
    }
    Ok(Some(fields.len() - rest.len()))
}

/// Writes one value into its column.
#[inline]
fn cell(wire: Wire, slot: &mut Slot, row: usize, value: &[u8]) -> Result<(), Bad> {
    match (wire, &mut slot.cells) {
        (Wire::Int8, Cells::BigInt(cells)) => cells.push(i64::from_be_bytes(fixed(value)?)),
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
                    let zone = if slot.kind() == ColumnType::TimestampTz { "+00" } else { "" };
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
        (Wire::Time, Cells::Micros(cells)) => cells.push(i64::from_be_bytes(fixed(value)?)),
        (Wire::Uuid, Cells::Text(cells)) => cells.push(&uuid(fixed(value)?)),
        (Wire::Json, _) => return json(slot, row, value),
        _ => return Err(Bad::Length),
    }
    Ok(())
}

#[inline]
fn fixed<const N: usize>(value: &[u8]) -> Result<[u8; N], Bad> {
    value.try_into().map_err(|_| Bad::Length)
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
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 15)).copied().unwrap_or(b'0');
    let mut text = [b'-'; 36];
    let mut places = text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
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

#[cold]
fn malformed() -> Failure {
    Failure::new(FailureKind::Protocol, "the server's rows are not in PostgreSQL's binary format")
}

#[cold]
fn bad_cell(bad: &Bad, batch: &Batch, index: usize) -> Failure {
    let column = batch.column_name(index);
    let name = Quoted(&column);
    match bad {
        Bad::TooLarge => Failure::new(
            FailureKind::FileTooLarge,
            say!("a value of column ", name name, " is larger than 64 MiB"),
        )
        .hint("leave the column out by reading a view without it"),
        // Types and values come from one snapshot, so this is a table that was altered after it was looked at.
        Bad::Length | Bad::Unfit => Failure::new(
            FailureKind::Changed,
            say!("a value of column ", name name, " does not have the type the column had when the sync began"),
        )
        .hint("sync again"),
    }
}
