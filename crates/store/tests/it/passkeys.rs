//! Passkeys, on every database.

use crate::databases::Database;
use crate::factors::{Person, count_of_64, person};
use crate::people::{manage, public, session};
use domain::PasskeyId;
use security::permissions::{AccountManage, SignIn, UsersManage};
use security::{Event, Role};
use store::passkeys::{self, NewPasskey, PASSKEYS_MAX, Passkey, Used};
use store::users::{self, NewUser};
use store::{Store, StoreError};

pub(crate) async fn add(
    person: &Person,
    credential: &str,
    counter: u32,
) -> Result<Passkey, StoreError> {
    let new = NewPasskey {
        name: format!(" {credential} "),
        credential_id: credential.to_owned(),
        credential: "{}".into(),
        counter,
    };
    person
        .secure(Event::PasskeyAdded, async |tx| {
            passkeys::create(&tx, person.user.id, new.clone()).await
        })
        .await
}

async fn use_it(store: &Store, id: PasskeyId, counter: u32) -> Result<Used, StoreError> {
    store
        .run_tx(&public::<SignIn>(), Event::LoginSuccess, async |tx| {
            passkeys::used(&tx, id, counter, "{\"later\":1}").await
        })
        .await
}

pub(crate) async fn a_passkey_has_one_owner_who_names_and_removes_it(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    let laptop = add(&ada, "laptop", 0).await.expect("added");
    assert_eq!(laptop.name, "laptop");
    let twice = add(&bob, "laptop", 0).await;
    assert!(matches!(twice, Err(StoreError::PasskeyTaken)), "{twice:?}");
    let found: Result<_, StoreError> = store
        .run_read(&public::<SignIn>(), async |tx| {
            let known = passkeys::find_by_credential(&tx, "laptop").await?;
            let unknown = passkeys::find_by_credential(&tx, "LAPTOP").await?;
            Ok((known, unknown.is_some()))
        })
        .await;
    let (known, unknown) = found.expect("it reads");
    let (stored, owner) = known.expect("it is known");
    assert_eq!(
        (stored.id, owner.id, unknown),
        (laptop.id, ada.user.id, false)
    );
    let by_another: Result<_, StoreError> = store
        .run_read(&bob.prove, async |tx| {
            passkeys::find_by_credential(&tx, "laptop").await
        })
        .await;
    assert!(by_another.is_err(), "bob's proof is not ada's passkey");
    let rename = async |who: &Person| {
        store
            .run_tx(
                &who.secure.narrow::<AccountManage>(),
                Event::PasskeyRenamed,
                async |tx| passkeys::rename(&tx, who.user.id, laptop.id, "work").await,
            )
            .await
            .expect("it runs")
    };
    assert!(rename(&bob).await.is_none());
    assert_eq!(rename(&ada).await.expect("hers").name, "work");
    let remove = async |who: &Person| {
        who.secure(Event::PasskeyRemoved, async |tx| {
            passkeys::remove(&tx, who.user.id, laptop.id).await
        })
        .await
        .expect("it runs")
    };
    assert!(remove(&bob).await.is_none());
    assert!(remove(&ada).await.is_some());
    assert!(remove(&ada).await.is_none());
    for number in 0..PASSKEYS_MAX {
        add(&bob, &format!("key{number}"), 0).await.expect("added");
    }
    let more = add(&bob, "one more", 0).await;
    assert!(
        matches!(more, Err(StoreError::PasskeysTooMany { .. })),
        "{more:?}"
    );
}

pub(crate) async fn a_counter_that_goes_back_is_told(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let counts = add(&ada, "counts", 5).await.expect("added").id;
    let never = add(&ada, "never counts", 0).await.expect("added").id;
    let check = async |id, counter, expect| {
        let used = use_it(&store, id, counter).await.expect("it runs");
        assert_eq!(used, expect, "{counter}");
    };
    check(counts, 5, Used::Replayed).await;
    check(counts, 6, Used::Noted).await;
    check(counts, 6, Used::Replayed).await;
    check(counts, 0, Used::Replayed).await;
    check(counts, u32::MAX, Used::Noted).await;
    check(never, 0, Used::Noted).await;
    check(never, 0, Used::Noted).await;
    check(PasskeyId::new(ada.user.id.as_uuid()), 1, Used::Missing).await;
    let stored: Result<_, StoreError> = store
        .run_read(&ada.secure, async |tx| {
            passkeys::list_stored(&tx, ada.user.id).await
        })
        .await;
    let stored = stored.expect("it reads");
    assert!(stored.iter().all(|key| key.credential == "{\"later\":1}"));
}

pub(crate) async fn of_many_equal_uses_of_a_counting_passkey_one_counts(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let ada = person(&handles[0], "ada@example.com", Role::Admin).await;
    let id = add(&ada, "counts", 5).await.expect("added").id;
    let noted = count_of_64(&handles, move |store: Store| async move {
        Ok(use_it(&store, id, 6).await? == Used::Noted)
    })
    .await;
    assert_eq!(noted, 1);
}

pub(crate) async fn the_only_way_in_stays(database: &Database) {
    let store = database.open().await;
    let new = NewUser {
        email: crate::people::email("carol@example.com"),
        role: Role::Viewer,
        password: None,
        must_change_password: false,
        is_verified: true,
    };
    let carol = manage(&store, Event::UserCreated, async |tx| {
        users::create(&tx, &new).await
    })
    .await
    .expect("created");
    let session = session(&store, carol.id).await;
    let carol = Person {
        store: store.clone(),
        secure: crate::people::as_user(&carol, &session),
        prove: crate::people::as_user(&carol, &session),
        user: carol,
    };
    let key = add(&carol, "key", 0).await.expect("added");
    let refused = carol
        .secure(Event::PasskeyRemoved, async |tx| {
            passkeys::remove(&tx, carol.user.id, key.id).await
        })
        .await;
    assert!(matches!(refused, Err(StoreError::LastWayIn)), "{refused:?}");
    let all = carol
        .secure(Event::PasskeyRemoved, async |tx| {
            passkeys::remove_all(&tx, carol.user.id).await
        })
        .await;
    assert!(matches!(all, Err(StoreError::LastWayIn)), "{all:?}");
    let by_admin = store
        .run_tx(
            &crate::databases::allow::<UsersManage>(),
            Event::TwoFaReset,
            async |tx| passkeys::remove_all(&tx, carol.user.id).await,
        )
        .await;
    assert_eq!(by_admin.expect("an admin may"), 1);
}
