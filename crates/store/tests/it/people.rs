//! Users, sessions, tokens, links and counters of failures, on every database.

use crate::databases::{Database, allow, audit_rows, request};
use domain::{Email, UserId};
use security::passwords::PasswordHash;
use security::permissions::{
    AccountManage, AccountSecure, Authenticate, FollowLink, SignIn, UsersManage, UsersView,
};
use security::tokens::TokenHash;
use security::{
    Actor, Allow, Client, Event, Permission, PublicReason, Role, SignedIn, Via, admit, authorize,
};
use std::time::Duration;
use store::api_tokens::{self, ApiTokenFilter, NewApiToken};
use store::links::{self, LinkKind};
use store::sessions::{self, Renewed, Session, Stage};
use store::users::{self, NewUser, User, UserFilter};
use store::{Paging, Store, StoreError};

pub(crate) const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn public<R: PublicReason>() -> Allow<R> {
    let client = Client {
        ip: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some("a browser".into()),
        ..Client::default()
    };
    admit(client, request())
}

pub(crate) fn as_user<P: Permission>(user: &User, session: &Session) -> Allow<P> {
    let actor = Actor::User(SignedIn {
        id: user.id,
        email: user.email.clone(),
        role: user.role,
        via: Via::Session(session.id),
        client: Client::default(),
        step: None,
        is_fresh: true,
    });
    authorize(&actor, request()).expect("the role has it")
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

async fn try_user(store: &Store, address: &str, role: Role) -> Result<User, StoreError> {
    let new = NewUser {
        email: email(address),
        role,
        password: Some(PasswordHash::from_stored("$argon2id$".into())),
        must_change_password: false,
        is_verified: true,
    };
    store
        .run_tx(&allow::<UsersManage>(), Event::UserCreated, async |tx| {
            users::create(&tx, &new).await
        })
        .await
}

pub(crate) async fn user(store: &Store, address: &str, role: Role) -> User {
    try_user(store, address, role).await.expect("created")
}

pub(crate) async fn session(store: &Store, user: UserId) -> Session {
    let client = Client::default();
    store
        .run_tx(&public::<SignIn>(), Event::LoginSuccess, async |tx| {
            sessions::create(&tx, user, Stage::Full, 24 * HOUR, &client).await
        })
        .await
        .expect("created")
}

pub(crate) async fn manage<T>(
    store: &Store,
    event: Event,
    step: impl AsyncFn(store::Tx<UsersManage>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    store
        .run_tx(&allow::<UsersManage>(), event, async |tx| step(tx).await)
        .await
}

pub(crate) async fn one_address_is_one_user(database: &Database) {
    let store = database.open().await;
    let ada = user(&store, " Ada@Example.com", Role::Admin).await;
    let taken = try_user(&store, "ada@example.COM", Role::Viewer).await;
    assert!(
        matches!(taken, Err(StoreError::EmailTaken { .. })),
        "{taken:?}"
    );
    let bob = user(&store, "bob@example.com", Role::Viewer).await;
    manage(&store, Event::UserDeleted, async |tx| {
        users::delete(&tx, bob.id).await
    })
    .await
    .expect("deleted");
    let taken = try_user(&store, "bob@example.com", Role::Viewer).await;
    assert!(
        matches!(taken, Err(StoreError::EmailTaken { .. })),
        "{taken:?}"
    );
    let list = async |include_deleted| {
        let filter = UserFilter { include_deleted };
        let listed: Result<_, StoreError> = store
            .run_read(&allow::<UsersView>(), async |tx| {
                users::list(&tx, filter, Paging::default()).await
            })
            .await;
        listed.expect("it reads").total
    };
    assert_eq!((list(false).await, list(true).await), (1, 2));
    let found: Result<_, StoreError> = store
        .run_read(&public::<SignIn>(), async |tx| {
            users::find_by_email(&tx, &email("ADA@example.com")).await
        })
        .await;
    let (found, hash) = found.expect("it reads").expect("known");
    assert_eq!((found, hash.is_some()), (ada, true));
}

pub(crate) async fn the_last_admin_stays(database: &Database) {
    let store = database.open().await;
    let ada = user(&store, "ada@example.com", Role::Admin).await;
    let refused = |result: Result<(), StoreError>| {
        assert!(matches!(result, Err(StoreError::LastAdmin)), "{result:?}");
    };
    refused(
        manage(&store, Event::RoleChanged, async |tx| {
            users::set_role(&tx, ada.id, Role::Editor).await.map(drop)
        })
        .await,
    );
    refused(
        manage(&store, Event::UserDeactivated, async |tx| {
            users::deactivate(&tx, ada.id).await.map(drop)
        })
        .await,
    );
    refused(
        manage(&store, Event::UserDeleted, async |tx| {
            users::delete(&tx, ada.id).await.map(drop)
        })
        .await,
    );
    refused(
        manage(&store, Event::UserErased, async |tx| {
            users::erase(&tx, ada.id).await
        })
        .await,
    );
    let eve = user(&store, "eve@example.com", Role::Admin).await;
    manage(&store, Event::UserDeactivated, async |tx| {
        users::deactivate(&tx, eve.id).await
    })
    .await
    .expect("another is left");
    refused(
        manage(&store, Event::UserDeleted, async |tx| {
            users::delete(&tx, ada.id).await.map(drop)
        })
        .await,
    );
    let her = session(&store, ada.id).await;
    let allowed = as_user::<UsersManage>(&ada, &her);
    let oneself = store
        .run_tx(&allowed, Event::UserDeactivated, async |tx| {
            users::deactivate(&tx, ada.id).await
        })
        .await;
    assert!(matches!(oneself, Err(StoreError::Oneself)), "{oneself:?}");
}

pub(crate) async fn of_many_demotions_at_once_one_admin_is_left(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let mut admins = Vec::new();
    for number in 0..8 {
        let address = format!("admin{number}@example.com");
        admins.push(user(&handles[0], &address, Role::Admin).await.id);
    }
    let demotions = admins.iter().enumerate().map(|(number, admin)| {
        let (store, admin) = (handles[number % 2].clone(), *admin);
        tokio::spawn(async move {
            loop {
                let demoted = store
                    .run_tx(&allow::<UsersManage>(), Event::RoleChanged, async |tx| {
                        users::set_role(&tx, admin, Role::Viewer).await
                    })
                    .await;
                // Two handles lose against each other; whoever is busy asks again.
                if !matches!(demoted, Err(StoreError::Busy { .. })) {
                    return demoted;
                }
            }
        })
    });
    let mut refused = 0;
    for demotion in demotions.collect::<Vec<_>>() {
        match demotion.await.expect("no panic") {
            Ok(_) => {}
            Err(StoreError::LastAdmin) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(refused, 1);
}

pub(crate) async fn what_a_user_owns_goes_with_him_and_the_audit_stays(database: &Database) {
    let store = database.open().await;
    user(&store, "ada@example.com", Role::Admin).await;
    let bob = user(&store, "bob@example.com", Role::Editor).await;
    let his = session(&store, bob.id).await;
    let token = token(&store, &bob, &his, "dap_one").await;
    let before = audit_rows(&store).await.len();
    manage(&store, Event::UserErased, async |tx| {
        users::erase(&tx, bob.id).await
    })
    .await
    .expect("erased");
    let found: Result<_, StoreError> = store
        .run_read(&public::<Authenticate>(), async |tx| {
            let session = sessions::find(&tx, his.id).await?;
            let hash = TokenHash::of("dap_one");
            let token = api_tokens::find_by_hash(&tx, &token.prefix, &hash).await?;
            Ok((session.is_some(), token.is_some()))
        })
        .await;
    assert_eq!(found.expect("it reads"), (false, false));
    assert_eq!(audit_rows(&store).await.len(), before + 1);
}

pub(crate) async fn of_many_renewals_one_makes_the_next_generation(database: &Database) {
    let handles = [database.open().await, database.open().await];
    let ada = user(&handles[0], "ada@example.com", Role::Admin).await;
    let her = session(&handles[0], ada.id).await;
    let grace = Duration::from_mins(1);
    let renew = |store: Store, generation| async move {
        loop {
            let renewed = store
                .renew_session(&public::<Authenticate>(), her.id, generation, grace)
                .await;
            if !matches!(renewed, Err(StoreError::Busy { .. })) {
                return renewed.expect("renewed");
            }
        }
    };
    let renewals: Vec<_> = (0..64)
        .map(|number| tokio::spawn(renew(handles[number % 2].clone(), 1)))
        .collect();
    for renewal in renewals {
        assert_eq!(renewal.await.expect("no panic"), Renewed::To(2));
    }
    let store = &handles[0];
    database.clock.forward(61);
    assert_eq!(renew(store.clone(), 1).await, Renewed::Replayed);
    store
        .run_tx(
            &public::<Authenticate>(),
            Event::SessionReplayed,
            async |tx| sessions::end(&tx, ada.id, her.id, "replayed").await,
        )
        .await
        .expect("ended");
    // The rightful cookie is of no use any more either: nobody knows which of the two it is.
    assert_eq!(renew(store.clone(), 2).await, Renewed::Replayed);
}

pub(crate) async fn other_sessions_are_listed_and_ended(database: &Database) {
    let store = database.open().await;
    let ada = user(&store, "ada@example.com", Role::Admin).await;
    let bob = user(&store, "bob@example.com", Role::Viewer).await;
    let (here, there, his) = (
        session(&store, ada.id).await,
        session(&store, ada.id).await,
        session(&store, bob.id).await,
    );
    let allowed = as_user::<AccountManage>(&ada, &here);
    let end = async |id| {
        store
            .run_tx(&allowed, Event::SessionEnded, async |tx| {
                sessions::end(&tx, ada.id, id, "ended by its owner").await
            })
            .await
            .expect("it runs")
    };
    assert!(!end(his.id).await, "somebody else's session is missing");
    let ended = store
        .run_tx(&allowed, Event::SessionEnded, async |tx| {
            sessions::end_all(&tx, ada.id, Some(here.id), "password changed").await
        })
        .await;
    assert_eq!(ended.expect("it runs"), 1);
    assert!(!end(there.id).await, "it had ended");
    let mine: Result<_, StoreError> = store
        .run_read(&allowed, async |tx| sessions::list(&tx, ada.id).await)
        .await;
    let mine: Vec<_> = mine.expect("it reads").iter().map(|s| s.id).collect();
    assert_eq!(mine, [here.id]);
}

pub(crate) async fn token(
    store: &Store,
    owner: &User,
    session: &Session,
    raw: &str,
) -> api_tokens::ApiToken {
    store
        .run_tx(
            &as_user::<AccountSecure>(owner, session),
            Event::ApiTokenCreated,
            async |tx| {
                let new = NewApiToken {
                    name: "ci".into(),
                    prefix: "abcdefgh".into(),
                    hash: TokenHash::of(raw),
                    scopes: Some(vec!["source.view".into()]),
                    networks: None,
                    expires_at: None,
                };
                api_tokens::create(&tx, owner.id, new).await
            },
        )
        .await
        .expect("created")
}

pub(crate) async fn a_token_is_found_by_its_hash_and_revoked_by_its_owner(database: &Database) {
    let store = database.open().await;
    let ada = user(&store, "ada@example.com", Role::Admin).await;
    let bob = user(&store, "bob@example.com", Role::Viewer).await;
    let (hers, his) = (session(&store, ada.id).await, session(&store, bob.id).await);
    let made = token(&store, &bob, &his, "dap_one").await;
    token(&store, &ada, &hers, "dap_two").await;
    let find = async |raw: &str| {
        let found: Result<_, StoreError> = store
            .run_read(&public::<Authenticate>(), async |tx| {
                api_tokens::find_by_hash(&tx, "abcdefgh", &TokenHash::of(raw)).await
            })
            .await;
        found.expect("it reads")
    };
    let (found, owner) = find("dap_one").await.expect("known");
    assert_eq!((&found, owner.id), (&made, bob.id));
    assert_eq!(
        found.scopes.as_deref(),
        Some(&["source.view".to_owned()][..])
    );
    assert!(find("dap_three").await.is_none());
    let revoke = async |allowed: &Allow<AccountManage>, owner| {
        store
            .run_tx(allowed, Event::ApiTokenRevoked, async |tx| {
                api_tokens::revoke(&tx, owner, made.id).await
            })
            .await
            .expect("it runs")
    };
    assert_eq!(revoke(&as_user(&ada, &hers), ada.id).await, None);
    for _ in 0..2 {
        let revoked = revoke(&as_user(&bob, &his), bob.id).await.expect("his");
        assert_eq!(revoked.revoked_at, Some(database.now()));
        let (found, _) = find("dap_one").await.expect("kept for the audit");
        assert!(!found.is_good(database.now()));
    }
    let all = async |include_revoked| {
        let filter = ApiTokenFilter { include_revoked };
        let listed: Result<_, StoreError> = store
            .run_read(&allow::<UsersView>(), async |tx| {
                api_tokens::list_all(&tx, filter, Paging::default()).await
            })
            .await;
        listed.expect("it reads").total
    };
    assert_eq!((all(false).await, all(true).await), (1, 2));
}

pub(crate) async fn a_link_is_good_once_and_for_its_time(database: &Database) {
    let store = database.open().await;
    let bob = user(&store, "bob@example.com", Role::Viewer).await;
    let create = async |raw: &str| {
        let hash = TokenHash::of(raw);
        manage(&store, Event::InviteResent, async |tx| {
            links::create(&tx, LinkKind::Invite, Some(bob.id), &hash, HOUR).await
        })
        .await
        .expect("made")
    };
    let take = |raw: &'static str, kind| {
        let store = store.clone();
        async move {
            loop {
                let taken = store
                    .run_tx(&public::<FollowLink>(), Event::InviteAccepted, async |tx| {
                        links::take(&tx, kind, &TokenHash::of(raw)).await
                    })
                    .await;
                if !matches!(taken, Err(StoreError::Busy { .. })) {
                    return taken.expect("it runs").is_some();
                }
            }
        }
    };
    create("first").await;
    create("second").await;
    assert!(
        !take("first", LinkKind::Invite).await,
        "a later one voids it"
    );
    assert!(
        !take("second", LinkKind::Reset).await,
        "it is for something else"
    );
    let takers: Vec<_> = (0..64)
        .map(|_| tokio::spawn(take("second", LinkKind::Invite)))
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += u32::from(taker.await.expect("no panic"));
    }
    assert_eq!(taken, 1);
    create("third").await;
    database.clock.forward(3_600);
    assert!(!take("third", LinkKind::Invite).await, "its time is over");
}
