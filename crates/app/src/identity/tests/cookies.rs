use super::*;
use crate::identity::{rotate_keys, sessions, sign_in};
use futures_util::future::join_all;
use security::permissions::{
    AccountLeave, AccountManage, AccountProve, AccountSecure, AuthManage, SourceView,
};
use security::{Step, witness::Reason};
use std::collections::BTreeSet;

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn many_requests_renew_a_cookie_once() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let old = entered.cookie.expose();
    assert_eq!(team.whose(old).await.expect("known").1, None, "it is young");
    team.clock.move_on(8 * MINUTE);
    let known = join_all((0..64).map(|_| team.whose(old))).await;
    let cookies: BTreeSet<_> = known
        .into_iter()
        .map(|known| known.expect("all are in").1.expect("renewed"))
        .collect();
    assert_eq!(cookies.len(), 1, "one new generation");
    let new = cookies.first().expect("one").clone();
    assert!(team.whose(&new).await.is_some());
    assert!(
        team.whose(old).await.is_some(),
        "under way when it was renewed"
    );

    team.clock.move_on(2 * MINUTE);
    assert!(team.whose(old).await.is_none(), "a copy");
    assert!(
        team.whose(&new).await.is_none(),
        "and the session has ended with it"
    );
    assert!(team.events().await.contains(&"session_replayed".to_owned()));
}

#[tokio::test]
async fn an_expired_cookie_renews_until_nobody_has_used_it_for_an_hour() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    team.clock.move_on(40 * MINUTE);
    let (_, renewed) = team.whose(entered.cookie.expose()).await.expect("renewed");
    let renewed = renewed.expect("another cookie");
    team.clock.move_on(61 * MINUTE);
    assert!(team.whose(&renewed).await.is_none(), "idle too long");

    let team = Team::with(
        "auth: {session_max_days: 1, idle_timeout_minutes: 600}",
        &[],
    )
    .await;
    team.add("ada@example.com", Role::Admin).await;
    let mut cookie = team
        .sign_in("ada@example.com", PASSWORD)
        .await
        .expect("in")
        .cookie
        .expose()
        .clone();
    for _ in 0..4 {
        team.clock.move_on(300 * MINUTE);
        cookie = team
            .whose(&cookie)
            .await
            .expect("in use")
            .1
            .expect("renewed");
    }
    team.clock.move_on(300 * MINUTE);
    assert!(team.whose(&cookie).await.is_none(), "a day is over");
}

#[tokio::test]
async fn a_bearer_is_never_renewed() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let allow = public::<Authenticate>("192.0.2.7");
    let client = Client::default();
    let ask = async || {
        let presented = super::super::Presented::Bearer(entered.cookie.expose());
        super::super::recognise(&team.app, &allow, presented, &client)
            .await
            .expect("looked up")
    };
    team.clock.move_on(14 * MINUTE);
    assert!(ask().await.expect("good").cookie.is_none());
    team.clock.move_on(MINUTE);
    assert!(ask().await.is_none());
}

#[tokio::test]
async fn what_an_admin_or_its_owner_ends_is_over_at_the_next_request() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let bob = team.add("bob@example.com", Role::Viewer).await;
    let enter = async || team.sign_in("bob@example.com", PASSWORD).await.expect("in");
    let is_in = async |entered: &Entered| team.whose(entered.cookie.expose()).await.is_some();
    let manage = team.operator::<UsersManage>().await;

    let left = enter().await;
    let allow = team
        .allowed::<AccountLeave>(&left.cookie)
        .await
        .expect("may");
    sign_in::sign_out(&team.app, &allow).await.expect("out");
    assert!(!is_in(&left).await);

    let (here, there) = (enter().await, enter().await);
    let allow = team
        .allowed::<AccountManage>(&here.cookie)
        .await
        .expect("may");
    assert_eq!(
        sessions::list_own(&team.app, &allow)
            .await
            .expect("listed")
            .len(),
        2
    );
    sessions::end_own(&team.app, &allow, there.session.id)
        .await
        .expect("ended");
    assert!(is_in(&here).await && !is_in(&there).await);
    let own = sessions::end_own(&team.app, &allow, here.session.id).await;
    assert_eq!(code(own), Some(Code::UsageInvalid));
    let of_ada = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let foreign = sessions::end_own(&team.app, &allow, of_ada.session.id).await;
    assert_eq!(code(foreign), Some(Code::SessionNotFound));

    people::set_role(&team.app, &manage, bob.id, Role::Editor)
        .await
        .expect("set");
    let (actor, _) = team.whose(here.cookie.expose()).await.expect("in");
    assert_eq!(actor.role, Role::Editor);
    people::deactivate(&team.app, &manage, bob.id)
        .await
        .expect("done");
    assert!(!is_in(&here).await);
    people::reactivate(&team.app, &manage, bob.id)
        .await
        .expect("done");
    assert!(!is_in(&here).await, "the session stays ended");
}

