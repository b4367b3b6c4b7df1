//! Programs that ask to be let in, on every database.

use crate::databases::{Database, audit_rows};
use crate::factors::{Person, count_of_64, person};
use crate::people::{manage, public};
use security::permissions::{AccountSecure, DeviceSignIn, GiveBack};
use security::tokens::TokenHash;
use security::{Event, Role};
use std::time::Duration;
use store::api_tokens::{self, NewApiToken};
use store::device_sign_ins::{self, Decision, NewDevice, Polled, WAITING_MAX};
use store::{Store, StoreError, Tx, users};

const LASTS: Duration = Duration::from_mins(10);
const INTERVAL: Duration = Duration::from_secs(5);

async fn begin(store: &Store, name: &str) -> bool {
    let (device, code) = (
        TokenHash::of(&format!("{name} device")),
        TokenHash::of(&format!("{name} code")),
    );
    let new = NewDevice {
        device: &device,
        code: &code,
        name: name.to_owned(),
        scopes: vec!["source.view".into(), "users.view".into()],
        days: 90,
        lasts: LASTS,
    };
    let begun = store.begin_device(&public::<DeviceSignIn>(), new).await;
    begun.expect("it runs").is_some()
}

async fn poll(store: &Store, name: &str) -> Polled {
    let device = TokenHash::of(&format!("{name} device"));
    let polled = store
        .poll_device(&public::<DeviceSignIn>(), &device, INTERVAL)
        .await;
    polled.expect("it runs")
}

async fn decide(person: &Person, name: &str, decision: Decision) -> bool {
    let code = TokenHash::of(&format!("{name} code"));
    let decided: Result<_, StoreError> = person
        .store
        .run_tx(
            &person.secure,
            Event::DeviceApproved,
            async |tx: Tx<AccountSecure>| {
                device_sign_ins::decide(&tx, &code, decision.clone()).await
            },
        )
        .await;
    decided.expect("it runs")
}

fn approve(person: &Person) -> Decision {
    Decision::Approve(person.user.id, vec!["source.view".into()])
}

/// Takes what was approved and makes its token; returns what that is narrowed to.
async fn take(store: &Store, name: &str, raw: &str) -> Result<Option<Vec<String>>, StoreError> {
    let device = TokenHash::of(&format!("{name} device"));
    store
        .run_tx(
            &public::<DeviceSignIn>(),
            Event::ApiTokenCreated,
            async |tx| {
                let Some((waiting, owner)) = device_sign_ins::take(&tx, &device).await? else {
                    return Ok(None);
                };
                let new = NewApiToken {
                    name: waiting.name,
                    prefix: "prefix00".into(),
                    hash: TokenHash::of(raw),
                    scopes: Some(waiting.scopes),
                    networks: None,
                    expires_at: None,
                };
                let token = api_tokens::create(&tx, owner.id, new).await?;
                Ok(token.scopes)
            },
        )
        .await
}

pub(crate) async fn a_program_waits_is_approved_and_takes_its_token_once(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let store = &handles[0];
    let ada = person(store, "ada@example.com", Role::Admin).await;
    assert!(begin(store, "laptop").await);
    assert!(!begin(store, "laptop").await, "the short code is taken");
    assert_eq!(poll(store, "laptop").await, Polled::Waiting);
    assert_eq!(poll(store, "laptop").await, Polled::TooFast);
    assert_eq!(poll(store, "another").await, Polled::Unknown);
    assert_eq!(take(store, "laptop", "early").await.expect("it runs"), None);
    database.clock.forward(5);
    let code = TokenHash::of("laptop code");
    let seen: Result<_, StoreError> = store
        .run_read(&ada.secure, async |tx| {
            device_sign_ins::find_by_code(&tx, &code).await
        })
        .await;
    let seen = seen.expect("it runs").expect("it waits");
    assert_eq!((seen.name.as_str(), seen.days), ("laptop", 90));
    assert_eq!(seen.scopes, ["source.view", "users.view"]);
    assert!(decide(&ada, "laptop", approve(&ada)).await);
    assert!(!decide(&ada, "laptop", Decision::Deny).await, "once");
    match poll(store, "laptop").await {
        Polled::Approved(user) => assert_eq!(user.id, ada.user.id),
        other => panic!("{other:?}"),
    }
    let taken = count_of_64(&handles, |store: Store| async move {
        let taken = take(&store, "laptop", "its token").await?;
        assert!(
            taken
                .as_ref()
                .is_none_or(|scopes| scopes == &["source.view"])
        );
        Ok(taken.is_some())
    })
    .await;
    assert_eq!(taken, 1);
    assert_eq!(poll(store, "laptop").await, Polled::Unknown);
}

pub(crate) async fn a_program_is_denied_or_comes_too_late(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Editor).await;
    for name in ["denied", "late", "gone"] {
        assert!(begin(&store, name).await);
    }
    assert!(decide(&ada, "denied", Decision::Deny).await);
    assert_eq!(poll(&store, "denied").await, Polled::Denied);
    assert_eq!(take(&store, "denied", "a").await.expect("it runs"), None);
    // Whoever approved and was deactivated since lets nobody in.
    assert!(decide(&bob, "gone", approve(&bob)).await);
    manage(&store, Event::UserDeactivated, async |tx| {
        users::deactivate(&tx, bob.user.id).await.map(drop)
    })
    .await
    .expect("deactivated");
    assert_eq!(poll(&store, "gone").await, Polled::Unknown);
    assert_eq!(take(&store, "gone", "b").await.expect("it runs"), None);
    assert!(decide(&ada, "late", approve(&ada)).await);
    database.clock.forward(600);
    assert_eq!(poll(&store, "late").await, Polled::Unknown);
    assert_eq!(take(&store, "late", "c").await.expect("it runs"), None);
    assert!(begin(&store, "late").await, "what is over was deleted");
}

pub(crate) async fn a_token_is_given_back_by_whoever_has_it(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    assert!(begin(&store, "laptop").await);
    assert!(decide(&ada, "laptop", approve(&ada)).await);
    let made = take(&store, "laptop", "its token").await;
    assert!(made.expect("it runs").is_some());
    let give_back = async || {
        let back: Result<_, StoreError> = store
            .run_tx(&public::<GiveBack>(), Event::ApiTokenRevoked, async |tx| {
                let hash = TokenHash::of("its token");
                let found = api_tokens::find_by_hash(&tx, "prefix00", &hash).await?;
                let (token, owner) = found.expect("it is ours");
                assert_eq!(owner.id, ada.user.id);
                api_tokens::give_back(&tx, token.id).await
            })
            .await;
        back.expect("it runs")
    };
    assert!(give_back().await);
    assert!(!give_back().await, "it was given back already");
    let events: Vec<_> = audit_rows(&store)
        .await
        .iter()
        .map(|row| row.event.clone())
        .collect();
    for event in [
        Event::DeviceApproved,
        Event::ApiTokenCreated,
        Event::ApiTokenRevoked,
    ] {
        assert!(events.iter().any(|name| name == event.as_str()), "{event}");
    }
}

pub(crate) async fn programs_that_wait_are_few(database: &Database) {
    const { assert!(WAITING_MAX <= 4_096) };
    let store = database.open().await;
    for number in 0..3 {
        assert!(begin(&store, &format!("program {number}")).await);
        database.clock.forward(400);
    }
    // Two of three are over; each that asks sweeps what is.
    assert_eq!(poll(&store, "program 0").await, Polled::Unknown);
    assert_eq!(poll(&store, "program 1").await, Polled::Unknown);
    assert_eq!(poll(&store, "program 2").await, Polled::Waiting);
}
