//! Text as whoever reads it decodes it: a secret that was escaped by somebody else's rules (more or fewer characters than ours
//! would escape, `%2f` for `%2F`, a quote escaped twice) is found in the decoded text and masked in the written one.

use zeroize::Zeroizing;

/// A way to read text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// `%41` is `A`.
    Percent,
    /// As in a form: also `+` is a blank.
    Form,
    /// Backslashes are not there, but for `\n`, `\u0041` and their like; how many there are does not matter.
    Escaped,
}

impl View {
    pub(super) const ALL: [Self; 3] = [Self::Percent, Self::Form, Self::Escaped];

    /// Returns whether `text` reads otherwise than it is written.
    pub(super) fn changes(self, text: &str) -> bool {
        match self {
            Self::Percent => text.contains('%'),
            Self::Form => text.contains('+'),
            Self::Escaped => text.contains('\\'),
        }
    }

    /// Returns a secret as it is searched for in this view.
    pub(super) fn secret(self, secret: &str) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Percent | Self::Form => Zeroizing::new(secret.as_bytes().to_vec()),
            Self::Escaped => Zeroizing::new(Decoded::new(self, secret).bytes),
        }
    }
}

/// Text as it reads, and where each byte of it is written.
pub(super) struct Decoded {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Decoded {
    pub(super) fn new(view: View, text: &str) -> Self {
        let source = text.as_bytes();
        let mut decoded = Self {
            bytes: Vec::with_capacity(source.len()),
            starts: Vec::with_capacity(source.len() + 1),
        };
        let mut at = 0;
        while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
            let (read, length) = match view {
                View::Form if rest.starts_with(b"+") => (Read::Byte(b' '), 1),
                View::Percent | View::Form => percent(rest),
                View::Escaped => escaped(rest),
            };
            match read {
                Read::Byte(byte) => decoded.push(&[byte], at),
                Read::Char(character) => {
                    decoded.push(character.encode_utf8(&mut [0; 4]).as_bytes(), at);
                }
                Read::Nothing => {}
            }
            at += length;
        }
        decoded.starts.push(source.len());
        decoded
    }

    fn push(&mut self, bytes: &[u8], at: usize) {
        self.bytes.extend_from_slice(bytes);
        self.starts.extend(bytes.iter().map(|_| at));
    }

    /// Returns where `secret` is written, from and to.
    pub(super) fn find(&self, secret: &[u8]) -> Vec<(usize, usize)> {
        let Some(first) = secret.first() else {
            return Vec::new();
        };
        let mut places = Vec::new();
        let mut from = 0;
        while let Some(rest) = self.bytes.get(from..)
            && let Some(at) = rest.iter().position(|byte| byte == first)
        {
            let at = from + at;
            from = at + 1;
            if self
                .bytes
                .get(at..)
                .is_some_and(|rest| rest.starts_with(secret))
                && let Some(place) = self
                    .starts
                    .get(at)
                    .copied()
                    .zip(self.starts.get(at + secret.len()).copied())
            {
                places.push(place);
                from = at + secret.len();
            }
        }
        places
    }
}

enum Read {
    Byte(u8),
    Char(char),
    Nothing,
}

fn percent(rest: &[u8]) -> (Read, usize) {
    let first = rest.first().copied().unwrap_or_default();
    match rest.get(1..3).and_then(number) {
        Some(byte) if first == b'%' => match u8::try_from(byte) {
            Ok(byte) => (Read::Byte(byte), 3),
            Err(_) => (Read::Byte(first), 1),
        },
        _ => (Read::Byte(first), 1),
    }
}

fn escaped(rest: &[u8]) -> (Read, usize) {
    let first = rest.first().copied().unwrap_or_default();
    if first != b'\\' {
        return (Read::Byte(first), 1);
    }
    match rest.get(1) {
        Some(b'n') => (Read::Byte(b'\n'), 2),
        Some(b'r') => (Read::Byte(b'\r'), 2),
        Some(b't') => (Read::Byte(b'\t'), 2),
        Some(b'u') => unicode(rest).unwrap_or((Read::Nothing, 1)),
        _ => (Read::Nothing, 1),
    }
}

/// Reads `\u00e9`, or `\u{e9}` as Rust writes it.
fn unicode(rest: &[u8]) -> Option<(Read, usize)> {
    if rest.get(2) == Some(&b'{') {
        let digits = rest
            .get(3..)?
            .iter()
            .take(7)
            .position(|byte| *byte == b'}')?;
        let character = char::from_u32(number(rest.get(3..3 + digits)?)?)?;
        return Some((Read::Char(character), digits + 4));
    }
    let character = char::from_u32(number(rest.get(2..6)?)?)?;
    Some((Read::Char(character), 6))
}

fn number(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}
