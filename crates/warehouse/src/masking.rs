//! Secrets in rows: a value that holds one is masked before anybody gets it. Texts and bytes alone are looked at, cell by
//! cell, so that the rows stay what they are: a number a number, and a line of CSV a line of CSV.

use crate::duck::ResultColumn;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, LargeBinaryArray, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, make_array,
};
use arrow::datatypes::DataType;
use security::Redactor;
use std::borrow::Cow;
use std::sync::Arc;

/// Texts are put together up to this length and looked at in one go: almost always there is nothing to mask.
const LOOK_BYTES: usize = 1 << 20;

/// Masks what one result holds, and counts the values that it changed.
pub(crate) struct Masking {
    redactor: Arc<Redactor>,
    masked: u64,
}

impl Masking {
    pub(crate) const fn new(redactor: Arc<Redactor>) -> Self {
        Self {
            redactor,
            masked: 0,
        }
    }

    /// Returns how many values were masked so far.
    pub(crate) const fn masked(&self) -> u64 {
        self.masked
    }

    /// Masks the names of columns: a source may have made them of its data.
    pub(crate) fn names(&mut self, columns: &mut [ResultColumn]) {
        for column in columns {
            if let Cow::Owned(clean) = self.redactor.redact_data(&column.name) {
                column.name = clean;
                self.masked += 1;
            }
        }
    }

