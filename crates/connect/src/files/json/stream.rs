//! The records of a JSON file one by one, so that a file of any size needs the memory of one record.

use super::super::input::{Input, invalid};
use super::super::place::Place;
use crate::failure::Failure;
use domain::say;
use domain::say::Quoted;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Deserializer, Value};
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

/// Hands each record of the file to `each`: the items of an array, or one value after another.
pub(super) fn each_record(
    input: &mut Input,
    place: &Place,
    each: impl FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut stream = BufReader::with_capacity(128 << 10, &mut *input);
    let first = first_byte(&mut stream);
    let mut refused = None;
    let ended = match first {
        Err(error) => Err(serde_json::Error::io(error)),
        Ok(None) => Ok(()),
        Ok(Some(start)) => {
            let stream = (&start[..]).chain(stream);
            let mut items = Items {
                each,
                refused: &mut refused,
            };
            let mut json = Deserializer::from_reader(stream);
            if start.last() == Some(&b'[') {
                json.deserialize_seq(items).and_then(|()| json.end())
            } else {
                json.into_iter::<Value>()
                    .try_for_each(|value| items.take::<serde_json::Error>(value?))
            }
        }
    };
    match (refused, ended) {
        (Some(failure), _) => Err(failure),
        (None, Err(error)) if error.is_io() => Err(input.failure(place, error.into())),
        (None, Err(error)) => Err(input.explain(place, malformed(place, &error))),
        (None, Ok(())) => Ok(()),
    }
}

/// Returns all bytes up to the first that is not white space, so that lines are counted from the top.
fn first_byte(stream: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut start = Vec::new();
    loop {
        let buffer = stream.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let found = buffer.iter().position(|byte| !byte.is_ascii_whitespace());
        let count = found.map_or(buffer.len(), |at| at + 1);
        start.extend(buffer.iter().take(count));
        stream.consume(count);
        if found.is_some() {
            return Ok(Some(start));
        }
    }
}

fn malformed(place: &Place, error: &serde_json::Error) -> Failure {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default();
    let (line, column) = (error.line(), error.column());
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
    } else if reason.contains("recursion limit") {
        "lists and objects may be nested 128 deep; flatten the data first"
    } else if reason.contains("unicode code point") {
        "it is not UTF-8 there: set `encoding`, for instance to `latin1`, or save it as UTF-8"
    } else {
        "a JSON file holds one array of objects, or one object on each line"
    };
    invalid(place, what).hint(hint)
}

/// Takes the items of the outermost array one by one, so that a file of any size needs the memory of one record.
struct Items<'a, F> {
    each: F,
    refused: &'a mut Option<Failure>,
}

impl<F: FnMut(Value) -> Result<(), Failure>> Items<'_, F> {
    /// serde's error cannot carry ours, so it is put aside.
    fn take<E: serde::de::Error>(&mut self, value: Value) -> Result<(), E> {
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
