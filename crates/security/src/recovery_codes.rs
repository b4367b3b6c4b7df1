//! Recovery codes: eight of them, `XXXX-XXXX`, each good once, hashed as passwords are.

use crate::entropy::{self, Entropy};
use crate::plain::Plain;

/// How many a person gets.
pub const COUNT: usize = 8;
/// 32 characters, without those that are taken for each other: 40 bits in a code.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const HALF_CHARS: usize = 4;

/// Makes a set of codes.
pub fn generate(entropy: &dyn Entropy) -> Vec<Plain<String>> {
    (0..COUNT)
        .map(|_| {
            let random = entropy::bytes::<{ 2 * HALF_CHARS }>(entropy);
            let mut code = String::with_capacity(2 * HALF_CHARS + 1);
            for (at, byte) in random.into_iter().enumerate() {
                if at == HALF_CHARS {
                    code.push('-');
                }
                // 256 is a multiple of 32: no character is likelier than another.
                let letter = ALPHABET.get(usize::from(byte % 32)).copied();
                code.push(char::from(letter.unwrap_or(b'A')));
            }
            Plain::new(code)
        })
        .collect()
}

/// Returns what somebody typed as the code it may be: upper case, with its dash; `None` for what cannot be one.
pub fn normalise(typed: &str) -> Option<Plain<String>> {
    let letters: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let is_code =
        letters.len() == 2 * HALF_CHARS && letters.bytes().all(|byte| ALPHABET.contains(&byte));
    let (first, second) = letters.split_at_checked(HALF_CHARS)?;
    is_code.then(|| Plain::new(format!("{first}-{second}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;
    use std::collections::BTreeSet;

    #[test]
    fn eight_codes_that_differ_and_are_read_as_they_are_typed() {
        let codes = generate(&Counting::default());
        let texts: BTreeSet<_> = codes.iter().map(|code| code.expose().clone()).collect();
        assert_eq!(codes.len(), COUNT);
        assert!(texts.len() > 1);
        for text in &texts {
            assert_eq!(text.len(), 9);
            let typed = format!(" {} ", text.to_lowercase().replace('-', " "));
            assert_eq!(normalise(&typed).expect("a code").expose(), text);
        }
        for bad in [
            "",
            "ABCD",
            "ABCD-EFG",
            "ABCD-EFGHJ",
            "ABCD-EFG0",
            "ÄBCD-EFGH",
        ] {
            assert!(normalise(bad).is_none(), "{bad}");
        }
    }
}
