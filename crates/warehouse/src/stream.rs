//! Arrow IPC streams between processes: one schema, then batches, then the end-of-stream marker.
//!
//! The other side may be a child that parses foreign files, so nothing it says is believed: message lengths are limited before
//! memory is reserved, arrays are validated by Arrow (offsets, UTF-8), and a stream that ends without its marker is an error.
//! A sender that dies in the middle can therefore never look like one that was done.

use arrow::array::RecordBatch;
use arrow::buffer::{Buffer, MutableBuffer};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamWriter;
use domain::limits::ARROW_MESSAGE_BYTES_MAX;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A message's description (names, types, offsets), without its data: 2,000 columns need 200 kB.
const METADATA_BYTES_MAX: usize = 16 << 20;
/// What a message may have, unless it is one row: far less than a reader takes.
const MESSAGE_BYTES: usize = 16 << 20;
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Why a stream of rows cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    #[error("the stream of rows broke off before its end")]
    Truncated,
    #[error("a message of the stream is {bytes} bytes long, more than allowed")]
    TooLong { bytes: u64 },
    #[error("the stream of rows is malformed")]
    Malformed(#[source] ArrowError),
    #[error("the stream of rows is malformed: {0}")]
    Unusable(&'static str),
    #[error("the stream of rows cannot be read or written")]
    Io(#[source] io::Error),
}

impl StreamError {
    /// Returns the error and what caused it as one line.
    pub(crate) fn with_cause(&self) -> String {
        std::error::Error::source(self)
            .map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }
}

impl From<ArrowError> for StreamError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Io(error),
            other => Self::Malformed(other),
        }
    }
}

/// Reads a stream.
pub(crate) struct ArrowReader<R> {
    source: R,
    decoder: StreamDecoder,
    schema: SchemaRef,
    ready: VecDeque<RecordBatch>,
    ended: bool,
}

impl<R: Read> ArrowReader<R> {
    /// Reads the schema, which every stream starts with.
    pub(crate) fn open(source: R) -> Result<Self, StreamError> {
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let mut reader = Self {
            source,
            decoder: StreamDecoder::new(),
            schema,
            ready: VecDeque::new(),
            ended: false,
        };
        let Some((metadata, body)) = reader.read_message()? else {
            return Err(StreamError::Unusable("it has no schema"));
        };
        reader.schema = Arc::new(schema_of(&metadata)?);
        reader.decode(&metadata, body)?;
        Ok(reader)
    }

    /// Returns the columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Returns the next batch, `None` after the end-of-stream marker.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>, StreamError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            if let Some((metadata, body)) = self.read_message()? {
                self.decode(&metadata, body)?;
            } else {
                self.ended = true;
                // The decoder hands a message without a body out only when more bytes follow.
                self.feed(Buffer::from(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0][..]))?;
            }
        }
    }

    /// Reads one message's metadata and body; `None` is the end-of-stream marker.
    fn read_message(&mut self) -> Result<Option<(Vec<u8>, Buffer)>, StreamError> {
        let mut word = [0; 4];
        self.fill(&mut word)?;
        if word == CONTINUATION {
            self.fill(&mut word)?;
        }
        let length = u32::from_le_bytes(word) as usize;
        if length == 0 {
            return Ok(None);
        }
        if length > METADATA_BYTES_MAX {
            return Err(StreamError::TooLong {
                bytes: length as u64,
            });
        }
        let mut metadata = vec![0; length];
        self.fill(&mut metadata)?;
        let body_bytes = message(&metadata)?.bodyLength();
        let body_bytes = usize::try_from(body_bytes)
            .map_err(|_| StreamError::Unusable("a message has a negative length"))?;
        if body_bytes > ARROW_MESSAGE_BYTES_MAX {
            return Err(StreamError::TooLong {
                bytes: body_bytes as u64,
            });
        }
        // A buffer of its own is aligned, so the decoder takes it over without copying.
        let mut body = MutableBuffer::from_len_zeroed(body_bytes);
        self.fill(body.as_slice_mut())?;
        Ok(Some((metadata, body.into())))
    }

    fn decode(&mut self, metadata: &[u8], body: Buffer) -> Result<(), StreamError> {
        let mut head = Vec::with_capacity(metadata.len() + 8);
        head.extend_from_slice(&CONTINUATION);
        // The length was limited when it was read.
        head.extend_from_slice(
            &u32::try_from(metadata.len())
                .unwrap_or(u32::MAX)
                .to_le_bytes(),
        );
        head.extend_from_slice(metadata);
        self.feed(Buffer::from_vec(head))?;
        self.feed(body)
    }

    fn feed(&mut self, mut bytes: Buffer) -> Result<(), StreamError> {
        while !bytes.is_empty() {
            let decoded = guarded(|| self.decoder.decode(&mut bytes))?;
            self.ready.extend(decoded);
        }
        Ok(())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), StreamError> {
        self.source
            .read_exact(bytes)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                    StreamError::Truncated
                }
                _ => StreamError::Io(error),
            })
    }
}

