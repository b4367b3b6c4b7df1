//! Recovery codes: eight of them, `XXXX-XXXX`, each good once, hashed as passwords are.

use crate::entropy::Entropy;
use crate::plain::Plain;
use crate::short_codes::Alphabet;

/// How many a person gets.
pub const COUNT: usize = 8;
/// 32 characters, without those that are taken for each other: 40 bits in a code.
const CHARACTERS: Alphabet = Alphabet(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789");

/// Makes a set of codes.
pub fn generate(entropy: &dyn Entropy) -> Vec<Plain<String>> {
    (0..COUNT).map(|_| CHARACTERS.generate(entropy)).collect()
}

/// Returns what somebody typed as the code it may be: upper case, with its dash; `None` for what cannot be one.
pub fn normalise(typed: &str) -> Option<Plain<String>> {
    CHARACTERS.normalise(typed)
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
