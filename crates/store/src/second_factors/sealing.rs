//! How the secret of an authenticator app stands in the database: the one place that changes when there is a master key.

use crate::error::StoreError;
use security::Plain;
use security::totp::TotpSecret;

/// Marks a secret that is not sealed; a sealed one begins with its own mark.
const PLAIN_MARK: &str = "plain:v1:";

/// Returns `secret` as it is stored.
pub(super) fn seal(secret: &TotpSecret) -> Plain<String> {
    Plain::new(format!("{PLAIN_MARK}{}", secret.to_base32().expose()))
}

/// Returns the secret that was stored as `text`.
pub(super) fn open(text: String) -> Result<TotpSecret, StoreError> {
    let text = Plain::new(text);
    text.expose()
        .strip_prefix(PLAIN_MARK)
        .and_then(TotpSecret::from_base32)
        .ok_or(StoreError::Stored {
            what: "the secret of an authenticator app",
        })
}
