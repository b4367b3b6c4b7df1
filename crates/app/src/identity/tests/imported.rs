//! Passwords that another program kept.

use super::*;

/// Python's bcrypt 5.0, as getdango calls it.
const BCRYPT: &str = "$2b$12$2Q9Q.odKYB8Evr2pbhy.kOiadFzqgWbQPuXR2bHMGJ5R4Sm7SzRUW";

async fn import(team: &Team, address: &str, hash: &str) -> Result<User, Error> {
    let allow = team.operator::<UsersManage>().await;
    people::create_with_hash(
        &team.app,
        &allow,
        &email(address),
        Role::Editor,
        hash,
        false,
    )
    .await
}

async fn kept(team: &Team, address: &str) -> String {
    let allow = public::<SignIn>("192.0.2.7");
    let known = team
        .app
        .store
        .run_read(&allow, async |tx| {
            store::users::find_by_email(&tx, &email(address)).await
        })
        .await;
    let (_, hash) = known.expect("read").expect("there");
    hash.expect("a password").as_str().to_owned()
}

#[tokio::test]
async fn getdangos_hash_is_made_anew_at_the_first_right_sign_in() {
    let team = Team::new().await;
    import(&team, "bob@example.com", BCRYPT)
        .await
        .expect("taken");
    let before = team.app.identity().hasher.verified();
    let wrong = team.sign_in("bob@example.com", "wrong").await;
    assert_eq!(code(wrong), Some(Code::CredentialsWrong));
    assert_eq!(kept(&team, "bob@example.com").await, BCRYPT);
    let right = team.sign_in("bob@example.com", PASSWORD).await;
    right.expect("it is his");
    // What is counted is guesses: the one that was wrong and the one that was right.
    assert_eq!(team.app.identity().hasher.verified() - before, 2);
    let anew = kept(&team, "bob@example.com").await;
    assert!(
        anew.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"),
        "{anew}"
    );
    let again = team.sign_in("bob@example.com", PASSWORD).await;
    again.expect("still his");
    assert_eq!(kept(&team, "bob@example.com").await, anew);
}

#[tokio::test]
async fn a_guess_at_an_old_hash_counts_like_any_other() {
    let team = Team::new().await;
    import(&team, "bob@example.com", BCRYPT)
        .await
        .expect("taken");
    for _ in 0..4 {
        let wrong = team.sign_in("bob@example.com", "wrong").await;
        assert_eq!(code(wrong), Some(Code::CredentialsWrong));
    }
    let last = team.sign_in("bob@example.com", "wrong").await;
    assert_eq!(code(last), Some(Code::AccountLocked));
    let before = team.app.identity().hasher.verified();
    let locked = team.sign_in("bob@example.com", PASSWORD).await;
    assert_eq!(code(locked), Some(Code::AccountLocked));
    assert_eq!(team.app.identity().hasher.verified(), before);
    assert_eq!(kept(&team, "bob@example.com").await, BCRYPT);
}

#[tokio::test]
async fn a_hash_that_is_none_or_costs_too_much_creates_nobody() {
    let team = Team::new().await;
    for hash in [
        "hunter22",
        "$2b$15$IUkfUzPrUCi7h5MaUROwsu2gj9jJCx3pEDof8JMF4PoNulk6uAP3u",
    ] {
        let refused = import(&team, "bob@example.com", hash).await;
        let error = refused.expect_err("refused");
        assert_eq!(error.code, Code::UserInvalid);
        assert!(!error.chain().contains(hash), "{}", error.chain());
    }
    assert_eq!(
        code(team.sign_in("bob@example.com", "hunter22").await),
        Some(Code::CredentialsWrong)
    );
}
