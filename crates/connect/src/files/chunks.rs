//! A file in chunks that end where a line ends, so that several threads can take them apart.
//!
//! A line end may stand inside quotes; whoever joins the chunks' results finds that out and takes the chunk apart again
//! together with what was left over (see [`super::pipeline`]). So the cut is a guess that costs time when it is wrong,
//! never a wrong result.

use super::input::{Digest, Input};
use super::options::FileOptions;
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use domain::limits::CELL_BYTES_MAX;
use domain::say;

/// A record is refused beyond this; two cells of the largest size still fit.
pub(crate) const RECORD_BYTES_MAX: usize = 2 * CELL_BYTES_MAX;

/// Some lines of a file.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    /// Where the first record starts; what stands before is not data.
    pub(crate) from: usize,
    /// Whether the file ends here.
    pub(crate) last: bool,
}

/// The chunks of a file.
pub(crate) struct Chunks {
    input: Input,
    place: Place,
    /// What was read behind the last line end.
    tail: Vec<u8>,
    ended: bool,
    spare: Vec<Vec<u8>>,
    chunk_bytes: usize,
}

impl Chunks {
    /// Opens the file at `place`.
    pub(crate) fn open(
        place: &Place,
        options: &FileOptions,
        chunk_bytes: usize,
    ) -> Result<Self, Failure> {
        Ok(Self {
            input: Input::open(place, options)?,
            place: place.clone(),
            tail: Vec::new(),
            ended: false,
            spare: Vec::new(),
            chunk_bytes,
        })
    }

    /// Returns which file this is.
    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the next chunk; the last one is marked, and may be empty.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        let mut size = self.chunk_bytes.max(self.tail.len() * 2);
        let mut filled = self.tail.len();
        // Growing keeps the old length, so a reused buffer is not cleared again.
        bytes.resize(size.max(bytes.len()), 0);
        if let Some(head) = bytes.get_mut(..filled) {
            head.copy_from_slice(&self.tail);
        }
        loop {
            let count = self
                .input
                .fill(&self.place, bytes.get_mut(filled..size).unwrap_or_default())?;
            filled += count;
            self.ended = filled < size;
            if self.ended {
                bytes.truncate(filled);
                return Ok(Some(Chunk {
                    bytes,
                    from: 0,
                    last: true,
                }));
            }
            let read = bytes.get(..filled).unwrap_or_default();
            if let Some(end) = last_line_end(read) {
                self.tail.clear();
                self.tail
                    .extend_from_slice(read.get(end..).unwrap_or_default());
                bytes.truncate(end);
                return Ok(Some(Chunk {
                    bytes,
                    from: 0,
                    last: false,
                }));
            }
            if size > RECORD_BYTES_MAX {
                return Err(Failure::new(
                    FailureKind::FileTooLarge,
                    say!("file ", name self.place, " has a line of more than ", RECORD_BYTES_MAX, " bytes"),
                ));
            }
            size *= 2;
            bytes.resize(size, 0);
        }
    }

    /// Takes a chunk's buffer back.
    pub(crate) fn recycle(&mut self, chunk: Chunk) {
        if chunk.bytes.capacity() <= 2 * self.chunk_bytes && self.spare.len() < 8 {
            self.spare.push(chunk.bytes);
        }
    }

    /// Returns what is really wrong with a file whose records make no sense.
    pub(crate) fn explain(&mut self, failure: Failure) -> Failure {
        self.input.explain(&self.place, failure)
    }

    /// Reads what is left and returns the digest of the whole file.
    pub(crate) fn finish(self) -> Result<Digest, Failure> {
        self.input.finish(&self.place)
    }
}

/// Returns where the line behind the last line end starts. Files of old Macs end their lines with a lone CR.
fn last_line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memrchr(b'\n', bytes)
        .or_else(|| memchr::memrchr(b'\r', bytes.split_last()?.1))
        .map(|at| at + 1)
}
