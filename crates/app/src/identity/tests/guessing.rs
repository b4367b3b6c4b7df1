use super::*;
use crate::identity::passwords;
use futures_util::future::join_all;
use security::permissions::AccountPassword;

#[tokio::test]
async fn whoever_knows_the_password_is_in_and_everybody_else_hears_the_same() {
    let team = Team::new().await;
    let ada = team.add("ada@example.com", Role::Admin).await;
    let entered = team
        .sign_in(" Ada@Example.com ", PASSWORD)
        .await
        .expect("in");
    assert_eq!((entered.user.id, entered.step), (ada.id, None));
    let (actor, _) = team.whose(entered.cookie.expose()).await.expect("known");
    assert_eq!((actor.id, actor.role), (ada.id, Role::Admin));
    assert!(actor.is_fresh);

    let bob = team.add("bob@example.com", Role::Viewer).await;
    let allow = team.operator::<UsersManage>().await;
    people::deactivate(&team.app, &allow, bob.id)
        .await
        .expect("done");
    people::invite(&team.app, &allow, &email("new@example.com"), Role::Viewer)
        .await
        .expect("invited");
    let mut said = Vec::new();
    for address in [
        "ada@example.com",
        "bob@example.com",
        "new@example.com",
        "nobody@example.com",
        "no address",
    ] {
        let wrong = if address.starts_with("bob") {
            PASSWORD
        } else {
            "wrong password"
        };
        let error = team
            .sign_in(address, wrong)
            .await
            .map(drop)
            .expect_err("refused");
        assert_eq!(error.code, Code::CredentialsWrong, "{address}");
        said.push((error.say.to_string(), error.hint.to_string()));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
}

#[tokio::test]
async fn of_many_right_sign_ins_at_once_all_come_in() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let ended = join_all((0..20).map(|_| team.sign_in("ada@example.com", PASSWORD))).await;
    assert_eq!(ended.iter().filter(|entered| entered.is_ok()).count(), 20);
}

#[tokio::test]
async fn of_many_guesses_at_once_five_are_tried() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    for address in ["ada@example.com", "nobody@example.com"] {
        let guesses = (0..64).map(|_| team.sign_in(address, "wrong password"));
        let ended = join_all(guesses).await;
        let of = |code| {
            ended
                .iter()
                .filter(|e| e.as_ref().err().map(|e| e.code) == Some(code))
                .count()
        };
        assert_eq!(
            of(Code::CredentialsWrong),
            4,
            "the fifth failure is told that it was the last"
        );
        assert_eq!(of(Code::AccountLocked), 60);
        let locked = team
            .sign_in(address, PASSWORD)
            .await
            .map(drop)
            .expect_err("locked");
        assert_eq!(locked.code, Code::AccountLocked);
        assert_eq!(locked.retry_after_seconds, Some(900));
    }
    assert_eq!(team.app.identity().hasher.verified(), 10);
    let locked = team
        .events()
        .await
        .into_iter()
        .filter(|event| event == "account_locked")
        .count();
    assert_eq!(locked, 2);
    team.clock.move_on(Duration::from_secs(901));
    team.sign_in("ada@example.com", PASSWORD)
        .await
        .expect("the time is over");
}

#[tokio::test]
async fn strangers_elsewhere_do_not_lock_a_person_out() {
    let team = Team::with("auth: {lockout: {max_attempts: 2}}", &[]).await;
    team.add("ada@example.com", Role::Admin).await;
    let before = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    for host in 1..=3 {
        let ip = format!("203.0.113.{host}");
        for _ in 0..2 {
            let guess = team.sign_in_from(&ip, "ada@example.com", "wrong password", None);
            assert!(guess.await.is_err());
        }
        let guess = team
            .sign_in_from(&ip, "ada@example.com", PASSWORD, None)
            .await;
        assert_eq!(
            code(guess),
            Some(Code::AccountLocked),
            "{ip} has had its two"
        );
    }
    team.sign_in("ada@example.com", PASSWORD)
        .await
        .expect("not from here");
    // One customer of a provider has 2^64 addresses, and counts as one.
    for host in 1..=2 {
        let ip = format!("2001:db8:1:1::{host}");
        let guess = team.sign_in_from(&ip, "ada@example.com", "wrong password", None);
        assert!(guess.await.is_err());
    }
    let guess = team.sign_in_from("2001:db8:1:1::9", "ada@example.com", PASSWORD, None);
    assert_eq!(code(guess.await), Some(Code::AccountLocked));
    // Very many guesses from everywhere slow everybody down but a device that is known.
    for host in 0..40 {
        let ip = format!("198.51.100.{host}");
        let guess = team.sign_in_from(&ip, "ada@example.com", "wrong password", None);
        assert!(guess.await.is_err());
    }
    let unknown = team.sign_in_from("192.0.2.8", "ada@example.com", PASSWORD, None);
    assert_eq!(code(unknown.await), Some(Code::AccountLocked));
    team.sign_in_from("192.0.2.8", "ada@example.com", PASSWORD, Some(&before))
        .await
        .expect("the device is known");
}

