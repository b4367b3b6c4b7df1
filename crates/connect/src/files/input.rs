//! A file as a stream of UTF-8 bytes: hashed as it lies on the disk, decompressed, decoded, without its byte order mark.

mod decoding;
mod packing;

use super::options::FileOptions;
use super::place::Place;
use crate::failure::{Failure, FailureKind};
use decoding::{Decoding, NotInEncoding};
use domain::say::Quoted;
use domain::{Say, say};
use encoding_rs::Encoding;
use packing::Packing;
use std::cell::RefCell;
use std::io::{self, Cursor, Read};
use std::rc::Rc;

/// What was read of a file, as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest {
    /// BLAKE3 in hexadecimal.
    pub(crate) hash: String,
    pub(crate) bytes: u64,
}

/// The bytes of a file.
pub(crate) struct Input {
    stream: Box<dyn Read>,
    raw: Rc<RefCell<Raw>>,
    packing: Packing,
    /// The encoding that a byte order mark or the options named; UTF-8 is checked by whoever parses.
    encoding: Option<&'static Encoding>,
}

impl Input {
    /// Opens the file at `place`.
    pub(crate) fn open(place: &Place, options: &FileOptions) -> Result<Self, Failure> {
        let file = place.open()?;
        let raw = Rc::new(RefCell::new(Raw {
            file,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }));
        let mut stream: Box<dyn Read> = Box::new(Shared(Rc::clone(&raw)));
        let head = peek(&mut stream, place)?;
        let packing = Packing::of_head(&head);
        let stream: Box<dyn Read> = Box::new(Cursor::new(head).chain(stream));
        let mut stream = match packing {
            Packing::Plain => stream,
            Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(stream)),
            Packing::Zstd => {
                Box::new(zstd::Decoder::new(stream).map_err(|e| cannot_read(place, e))?)
            }
            Packing::Other(what) => {
                return Err(invalid(place, say!("is ", Quoted(what)))
                    .hint("unpack it, or save it as CSV; gzip and zstd are read as they are"));
            }
        };
        let head = peek(&mut stream, place).map_err(|e| packed(place, packing, e))?;
        let (encoding, mark) = match Encoding::for_bom(&head) {
            Some((encoding, length)) => (Some(encoding), length),
            None => (options.encoding()?, 0),
        };
        let encoding = encoding.filter(|encoding| *encoding != encoding_rs::UTF_8);
        let rest = head.get(mark..).unwrap_or_default().to_vec();
        let mut stream: Box<dyn Read> = Box::new(Cursor::new(rest).chain(stream));
        if let Some(encoding) = encoding {
            stream = Box::new(Decoding::new(stream, encoding));
        }
        Ok(Self {
            stream,
            raw,
            packing,
            encoding,
        })
    }

    /// Fills `buffer` as far as the file goes and returns how many bytes that were.
    pub(crate) fn fill(&mut self, place: &Place, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut filled = 0;
        while let Some(free) = buffer.get_mut(filled..).filter(|free| !free.is_empty()) {
            match self.stream.read(free) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failure(place, error)),
            }
        }
        Ok(filled)
    }

    /// Returns the failure behind an error of this stream.
    pub(crate) fn failure(&self, place: &Place, error: io::Error) -> Failure {
        let foreign = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<NotInEncoding>());
        if foreign.is_some() {
            let name = self.encoding.map_or("UTF-8", Encoding::name);
            return invalid(place, say!("is not ", Quoted(name)))
                .hint("set `encoding` to the one it was written in")
                .caused_by(error);
        }
        packed(place, self.packing, cannot_read(place, error))
    }

    /// Returns what is really wrong when the text of a packed file makes no sense: the packing may be damaged.
    pub(crate) fn explain(&mut self, place: &Place, failure: Failure) -> Failure {
        if self.packing == Packing::Plain || failure.kind != FailureKind::FileInvalid {
            return failure;
        }
        match io::copy(&mut self.stream, &mut io::sink()) {
            Ok(_) => failure,
            Err(error) => self.failure(place, error),
        }
    }

    /// Reads what is left and returns the digest of the whole file.
    pub(crate) fn finish(self, place: &Place) -> Result<Digest, Failure> {
        let mut raw = self.raw.borrow_mut();
        io::copy(&mut *raw, &mut io::sink()).map_err(|error| cannot_read(place, error))?;
        Ok(Digest {
            hash: raw.hasher.finalize().to_hex().to_string(),
            bytes: raw.bytes,
        })
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

/// Returns the digest of the file at `place`.
pub(crate) fn digest(place: &Place) -> Result<Digest, Failure> {
    let file = place.open()?;
    let mut raw = Raw {
        file,
        hasher: blake3::Hasher::new(),
        bytes: 0,
    };
    let mut buffer = vec![0; 256 << 10];
    while raw
        .read(&mut buffer)
        .map_err(|error| cannot_read(place, error))?
        > 0
    {}
    Ok(Digest {
        hash: raw.hasher.finalize().to_hex().to_string(),
        bytes: raw.bytes,
    })
}

fn peek(stream: &mut dyn Read, place: &Place) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::with_capacity(8);
    stream
        .take(8)
        .read_to_end(&mut head)
        .map_err(|error| cannot_read(place, error))?;
    Ok(head)
}

/// Returns the failure of a file that the system does not give.
pub(crate) fn cannot_read(place: &Place, error: io::Error) -> Failure {
    let failure = match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::new(
            FailureKind::Forbidden,
            say!("file ", name place, " may not be read"),
        )
        .hint("give the user that runs dango read access to it"),
        _ => Failure::new(
            FailureKind::Failed,
            say!("file ", name place, " cannot be read"),
        ),
    };
    failure.caused_by(error)
}

/// A decoder's complaint means a damaged file, not a failing disk.
fn packed(place: &Place, packing: Packing, failure: Failure) -> Failure {
    let tool = match packing {
        Packing::Gzip => "gzip",
        Packing::Zstd => "zstd",
        Packing::Plain | Packing::Other(_) => return failure,
    };
    let what = say!(
        "is damaged or cut off: its ",
        Quoted(tool),
        " data does not end"
    );
    let failed = invalid(place, what).hint("copy the file again and compare its size");
    match failure.source {
        Some(source) => failed.caused_by(source),
        None => failed,
    }
}

/// Returns the failure of a file that is not what it should be: ``file `x` <what>``.
pub(crate) fn invalid(place: &Place, what: impl Into<Say>) -> Failure {
    let say = say!("file ", name place, " ", what.into());
    Failure::new(FailureKind::FileInvalid, say)
}

/// The file itself: everything that is read is hashed and counted.
struct Raw {
    file: fs_err::File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }
}

struct Shared(Rc<RefCell<Raw>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}
