//! Round trips with a provider on loopback that checks us as strictly as we check it.

mod provider;
mod tokens;
mod wires;

use super::*;
use crate::failure::FailureKind;
use domain::Timestamp;
use provider::{Provider, Way};
use security::entropy::Entropy;
use std::sync::atomic::{AtomicU8, Ordering};

/// 2026-11-22T12:00:00Z.
const NOW_SECONDS: i64 = 1_795_348_800;
const CLIENT: &str = "dango";
const SECRET: &str = "a client's secret, at least 32 bytes long";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOW_SECONDS * 1_000_000)
    }
}

/// Counts: predictable, and different each time.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn loopback() -> Egress {
    Egress::new(["127.0.0.1".to_owned()])
}

fn settings(endpoints: Endpoints) -> ProviderSettings {
    ProviderSettings {
        name: "corp".into(),
        endpoints,
        client_id: CLIENT.into(),
        client_secret: Some(Plain::new(SECRET.into())),
    }
}

fn open(endpoints: Endpoints) -> IdentityProvider {
    IdentityProvider::new(settings(endpoints), &loopback(), Arc::new(Noon)).expect("a provider")
}

fn redirect() -> Url {
    Url::parse("http://localhost:8800/api/auth/oauth/corp/callback").expect("a URL")
}

async fn begin(us: &IdentityProvider) -> Begun {
    us.begin(&redirect(), ReturnTo::start(), &Counting::default())
        .await
        .expect("begun")
}

/// Keeps the round trip as the store does.
fn kept(trip: &RoundTrip) -> RoundTrip {
    RoundTrip::from_text(&trip.to_text()).expect("it was kept")
}

/// Somebody signs in at the provider, which then behaves as `way` says.
async fn sign_in(way: Way) -> Result<ProviderIdentity, Failure> {
    let provider = Provider::start(way).await;
    let us = open(provider.endpoints());
    let begun = begin(&us).await;
    let back = provider.visit(&begun.url);
    us.finish(&kept(&begun.trip), &Callback::parse(&back)).await
}

async fn check(way: Way, kind: FailureKind) {
    let shown = format!("{way:?}");
    let failure = sign_in(way).await.expect_err(&shown);
    assert_eq!(failure.kind, kind, "{shown}: {failure:?}");
    let said = format!("{failure:?} {} {}", failure.say, failure.hint);
    for secret in [SECRET, "the-code", "an-access-token", "eyJ"] {
        assert!(!said.contains(secret), "{shown}: {said}");
    }
}