#[tokio::test]
async fn an_admin_unlocks_an_account_wherever_it_was_locked() {
    let team = Team::new().await;
    let ada = team.add("ada@example.com", Role::Admin).await;
    for ip in ["192.0.2.7", "203.0.113.1"] {
        for _ in 0..5 {
            let guess = team.sign_in_from(ip, "ada@example.com", "wrong password", None);
            assert!(guess.await.is_err());
        }
    }
    let allow = team.operator::<UsersManage>().await;
    let person = people::get(&team.app, &allow, ada.id).await.expect("there");
    assert_eq!((person.state(), person.failures.count), ("locked", 10));
    people::unlock(&team.app, &allow, ada.id)
        .await
        .expect("unlocked");
    for ip in ["192.0.2.7", "203.0.113.1"] {
        let entered = team.sign_in_from(ip, "ada@example.com", PASSWORD, None);
        entered.await.expect("in");
    }
    let person = people::get(&team.app, &allow, ada.id).await.expect("there");
    assert_eq!(person.state(), "active");
}

#[tokio::test]
async fn another_password_ends_the_other_sessions_and_guesses_at_the_old_one_count() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let there = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let here = team.sign_in("ada@example.com", PASSWORD).await.expect("in");
    let allow = team
        .allowed::<AccountPassword>(&here.cookie)
        .await
        .expect("may");
    let change = async |current: &str, new: &str| {
        passwords::change(&team.app, &allow, &plain(current), &plain(new)).await
    };
    let weak = change(PASSWORD, "password").await.expect_err("weak");
    assert_eq!(weak.code, Code::PasswordWeak);
    assert!(!weak.issues.is_empty());
    assert_eq!(
        code(change(PASSWORD, PASSWORD).await),
        Some(Code::PasswordWeak)
    );
    change(PASSWORD, "quite another long secret")
        .await
        .expect("changed");
    assert!(team.whose(there.cookie.expose()).await.is_none());
    assert!(team.whose(here.cookie.expose()).await.is_some());
    assert_eq!(
        code(team.sign_in("ada@example.com", PASSWORD).await),
        Some(Code::CredentialsWrong)
    );
    for left in (0..4).rev() {
        let wrong = change("no idea at all", "quite another long secret 2").await;
        let expect = if left == 0 {
            Code::AccountLocked
        } else {
            Code::CredentialsWrong
        };
        assert_eq!(code(wrong), Some(expect));
    }
    let locked = team
        .sign_in("ada@example.com", "quite another long secret")
        .await;
    assert_eq!(code(locked), Some(Code::AccountLocked));
}

#[tokio::test]
async fn very_long_and_strange_passwords_are_only_wrong() {
    let team = Team::new().await;
    team.add("ada@example.com", Role::Admin).await;
    let long = "x".repeat(1 << 20);
    for (ip, password) in [
        ("192.0.2.1", long.as_str()),
        ("192.0.2.2", ""),
        ("192.0.2.3", "\0\u{202e}"),
    ] {
        let refused = team.sign_in_from(ip, "ada@example.com", password, None);
        assert_eq!(code(refused.await), Some(Code::CredentialsWrong));
    }
    let long = format!("{}@example.com", "x".repeat(1 << 20));
    assert_eq!(
        code(team.sign_in(&long, PASSWORD).await),
        Some(Code::CredentialsWrong)
    );
}
