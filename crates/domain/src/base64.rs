//! Base64 (RFC 4648 §4), which HTTP's Basic credentials need, and the redactor that looks for them.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends `bytes` as base64 with its padding.
pub fn encode_into(bytes: &[u8], out: &mut String) {
    // At once, because a text that grows leaves copies of itself behind, and these bytes are often secret.
    out.reserve_exact(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_usize, |group, at| {
            (group << 8) | usize::from(chunk.get(at).copied().unwrap_or(0))
        });
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS
                .get((group >> shift) & 63)
                .filter(|_| at <= chunk.len());
            out.push(letter.map_or('=', |letter| char::from(*letter)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_with_their_padding() {
        let check = |bytes: &[u8], expect: &str| {
            let mut out = String::new();
            encode_into(bytes, &mut out);
            assert_eq!(out, expect);
        };
        // RFC 4648 §10
        check(b"", "");
        check(b"f", "Zg==");
        check(b"fo", "Zm8=");
        check(b"foo", "Zm9v");
        check(b"foobar", "Zm9vYmFy");
        check(b"\xff\xfe", "//4=");
    }
}
