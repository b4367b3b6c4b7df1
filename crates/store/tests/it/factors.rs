//! Authenticator apps and recovery codes, on every database.

use crate::databases::Database;
use crate::people::{as_user, manage, session, user};
use domain::UserId;
use security::entropy::Entropy;
use security::passwords::PasswordHash;
use security::permissions::{AccountProve, AccountSecure, AccountView};
use security::totp::TotpSecret;
use security::{Allow, Event, Role};
use std::time::Duration;
use store::second_factors::{self, NewTotp, SecondFactors, TotpSetup};
use store::users::{self, User};
use store::{Store, StoreError, passkeys};

const SET_UP: Duration = Duration::from_mins(10);

/// Somebody with a session, and what he may do with it.
pub(crate) struct Person {
    pub(crate) store: Store,
    pub(crate) user: User,
    pub(crate) secure: Allow<AccountSecure>,
    pub(crate) prove: Allow<AccountProve>,
}

pub(crate) async fn person(store: &Store, address: &str, role: Role) -> Person {
    let user = user(store, address, role).await;
    let session = session(store, user.id).await;
    Person {
        store: store.clone(),
        secure: as_user(&user, &session),
        prove: as_user(&user, &session),
        user,
    }
}

impl Person {
    pub(crate) async fn secure<T>(
        &self,
        event: Event,
        step: impl AsyncFn(store::Tx<AccountSecure>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.store
            .run_tx(&self.secure, event, async |tx| step(tx).await)
            .await
    }

    pub(crate) async fn factors(&self) -> SecondFactors {
        let found: Result<_, StoreError> = self
            .store
            .run_read(&self.secure.narrow::<AccountView>(), async |tx| {
                let user = users::find_own(&tx, self.user.id).await?;
                let factors = second_factors::find(&tx, self.user.id).await?;
                Ok((user, factors))
            })
            .await;
        let (user, factors) = found.expect("it reads");
        // What sign-in asks is what there is.
        let asked = user.is_some_and(|user| user.has_second_factor);
        assert_eq!(asked, factors.has_one());
        factors
    }

    async fn set_up(&self, secret: &TotpSecret) -> TotpSetup {
        self.set_up_with(secret, &[]).await
    }

    async fn set_up_with(&self, secret: &TotpSecret, codes: &[&str]) -> TotpSetup {
        let codes = &hashes(codes);
        self.secure(Event::TwoFaSetUp, async |tx| {
            let new = NewTotp { secret, codes };
            second_factors::begin_totp(&tx, self.user.id, new, SET_UP).await
        })
        .await
        .expect("begun");
        self.find_set_up().await.expect("it lasts")
    }

    async fn find_set_up(&self) -> Option<TotpSetup> {
        let found: Result<_, StoreError> = self
            .store
            .run_read(&self.secure, async |tx| {
                second_factors::find_totp_setup(&tx, self.user.id).await
            })
            .await;
        found.expect("it reads")
    }

    async fn enable(&self, setup: &TotpSetup, step: u64) -> bool {
        self.secure(Event::TwoFaEnabled, async |tx| {
            second_factors::enable_totp(&tx, self.user.id, setup.id, step).await
        })
        .await
        .expect("it runs")
    }

    pub(crate) async fn give_codes(&self, codes: &[&str]) {
        let hashes = hashes(codes);
        self.secure(Event::RecoveryCodesReplaced, async |tx| {
            second_factors::replace_recovery_codes(&tx, self.user.id, &hashes).await
        })
        .await
        .expect("replaced");
    }
}

fn hashes(codes: &[&str]) -> Vec<PasswordHash> {
    let codes = codes.iter().map(|code| (*code).to_owned());
    codes.map(PasswordHash::from_stored).collect()
}

/// The same byte again and again.
struct Same(u8);

impl Entropy for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn secret(byte: u8) -> TotpSecret {
    TotpSecret::generate(&Same(byte))
}

fn text(secret: &TotpSecret) -> String {
    secret.to_base32().expose().clone()
}

/// Runs 64 times at once what may lose against itself, on two handles; returns how often it said yes.
pub(crate) async fn count_of_64<F>(
    handles: &[Store; 2],
    act: impl Fn(Store) -> F + Clone + Send + Sync + 'static,
) -> usize
where
    F: Future<Output = Result<bool, StoreError>> + Send + 'static,
{
    let tries: Vec<_> = (0..64)
        .map(|number| {
            let (store, act) = (handles[number % 2].clone(), act.clone());
            tokio::spawn(async move {
                loop {
                    // Two handles lose against each other; whoever is busy asks again.
                    match act(store.clone()).await {
                        Err(StoreError::Busy { .. }) => {}
                        ended => return ended.expect("it runs"),
                    }
                }
            })
        })
        .collect();
    let mut yes = 0;
    for tried in tries {
        yes += usize::from(tried.await.expect("no panic"));
    }
    yes
}

pub(crate) async fn an_app_is_enabled_by_its_first_code(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let first = ada.set_up(&secret(1)).await;
    assert_eq!(text(&first.secret), text(&secret(1)));
    assert_eq!(ada.factors().await, SecondFactors::default());
    let second = ada.set_up(&secret(2)).await;
    assert!(!ada.enable(&first, 10).await, "a later set-up voids it");
    assert!(ada.enable(&second, 10).await);
    assert!(!ada.enable(&second, 11).await, "it is enabled once");
    assert!(ada.factors().await.has_one());
    let third = ada.set_up(&secret(3)).await;
    let in_use: Result<_, StoreError> = store
        .run_read(&ada.prove, async |tx| {
            second_factors::find_totp(&tx, ada.user.id).await
        })
        .await;
    let in_use = in_use.expect("it reads").expect("an app");
    assert_eq!(text(&in_use.secret), text(&secret(2)), "until it is proven");
    assert_eq!(in_use.last_step, 10, "the code that enabled it is used up");
    database.clock.forward(600);
    assert!(ada.find_set_up().await.is_none());
    assert!(!ada.enable(&third, 40).await, "its time is over");
}

pub(crate) async fn codes_shown_with_an_app_wait_for_its_first_code(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    crate::passkeys::add(&ada, "key", 0).await.expect("added");
    ada.give_codes(&["one", "two"]).await;
    let old = unused(&ada).await;
    let first = ada.set_up_with(&secret(1), &["given up"]).await;
    let second = ada.set_up_with(&secret(2), &["a", "b", "c"]).await;
    assert!(!ada.enable(&first, 10).await);
    assert_eq!(unused(&ada).await, old);
    assert!(ada.enable(&second, 10).await);
    let new = unused(&ada).await;
    assert_eq!(new.len(), 3);
    assert!(!new.iter().any(|id| old.contains(id)));
}

pub(crate) async fn of_many_equal_codes_one_counts(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let ada = person(&handles[0], "ada@example.com", Role::Admin).await;
    let setup = ada.set_up(&secret(1)).await;
    assert!(ada.enable(&setup, 10).await);
    let user = ada.user.id;
    let prove = std::sync::Arc::new(ada.prove);
    let step = move |step: u64| {
        let prove = std::sync::Arc::clone(&prove);
        move |store: Store| {
            let prove = std::sync::Arc::clone(&prove);
            async move {
                store
                    .run_tx(&*prove, Event::LoginSuccess, async |tx| {
                        second_factors::use_step(&tx, user, step).await
                    })
                    .await
            }
        }
    };
    assert_eq!(count_of_64(&handles, step(10)).await, 0, "it enabled");
    assert_eq!(count_of_64(&handles, step(12)).await, 1);
    assert_eq!(count_of_64(&handles, step(11)).await, 0, "an older one");
}

pub(crate) async fn of_many_equal_recovery_codes_one_counts(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let ada = person(&handles[0], "ada@example.com", Role::Admin).await;
    ada.give_codes(&["one", "two"]).await;
    let codes = unused(&ada).await;
    assert_eq!(codes.len(), 2);
    let (user, id) = (ada.user.id, codes[0]);
    let prove = std::sync::Arc::new(ada.prove);
    let taken = count_of_64(&handles, move |store: Store| {
        let prove = std::sync::Arc::clone(&prove);
        async move {
            store
                .run_tx(&*prove, Event::RecoveryCodeUsed, async |tx| {
                    second_factors::take_recovery_code(&tx, user, id).await
                })
                .await
        }
    })
    .await;
    assert_eq!(taken, 1);
}

async fn unused(person: &Person) -> Vec<domain::RecoveryCodeId> {
    let codes: Result<_, StoreError> = person
        .store
        .run_read(&person.prove, async |tx| {
            second_factors::list_recovery_codes(&tx, person.user.id).await
        })
        .await;
    let codes = codes.expect("it reads");
    codes.iter().map(|code| code.id).collect()
}

pub(crate) async fn recovery_codes_are_replaced_and_go_with_the_last_factor(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let setup = ada.set_up(&secret(1)).await;
    assert!(ada.enable(&setup, 10).await);
    ada.give_codes(&["one", "two"]).await;
    let old = unused(&ada).await[0];
    ada.give_codes(&["three"]).await;
    assert_eq!(ada.factors().await.recovery_codes_left, 1);
    let taken = store
        .run_tx(&ada.prove, Event::RecoveryCodeUsed, async |tx| {
            second_factors::take_recovery_code(&tx, ada.user.id, old).await
        })
        .await;
    assert!(!taken.expect("it runs"), "it was replaced");
    let passkey = crate::passkeys::add(&ada, "key", 0).await.expect("added");
    let disable = async || {
        ada.secure(Event::TwoFaDisabled, async |tx| {
            second_factors::disable_totp(&tx, ada.user.id).await
        })
        .await
        .expect("it runs")
    };
    assert!(disable().await);
    assert!(!disable().await);
    let left = ada.factors().await;
    assert_eq!((left.passkeys, left.recovery_codes_left), (1, 1));
    ada.secure(Event::PasskeyRemoved, async |tx| {
        passkeys::remove(&tx, ada.user.id, passkey.id).await
    })
    .await
    .expect("removed");
    assert_eq!(ada.factors().await, SecondFactors::default());
}

pub(crate) async fn somebody_elses_factors_are_missing(database: &Database) {
    let store = database.open().await;
    let ada = person(&store, "ada@example.com", Role::Admin).await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    let setup = ada.set_up(&secret(1)).await;
    assert!(ada.enable(&setup, 10).await);
    ada.give_codes(&["one"]).await;
    let code = unused(&ada).await[0];
    let check = |result: Result<bool, StoreError>, id: UserId| {
        assert!(
            matches!(&result, Err(StoreError::UserMissing { id: missing }) if *missing == id),
            "{result:?}"
        );
    };
    let id = ada.user.id;
    let prove = async |step: u64| {
        store
            .run_tx(&bob.prove, Event::LoginSuccess, async |tx| {
                second_factors::use_step(&tx, id, step).await
            })
            .await
    };
    check(prove(99).await, id);
    let taken = store
        .run_tx(&bob.prove, Event::RecoveryCodeUsed, async |tx| {
            second_factors::take_recovery_code(&tx, id, code).await
        })
        .await;
    check(taken, id);
    let disabled = bob
        .secure(Event::TwoFaDisabled, async |tx| {
            second_factors::disable_totp(&tx, id).await
        })
        .await;
    check(disabled, id);
    let removed = bob
        .secure(Event::TwoFaDisabled, async |tx| {
            second_factors::remove_all(&tx, id).await.map(|_| true)
        })
        .await;
    check(removed, id);
    assert_eq!(ada.factors().await.recovery_codes_left, 1);
}

pub(crate) async fn an_admin_takes_everything_away(database: &Database) {
    let store = database.open().await;
    let bob = person(&store, "bob@example.com", Role::Viewer).await;
    let setup = bob.set_up(&secret(1)).await;
    assert!(bob.enable(&setup, 10).await);
    bob.give_codes(&["one", "two"]).await;
    crate::passkeys::add(&bob, "key", 0).await.expect("added");
    let begun = bob.set_up(&secret(2)).await;
    let before = manage(&store, Event::TwoFaReset, async |tx| {
        second_factors::remove_all(&tx, bob.user.id).await
    })
    .await
    .expect("reset");
    assert_eq!((before.passkeys, before.recovery_codes_left), (1, 2));
    assert_eq!(bob.factors().await, SecondFactors::default());
    assert!(!bob.enable(&begun, 20).await, "what was begun is gone too");
}
