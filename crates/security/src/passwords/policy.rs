//! Which passwords are taken: long enough, not one that everybody tries first, not the person's own name.

use super::Password;
use zxcvbn::matching::patterns::MatchPattern;

/// Characters of a password at least, as both heritages have it.
pub const CHARS_MIN: usize = 8;
/// Characters at most: an attacker must not choose how long a hash takes.
pub const CHARS_MAX: usize = 128;
/// A password that stands among the first ones of the usual lists is refused.
const COMMON_RANK_MAX: usize = 10_000;
/// Words shorter than this are in too many good passwords to refuse them.
const WORD_CHARS_MIN: usize = 3;
/// The product's name is what its users try first.
const PRODUCT: &str = "dango";

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("it has fewer than {chars_min} characters")]
    Short { chars_min: usize },
    #[error("it has more than {CHARS_MAX} characters")]
    Long,
    #[error("it is one of the passwords that are tried first")]
    Common,
    #[error("it is, or contains, the e-mail address or the name in it")]
    Personal,
    #[error("it is the name of this product")]
    Product,
    #[error("it repeats one short piece")]
    Repeated,
}

/// The rules, which an operator may make stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub chars_min: usize,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            chars_min: CHARS_MIN,
        }
    }
}

impl Policy {
    /// Returns everything that speaks against `password` for the account `email`; nothing when it is taken.
    pub fn weaknesses(&self, password: &Password, email: &str) -> Vec<Weakness> {
        let chars = password.chars();
        if chars > CHARS_MAX {
            return vec![Weakness::Long];
        }
        let mut found = Vec::new();
        if chars < self.chars_min {
            found.push(Weakness::Short {
                chars_min: self.chars_min,
            });
        }
        let text = password.expose().to_lowercase();
        let email = email.trim().to_lowercase();
        let name = email.split('@').next().unwrap_or_default();
        if text == email || (name.chars().count() >= WORD_CHARS_MIN && text.contains(name)) {
            found.push(Weakness::Personal);
        }
        if text.trim_matches(|c: char| !c.is_alphabetic()) == PRODUCT {
            found.push(Weakness::Product);
        }
        found.extend(whole_pattern(&text));
        found
    }
}

/// Returns what is wrong with a password that is one pattern from its first to its last character.
fn whole_pattern(text: &str) -> Option<Weakness> {
    let entropy = zxcvbn::zxcvbn(text, &[]);
    let [whole] = entropy.sequence() else {
        return None;
    };
    match &whole.pattern {
        MatchPattern::Dictionary(word) if word.rank <= COMMON_RANK_MAX => Some(Weakness::Common),
        MatchPattern::Repeat(_) => Some(Weakness::Repeated),
        MatchPattern::Sequence(_) => Some(Weakness::Common),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::Plain;

    #[test]
    fn passwords_are_weighed() {
        let check = |text: &str, expect: &[Weakness]| {
            let password = Password::new(&Plain::new(text.to_owned()));
            let found = Policy::default().weaknesses(&password, "Ada.Lovelace@example.com");
            assert_eq!(found, expect, "{text}");
        };
        let short = Weakness::Short {
            chars_min: CHARS_MIN,
        };
        check("violet-Kettle-41", &[]);
        check("correct horse battery staple", &[]);
        check("xK3!vq9", &[short]);
        check("password1", &[Weakness::Common]);
        check("iloveyou", &[Weakness::Common]);
        check("P@ssw0rd", &[Weakness::Common]);
        check("aaaaaaaaa", &[Weakness::Repeated]);
        check("abcdefghij", &[Weakness::Common]);
        check("dango123", &[Weakness::Product]);
        check("ada.lovelace-1815", &[Weakness::Personal]);
        check("ADA.LOVELACE@example.com", &[Weakness::Personal]);
        check(&"ä".repeat(CHARS_MAX + 1), &[Weakness::Long]);
        check("пароль-на-каждый-день", &[]);
    }

    #[test]
    fn an_operator_may_ask_for_more() {
        let password = Password::new(&Plain::new("violet-K-41".to_owned()));
        let found = Policy { chars_min: 15 }.weaknesses(&password, "a@example.com");
        assert_eq!(found, [Weakness::Short { chars_min: 15 }]);
    }
}
