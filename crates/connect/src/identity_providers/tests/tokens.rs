//! Tokens that are not to be believed.

use super::provider::Way;
use super::{FailureKind, check};

#[tokio::test]
async fn a_token_for_somebody_else_is_refused() {
    check(Way::WrongAudience, FailureKind::Protocol).await;
    check(Way::FurtherAudience, FailureKind::Protocol).await;
    check(Way::OtherParty, FailureKind::Protocol).await;
    check(Way::WrongIssuer, FailureKind::Protocol).await;
}

#[tokio::test]
async fn a_token_of_another_round_trip_is_refused() {
    check(Way::WrongNonce, FailureKind::Protocol).await;
    check(Way::NoNonce, FailureKind::Protocol).await;
}

#[tokio::test]
async fn a_token_of_another_time_is_refused() {
    check(Way::Expired, FailureKind::Protocol).await;
    check(Way::FromTheFuture, FailureKind::Protocol).await;
}

#[tokio::test]
async fn a_token_that_the_provider_did_not_sign_is_refused() {
    check(Way::AlgorithmNone, FailureKind::Protocol).await;
    check(Way::SignedWithPublicKey, FailureKind::Protocol).await;
    check(Way::SignedWithClientSecret, FailureKind::Protocol).await;
    check(Way::OtherKey, FailureKind::Protocol).await;
    check(Way::Tampered, FailureKind::Protocol).await;
    check(Way::KeyInHeader, FailureKind::Protocol).await;
    check(Way::NoToken, FailureKind::Protocol).await;
    check(Way::EmptySubject, FailureKind::Protocol).await;
}

#[tokio::test]
async fn a_client_that_the_provider_does_not_know_is_told_to_admins() {
    check(Way::UnknownClient, FailureKind::ConfigInvalid).await;
}
