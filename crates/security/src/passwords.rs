//! Passwords: which are taken, and how they are kept. Slow on purpose: callers hash off the threads that serve requests, a
//! few at a time.

mod kept;
mod policy;

pub use kept::ForeignHash;
pub use policy::{CHARS_MAX, CHARS_MIN, Policy, Weakness};

use crate::entropy::{self, Entropy};
use crate::plain::Plain;
use argon2::password_hash::CustomizedPasswordHasher;
use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Params, Version};
use kept::{Form, Kept};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

/// Argon2id with the parameters of both heritages: m = 64 MiB, t = 3, p = 4 (RFC 9106 §4, second choice).
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 4;
const HASH_BYTES: usize = 32;
const SALT_BYTES: usize = 16;

/// A password in one Unicode form (NFKC, as NIST SP 800-63B-4 §3.1.1.2 asks), and as somebody typed it: both heritages took
/// it so.
pub struct Password {
    normal: Plain<String>,
    typed: Plain<String>,
}

impl Password {
    /// Takes a typed password over.
    pub fn new(typed: &Plain<String>) -> Self {
        Self {
            normal: Plain::new(typed.expose().nfkc().collect()),
            typed: Plain::new(typed.expose().clone()),
        }
    }

    /// Returns whether both are the same.
    pub fn is_same(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }

    /// Returns how many characters it has.
    pub fn chars(&self) -> usize {
        self.expose().chars().count()
    }

    pub(crate) fn expose(&self) -> &str {
        self.normal.expose()
    }

    fn typed(&self) -> &str {
        self.typed.expose()
    }
}

/// A stored password hash, in the PHC string format; in bcrypt's until somebody who comes from getdango signs in.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash over that was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Takes a hash over that another program made: getdango's bcrypt, DAP's Argon2id. It is made anew when its owner signs in.
    pub fn import(text: &str) -> Result<Self, ForeignHash> {
        let text = text.trim();
        Kept::parse(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns whether it is one of getdango's that has not been made anew yet.
    pub fn is_bcrypt(&self) -> bool {
        matches!(Kept::parse(&self.0), Ok(Kept::Bcrypt(_)))
    }

    /// Returns a hash that no password has, as slow as getdango's.
    pub fn of_nobody_at_getdango() -> Self {
        Self("$2b$12$oLRZ3rKL7gUWaXqNnLGu.uRJhBiLVcMf0Ktj6l5z8IrLOuB8TL2gu".to_owned())
    }

    /// Returns a hash that no password has, as slow as any: what is compared with when there is nobody to compare with.
    pub fn of_nobody() -> Self {
        let (salt, hash) = (
            "Mf0fkSA5a+RRtOUEvy1Jtw",
            "6vf5c8oEkDe1mPjIZBhnI34YUiajrG9wdDBaMEW0MOE",
        );
        Self(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${hash}"
        ))
    }

    /// Returns the text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash")
    }
}

/// Whether a password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right {
        /// Whether the hash was made with other parameters than today's and should be made anew.
        is_outdated: bool,
    },
}

/// Characters of a generated password: 132 bits, in DAP's length.
const GENERATED_CHARS: usize = 22;

/// Makes a password for somebody who has to change it.
pub fn generate(entropy: &dyn Entropy) -> Plain<String> {
    let random = entropy::bytes::<32>(entropy);
    let mut text = data_encoding::BASE64URL_NOPAD.encode(&random);
    text.truncate(GENERATED_CHARS);
    Plain::new(text)
}

/// Hashes a password. Takes about 64 MiB and, on one core, 0.2 s.
pub fn hash(password: &Password, entropy: &dyn Entropy) -> Result<PasswordHash, HashError> {
    let salt = entropy::bytes::<SALT_BYTES>(entropy);
    let hash: phc::PasswordHash = hasher()?
        .hash_password_customized(
            password.expose().as_bytes(),
            &salt,
            None,
            None,
            parameters()?,
        )
        .map_err(|_| HashError)?;
    Ok(PasswordHash(hash.to_string()))
}

