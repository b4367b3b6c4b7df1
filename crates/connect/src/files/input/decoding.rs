//! Text in other encodings than UTF-8.

use encoding_rs::{Decoder, DecoderResult, Encoding};
use std::io::{self, Read};

/// The text is not in the encoding that it is said to be in.
#[derive(Debug, thiserror::Error)]
#[error("malformed sequence")]
pub(super) struct NotInEncoding;

/// Turns a stream in another encoding into UTF-8.
pub(super) struct Decoding {
    stream: Box<dyn Read>,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl Decoding {
    const RAW_BYTES: usize = 64 << 10;

    pub(super) fn new(stream: Box<dyn Read>, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self {
            stream,
            decoder,
            raw: Vec::new(),
            text: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.raw.resize(Self::RAW_BYTES, 0);
        let count = self.stream.read(&mut self.raw)?;
        self.ended = count == 0;
        let raw = self.raw.get(..count).unwrap_or_default();
        let room = self
            .decoder
            .max_utf8_buffer_length_without_replacement(count);
        self.text.resize(room.unwrap_or(count * 4 + 16), 0);
        let (result, _, written) =
            self.decoder
                .decode_to_utf8_without_replacement(raw, &mut self.text, self.ended);
        if result != DecoderResult::InputEmpty {
            return Err(io::Error::new(io::ErrorKind::InvalidData, NotInEncoding));
        }
        self.text.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl Read for Decoding {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let mut rest = self.text.get(self.given..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.given += count;
        Ok(count)
    }
}