#[tokio::test]
async fn a_proof_is_fresh_for_five_minutes() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    assert!(team.allowed::<AccountSecure>(&entered.cookie).await.is_ok());
    team.clock.move_on(5 * MINUTE);
    let stale = team.allowed::<AccountSecure>(&entered.cookie).await;
    assert_eq!(stale.expect_err("stale").reason, Reason::Stale);
    let allow = team
        .allowed::<AccountProve>(&entered.cookie)
        .await
        .expect("may");
    let wrong =
        sign_in::reauthenticate(&team.app, &allow, Some(&plain("wrong password")), None).await;
    assert_eq!(code(wrong), Some(Code::CredentialsWrong));
    sign_in::reauthenticate(&team.app, &allow, Some(&plain(PASSWORD)), None)
        .await
        .expect("right");
    assert!(team.allowed::<AccountSecure>(&entered.cookie).await.is_ok());
}

#[tokio::test]
async fn whoever_must_change_or_enrol_reaches_only_that() {
    let team = Team::with("auth: {require_2fa: admins}", &[]).await;
    let manage = team.operator::<UsersManage>().await;
    let mut created = Vec::new();
    for (address, role, must_change) in [
        ("ada@example.com", Role::Admin, false),
        ("bob@example.com", Role::Viewer, false),
        ("eve@example.com", Role::Admin, true),
    ] {
        let (address, password) = (email(address), plain(PASSWORD));
        let user = people::create(&team.app, &manage, &address, role, &password, must_change);
        created.push(user.await.expect("created"));
    }
    for (address, step) in [
        ("ada@example.com", Some(Step::Enrol)),
        ("bob@example.com", None),
        ("eve@example.com", Some(Step::ChangePassword)),
    ] {
        let entered = team.sign_in(address, PASSWORD).await.expect("in");
        assert_eq!(entered.step, step, "{address}");
        let allowed = team.allowed::<SourceView>(&entered.cookie).await;
        assert_eq!(
            allowed.err().map(|denied| denied.reason),
            step.map(Reason::Step)
        );
    }
}

#[tokio::test]
async fn a_new_key_logs_nobody_out_unless_it_is_asked_to() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let first = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let allow = team.operator::<AuthManage>().await;
    rotate_keys(&team.app, &allow, false)
        .await
        .expect("rotated");
    let second = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let kid = |cookie: &Plain<String>| cookie.expose().split('.').next().map(str::to_owned);
    assert_ne!(kid(&first.cookie), kid(&second.cookie));
    assert!(team.whose(first.cookie.expose()).await.is_some());
    let rotated = rotate_keys(&team.app, &allow, true).await.expect("rotated");
    assert_eq!(rotated.sessions_ended, 2);
    assert!(team.whose(first.cookie.expose()).await.is_none());
    assert!(team.whose(second.cookie.expose()).await.is_none());
}

#[tokio::test]
async fn the_key_of_the_environment_signs_and_a_weak_one_is_refused() {
    let secret = "8f1d0c9b7a6e5f4d3c2b1a0918273645a7c3e9d1f0b2846c5e7a9d3b1f60c284";
    let team = Team::with("", &[("DAP_AUTH_JWT_SECRET", secret)]).await;
    team.add("ada@example.com", Role::Admin).await;
    let entered = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    assert!(team.whose(entered.cookie.expose()).await.is_some());
    team.app.prepare_to_sign(true).expect("it was given");
    let allow = team.operator::<AuthManage>().await;
    assert_eq!(
        code(rotate_keys(&team.app, &allow, false).await),
        Some(Code::SigningKeyGiven)
    );
    let own = Team::new().await;
    assert_eq!(
        code(own.app.prepare_to_sign(true)),
        Some(Code::SigningKeyMissing)
    );
}