#[tokio::test]
async fn somebody_signs_in() {
    for way in [Way::Rsa, Way::Ec, Way::Post, Way::TextualBooleans] {
        let shown = format!("{way:?}");
        let provider = Provider::start(way).await;
        let us = open(provider.endpoints());
        let begun = begin(&us).await;
        let asked: std::collections::BTreeMap<_, _> =
            begun.url.query_pairs().into_owned().collect();
        for (name, value) in [
            ("response_type", "code"),
            ("scope", "openid email"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", redirect().as_str()),
        ] {
            assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
        }
        let back = provider.visit(&begun.url);
        let who = us.finish(&kept(&begun.trip), &Callback::parse(&back)).await;
        let who = who.unwrap_or_else(|failure| panic!("{shown}: {failure:?}"));
        assert_eq!(
            who,
            ProviderIdentity {
                issuer: provider.issuer(),
                subject: "subject-117".into(),
                email: Some(Email::parse("ada@example.com").expect("an address")),
                is_email_verified: true,
            }
        );
    }
}

#[tokio::test]
async fn an_address_counts_as_verified_only_when_the_provider_says_so() {
    for way in [Way::UnverifiedEmail, Way::SilentEmail] {
        let who = sign_in(way).await.expect("signed in");
        assert!(who.email.is_some() && !who.is_email_verified, "{who:?}");
    }
    let who = sign_in(Way::NoEmail).await.expect("signed in");
    assert!(who.email.is_none() && !who.is_email_verified, "{who:?}");
}

#[tokio::test]
async fn the_description_is_asked_for_once_while_people_begin() {
    let provider = Provider::start(Way::Rsa).await;
    let us = open(provider.endpoints());
    let first = begin(&us).await;
    let asked = provider.asked();
    let second = begin(&us).await;
    assert_eq!(provider.asked(), asked, "it is known");
    assert_ne!(first.url.as_str(), "");
    let back = provider.visit(&second.url);
    us.finish(&kept(&second.trip), &Callback::parse(&back))
        .await
        .expect("signed in");
    assert_eq!(
        provider.asked(),
        asked + 3,
        "a sign-in asks for today's keys"
    );
}

#[tokio::test]
async fn a_code_counts_once() {
    let provider = Provider::start(Way::Rsa).await;
    let us = open(provider.endpoints());
    let begun = begin(&us).await;
    let back = Callback::parse(&provider.visit(&begun.url));
    us.finish(&kept(&begun.trip), &back)
        .await
        .expect("signed in");
    let again = us.finish(&kept(&begun.trip), &back).await;
    let again = again.expect_err("the code is used up");
    assert_eq!(again.kind, FailureKind::Unauthorized, "{again:?}");
}

#[tokio::test]
async fn what_was_not_begun_here_does_not_end_here() {
    let provider = Provider::start(Way::Rsa).await;
    let us = open(provider.endpoints());
    let (hers, his) = (begin(&us).await, {
        let entropy = Counting(AtomicU8::new(99));
        us.begin(&redirect(), ReturnTo::start(), &entropy)
            .await
            .expect("begun")
    });
    let check = async |us: &IdentityProvider, trip: &RoundTrip, back: &str, kind| {
        let ended = us.finish(trip, &Callback::parse(back)).await;
        let failure = ended.expect_err(back);
        assert_eq!(failure.kind, kind, "{back}: {failure:?}");
    };
    let back = provider.visit(&hers.url);
    check(&us, &his.trip, &back, FailureKind::Protocol).await;
    let state = hers.state.raw.expose();
    for bad in [
        String::new(),
        "code=the-code".into(),
        format!("state={state}"),
        format!("state={state}x&code=the-code"),
        format!("state={state}&state={state}&code=the-code"),
    ] {
        check(&us, &hers.trip, &bad, FailureKind::Protocol).await;
    }
    let mut elsewhere = settings(provider.endpoints());
    elsewhere.name = "another".into();
    let another = IdentityProvider::new(elsewhere, &loopback(), Arc::new(Noon)).expect("one");
    check(&another, &hers.trip, &back, FailureKind::Protocol).await;
    // The code that was stolen on its way does not open anything without the verifier.
    let stolen = back.replace(state, his.state.raw.expose());
    check(&us, &his.trip, &stolen, FailureKind::Unauthorized).await;
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_refused() {
    let provider = Provider::start(Way::NamesIssuer).await;
    let us = open(provider.endpoints());
    let begun = begin(&us).await;
    let back = provider.visit(&begun.url);
    assert!(back.contains("&iss="));
    let (without, _) = back.split_once("&iss=").expect("it is there");
    for bad in [
        without.to_owned(),
        format!("{without}&iss=https%3A%2F%2Fevil.example"),
    ] {
        let ended = us.finish(&begun.trip, &Callback::parse(&bad)).await;
        assert_eq!(ended.expect_err("mixed up").kind, FailureKind::Protocol);
    }
    us.finish(&begun.trip, &Callback::parse(&back))
        .await
        .expect("signed in");
}

#[tokio::test]
async fn what_the_provider_says_no_to_is_told_without_its_words() {
    let provider = Provider::start(Way::Rsa).await;
    let us = open(provider.endpoints());
    for (error, kind, said) in [
        (
            "access_denied",
            FailureKind::Forbidden,
            "`corp` did not let you in",
        ),
        (
            "server_error",
            FailureKind::Failed,
            "`corp` cannot sign anybody in at the moment",
        ),
        (
            "<b>evil</b>",
            FailureKind::Failed,
            "`corp` refused the sign-in",
        ),
    ] {
        let begun = begin(&us).await;
        let state = begun.state.raw.expose();
        let back = format!("error={error}&error_description=evil&state={state}");
        let ended = us.finish(&begun.trip, &Callback::parse(&back)).await;
        let failure = ended.expect_err(error);
        assert_eq!((failure.kind, failure.say.as_str()), (kind, said));
    }
}

#[tokio::test]
async fn github_says_who_somebody_is() {
    let check = async |way: Way, verified: bool| {
        let who = sign_in(way).await.expect("signed in");
        assert_eq!(who.subject, "583231");
        assert_eq!(
            who.email.as_ref().map(Email::as_str),
            Some("ada@example.com")
        );
        assert_eq!(who.is_email_verified, verified);
    };
    check(Way::Github, true).await;
    check(Way::GithubUnverified, false).await;
}

#[tokio::test]
async fn github_says_no_with_200() {
    check(Way::GithubRefuses, FailureKind::Unauthorized).await;
    check(Way::GithubBroken, FailureKind::Protocol).await;
    check(Way::GithubDown, FailureKind::Protocol).await;
}
