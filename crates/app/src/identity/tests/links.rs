use super::*;
use crate::identity::{LinkKind, links, passwords};
use futures_util::future::join_all;
use security::permissions::{FollowLink, SetUp};

const NEW: &str = "quite another long secret";

#[tokio::test]
async fn an_invite_is_accepted_once() {
    let team = Team::new().await;
    let manage = team.operator::<UsersManage>().await;
    let invited = people::invite(&team.app, &manage, &email("bob@example.com"), Role::Editor)
        .await
        .expect("invited");
    let follow = public::<FollowLink>("192.0.2.7");
    let shown = links::look(&team.app, &follow, LinkKind::Invite, &invited.token).await;
    assert_eq!(shown.expect("good"), email("bob@example.com"));
    let weak = links::accept_invite(&team.app, &follow, &invited.token, &plain("password")).await;
    assert_eq!(code(weak), Some(Code::PasswordWeak));
    let tries = (0..16).map(|n| {
        let (app, follow, token) = (&team.app, &follow, &invited.token);
        async move { links::accept_invite(app, follow, token, &plain(&format!("{NEW} {n}"))).await }
    });
    let accepted = join_all(tries).await;
    assert_eq!(accepted.iter().filter(|one| one.is_ok()).count(), 1);
    let winner = accepted.iter().position(Result::is_ok).expect("one");
    let entered = team
        .sign_in("bob@example.com", &format!("{NEW} {winner}"))
        .await
        .expect("in");
    assert!(entered.user.is_verified);
}

#[tokio::test]
async fn a_later_link_voids_the_one_before_and_time_voids_all() {
    let team = Team::new().await;
    let manage = team.operator::<UsersManage>().await;
    let first = people::invite(&team.app, &manage, &email("bob@example.com"), Role::Viewer)
        .await
        .expect("invited");
    let second = people::invite_again(&team.app, &manage, first.user.id)
        .await
        .expect("again");
    let follow = public::<FollowLink>("192.0.2.7");
    let accept = async |token: &Plain<String>| {
        links::accept_invite(&team.app, &follow, token, &plain(NEW)).await
    };
    assert_eq!(code(accept(&first.token).await), Some(Code::LinkInvalid));
    team.clock.move_on(Duration::from_hours(72));
    assert_eq!(code(accept(&second.token).await), Some(Code::LinkInvalid));
    let third = people::invite_again(&team.app, &manage, first.user.id)
        .await
        .expect("again");
    people::deactivate(&team.app, &manage, first.user.id)
        .await
        .expect("done");
    assert_eq!(code(accept(&third.token).await), Some(Code::LinkInvalid));
    people::reactivate(&team.app, &manage, first.user.id)
        .await
        .expect("done");
    accept(&third.token).await.expect("accepted");
    let late = people::invite_again(&team.app, &manage, first.user.id).await;
    assert_eq!(code(late.map(drop)), Some(Code::UserInvalid));
}

#[tokio::test]
async fn an_admin_resets_a_password_without_learning_it() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let bob = team.add("bob@example.com", Role::Viewer).await;
    let entered = team.sign_in("bob@example.com", PASSWORD).await.expect("in");
    let manage = team.operator::<UsersManage>().await;
    let reset = people::reset_password(&team.app, &manage, bob.id)
        .await
        .expect("reset");
    assert!(team.whose(entered.cookie.expose()).await.is_none());
    assert_eq!(
        code(team.sign_in("bob@example.com", PASSWORD).await),
        Some(Code::CredentialsWrong)
    );
    let follow = public::<FollowLink>("192.0.2.7");
    let tries = (0..16).map(|_| async {
        links::reset_password(&team.app, &follow, &reset.token, &plain(NEW)).await
    });
    let ended = join_all(tries).await;
    assert_eq!(ended.iter().filter(|one| one.is_ok()).count(), 1);
    team.sign_in("bob@example.com", NEW).await.expect("in");
}

#[tokio::test]
async fn whoever_forgot_the_password_gets_a_link_and_strangers_learn_nothing() {
    let team = Team::new().await;
    let ada = team.add("ada@example.com", Role::Admin).await;
    let allow = public::<SignIn>("192.0.2.7");
    let forget = async |address: &str| {
        passwords::forget(&team.app, &allow, address)
            .await
            .expect("always")
    };
    assert!(forget("nobody@example.com").await.is_none());
    assert!(forget("no address").await.is_none());
    let mail = forget("Ada@example.com").await.expect("a mail");
    assert_eq!(mail.email, ada.email);
    let follow = public::<FollowLink>("192.0.2.7");
    // As an invite it opens nothing.
    let wrong = links::accept_invite(&team.app, &follow, &mail.link, &plain(NEW)).await;
    assert_eq!(code(wrong), Some(Code::LinkInvalid));
    links::reset_password(&team.app, &follow, &mail.link, &plain(NEW))
        .await
        .expect("reset");
    team.sign_in("ada@example.com", NEW).await.expect("in");
    let sent = join_all((0..20).map(|_| forget("ada@example.com"))).await;
    assert!(
        sent.iter().flatten().count() <= 4,
        "nobody's mailbox is filled"
    );
}

#[tokio::test]
async fn the_first_admin_is_made_once() {
    let team = Team::new().await;
    let allow = public::<SetUp>("127.0.0.1");
    assert!(
        links::is_set_up_open(&team.app, &allow)
            .await
            .expect("looked")
    );
    let token = links::open_set_up(&team.app)
        .await
        .expect("made")
        .expect("no admin yet");
    let set_up = async |token: &Plain<String>, address: &str| {
        links::set_up(&team.app, &allow, token, &email(address), &plain(NEW)).await
    };
    assert_eq!(
        code(set_up(&plain("guessed"), "eve@example.com").await),
        Some(Code::LinkInvalid)
    );
    let addresses: Vec<String> = (0..16).map(|n| format!("admin{n}@example.com")).collect();
    let made = join_all(addresses.iter().map(|address| set_up(&token, address))).await;
    assert_eq!(made.iter().filter(|one| one.is_ok()).count(), 1);
    assert!(
        !links::is_set_up_open(&team.app, &allow)
            .await
            .expect("looked")
    );
    assert_eq!(
        code(set_up(&token, "eve@example.com").await),
        Some(Code::SetUpDone)
    );
    assert!(
        links::open_set_up(&team.app)
            .await
            .expect("looked")
            .is_none()
    );
}
