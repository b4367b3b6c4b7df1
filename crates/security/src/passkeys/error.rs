//! Why a passkey was not taken.

use webauthn_rs::prelude::WebauthnError;

/// A passkey that was not taken. Whoever shows it learns that it was not, and nothing more.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    #[error("passkeys need a host name in the public address, not an IP address")]
    NoName,
    #[error("passkeys need a public address with https")]
    NoTls,
    #[error("the answer of the browser is not what its standard says")]
    Malformed(#[source] serde_json::Error),
    #[error("what was kept of a passkey cannot be read or written")]
    Kept(#[source] serde_json::Error),
    #[error("the answer is to another kind of question")]
    OtherState,
    #[error("the device says that the passkey is somebody else's")]
    OtherUser,
    #[error("the answer is of another passkey")]
    OtherCredential,
    #[error("the passkey did not count on: somebody may have copied the device")]
    Replayed,
    #[error("the device did not verify its holder")]
    NotVerified,
    #[error("the answer does not hold")]
    Refused(#[source] WebauthnError),
}

impl From<WebauthnError> for PasskeyError {
    fn from(error: WebauthnError) -> Self {
        match error {
            WebauthnError::CredentialPossibleCompromise => Self::Replayed,
            other => Self::Refused(other),
        }
    }
}
