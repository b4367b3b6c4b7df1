//! Hashes as they are stored: ours, DAP's, which are the same, and getdango's. What would take longer than a sign-in may is
//! no hash at all, wherever it comes from: the table can be written by whoever has the database.

use super::Password;
use argon2::password_hash::PasswordVerifier as _;
use argon2::password_hash::phc;
use argon2::{Argon2, Params};
use std::str::FromStr as _;

/// getdango's bcrypt has 12; 14 takes a second.
const BCRYPT_COST_MAX: u32 = 14;
/// Four of them are computed at once.
const ARGON2_MEMORY_KIB_MAX: u32 = 256 << 10;
/// Memory times passes: five times what ours takes.
const ARGON2_WORK_MAX: u32 = 1 << 20;
const ARGON2_LANES_MAX: u32 = 16;

/// A stored hash that can be compared with.
pub(super) enum Kept {
    Argon2(Box<phc::PasswordHash>),
    Bcrypt(String),
}

/// Why a hash is not taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForeignHash {
    #[error("it is neither Argon2 in the PHC format nor bcrypt")]
    Unknown,
    #[error("comparing with it would take too long")]
    Costly,
}

impl Kept {
    pub(super) fn parse(text: &str) -> Result<Self, ForeignHash> {
        // `$2x$` was made by a program with a fault, which would have to be made again to compare with it.
        if ["$2a$", "$2b$", "$2y$"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            let parts = bcrypt::HashParts::from_str(text).map_err(|_| ForeignHash::Unknown)?;
            return if parts.get_cost() > BCRYPT_COST_MAX {
                Err(ForeignHash::Costly)
            } else {
                Ok(Self::Bcrypt(text.to_owned()))
            };
        }
        let hash = phc::PasswordHash::new(text).map_err(|_| ForeignHash::Unknown)?;
        let cost = Params::try_from(&hash).map_err(|_| ForeignHash::Unknown)?;
        if !hash.algorithm.as_str().starts_with("argon2") || hash.hash.is_none() {
            return Err(ForeignHash::Unknown);
        }
        let work = cost.m_cost().saturating_mul(cost.t_cost());
        if cost.m_cost() > ARGON2_MEMORY_KIB_MAX
            || work > ARGON2_WORK_MAX
            || cost.p_cost() > ARGON2_LANES_MAX
        {
            return Err(ForeignHash::Costly);
        }
        Ok(Self::Argon2(Box::new(hash)))
    }

    /// Returns whether the password is the one, in the form we give it or, as both heritages take it, in the one it was typed
    /// in; and in which.
    pub(super) fn compare(&self, password: &Password, hasher: &Argon2<'_>) -> Option<Form> {
        match self {
            Self::Argon2(hash) => {
                let is_right =
                    |text: &str| hasher.verify_password(text.as_bytes(), &**hash).is_ok();
                if is_right(password.expose()) {
                    Some(Form::Normal)
                } else {
                    let typed = password.typed();
                    (typed != password.expose() && is_right(typed)).then_some(Form::Typed)
                }
            }
            // Bytes beyond the 72nd count for nothing, as they did when the hash was made.
            Self::Bcrypt(hash) => {
                let is_right = bcrypt::verify(password.typed(), hash).unwrap_or(false);
                is_right.then_some(Form::Typed)
            }
        }
    }
}

/// In which form a password was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Normal,
    Typed,
}

#[cfg(test)]
mod tests {
    use super::super::{PasswordHash, Verdict, verify};
    use super::*;
    use crate::plain::Plain;

    fn check(typed: &str, kept: &str, expect: Verdict) {
        let password = Password::new(&Plain::new(typed.to_owned()));
        let kept = PasswordHash::from_stored(kept.to_owned());
        assert_eq!(
            verify(&password, &kept),
            expect,
            "{typed} {}",
            kept.as_str()
        );
    }

    const OUTDATED: Verdict = Verdict::Right { is_outdated: true };

