//! The short codes by which somebody recognises the program that asks to be let in (RFC 8628): eight letters, `WDJB-MJHT`.

use crate::entropy::Entropy;
use crate::plain::Plain;
use crate::short_codes::Alphabet;

/// The letters of RFC 8628 §6.1: no vowels, so that no words come out; 34 bits in a code.
const LETTERS: Alphabet = Alphabet(b"BCDFGHJKLMNPQRSTVWXZ");

/// Makes a code.
pub fn generate(entropy: &dyn Entropy) -> Plain<String> {
    LETTERS.generate(entropy)
}

/// Returns what somebody typed as the code it may be: upper case, with its dash; `None` for what cannot be one.
pub fn normalise(typed: &str) -> Option<Plain<String>> {
    LETTERS.normalise(typed)
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
