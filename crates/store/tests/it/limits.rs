//! What is counted, and what is deleted once it is over, on every database.

use crate::databases::{Database, allow};
use crate::people::{HOUR, as_user, public, session, token, user};
use security::permissions::{AccountSecure, Authenticate, SignIn, UsersView};
use security::tokens::TokenHash;
use security::{Event, Role};
use std::time::Duration;
use store::api_tokens::{self, NewApiToken};
use store::attempts::{self, Attempt, Counter, Limit};
use store::sessions;
use store::{Store, StoreError};

pub(crate) async fn many_guesses_at_once_do_not_pass_the_limit(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let limit = Limit {
        failures_max: 5,
        locked_for: Duration::from_mins(15),
        forgotten_after: HOUR,
    };
    let key = TokenHash::of("ada@example.com from 192.0.2.7");
    let counter = Counter {
        key: key.clone(),
        account: TokenHash::of("ada@example.com"),
        limit,
    };
    let guess = |store: Store| {
        let counter = counter.clone();
        async move {
            loop {
                let tried = store
                    .begin_attempt(&public::<SignIn>(), std::slice::from_ref(&counter))
                    .await;
                if !matches!(tried, Err(StoreError::Busy { .. })) {
                    return tried.expect("it runs");
                }
            }
        }
    };
    let guesses: Vec<_> = (0..64)
        .map(|number| tokio::spawn(guess(handles[number % 2].clone())))
        .collect();
    let mut gone = Vec::new();
    for tried in guesses {
        match tried.await.expect("no panic") {
            Attempt::Go { left } => gone.push(left),
            Attempt::Locked { until } => {
                assert_eq!(until.as_micros(), database.now().as_micros() + 900_000_000);
            }
        }
    }
    gone.sort_unstable();
    assert_eq!(gone, [0, 1, 2, 3, 4]);
    let store = &handles[0];
    database.clock.forward(900);
    assert_eq!(guess(store.clone()).await, Attempt::Go { left: 4 });
    store
        .run_tx(&public::<SignIn>(), Event::LoginSuccess, async |tx| {
            attempts::clear(&tx, &key).await
        })
        .await
        .expect("cleared");
    assert_eq!(guess(store.clone()).await, Attempt::Go { left: 4 });
    database.clock.forward(3_600);
    assert_eq!(
        guess(store.clone()).await,
        Attempt::Go { left: 4 },
        "forgotten"
    );
}

pub(crate) async fn what_is_long_over_is_deleted(database: &Database) {
    let store = database.open().await;
    let bob = user(&store, "bob@example.com", Role::Viewer).await;
    let old = session(&store, bob.id).await;
    let find = async || {
        let found: Result<_, StoreError> = store
            .run_read(&public::<Authenticate>(), async |tx| {
                sessions::find(&tx, old.id).await
            })
            .await;
        found.expect("it runs").is_some()
    };
    let counter = |name: &str| Counter {
        key: TokenHash::of(name),
        account: TokenHash::of(name),
        limit: Limit {
            failures_max: 5,
            locked_for: HOUR,
            forgotten_after: HOUR,
        },
    };
    let guess = async |name: &str| {
        let (who, counters) = (public::<SignIn>(), [counter(name)]);
        let tried = store.begin_attempt(&who, &counters).await;
        tried.expect("it runs")
    };
    let failures = async |name: &'static str| {
        let found: Result<_, StoreError> = store
            .run_read(&allow::<UsersView>(), async |tx| {
                attempts::find(&tx, &TokenHash::of(name)).await
            })
            .await;
        found.expect("it runs").count
    };
    guess("one").await;
    database.clock.forward(32 * 24 * 3_600);
    assert!(find().await, "nothing has come since");
    assert_eq!(failures("one").await, 1);
    session(&store, bob.id).await;
    guess("another").await;
    assert!(!find().await);
    assert_eq!((failures("one").await, failures("another").await), (0, 1));
}

pub(crate) async fn many_mints_at_once_do_not_pass_the_limit(database: &Database) {
    let store = database.open().await;
    let ada = user(&store, "ada@example.com", Role::Admin).await;
    let session = session(&store, ada.id).await;
    for number in 1..api_tokens::TOKENS_MAX {
        token(&store, &ada, &session, &format!("dap_{number:043}")).await;
    }
    let mints = (0..8).map(|number| {
        let (store, secure) = (store.clone(), as_user::<AccountSecure>(&ada, &session));
        tokio::spawn(async move {
            let hash = TokenHash::of(&number.to_string());
            let made = store.run_tx(&secure, Event::ApiTokenCreated, async |tx| {
                let new = NewApiToken {
                    name: "ci".into(),
                    prefix: "12345678".into(),
                    hash: hash.clone(),
                    scopes: None,
                    networks: None,
                    expires_at: None,
                };
                api_tokens::create(&tx, ada.id, new).await
            });
            made.await
        })
    });
    let mut made = 0;
    for mint in mints.collect::<Vec<_>>() {
        match mint.await.expect("no panic") {
            Ok(_) => made += 1,
            Err(StoreError::TokensTooMany { .. } | StoreError::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(made, 1);
}
