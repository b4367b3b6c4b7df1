//! Providers that are slow, huge, elsewhere, or talk of other places.

use super::provider::{Provider, Way};
use super::*;
use tokio::net::TcpListener;

async fn fails_to_begin(us: &IdentityProvider) -> Failure {
    us.begin(&redirect(), ReturnTo::start(), &Counting::default())
        .await
        .err()
        .expect("it cannot begin")
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let issuer = format!("http://{address}");
    let us = IdentityProvider::with_timeout(
        settings(Endpoints::Oidc { issuer }),
        &loopback(),
        Arc::new(Noon),
        Duration::from_millis(100),
    )
    .expect("a provider");
    let failure = fails_to_begin(&us).await;
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert_eq!(
        failure.say.as_str(),
        "`corp` could not be asked: host `127.0.0.1` did not answer in time"
    );
}

#[tokio::test]
async fn a_huge_answer_is_not_read_to_its_end() {
    let provider = Provider::start(Way::Huge).await;
    let failure = fails_to_begin(&open(provider.endpoints())).await;
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Provider::start(Way::Rsa).await;
    let provider = Provider::start(Way::Redirects(elsewhere.issuer())).await;
    let failure = fails_to_begin(&open(provider.endpoints())).await;
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure:?}");
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn a_provider_that_calls_itself_otherwise_is_refused() {
    let provider = Provider::start(Way::DescribesAnother).await;
    let failure = fails_to_begin(&open(provider.endpoints())).await;
    assert_eq!(failure.kind, FailureKind::Protocol, "{failure:?}");
}

#[tokio::test]
async fn what_a_provider_names_is_not_asked_inside_or_without_tls() {
    for place in [
        "http://169.254.169.254/token",
        "http://127.0.0.2/token",
        "https://10.0.0.1/token",
        "ftp://127.0.0.1/token",
        "http://example.com/token",
    ] {
        check(Way::TokensAt(place), FailureKind::EgressDenied).await;
    }
}

#[tokio::test]
async fn a_provider_at_a_private_address_is_asked_only_where_that_is_allowed() {
    let provider = Provider::start(Way::Rsa).await;
    let nowhere = Egress::new([]);
    let us = IdentityProvider::new(settings(provider.endpoints()), &nowhere, Arc::new(Noon));
    let failure = fails_to_begin(&us.expect("a provider")).await;
    assert_eq!(failure.kind, FailureKind::EgressDenied, "{failure:?}");
    assert_eq!(provider.asked(), 0);
}
