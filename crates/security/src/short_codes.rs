//! Codes that people type: eight characters of an alphabet, with a dash in the middle.

use crate::entropy::{self, Entropy};
use crate::plain::Plain;

const HALF_CHARS: usize = 4;

/// The characters of a kind of code, at most 256 of them.
pub(crate) struct Alphabet(pub(crate) &'static [u8]);

impl Alphabet {
    /// Makes a code. No character is likelier than another.
    pub(crate) fn generate(&self, entropy: &dyn Entropy) -> Plain<String> {
        // What lies above the largest multiple that bytes have would make some likelier.
        let fair = 256 - 256 % self.0.len();
        let mut code = String::with_capacity(2 * HALF_CHARS + 1);
        while code.len() < 2 * HALF_CHARS + 1 {
            let byte = usize::from(entropy::bytes::<1>(entropy)[0]);
            if code.len() == HALF_CHARS {
                code.push('-');
            }
            let letter = self.0.get(byte % self.0.len()).copied();
            code.extend(letter.filter(|_| byte < fair).map(char::from));
        }
        Plain::new(code)
    }

    /// Returns what somebody typed as the code it may be: upper case, with its dash; `None` for what cannot be one.
    pub(crate) fn normalise(&self, typed: &str) -> Option<Plain<String>> {
        let letters: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let is_code =
            letters.len() == 2 * HALF_CHARS && letters.bytes().all(|byte| self.0.contains(&byte));
        let (first, second) = letters.split_at_checked(HALF_CHARS)?;
        is_code.then(|| Plain::new(format!("{first}-{second}")))
    }
}
