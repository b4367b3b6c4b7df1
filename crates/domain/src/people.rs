//! People and what they carry: ids and e-mail addresses.

use crate::say::shown_by_display;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$about:meta])* $name:ident;)+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Returns the id with this UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// Returns the UUID.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        shown_by_display!($name);
    )+};
}

uuid_ids! {
    /// The id of a user.
    UserId;
    /// The id of a signed-in session.
    SessionId;
    /// The id of an API token.
    TokenId;
    /// The id of a recovery code.
    RecoveryCodeId;
    /// The id of a passkey.
    PasskeyId;
    /// The id of a login with an identity provider that is linked to a user.
    LinkedLoginId;
}

/// Bytes of an address at most (RFC 5321 §4.5.3.1.3, without its brackets).
pub const EMAIL_BYTES_MAX: usize = 254;

/// An e-mail address, trimmed and in lower case: two spellings of one are the same account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// A text that is no e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it does not have the form name@host")]
pub struct BadEmail;

impl Email {
    /// Reads an address as both heritages do: `name@host`, where `admin@localhost` is one. Whether mail arrives there is
    /// found out by sending some.
    pub fn parse(text: &str) -> Result<Self, BadEmail> {
        let email = text.trim().to_lowercase();
        let (name, host) = email.rsplit_once('@').ok_or(BadEmail)?;
        let is_plain = |text: &str| {
            !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        let is_host = is_plain(host)
            && host
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
        if is_plain(name) && !name.contains('@') && is_host && email.len() <= EMAIL_BYTES_MAX {
            Ok(Self(email))
        } else {
            Err(BadEmail)
        }
    }

    /// Takes an address over that was stored.
    pub const fn from_stored(email: String) -> Self {
        Self(email)
    }

    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl crate::say::Shown for Email {
    fn show(&self, out: &mut String) {
        crate::say::Quoted(&self.0).show(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one() {
        let parse = |text| Email::parse(text).map(|email| email.as_str().to_owned());
        assert_eq!(
            parse(" Ada@Example.COM\n").as_deref(),
            Ok("ada@example.com")
        );
        assert_eq!(parse("admin@localhost").as_deref(), Ok("admin@localhost"));
        assert_eq!(
            parse("a+b.c@mail.example").as_deref(),
            Ok("a+b.c@mail.example")
        );
        for bad in [
            "",
            "ada",
            "@",
            "ada@",
            "@example.com",
            "a@b@c",
            "a b@c.de",
            "ada@exa mple.com",
            "ada@.com",
            "ada@example..com",
            "ada@-example.com",
            "ada\0@example.com",
            &format!("{}@example.com", "a".repeat(EMAIL_BYTES_MAX)),
        ] {
            assert_eq!(Email::parse(bad), Err(BadEmail), "{bad}");
        }
    }
}
