//! The short codes by which somebody recognises the program that asks to be let in (RFC 8628): eight letters, `WDJB-MJHT`.

use crate::entropy::{self, Entropy};
use crate::plain::Plain;

/// The letters of RFC 8628 §6.1: no vowels, so that no words come out; 34 bits in a code.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The largest multiple of 20 that a byte holds: what lies above would make some letters likelier.
const FAIR: u8 = 240;
const HALF_CHARS: usize = 4;

/// Makes a code.
pub fn generate(entropy: &dyn Entropy) -> Plain<String> {
    let mut code = String::with_capacity(2 * HALF_CHARS + 1);
    while code.len() < 2 * HALF_CHARS + 1 {
        let [byte] = entropy::bytes::<1>(entropy);
        if code.len() == HALF_CHARS {
            code.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 20)).copied();
        code.extend(letter.filter(|_| byte < FAIR).map(char::from));
    }
    Plain::new(code)
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
    use std::collections::BTreeMap;

    #[test]
    fn a_code_is_eight_letters_and_is_read_as_it_is_typed() {
        let code = generate(&Counting::default());
        let code = code.expose();
        assert_eq!((code.len(), code.find('-')), (9, Some(4)));
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        assert_eq!(normalise(&typed).expect("a code").expose(), code);
        for bad in [
            "",
            "BCDF",
            "BCDF-GHJ",
            "BCDF-GHJKL",
            "BCDF-GHJA",
            "BCDF-GHJ1",
            "ÄBCD-FGHJ",
        ] {
            assert!(normalise(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn no_letter_is_likelier_than_another() {
        let entropy = Counting::default();
        let mut seen = BTreeMap::new();
        // As many letters as 15 rounds over every byte give.
        for _ in 0..(15 * 240 / 8) {
            for letter in generate(&entropy).expose().chars().filter(|c| *c != '-') {
                *seen.entry(letter).or_insert(0) += 1;
            }
        }
        assert_eq!(seen.len(), 20);
        assert!(seen.values().all(|count| *count == 180), "{seen:?}");
    }
}
