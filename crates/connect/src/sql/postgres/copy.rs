//! The binary `COPY` format: a header, rows of length-prefixed fields, a trailer (PostgreSQL's documentation of `COPY`).

mod cell;

use super::super::batch::{Batch, bad_cell};
use super::types::Wire;
use crate::failure::{Failure, FailureKind};
use cell::cell;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
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

impl Decoder {
    pub(super) fn new(wires: Vec<Wire>) -> Self {
        Self {
            wires,
            carried: Vec::new(),
            state: State::Header,
        }
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
        let Some((&count, fields)) = data.split_first_chunk::<2>() else {
            return Ok(0);
        };
        let count = i16::from_be_bytes(count);
        if count == -1 {
            self.state = State::Ended;
            return Ok(2);
        }
        if usize::try_from(count).ok() != Some(self.wires.len()) {
            return Err(malformed());
        }
        let Some(length) = fields_length(fields, self.wires.len())? else {
            return Ok(0);
        };
        let mut rest = fields;
        let row = batch.rows;
        for (index, (wire, slot)) in self.wires.iter().zip(&mut batch.slots).enumerate() {
            let Some((&length, after)) = rest.split_first_chunk::<4>() else {
                return Err(malformed());
            };
            let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else {
                slot.cells.push_null();
                rest = after;
                continue;
            };
            let Some((value, after)) = after.split_at_checked(length) else {
                return Err(malformed());
            };
            if let Err(bad) = cell(*wire, slot, row, value) {
                return Err(bad_cell(&bad, batch, index));
            }
            rest = after;
        }
        batch.end_row(length + 2);
        Ok(length + 2)
    }

    fn header(&mut self, data: &[u8]) -> Result<usize, Failure> {
        let Some((signature, rest)) = data.split_at_checked(SIGNATURE.len()) else {
            return Ok(0);
        };
        if signature != SIGNATURE {
            return Err(malformed());
        }
        let Some((_flags, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(0);
        };
        let Some((&extension, rest)) = rest.split_first_chunk::<4>() else {
            return Ok(0);
        };
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
        let Some((&length, after)) = rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
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

#[cold]
fn malformed() -> Failure {
    Failure::new(
        FailureKind::Protocol,
        "the server's rows are not in PostgreSQL's binary format",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::StreamTable;
    use arrow::array::AsArray;
    use domain::{Column, ColumnType, TableRef, TableSchema};

    fn batch() -> Batch {
        let columns = vec![
            Column::new("n", ColumnType::BigInt),
            Column::new("v", ColumnType::Text),
        ];
        let schema = TableSchema {
            table: TableRef::new("raw_a", "t"),
            columns,
            primary_key: Vec::new(),
        };
        Batch::new(StreamTable {
            schema,
            parent: None,
        })
    }

    /// A whole stream of `rows` rows, with a header extension as a later version may have.
    fn stream(rows: u32) -> Vec<u8> {
        let mut data = SIGNATURE.to_vec();
        data.extend([0, 0, 0, 0, 0, 0, 0, 3, 9, 9, 9]);
        for row in 0..rows {
            data.extend([0, 2, 0, 0, 0, 4]);
            data.extend(row.to_be_bytes());
            let text = "x".repeat(row as usize);
            data.extend(if row == 1 { u32::MAX } else { row }.to_be_bytes());
            data.extend(if row == 1 { &[] } else { text.as_bytes() });
        }
        data.extend([0xff, 0xff]);
        data
    }

    fn decode(chunks: &[&[u8]]) -> Result<Vec<Option<String>>, Failure> {
        let mut decoder = Decoder::new(vec![Wire::Int4, Wire::Text]);
        let mut batch = batch();
        for chunk in chunks {
            assert_eq!(decoder.read(chunk, &mut batch)?, chunk.len());
        }
        assert!(decoder.is_ended());
        let (batch, _) = batch.finish()?;
        let texts = batch.batch.column(1).as_string::<i32>();
        Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }

    #[test]
    fn rows_are_read_wherever_a_proxy_cuts_them() {
        let data = stream(5);
        let whole = decode(&[&data]).expect("whole");
        let text = |length: usize| Some("x".repeat(length));
        assert_eq!(whole, [text(0), None, text(2), text(3), text(4)]);
        for size in 1..data.len() {
            let chunks: Vec<&[u8]> = data.chunks(size).collect();
            assert_eq!(decode(&chunks).expect("cut"), whole, "{size}");
        }
    }

    #[test]
    fn a_full_batch_leaves_the_rest_of_the_chunk() {
        let rows = u32::try_from(domain::limits::BATCH_ROWS).expect("small") + 3;
        let mut data = SIGNATURE.to_vec();
        data.extend([0; 8]);
        for row in 0..rows {
            data.extend([0, 2, 0, 0, 0, 4]);
            data.extend(row.to_be_bytes());
            data.extend((-1_i32).to_be_bytes());
        }
        data.extend([0xff, 0xff]);
        let (mut decoder, mut batch) = (Decoder::new(vec![Wire::Int4, Wire::Text]), batch());
        let used = decoder.read(&data, &mut batch).expect("rows");
        assert!(batch.is_full() && used < data.len() && !decoder.is_ended());
        batch.finish().expect("a batch");
        assert_eq!(
            decoder.read(&data[used..], &mut batch).expect("rows"),
            data.len() - used
        );
        assert_eq!((batch.rows, decoder.is_ended()), (3, true));
    }

    #[test]
    fn what_is_not_the_format_is_refused() {
        let data = stream(2);
        let mut wrong_count = data.clone();
        wrong_count[SIGNATURE.len() + 11 + 1] = 3;
        let mut wrong_length = data.clone();
        wrong_length[SIGNATURE.len() + 11 + 5] = 3;
        let mut after_end = data.clone();
        after_end.push(0);
        for data in [
            b"PGCOPY\n\xff\r\nX".to_vec(),
            wrong_count,
            wrong_length,
            after_end,
        ] {
            let mut decoder = Decoder::new(vec![Wire::Int4, Wire::Text]);
            assert!(decoder.read(&data, &mut batch()).is_err(), "{data:?}");
        }
    }
}