    #[test]
    fn bcrypt_is_that_of_its_published_vectors() {
        // Openwall's crypt_blowfish 1.3, wrapper.c.
        for (typed, kept) in [
            (
                "U*U",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            ),
            (
                "U*U*",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            ),
            (
                "U*U*U",
                "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
            ),
            (
                "",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
            ),
            (
                "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
                "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
            ),
        ] {
            check(typed, kept, OUTDATED);
            check(&format!("x{typed}"), kept, Verdict::Wrong);
        }
    }

    #[test]
    fn what_getdango_and_dap_kept_is_right_in_the_form_it_was_typed_in() {
        // Made by their library, pwdlib 0.3.1, with its defaults.
        let (plain, decomposed) = ("correct horse battery staple", "Zu\u{308}rich-4711");
        let bcrypt = [
            "$2b$12$2Q9Q.odKYB8Evr2pbhy.kOiadFzqgWbQPuXR2bHMGJ5R4Sm7SzRUW",
            "$2b$12$qIKXuqneP7ndHwEjSY8YpuXm5PVZi//5n3oXk1pYGcKwt90aYnM7i",
        ];
        let argon2 = [
            "$argon2id$v=19$m=65536,t=3,p=4$FNoKwEkmVHFLdvWmj3e/Og$19ADQ7OqKROgAFXCy/w6Yr80hAO7flN6XKc7exFvoIE",
            "$argon2id$v=19$m=65536,t=3,p=4$nyisbhKeRFJXy3N5JuEKMg$zHX9iXfS6WdiqdIRw4r7gpSXRbdHyL2604vbZJqYVpc",
        ];
        check(plain, bcrypt[0], OUTDATED);
        check(plain, argon2[0], Verdict::Right { is_outdated: false });
        check(decomposed, bcrypt[1], OUTDATED);
        // Made anew from our form of it, it is right however it is typed.
        check(decomposed, argon2[1], OUTDATED);
        for kept in [bcrypt[0], argon2[0]] {
            check("correct horse battery stapel", kept, Verdict::Wrong);
        }
    }

    #[test]
    fn what_costs_too_much_is_refused_and_not_computed() {
        let salt = "$c2FsdHNhbHRzYWx0$6vf5c8oEkDe1mPjIZBhnI34YUiajrG9wdDBaMEW0MOE";
        let argon2 = |cost: &str| format!("$argon2id$v=19${cost}{salt}");
        for kept in [
            // It is right; that does not matter.
            "$2b$15$IUkfUzPrUCi7h5MaUROwsu2gj9jJCx3pEDof8JMF4PoNulk6uAP3u".to_owned(),
            "$2b$31$IUkfUzPrUCi7h5MaUROwsu2gj9jJCx3pEDof8JMF4PoNulk6uAP3u".to_owned(),
            argon2("m=4194304,t=3,p=4"),
            argon2("m=65536,t=1000,p=4"),
            argon2("m=65536,t=3,p=64"),
        ] {
            let refused = PasswordHash::import(&kept);
            assert_eq!(refused, Err(ForeignHash::Costly), "{kept}");
            check("hunter22", &kept, Verdict::Wrong);
        }
        for kept in [
            "",
            "hunter22",
            "!",
            "$1$salt$hash",
            "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2b$12$short",
            "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0",
            "$pbkdf2-sha256$i=1000$c2FsdHNhbHRzYWx0$6vf5c8oEkDe1mPjIZBhnI34YUiajrG9wdDBaMEW0MOE",
        ] {
            let refused = PasswordHash::import(kept);
            assert_eq!(refused, Err(ForeignHash::Unknown), "{kept}");
        }
        let taken =
            PasswordHash::import("$2b$14$IUkfUzPrUCi7h5MaUROwsu2gj9jJCx3pEDof8JMF4PoNulk6uAP3u\n");
        assert!(taken.is_ok());
    }

    #[test]
    fn nobodys_bcrypt_takes_as_long_as_getdangos() {
        let nobody = PasswordHash::of_nobody_at_getdango();
        assert!(nobody.as_str().starts_with("$2b$12$") && nobody.is_bcrypt());
        assert!(PasswordHash::import(nobody.as_str()).is_ok());
        check("any password", nobody.as_str(), Verdict::Wrong);
    }
}