/// Compares a password with a stored hash, in the time a right one takes. What is no hash is never right.
pub fn verify(password: &Password, stored: &PasswordHash) -> Verdict {
    let (Ok(kept), Ok(hasher)) = (Kept::parse(stored.as_str()), hasher()) else {
        return Verdict::Wrong;
    };
    match (kept.compare(password, &hasher), kept) {
        (None, _) => Verdict::Wrong,
        (Some(Form::Normal), Kept::Argon2(hash)) => Verdict::Right {
            is_outdated: is_outdated(&hash),
        },
        (Some(Form::Normal | Form::Typed), _) => Verdict::Right { is_outdated: true },
    }
}

fn is_outdated(hash: &phc::PasswordHash) -> bool {
    let today = parameters().ok();
    let then = Params::try_from(hash).ok();
    let same = today.zip(then).is_some_and(|(today, then)| {
        (today.m_cost(), today.t_cost(), today.p_cost())
            == (then.m_cost(), then.t_cost(), then.p_cost())
    });
    !same || hash.algorithm != Algorithm::Argon2id.ident()
}

fn parameters() -> Result<Params, HashError> {
    Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES)).map_err(|_| HashError)
}

fn hasher() -> Result<Argon2<'static>, HashError> {
    Ok(Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        parameters()?,
    ))
}

/// The parameters of this module do not fit the algorithm: a bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashError;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::tests::Counting;

    fn password(text: &str) -> Password {
        Password::new(&Plain::new(text.to_owned()))
    }

    #[test]
    fn a_password_is_kept_as_dap_keeps_it_and_found_right_again() {
        let kept = hash(&password("correct horse"), &Counting::default()).expect("hashes");
        assert!(
            kept.as_str().starts_with("$argon2id$v=19$m=65536,t=3,p=4$"),
            "{}",
            kept.as_str()
        );
        let right = Verdict::Right { is_outdated: false };
        assert_eq!(verify(&password("correct horse"), &kept), right);
        assert_eq!(verify(&password("correct horsf"), &kept), Verdict::Wrong);
        assert_eq!(format!("{kept:?}"), "PasswordHash");
    }

    #[test]
    fn the_same_characters_in_another_unicode_form_are_the_same_password() {
        let kept = hash(&password("Zu\u{308}rich-4711"), &Counting::default()).expect("hashes");
        let right = Verdict::Right { is_outdated: false };
        assert_eq!(verify(&password("Z\u{fc}rich-4711"), &kept), right);
    }

    #[test]
    fn the_hash_is_that_of_rfc_9106() {
        // §5.3: Argon2id, with secret and associated data, version 0x13, m = 32, t = 3, p = 4.
        let parameters = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .output_len(32)
            .data(argon2::AssociatedData::new(&[4; 12]).expect("fits"))
            .build()
            .expect("valid");
        let argon2 =
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, parameters)
                .expect("valid");
        let mut tag = [0; 32];
        argon2
            .hash_password_into(&[1; 32], &[2; 16], &mut tag)
            .expect("hashes");
        let expect = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
        assert_eq!(data_encoding::HEXLOWER.encode(&tag), expect);
    }

    #[test]
    fn nobodys_hash_is_one_of_todays() {
        let hash = PasswordHash::of_nobody();
        let parsed = phc::PasswordHash::new(hash.as_str()).expect("well formed");
        assert!(!is_outdated(&parsed));
        assert_eq!(verify(&password("any password"), &hash), Verdict::Wrong);
    }

    #[test]
    fn weaker_parameters_are_right_and_outdated_and_garbage_is_wrong() {
        let weak = Params::new(8, 1, 1, Some(32)).expect("valid");
        let weak: phc::PasswordHash = hasher()
            .expect("valid")
            .hash_password_customized(b"hunter22", &[7; 16], None, None, weak)
            .expect("hashes");
        let kept = PasswordHash::from_stored(weak.to_string());
        let right = Verdict::Right { is_outdated: true };
        assert_eq!(verify(&password("hunter22"), &kept), right);
        for text in ["", "!", "$argon2id$", "$2b$12$short", "plain"] {
            let kept = PasswordHash::from_stored(text.into());
            assert_eq!(
                verify(&password("hunter22"), &kept),
                Verdict::Wrong,
                "{text}"
            );
        }
    }
}