    /// Returns the rows with their secrets masked.
    pub(crate) fn batch(&mut self, batch: RecordBatch) -> RecordBatch {
        let before = self.masked;
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| self.array(column))
            .collect();
        if self.masked == before {
            return batch;
        }
        RecordBatch::try_new(batch.schema(), columns).expect("types and lengths are as they were")
    }

    fn array(&mut self, array: &ArrayRef) -> ArrayRef {
        let masked: Option<ArrayRef> = match array.data_type() {
            DataType::Utf8 => self
                .texts(array.as_string::<i32>())
                .map(|texts| Arc::new(StringArray::from_iter(texts)) as ArrayRef),
            DataType::LargeUtf8 => self
                .texts(array.as_string::<i64>())
                .map(|texts| Arc::new(LargeStringArray::from_iter(texts)) as ArrayRef),
            DataType::Utf8View => self
                .texts(array.as_string_view())
                .map(|texts| Arc::new(StringViewArray::from_iter(texts)) as ArrayRef),
            DataType::Binary => self
                .bytes(array.as_binary::<i32>())
                .map(|bytes| Arc::new(BinaryArray::from_iter(bytes)) as ArrayRef),
            DataType::LargeBinary => self
                .bytes(array.as_binary::<i64>())
                .map(|bytes| Arc::new(LargeBinaryArray::from_iter(bytes)) as ArrayRef),
            DataType::BinaryView => self
                .bytes(array.as_binary_view())
                .map(|bytes| Arc::new(BinaryViewArray::from_iter(bytes)) as ArrayRef),
            _ => self.members(array),
        };
        masked.unwrap_or_else(|| Arc::clone(array))
    }

    /// Masks what lists, structures, maps and unions are made of; `None` when nothing was to be masked.
    fn members(&mut self, array: &ArrayRef) -> Option<ArrayRef> {
        let before = self.masked;
        let data = array.to_data();
        let members: Vec<_> = data
            .child_data()
            .iter()
            .map(|member| self.array(&make_array(member.clone())).to_data())
            .collect();
        if self.masked == before {
            return None;
        }
        let data = data.into_builder().child_data(members).build();
        Some(make_array(
            data.expect("types and lengths are as they were"),
        ))
    }

    fn texts<'a>(
        &mut self,
        texts: impl IntoIterator<Item = Option<&'a str>> + Copy,
    ) -> Option<Vec<Option<Cow<'a, str>>>> {
        if !self.holds(texts.into_iter().flatten().map(Cow::Borrowed)) {
            return None;
        }
        let texts = texts.into_iter().map(|text| {
            let clean = self.redactor.redact_data(text?);
            self.masked += u64::from(matches!(clean, Cow::Owned(_)));
            Some(clean)
        });
        Some(texts.collect())
    }

    fn bytes<'a>(
        &mut self,
        values: impl IntoIterator<Item = Option<&'a [u8]>> + Copy,
    ) -> Option<Vec<Option<Vec<u8>>>> {
        if !self.holds(values.into_iter().flatten().map(String::from_utf8_lossy)) {
            return None;
        }
        let values = values.into_iter().map(|bytes| {
            let bytes = bytes?;
            let mut clean = Vec::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                clean.extend_from_slice(self.redactor.redact_data(chunk.valid()).as_bytes());
                clean.extend_from_slice(chunk.invalid());
            }
            self.masked += u64::from(clean != bytes);
            Some(clean)
        });
        Some(values.collect())
    }

    /// Returns whether there may be something to mask in one of `texts`.
    fn holds<'a>(&self, texts: impl Iterator<Item = Cow<'a, str>>) -> bool {
        let is_secret = |text: &str| matches!(self.redactor.redact_data(text), Cow::Owned(_));
        let mut together = String::new();
        for text in texts {
            if together.len() + text.len() > LOOK_BYTES {
                if is_secret(&together) {
                    return true;
                }
                together.clear();
            }
            together.push_str(&text);
            // No escape of one text goes on in the next.
            together.push('\n');
        }
        is_secret(&together)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int64Array, ListArray, StructArray};
    use arrow::datatypes::{Field, Int64Type, Schema};
    use security::Plain;

    const SECRET: &str = "hunter2hunter2";
    const STARS: &str = "***************";

    fn masking() -> Masking {
        let redactor = Redactor::new();
        redactor.learn(&Plain::new(SECRET.into()));
        redactor.learn(&Plain::new("orders".into()));
        Masking::new(Arc::new(redactor))
    }

    #[track_caller]
    fn check(array: ArrayRef, expect: ArrayRef, count: u64) {
        let batch = |array: ArrayRef| {
            let field = Field::new("a", array.data_type().clone(), true);
            RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![array])
                .expect("one column")
        };
        let mut masking = masking();
        assert_eq!(masking.batch(batch(array)), batch(expect));
        assert_eq!(masking.masked(), count);
    }

    #[test]
    fn texts_and_bytes_are_masked_and_counted() {
        let texts = [
            None,
            Some("orders"),
            Some(SECRET),
            Some("x hunter2hunter2 y"),
        ];
        let clean = ["orders", STARS, "x *************** y"];
        let clean = [None, Some(clean[0]), Some(clean[1]), Some(clean[2])];
        check(
            Arc::new(StringArray::from_iter(texts)),
            Arc::new(StringArray::from_iter(clean)),
            2,
        );
        check(
            Arc::new(StringViewArray::from_iter(texts)),
            Arc::new(StringViewArray::from_iter(clean)),
            2,
        );
        let bytes = |text: &str| Some([b"\xff", text.as_bytes(), b"\xc3"].concat());
        check(
            Arc::new(BinaryArray::from_iter([bytes(SECRET), bytes("x"), None])),
            Arc::new(BinaryArray::from_iter([bytes(STARS), bytes("x"), None])),
            1,
        );
    }

    #[test]
    fn what_stands_deep_inside_is_masked_and_numbers_are_left() {
        let record = |text: &str| -> ArrayRef {
            let fields = [
                (
                    Arc::new(Field::new("t", DataType::Utf8, true)),
                    Arc::new(StringArray::from(vec![text, "x", text])) as ArrayRef,
                ),
                (
                    Arc::new(Field::new("n", DataType::Int64, true)),
                    Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef,
                ),
            ];
            let inner: ArrayRef = Arc::new(StructArray::from(fields.to_vec()));
            let field = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([2, 0, 1]);
            Arc::new(ListArray::new(field, offsets, inner, None))
        };
        check(record(SECRET), record(STARS), 2);
        let numbers = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
        check(Arc::new(numbers.clone()), Arc::new(numbers), 0);
    }

    #[test]
    fn an_escape_ends_with_its_value() {
        // Together the two would read `hunter2hunter2`.
        let texts = || Arc::new(StringArray::from(vec!["hunter2%", "68unter2"]));
        check(texts(), texts(), 0);
        check(
            Arc::new(StringArray::from(vec!["ends with \\", SECRET])),
            Arc::new(StringArray::from(vec!["ends with \\", STARS])),
            1,
        );
    }
}
