//! The records of a JSON file one by one, so that a file of any size needs the memory of one record.

use super::super::input::{Input, invalid};
use super::super::place::Place;
use crate::failure::{Failure, FailureKind};
use domain::limits::JSON_DEPTH_MAX;
use domain::say;
use domain::say::Quoted;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Deserializer, Error, Value};
use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

const BUFFER_BYTES: usize = 128 << 10;

/// Hands each record of the file to `each`: the items of an array, or one value after another. A record of more than
/// `bytes_max` bytes is refused.
pub(super) fn each_record(
    input: &mut Input,
    place: &Place,
    bytes_max: usize,
    each: impl FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (meter, mut start, mut refused) = (Meter::new(bytes_max), Start::default(), None);
    let items = Items {
        each,
        refused: &mut refused,
        meter: &meter,
    };
    let metered = Metered {
        input: &mut *input,
        meter: &meter,
    };
    let ended = read(metered, &mut start, items);
    match (refused, ended) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) if error.is_io() && meter.left.get() == 0 => Err(endless(place, &meter)),
        (None, Err(error)) if error.is_io() => Err(input.failure(place, error.into())),
        (None, Err(error)) => Err(input.explain(place, malformed(place, &start, &error))),
        (None, Ok(())) => Ok(()),
    }
}

fn read<F: FnMut(Value) -> Result<(), Failure>>(
    input: Metered<'_>,
    start: &mut Start,
    mut items: Items<'_, F>,
) -> Result<(), Error> {
    let mut stream = BufReader::with_capacity(BUFFER_BYTES, input);
    let first = start.skip_white_space(&mut stream).map_err(Error::io)?;
    let mut json = Deserializer::from_reader(stream);
    match first {
        None => Ok(()),
        Some(b'[') => json.deserialize_seq(items).and_then(|()| json.end()),
        Some(_) => json
            .into_iter::<Value>()
            .try_for_each(|value| items.take::<Error>(value?)),
    }
}

/// How much of the file was read.
struct Meter {
    bytes_max: usize,
    /// Bytes that the record may still have. What follows a record in the buffer is not counted to the next one.
    left: Cell<usize>,
    /// Lines that ended so far.
    lines: Cell<u64>,
}

impl Meter {
    fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            left: Cell::new(bytes_max),
            lines: Cell::new(0),
        }
    }
}

struct Metered<'a> {
    input: &'a mut Input,
    meter: &'a Meter,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.meter.left.get();
        if left == 0 {
            return Err(io::Error::other("the record does not end"));
        }
        let count = self.input.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.meter.left.set(left.saturating_sub(count));
        self.meter
            .lines
            .set(self.meter.lines.get() + memchr::memchr_iter(b'\n', bytes).count() as u64);
        Ok(count)
    }
}

/// Where the first value starts: the parser, which does not see what stands before, counts lines and columns from there.
#[derive(Default)]
struct Start {
    lines: usize,
    columns: usize,
}

impl Start {
    /// Reads up to the first byte that is not white space, and returns it without taking it.
    fn skip_white_space(&mut self, stream: &mut impl BufRead) -> io::Result<Option<u8>> {
        loop {
            let buffer = stream.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
            let count = buffer.iter().take_while(is_space).count();
            let (space, rest) = buffer.split_at(count);
            let first = rest.first().copied();
            self.lines += memchr::memchr_iter(b'\n', space).count();
            self.columns = match memchr::memrchr(b'\n', space) {
                Some(at) => count - at - 1,
                None => self.columns + count,
            };
            stream.consume(count);
            if first.is_some() {
                return Ok(first);
            }
        }
    }
}

fn malformed(place: &Place, start: &Start, error: &Error) -> Failure {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    let line = start.lines + error.line();
    let column = match error.line() {
        1 => start.columns + error.column(),
        _ => error.column(),
    };
    if reason.contains("recursion limit") {
        let what = say!(
            "is nested deeper than ",
            JSON_DEPTH_MAX,
            " levels in line ",
            line
        );
        return invalid(place, what).hint("flatten the data first");
    }
    let what = say!(
        "is not JSON in line ",
        line,
        ", column ",
        column,
        ": ",
        Quoted(reason)
    );
    let hint = if error.is_eof() {
        "the file ends too early; copy it again and compare its size"
    } else if reason.contains("unicode code point") {
        "it is not UTF-8 there: set `encoding`, for instance to `latin1`, or save it as UTF-8"
    } else {
        "a JSON file holds one array of objects, or one object on each line"
    };
    invalid(place, what).hint(hint)
}

/// Returns the failure of a file with a record beyond the limit, or with as much white space.
fn endless(place: &Place, meter: &Meter) -> Failure {
    let (bytes, line) = (meter.bytes_max, meter.lines.get() + 1);
    let what = say!(
        "has more than ",
        bytes,
        " bytes in which no record ends, up to line ",
        line
    );
    let say = say!("file ", name place, " ", what);
    Failure::new(FailureKind::FileTooLarge, say).hint(
        "records are the items of one array, or objects one after another; take an object that holds them all apart first",
    )
}

/// Takes the items of the outermost array one by one, so that a file of any size needs the memory of one record.
struct Items<'a, F> {
    each: F,
    refused: &'a mut Option<Failure>,
    meter: &'a Meter,
}

impl<F: FnMut(Value) -> Result<(), Failure>> Items<'_, F> {
    /// serde's error cannot carry ours, so it is put aside.
    fn take<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
        self.meter.left.set(self.meter.bytes_max);
        (self.each)(value).map_err(|failure| {
            *self.refused = Some(failure);
            E::custom("refused")
        })
    }
}

impl<'de, F: FnMut(Value) -> Result<(), Failure>> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element()? {
            self.take::<A::Error>(value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::options::FileOptions;
    use super::*;

    const BYTES_MAX: usize = 1 << 20;

    fn records(text: &str) -> Result<usize, Failure> {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("a.json"), text).unwrap();
        let place = Place::new(folder.path(), "a.json")?;
        let mut input = Input::open(&place, &FileOptions::default())?;
        let mut count = 0;
        each_record(&mut input, &place, BYTES_MAX, |_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    #[test]
    fn a_record_that_does_not_end_is_refused_with_its_line() {
        let check = |start: &str, filler: &str, line: usize| {
            let failure = records(&(start.to_owned() + &filler.repeat(BYTES_MAX * 2))).unwrap_err();
            assert_eq!(failure.kind, FailureKind::FileTooLarge, "{failure}");
            assert_eq!(
                failure.say.as_str(),
                format!(
                    "file `a.json` has more than 1048576 bytes in which no record ends, up to line {line}"
                )
            );
            assert!(!failure.hint.is_empty());
        };
        check("\n\n", " ", 3);
        check("{\"a\": 1}\n{\"a\": \"", "x", 2);
        check("[{\"a\": 1},\n\n", "\t", 3);
        check("[{\"a\": 1}]\n", " ", 2);
    }

    #[test]
    fn a_file_may_be_longer_than_a_record() {
        let record = format!("{{\"a\": \"{}\"}}", "x".repeat(BYTES_MAX / 8));
        let lines = vec![record; 40];
        assert_eq!(records(&lines.join("\n")).unwrap(), 40);
        assert_eq!(records(&format!("[{}]", lines.join(",\n"))).unwrap(), 40);
    }
}
