//! Ceremonies, on every database.

use crate::databases::{Database, audit_rows};
use crate::factors::{count_of_64, person};
use crate::people::public;
use security::permissions::SignIn;
use security::tokens::TokenHash;
use security::{Plain, Role};
use store::ceremonies::{CeremonyKey, CeremonyKind, OF_ONE_MAX, STATE_BYTES_MAX};
use store::{Store, StoreError};

fn state() -> Plain<String> {
    Plain::new("{\"nonce\":\"n\"}".into())
}

async fn begin(store: &Store, kind: CeremonyKind, key: &str) {
    let (key, browser) = (TokenHash::of(key), TokenHash::of("her browser"));
    let key = CeremonyKey {
        kind,
        key: &key,
        browser: &browser,
    };
    store
        .begin_ceremony(&public::<SignIn>(), key, &state())
        .await
        .expect("begun");
}

async fn take(
    store: &Store,
    kind: CeremonyKind,
    key: &str,
    browser: &str,
) -> Result<Option<String>, StoreError> {
    let (key, browser) = (TokenHash::of(key), TokenHash::of(browser));
    let key = CeremonyKey {
        kind,
        key: &key,
        browser: &browser,
    };
    let taken = store.take_ceremony(&public::<SignIn>(), key).await?;
    Ok(taken.map(|state| state.expose().clone()))
}

pub(crate) async fn of_many_answers_one_gets_the_ceremony(database: &Database) {
    let handles = [database.open().await, database.open().await];
    begin(&handles[0], CeremonyKind::OauthSignIn, "state").await;
    let taken = count_of_64(&handles, |store: Store| async move {
        let taken = take(&store, CeremonyKind::OauthSignIn, "state", "her browser").await?;
        assert!(taken.as_ref().is_none_or(|kept| kept == state().expose()));
        Ok(taken.is_some())
    })
    .await;
    assert_eq!(taken, 1);
    assert!(audit_rows(&handles[0]).await.is_empty());
}

pub(crate) async fn an_answer_from_elsewhere_gets_nothing(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    begin(&store, CeremonyKind::OauthSignIn, "state").await;
    for (kind, key, browser) in [
        (CeremonyKind::OauthLink, "state", "her browser"),
        (CeremonyKind::OauthSignIn, "another", "her browser"),
        (CeremonyKind::OauthSignIn, "state", "his browser"),
        (CeremonyKind::OauthSignIn, "", ""),
    ] {
        let taken = take(&store, kind, key, browser).await.expect("it runs");
        assert_eq!(taken, None, "{kind:?} {key} {browser}");
    }
    let (key, browser) = (TokenHash::of("state"), TokenHash::of("her browser"));
    let key = CeremonyKey {
        kind: CeremonyKind::OauthSignIn,
        key: &key,
        browser: &browser,
    };
    let signed_in = store.take_ceremony(&ada.prove, key).await.expect("it runs");
    assert!(signed_in.is_none(), "it was begun by nobody");
    let taken = take(&store, key.kind, "state", "her browser").await;
    assert!(taken.expect("it runs").is_some(), "nobody took it away");

    let key = CeremonyKey {
        kind: CeremonyKind::PasskeyProof,
        ..key
    };
    store
        .begin_ceremony(&ada.prove, key, &state())
        .await
        .expect("begun");
    let by_bob = store.take_ceremony(&bob.prove, key).await.expect("it runs");
    let by_nobody = take(&store, key.kind, "state", "her browser").await;
    assert!(by_bob.is_none() && by_nobody.expect("it runs").is_none());
    let by_her = store.take_ceremony(&ada.prove, key).await.expect("it runs");
    assert!(by_her.is_some());
}

pub(crate) async fn ceremonies_end_and_are_few(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    begin(&store, CeremonyKind::PasskeySignIn, "key").await;
    begin(&store, CeremonyKind::OauthSignIn, "state").await;
    database.clock.forward(300);
    let take = async |kind, key| take(&store, kind, key, "her browser").await.expect("runs");
    assert_eq!(take(CeremonyKind::PasskeySignIn, "key").await, None);
    assert!(take(CeremonyKind::OauthSignIn, "state").await.is_some());
    let browser = TokenHash::of("her browser");
    let keys: Vec<_> = (0..=OF_ONE_MAX)
        .map(|number| TokenHash::of(&format!("key{number}")))
        .collect();
    let key_of = |key| CeremonyKey {
        kind: CeremonyKind::PasskeyRegistration,
        key,
        browser: &browser,
    };
    for key in &keys {
        let state = state();
        let begun = store.begin_ceremony(&ada.secure, key_of(key), &state);
        begun.await.expect("begun");
        database.clock.forward(1);
    }
    for (number, key) in keys.iter().enumerate() {
        let taken = store.take_ceremony(&ada.secure, key_of(key)).await;
        assert_eq!(taken.expect("it runs").is_some(), number > 0, "{number}");
    }
    let long = Plain::new("x".repeat(STATE_BYTES_MAX + 1));
    let refused = store
        .begin_ceremony(&ada.secure, key_of(&keys[0]), &long)
        .await;
    assert!(
        matches!(refused, Err(StoreError::CeremonyTooLong { .. })),
        "{refused:?}"
    );
}
