//! Makes results plain: dictionaries become their values, and the few engine types that Arrow has no type for become text.
//! Whoever reads a result (a table on a screen, a Parquet writer) then needs to know Arrow's common types only.

use crate::duck::Rows;
use crate::wire::Fault;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, Fields, Schema, SchemaRef};
use std::sync::Arc;

/// How each column of a result is made plain.
pub(super) struct Plan {
    schema: SchemaRef,
    columns: Vec<Treatment>,
}

enum Treatment {
    Keep,
    Cast(DataType),
    /// Bytes: how many bits of the second one are padding, then the bits.
    Bits,
    /// The engine shows an unsigned 128-bit number as a signed one.
    Unsigned,
    /// A number without bound: a header of sign and length, then its digits in base 256.
    BigNumber,
}

impl Plan {
    pub(super) fn new(rows: &Rows) -> Self {
        let schema = rows.schema();
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for (field, column) in schema.fields().iter().zip(rows.columns()) {
            let treatment = match column.type_name.as_str() {
                "BIT" => Treatment::Bits,
                "UHUGEINT" => Treatment::Unsigned,
                "BIGNUM" => Treatment::BigNumber,
                _ => match plain_type(field.data_type()) {
                    Some(plain) => Treatment::Cast(plain),
                    None => Treatment::Keep,
                },
            };
            let kind = match &treatment {
                Treatment::Keep => field.data_type().clone(),
                Treatment::Cast(plain) => plain.clone(),
                Treatment::Bits | Treatment::Unsigned | Treatment::BigNumber => DataType::Utf8,
            };
            fields.push(Field::new(field.name(), kind, true));
            columns.push(treatment);
        }
        Self {
            schema: Arc::new(Schema::new(fields)),
            columns,
        }
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, Fault> {
        let columns = batch.columns().iter().zip(&self.columns);
        let columns = columns.map(|(column, treatment)| treatment.apply(column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(|error| Fault::protocol(error.to_string()))
    }
}

impl Treatment {
    fn apply(&self, column: &ArrayRef) -> Result<ArrayRef, Fault> {
        let text = match self {
            Self::Keep => return Ok(Arc::clone(column)),
            Self::Cast(plain) => {
                return cast(column, plain).map_err(|error| Fault::protocol(error.to_string()));
            }
            Self::Bits => {
                let column = column.as_binary::<i32>();
                column
                    .iter()
                    .map(|bytes| bytes.map(bits))
                    .collect::<StringArray>()
            }
            Self::Unsigned => {
                let column = column.as_primitive::<Decimal128Type>();
                column
                    .iter()
                    .map(|n| n.map(|n| n.cast_unsigned().to_string()))
                    .collect()
            }
            Self::BigNumber => {
                let column = column.as_binary::<i32>();
                column.iter().map(|bytes| bytes.map(big_number)).collect()
            }
        };
        Ok(Arc::new(text))
    }
}

/// Returns the type without dictionaries, `None` when it has none.
fn plain_type(kind: &DataType) -> Option<DataType> {
    let plain_field = |field: &Arc<Field>| {
        plain_type(field.data_type())
            .map(|plain| Arc::new(field.as_ref().clone().with_data_type(plain)))
    };
    match kind {
        DataType::Dictionary(_, value) => Some(value.as_ref().clone()),
        DataType::List(field) => plain_field(field).map(DataType::List),
        DataType::FixedSizeList(field, size) => {
            plain_field(field).map(|field| DataType::FixedSizeList(field, *size))
        }
        DataType::Map(field, sorted) => {
            plain_field(field).map(|field| DataType::Map(field, *sorted))
        }
        DataType::Struct(fields) => {
            let plain: Vec<_> = fields.iter().map(plain_field).collect();
            if plain.iter().all(Option::is_none) {
                return None;
            }
            let fields = plain
                .into_iter()
                .zip(fields)
                .map(|(plain, field)| plain.unwrap_or_else(|| Arc::clone(field)));
            Some(DataType::Struct(fields.collect::<Fields>()))
        }
        _ => None,
    }
}

fn bits(bytes: &[u8]) -> String {
    let Some((padding, bytes)) = bytes.split_first() else {
        return String::new();
    };
    let bit = |byte: u8, place: u8| if byte >> place & 1 == 1 { '1' } else { '0' };
    let all: String = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| bit(*byte, place)))
        .collect();
    all.get(usize::from(*padding)..)
        .unwrap_or_default()
        .to_owned()
}

/// Returns the number as decimal digits. Negative numbers have all their bytes inverted, the header's too.
fn big_number(bytes: &[u8]) -> String {
    const HEADER_BYTES: usize = 3;
    let negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let flip = if negative { 0xff } else { 0 };
    // Decimal digits, the lowest first; each byte multiplies by 256 and adds.
    let mut digits = vec![0_u8];
    for byte in bytes.iter().skip(HEADER_BYTES) {
        let mut carry = u32::from(byte ^ flip);
        for digit in &mut digits {
            let value = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(value % 10).unwrap_or(0);
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or(0));
            carry /= 10;
        }
    }
    let sign = if negative { "-" } else { "" };
    let digits: String = digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    format!("{sign}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_big_numbers_are_written_out() {
        assert_eq!(bits(&[3, 0b1111_0101]), "10101");
        assert_eq!(big_number(&[0x80, 0, 2, 1, 0]), "256");
        assert_eq!(big_number(&[0x7f, 0xff, 0xfe, 0xfe]), "-1");
        assert_eq!(big_number(&[0x80, 0, 1, 0]), "0");
    }
}
