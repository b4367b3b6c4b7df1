//! What can go wrong at a provider, for somebody who waits at the sign-in page. A provider's own words are not shown: they may
//! hold codes and tokens, and whoever brings the browser back could have written them.

use crate::failure::{Failure, FailureKind};
use domain::say;
use domain::say::Quoted;
use std::error::Error;

/// The answer belongs to no round trip of this browser with this provider.
pub(super) fn other_trip(provider: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("the sign-in with ", name Quoted(provider), " was not begun here, or is over"),
    )
    .hint("begin again at the sign-in page, in one tab")
}

/// Neither a code nor an error came back.
pub(super) fn incomplete(provider: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("", name Quoted(provider), " sent you back without an answer"),
    )
    .hint("begin again at the sign-in page")
}

/// The provider itself says no (RFC 6749 §4.1.2.1).
pub(super) fn refused_by_provider(provider: &str, error: &str) -> Failure {
    let failure = |kind, text: &'static str| {
        Failure::new(kind, say!("", name Quoted(provider), "").text(text))
    };
    match error {
        "access_denied" => failure(FailureKind::Forbidden, " did not let you in")
            .hint("begin again, and allow it there; or sign in another way"),
        "temporarily_unavailable" | "server_error" => {
            failure(FailureKind::Failed, " cannot sign anybody in at the moment")
                .hint("try again later, or sign in another way")
        }
        "invalid_client" | "unauthorized_client" | "invalid_request" | "invalid_scope"
        | "unsupported_response_type" | "redirect_uri_mismatch" | "incorrect_client_credentials" => {
            failure(FailureKind::ConfigInvalid, " does not accept this installation's settings")
                .hint("an admin checks the client id, the client secret and the redirect address, there and in the settings here")
        }
        "invalid_grant" | "bad_verification_code" => {
            failure(FailureKind::Unauthorized, " no longer accepts this sign-in")
                .hint("begin again at the sign-in page")
        }
        _ => failure(FailureKind::Failed, " refused the sign-in")
            .hint("try again, or sign in another way"),
    }
}

/// The answer is not what its standard says, or does not hold.
pub(super) fn invalid(provider: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        say!("the answer of ", name Quoted(provider), " does not hold"),
    )
    .hint("begin again; if it happens again, an admin finds the reason in the log")
    .caused_by(cause)
}

/// The provider could not be asked.
pub(super) fn unreachable(provider: &str, failure: Failure) -> Failure {
    let hint = match failure.kind {
        // What to set stands in it.
        FailureKind::EgressDenied => failure.hint,
        _ => "try again later, or sign in another way".into(),
    };
    Failure {
        kind: failure.kind,
        say: say!("", name Quoted(provider), " could not be asked: ", failure.say),
        hint,
        source: failure.source,
    }
}
