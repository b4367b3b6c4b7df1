//! Canary secrets, and the search for every trace of one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Pieces of a canary that are this long are as bad as the whole.
const PIECE: usize = 8;

/// A secret that must not come out.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    /// The whole secret, with the characters that encoders change.
    pub(crate) value: String,
    /// Letters and digits alone: no encoder of text changes them, so one search finds the percent-encoded, JSON-escaped and
    /// debug forms as well.
    core: String,
}

/// A trace of a canary.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) canary: &'static str,
    pub(crate) form: &'static str,
    pub(crate) near: String,
}

impl Canary {
    /// Makes the `number`-th canary; `shape` says what stands around its `{}`.
    pub(crate) fn new(name: &'static str, number: u64, shape: &str) -> Self {
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789";
        let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut core = String::new();
        for _ in 0..24 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 33).expect("small") % LETTERS.len();
            core.push(char::from(LETTERS[at]));
        }
        Self {
            name,
            value: shape.replace("{}", &core),
            core,
        }
    }

    /// Returns the secret as a URL holds it.
    pub(crate) fn percent(&self) -> String {
        let mut out = String::new();
        for byte in self.value.bytes() {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                write!(out, "%{byte:02X}").expect("a string");
            }
        }
        out
    }

    /// Returns what is searched for, each with the form it has.
    fn needles(&self) -> Vec<(&'static str, Vec<u8>)> {
        let pieces = self.core.as_bytes().windows(PIECE);
        let mut needles: Vec<_> = pieces.map(|piece| ("text", piece.to_vec())).collect();
        let encoded = self.encoded().into_iter();
        needles.extend(encoded.map(|(form, text)| (form, text.into_bytes())));
        needles
    }

    fn encoded(&self) -> Vec<(&'static str, String)> {
        let hex = |upper: bool| {
            self.core.bytes().fold(String::new(), |mut out, byte| {
                let written = if upper {
                    write!(out, "{byte:02X}")
                } else {
                    write!(out, "{byte:02x}")
                };
                written.expect("a string");
                out
            })
        };
        let mut forms = vec![("hex", hex(false)), ("hex", hex(true))];
        // Letters and digits encode alike in both alphabets of base64.
        for offset in 0..3 {
            forms.push(("base64", base64_inner(self.core.as_bytes(), offset)));
        }
        forms
    }
}

/// Searches for all canaries in one pass: a warehouse is many megabytes.
#[derive(Default)]
pub(crate) struct Search {
    /// By their first two bytes.
    needles: BTreeMap<[u8; 2], Vec<Needle>>,
    starts: Vec<bool>,
}

struct Needle {
    canary: &'static str,
    form: &'static str,
    bytes: Vec<u8>,
}

impl Search {
    /// Also searches for `canary` from now on.
    pub(crate) fn add(&mut self, canary: &Canary) {
        self.starts.resize(1 << 16, false);
        for (form, bytes) in canary.needles() {
            let start = [bytes[0], bytes[1]];
            self.starts[usize::from(u16::from_be_bytes(start))] = true;
            let canary = canary.name;
            self.needles.entry(start).or_default().push(Needle {
                canary,
                form,
                bytes,
            });
        }
    }

    /// Returns the first trace of each canary in each form.
    pub(crate) fn traces(&self, bytes: &[u8]) -> Vec<Trace> {
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            if !self.starts.is_empty()
                && self.starts[usize::from(pair[0]) << 8 | usize::from(pair[1])]
            {
                let needles = self.needles.get(&[pair[0], pair[1]]).into_iter().flatten();
                for needle in needles.filter(|needle| bytes[at..].starts_with(&needle.bytes)) {
                    found.entry((needle.canary, needle.form)).or_insert(at);
                }
            }
        }
        let traces = found.into_iter().map(|((canary, form), at)| Trace {
            canary,
            form,
            near: near(bytes, at),
        });
        traces.collect()
    }
}

fn near(bytes: &[u8], at: usize) -> String {
    let part = &bytes[at.saturating_sub(120)..bytes.len().min(at + 60)];
    String::from_utf8_lossy(part).into_owned()
}

/// Returns what is certain of the base64 text of `core` when `offset` unknown bytes stand before it.
fn base64_inner(core: &[u8], offset: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let skipped = (3 - offset) % 3;
    let mut out = String::new();
    for chunk in core[skipped..].chunks_exact(3) {
        let group = chunk
            .iter()
            .fold(0_usize, |group, byte| (group << 8) | usize::from(*byte));
        for shift in [18, 12, 6, 0] {
            out.push(char::from(ALPHABET[(group >> shift) & 63]));
        }
    }
    // Half of it is enough to be sure of a leak, whatever was cut off.
    out.truncate(12);
    out
}

#[test]
fn the_search_finds_every_form() {
    let canary = Canary::new("x", 7, "a\"{}%");
    let mut search = Search::default();
    search.add(&canary);
    let core = canary.core.as_bytes().to_vec();
    for before in ["", "u", "us"] {
        let mut plain = before.as_bytes().to_vec();
        plain.extend_from_slice(&core);
        let mut text = String::new();
        for chunk in plain.chunks_exact(3) {
            text.push_str(&base64_inner(chunk, 0));
        }
        let forms: Vec<_> = search
            .traces(text.as_bytes())
            .iter()
            .map(|trace| trace.form)
            .collect();
        assert_eq!(forms, ["base64"], "{before}");
    }
    assert_eq!(search.traces(canary.percent().as_bytes()).len(), 1);
    assert_eq!(search.traces(&core[3..12]).len(), 1);
    assert!(search.traces(b"nothing").is_empty());
}
