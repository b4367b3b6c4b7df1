//! A writer that masks every learned secret on its way out, also one that is written in pieces.

use security::Redactor;
use std::io::{self, Write};

/// A line that does not end is handed on in parts when this much of it has come together.
const BLOCK_BYTES: usize = 64 << 10;
/// A secret longer than this may slip through when it is split between two blocks without a line end.
const SECRET_BYTES_MAX: usize = 8 << 10;

/// Masks what is written to `W`, line by line, and what merely looks like a secret as well: for messages. For text only: bytes
/// that are not UTF-8 pass as they are.
pub struct Redacting<W: Write> {
    inner: W,
    redactor: &'static Redactor,
    held: Vec<u8>,
}

impl<W: Write> Redacting<W> {
    /// Returns a writer that hands on every line at once.
    pub fn new(inner: W, redactor: &'static Redactor) -> Self {
        Self {
            inner,
            redactor,
            held: Vec::new(),
        }
    }

    /// Hands on what is held up to `end`.
    fn emit(&mut self, end: usize) -> io::Result<()> {
        let rest = self.held.split_off(end.min(self.held.len()));
        let ready = std::mem::replace(&mut self.held, rest);
        self.inner.write_all(&self.clean(&ready))
    }

    fn clean(&self, bytes: &[u8]) -> Vec<u8> {
        let mut clean = Vec::with_capacity(bytes.len());
        for chunk in bytes.utf8_chunks() {
            clean.extend_from_slice(self.redactor.redact_talk(chunk.valid()).as_bytes());
            clean.extend_from_slice(chunk.invalid());
        }
        clean
    }

    /// Hands on what can be: whole lines, or all but the last bytes of a line that does not end.
    fn emit_ready(&mut self) -> io::Result<()> {
        if let Some(at) = self.held.iter().rposition(|byte| *byte == b'\n') {
            self.emit(at + 1)?;
        }
        if self.held.len() >= BLOCK_BYTES {
            // Masked first: a secret that lies across the cut is whole only now.
            self.held = self.clean(&self.held);
            let cut = self.held.len().saturating_sub(SECRET_BYTES_MAX);
            let is_boundary = |at: &usize| {
                self.held
                    .get(*at)
                    .is_none_or(|byte| byte & 0b1100_0000 != 0b1000_0000)
            };
            let cut = (cut.saturating_sub(3)..=cut)
                .rev()
                .find(is_boundary)
                .unwrap_or(cut);
            self.emit(cut)?;
        }
        Ok(())
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        self.emit_ready()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.emit(usize::MAX)?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for Redacting<W> {
    fn drop(&mut self) {
        // Whoever cares for the error flushes himself.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use security::Plain;

    fn redactor() -> &'static Redactor {
        static KNOWN: Redactor = Redactor::new();
        KNOWN.learn(&Plain::new("hunter2hunter2".into()));
        &KNOWN
    }

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Redacting::new(&mut out, redactor());
        for piece in pieces {
            writer.write_all(piece).expect("written");
        }
        drop(writer);
        out
    }

    #[test]
    fn a_secret_in_pieces_is_masked() {
        let pieces: [&[u8]; 4] = [b"key: hunt", b"er2hun", b"ter2, ", b"end"];
        assert_eq!(written(&pieces), b"key: ***************, end");
    }

    #[test]
    fn lines_are_handed_on_at_once_and_a_prompt_when_flushed() {
        let mut out = Vec::new();
        let mut writer = Redacting::new(&mut out, redactor());
        writer.write_all(b"one\ntwo").expect("written");
        assert_eq!(*writer.inner, b"one\n");
        writer.flush().expect("flushed");
        assert_eq!(*writer.inner, b"one\ntwo");
    }

    #[test]
    fn bytes_that_are_no_text_pass() {
        let pieces: [&[u8]; 3] = [b"\xff\xc3", b"\xa4hunter2hunter2\xff", b"\n\xe2\x82"];
        assert_eq!(
            written(&pieces),
            b"\xff\xc3\xa4***************\xff\n\xe2\x82"
        );
    }

    proptest! {
        #![proptest_config(crate::seeded::cases())]

        #[test]
        fn whatever_the_pieces_a_secret_is_masked_and_the_rest_is_kept(
            before in 0_usize..140_000,
            after in 0_usize..70_000,
            piece in 1_usize..90_000,
            filling in prop_oneof![Just("ü"), Just("x"), Just("x\n"), Just("€")],
        ) {
            let fill = |bytes: usize| filling.repeat(bytes / filling.len());
            let text = format!("{}hunter2hunter2{}", fill(before), fill(after));
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(piece).collect();
            let expect = text.replace("hunter2hunter2", "***************");
            prop_assert!(written(&pieces) == expect.as_bytes());
        }
    }
}
