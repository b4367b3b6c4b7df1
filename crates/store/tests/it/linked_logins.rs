//! Linked logins, on every database.

use crate::databases::Database;
use crate::factors::{Person, count_of_64, person};
use crate::people::{email, manage, public};
use security::permissions::{AccountView, SignIn};
use security::{Event, Role};
use std::sync::Arc;
use store::linked_logins::{self, LinkedLogin, NewLinkedLogin};
use store::second_factors::SecondFactors;
use store::{Store, StoreError, users};

fn at_google(subject: &str) -> NewLinkedLogin {
    NewLinkedLogin {
        provider: "google".into(),
        issuer: "https://accounts.google.com".into(),
        subject: subject.to_owned(),
        email: Some(email("ada@example.com")),
    }
}

async fn link(person: &Person, subject: &str) -> Result<LinkedLogin, StoreError> {
    person
        .secure(Event::OauthLinked, async |tx| {
            linked_logins::link(&tx, person.user.id, at_google(subject)).await
        })
        .await
}

async fn owner_of(store: &Store, issuer: &str, subject: &str) -> Option<domain::UserId> {
    let found: Result<_, StoreError> = store
        .run_read(&public::<SignIn>(), async |tx| {
            linked_logins::find_by_subject(&tx, issuer, subject).await
        })
        .await;
    found.expect("it reads").map(|(_, owner)| owner.id)
}

pub(crate) async fn a_login_is_of_one_user(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    let linked = link(&ada, "117").await.expect("linked");
    assert_eq!(link(&ada, "117").await.expect("no error").id, linked.id);
    let taken = link(&bob, "117").await;
    assert!(matches!(taken, Err(StoreError::LoginTaken)), "{taken:?}");
    let google = "https://accounts.google.com";
    assert_eq!(owner_of(&store, google, "117").await, Some(ada.user.id));
    assert_eq!(owner_of(&store, google, "118").await, None);
    let elsewhere = "https://accounts.example.com";
    assert_eq!(owner_of(&store, elsewhere, "117").await, None);
    store
        .touch_login(
            &public::<SignIn>(),
            linked.id,
            Some(&email("new@example.com")),
        )
        .await
        .expect("noted");
    let mine: Result<_, StoreError> = store
        .run_read(&ada.secure.narrow::<AccountView>(), async |tx| {
            linked_logins::list(&tx, ada.user.id).await
        })
        .await;
    let mine = mine.expect("it reads");
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0].email, Some(email("new@example.com")));
    assert!(mine[0].last_used_at.is_some());
    let unlink = async |who: &Person| {
        who.secure(Event::OauthUnlinked, async |tx| {
            linked_logins::unlink(&tx, who.user.id, linked.id).await
        })
        .await
        .expect("it runs")
    };
    assert!(unlink(&bob).await.is_none());
    assert!(unlink(&ada).await.is_some());
    assert!(unlink(&ada).await.is_none());
    link(&bob, "117").await.expect("it is free again");
}

pub(crate) async fn of_many_that_link_a_login_one_user_gets_it(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let ada = Arc::new(person(&handles[0], "ada@example.com", Role::Admin).await);
    let bob = Arc::new(person(&handles[0], "bob@example.com", Role::Viewer).await);
    let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (first, second) = (Arc::clone(&ada), Arc::clone(&bob));
    let linked = count_of_64(&handles, move |store: Store| {
        let turn = turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let who = Arc::clone(if turn.is_multiple_of(2) {
            &first
        } else {
            &second
        });
        async move {
            let linked = store
                .run_tx(&who.secure, Event::OauthLinked, async |tx| {
                    linked_logins::link(&tx, who.user.id, at_google("117")).await
                })
                .await;
            match linked {
                Ok(_) => Ok(true),
                Err(StoreError::LoginTaken) => Ok(false),
                Err(error) => Err(error),
            }
        }
    })
    .await;
    let google = "https://accounts.google.com";
    let owner = owner_of(&handles[0], google, "117").await.expect("linked");
    assert!([ada.user.id, bob.user.id].contains(&owner));
    // Linking again what is one's own is no error, so everybody of one of them succeeds: about half.
    assert!((1..64).contains(&linked), "{linked}");
}

pub(crate) async fn what_is_linked_goes_with_its_user(database: &Database) {
    let store = database.open().await;
    person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    link(&bob, "117").await.expect("linked");
    crate::passkeys::add(&bob, "key", 0).await.expect("added");
    bob.give_codes(&["one"]).await;
    manage(&store, Event::UserErased, async |tx| {
        users::erase(&tx, bob.user.id).await
    })
    .await
    .expect("erased");
    let google = "https://accounts.google.com";
    assert_eq!(owner_of(&store, google, "117").await, None);
    let key: Result<_, StoreError> = store
        .run_read(&public::<SignIn>(), async |tx| {
            store::passkeys::find_by_credential(&tx, "key").await
        })
        .await;
    assert!(key.expect("it reads").is_none());
    assert_eq!(bob.factors().await, SecondFactors::default());
}
