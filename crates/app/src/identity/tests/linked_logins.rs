use super::*;
use crate::identity::linked_logins::{self, LoginPolicy, Provider, ReturnTo};
use connect::Egress;
use connect::identity_providers::{
    Endpoints, IdentityProvider, ProviderIdentity, ProviderSettings,
};
use security::permissions::{AccountProve, AccountSecure};

fn github(team: &Team) -> Provider {
    let settings = ProviderSettings {
        name: "github".into(),
        endpoints: Endpoints::github(),
        client_id: "dango".into(),
        client_secret: None,
    };
    let clock = Arc::clone(&team.clock) as Arc<dyn Clock>;
    let inner = IdentityProvider::new(settings, &Egress::new([]), clock).expect("a provider");
    Provider::new("GitHub".into(), inner, LoginPolicy::default())
}

/// Returns what comes back of a sign-in that the provider did not allow.
fn denied(url: &url::Url) -> String {
    let state = url.query_pairs().find(|(name, _)| name == "state");
    let (_, state) = state.expect("a state");
    format!("error=access_denied&state={state}")
}

#[tokio::test]
async fn a_round_trip_ends_once_and_in_its_own_browser() {
    let team = Team::new().await;
    let us = github(&team);
    let allow = public::<SignIn>("192.0.2.7");
    let begun = linked_logins::begin_sign_in(&team.app, &allow, &us, ReturnTo::start()).await;
    let begun = begun.expect("begun");
    assert!(begun.url.as_str().contains(
        "redirect_uri=http%3A%2F%2Flocalhost%3A8800%2Fapi%2Fauth%2Foauth%2Fgithub%2Fcallback"
    ));
    let end = async |browser: &Plain<String>, query: &str| {
        let ended = linked_logins::sign_in(&team.app, &allow, &us, browser, query).await;
        code(ended)
    };
    let back = denied(&begun.url);
    let over = Some(Code::CeremonyOver);
    assert_eq!(end(&plain("another"), &back).await, over);
    assert_eq!(end(&begun.browser, "code=x").await, over);
    assert_eq!(end(&begun.browser, &back).await, Some(Code::LoginRefused));
    assert_eq!(end(&begun.browser, &back).await, over);
    let events = team.events().await;
    let failures = events.iter().filter(|event| *event == "login_failure");
    assert_eq!(failures.count(), 4);
}

#[tokio::test]
async fn a_link_ends_in_the_session_that_began_it() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let us = github(&team);
    let here = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let there = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let secure = team
        .allowed::<AccountSecure>(&here.cookie)
        .await
        .expect("fresh");
    let other = team
        .allowed::<AccountSecure>(&there.cookie)
        .await
        .expect("fresh");
    let begun = linked_logins::begin_link(&team.app, &secure, &us, ReturnTo::start()).await;
    let back = denied(&begun.expect("begun"));
    let allow = public::<SignIn>("192.0.2.7");
    let browser = plain("a cookie");
    let signed_in = linked_logins::sign_in(&team.app, &allow, &us, &browser, &back).await;
    assert_eq!(
        code(signed_in),
        Some(Code::CeremonyOver),
        "it is no sign-in"
    );
    let elsewhere = linked_logins::link(&team.app, &other, &us, &back).await;
    assert_eq!(code(elsewhere), Some(Code::CeremonyOver));
    let ended = linked_logins::link(&team.app, &secure, &us, &back).await;
    assert_eq!(code(ended), Some(Code::LoginRefused));
    assert!(team.allowed::<AccountProve>(&here.cookie).await.is_ok());
}

#[test]
fn only_verified_addresses_of_the_listed_domains_come_in() {
    let check = |domains: &[&str], address: Option<&str>, is_verified, expect: bool| {
        let policy = LoginPolicy {
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            ..LoginPolicy::default()
        };
        let who = ProviderIdentity {
            issuer: "https://issuer.example".into(),
            subject: "117".into(),
            email: address.map(email),
            is_email_verified: is_verified,
        };
        assert_eq!(policy.admits(&who), expect, "{domains:?} {address:?}");
    };
    check(&[], None, false, true);
    check(&["Example.com"], Some("ada@example.com"), true, true);
    check(&["example.com"], Some("ada@example.com"), false, false);
    check(&["example.com"], None, false, false);
    check(&["example.com"], Some("ada@sub.example.com"), true, false);
    check(&["example.com"], Some("ada@evilexample.com"), true, false);
    check(&["a.example", "b.example"], Some("x@b.example"), true, true);
}