fn message(metadata: &[u8]) -> Result<arrow::ipc::Message<'_>, StreamError> {
    arrow::ipc::root_as_message(metadata)
        .map_err(|_| StreamError::Unusable("a message's description is invalid"))
}

fn schema_of(metadata: &[u8]) -> Result<arrow::datatypes::Schema, StreamError> {
    let message = message(metadata)?;
    let schema = message.header_as_schema();
    let schema = schema.ok_or(StreamError::Unusable("it does not start with a schema"))?;
    guarded(|| Ok(arrow::ipc::convert::fb_to_schema(schema)))
}

/// Arrow's IPC code panics on some types and buffers it does not expect; a foreign stream must not end the process.
fn guarded<T>(work: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, StreamError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => Ok(outcome?),
        Err(_) => Err(StreamError::Unusable("it holds what Arrow cannot read")),
    }
}

/// Writes a stream. Dropping it without [`ArrowWriter::finish`] leaves out the end-of-stream marker: the reader's error.
pub(crate) struct ArrowWriter<W> {
    sink: W,
    encoder: StreamWriter<Vec<u8>>,
    bytes: u64,
}

impl<W: Write> ArrowWriter<W> {
    /// Starts a stream with its schema.
    pub(crate) fn open(sink: W, schema: &SchemaRef) -> Result<Self, StreamError> {
        let encoder = StreamWriter::try_new(Vec::new(), schema)?;
        let mut writer = Self {
            sink,
            encoder,
            bytes: 0,
        };
        writer.flush()?;
        Ok(writer)
    }

    /// Writes a batch, a large one in several messages: each takes its size again on both sides.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), StreamError> {
        let rows = batch.num_rows();
        let messages = batch.get_array_memory_size().div_ceil(MESSAGE_BYTES).max(1);
        let step = rows.div_ceil(messages).max(1);
        for start in (0..rows.max(1)).step_by(step) {
            let part = batch.slice(start, step.min(rows - start));
            self.encoder.write(&part)?;
            self.flush()?;
        }
        Ok(())
    }

    /// Writes the end-of-stream marker and returns how many bytes were written in all.
    pub(crate) fn finish(mut self) -> Result<u64, StreamError> {
        self.encoder.finish()?;
        self.flush()?;
        Ok(self.bytes)
    }

    /// Returns how many bytes were written so far.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        let encoded = self.encoder.get_mut();
        self.bytes += encoded.len() as u64;
        self.sink.write_all(encoded).map_err(StreamError::Io)?;
        encoded.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{
        Array, ArrayRef, Int32Array, Int64Array, ListArray, StringArray, StructArray, UnionArray,
    };
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{DataType, Field, Schema, UnionFields};

    fn batch(rows: i64) -> RecordBatch {
        let fields = vec![
            Field::new("a", DataType::Int64, true),
            Field::new("b", DataType::Utf8, true),
        ];
        let numbers = (0..rows)
            .map(|n| (n % 3 != 0).then_some(n))
            .collect::<Int64Array>();
        let texts = (0..rows)
            .map(|n| (n % 5 != 0).then(|| format!("é{n}")))
            .collect::<StringArray>();
        RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            vec![Arc::new(numbers), Arc::new(texts)],
        )
        .expect("equal lengths")
    }

    fn written(batches: &[RecordBatch]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::open(&mut bytes, &batch(0).schema()).expect("a Vec takes all");
        for batch in batches {
            writer.write(batch).expect("a Vec takes all");
        }
        writer.finish().expect("a Vec takes all");
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, StreamError> {
        let mut reader = ArrowReader::open(bytes)?;
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch()? {
            batches.push(batch);
        }
        Ok(batches)
    }

    #[test]
    fn what_was_written_is_read_back() {
        for batches in [
            vec![],
            vec![batch(0)],
            vec![batch(5), batch(0), batch(3_000)],
        ] {
            assert_eq!(read(&written(&batches)).expect("it is whole"), batches);
        }
    }

    #[test]
    fn a_large_batch_goes_in_small_messages() {
        let long = |n: i32| format!("{n}").repeat(1 << 20);
        let texts: ArrayRef = Arc::new(
            (0..40)
                .map(|n| (n % 7 != 0).then(|| long(n)))
                .collect::<StringArray>(),
        );
        let numbers: ArrayRef = Arc::new((0..40).map(Some).collect::<Int32Array>());
        let field = |name: &str, array: &ArrayRef| {
            Arc::new(Field::new(name, array.data_type().clone(), true))
        };
        let lengths = OffsetBuffer::from_lengths((0..40).map(|n| n % 3));
        let items = texts.slice(0, 39);
        let list = ListArray::new(field("item", &items), lengths, items, None);
        let structure = StructArray::from(vec![
            (field("t", &texts), Arc::clone(&texts)),
            (field("n", &numbers), Arc::clone(&numbers)),
        ]);
        let union = UnionArray::try_new(
            UnionFields::from_fields([field("t", &texts), field("n", &numbers)]),
            (0..40).map(|n| n % 2).collect(),
            None,
            vec![Arc::clone(&texts), Arc::clone(&numbers)],
        );
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("t", Arc::clone(&texts), true),
            ("l", Arc::new(list) as ArrayRef, true),
            ("s", Arc::new(structure) as ArrayRef, true),
            ("u", Arc::new(union.expect("one of two")) as ArrayRef, true),
        ])
        .expect("equal lengths");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::open(&mut bytes, &batch.schema()).expect("a Vec takes all");
        writer.write(&batch).expect("a Vec takes all");
        writer.finish().expect("a Vec takes all");
        let parts = read(&bytes).expect("it is whole");
        assert!(parts.len() > 8, "{}", parts.len());
        let whole = arrow::compute::concat_batches(&batch.schema(), &parts).expect("one schema");
        assert!(whole == batch, "a value has changed");
    }

    #[test]
    fn a_stream_cut_anywhere_is_an_error() {
        let bytes = written(&[batch(5), batch(7)]);
        for length in 0..bytes.len() {
            let cut = bytes.get(..length).expect("shorter");
            assert!(
                matches!(read(cut), Err(StreamError::Truncated)),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn a_damaged_stream_never_ends_the_process() {
        let bytes = written(&[batch(5)]);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                // Either outcome is fine: a value may have changed, or the stream is refused.
                let _ = read(&damaged);
            }
        }
    }

    #[test]
    fn a_long_message_is_refused_before_memory_is_reserved() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
        assert!(matches!(read(&huge), Err(StreamError::TooLong { .. })));
    }
}
