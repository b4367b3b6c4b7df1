//! The chain of the audit log, in the table: places, hashes, checkpoints, erasure, and what tampering leaves to be seen.

use crate::databases::{Counting, Database, allow, audit_rows, request};
use domain::{Email, UserId};
use security::audit_chain::{Anchor, AuditKey, Checkpoint, Fault, Proof, PublicKey, Verifier};
use security::passwords::PasswordHash;
use security::permissions::{AuditView, QueryExecute, SignIn, SourceSync, UsersManage};
use security::{Actor, Client, Event, SignedIn, Via, admit, authorize};
use store::audit::{self, AuditFilter};
use store::jobs::{self, JobKind, NewJob};
use store::users::{self, NewUser, User};
use store::{Act, Paging, Store, StoreError};

async fn record(store: &Store, count: usize) {
    for number in 0..count {
        let act = Act::new(Event::QueryExecuted)
            .target(format!("target{number}"))
            .detail("row_count", number)
            .detail("ratio", 1.50);
        let recorded = store.record(&allow::<QueryExecute>(), act).await;
        recorded.expect("it commits");
    }
}

async fn sequence(store: &Store) -> u64 {
    // Salts of two stores may be the same here; nobody compares them.
    store
        .sequence(&Counting::default())
        .await
        .expect("it commits")
}

/// Signs the head with `key`; returns the key that comes next.
async fn checkpoint(store: &Store, number: i64, key: &AuditKey, next: &AuditKey) -> Checkpoint {
    let head = store.find_head().await.expect("it reads").expect("a head");
    let at = domain::Timestamp::from_micros(1_763_795_000_000_000);
    let made = key.sign(number, head.seq, head.hash, at, next.public());
    store.add_checkpoint(&made).await.expect("it commits");
    made
}

pub(crate) async fn verify(store: &Store, anchors: &[Anchor], key: Option<PublicKey>) -> Proof {
    let read: Result<_, StoreError> = store
        .run_read(&allow::<AuditView>(), async |tx| {
            let checkpoints = audit::list_checkpoints(&tx, 0).await?;
            Ok((checkpoints, audit::list_chained(&tx, 0, 1_000).await?))
        })
        .await;
    let (checkpoints, records) = read.expect("it reads");
    let mut verifier = Verifier::new(checkpoints, anchors.to_vec(), key);
    for record in &records {
        verifier.record(record);
    }
    verifier.finish()
}

pub(crate) async fn rows_get_their_place_in_the_order_of_commits(database: &Database) {
    let store = database.open().await;
    assert_eq!(sequence(&store).await, 0);
    record(&store, 3).await;
    // The clock is set back: the order is that of the commits all the same.
    database.clock.forward(-3_600);
    let created: Result<_, StoreError> = store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            jobs::create(&tx, NewJob::new(JobKind::Sync, "shop")).await
        })
        .await;
    created.expect("it commits");
    record(&store, 600).await;
    assert_eq!(sequence(&store).await, 604);
    assert_eq!(sequence(&store).await, 0, "nothing gets two places");
    let proof = verify(&store, &[], None).await;
    assert_eq!((proof.last, proof.faults.len()), (604, 0));
    let read: Result<_, StoreError> = store
        .run_read(&allow::<AuditView>(), async |tx| {
            audit::list_chained(&tx, 2, 3).await
        })
        .await;
    let read = read.expect("it reads");
    let targets: Vec<_> = read
        .iter()
        .map(|record| (record.seq, record.content.event.as_str()))
        .collect();
    assert_eq!(
        targets,
        [
            (3, "query_executed"),
            (4, "sync_triggered"),
            (5, "query_executed")
        ]
    );
}

pub(crate) async fn many_sequencers_at_once_give_each_row_one_place(database: &Database) {
    let handles = [
        database.open().await,
        database.open().await,
        database.open().await,
    ];
    let tasks = handles.clone().into_iter().map(|store| {
        tokio::spawn(async move {
            let mut given = 0;
            for _ in 0..10 {
                record(&store, 4).await;
                given += sequence(&store).await;
            }
            given
        })
    });
    let mut given = 0;
    for task in tasks.collect::<Vec<_>>() {
        given += task.await.expect("no panic");
    }
    given += sequence(&handles[0]).await;
    assert_eq!(given, 120);
    let proof = verify(&handles[0], &[], None).await;
    assert_eq!((proof.records, proof.last), (120, 120));
    assert_eq!(proof.faults, []);
}

pub(crate) async fn a_row_that_is_committed_late_is_not_skipped(database: &Database) {
    let store = database.open().await;
    let other = database.open().await;
    record(&store, 1).await;
    let begun: Result<u64, StoreError> = store
        .run_tx(&allow::<SourceSync>(), Event::SyncTriggered, async |tx| {
            // Its row has an earlier time than the one that is written and sequenced meanwhile, where that can be.
            jobs::create(&tx, NewJob::new(JobKind::Sync, "late")).await?;
            Ok(1)
        })
        .await;
    begun.expect("it commits");
    record(&other, 1).await;
    assert_eq!(sequence(&other).await, 3);
    record(&store, 1).await;
    assert_eq!(sequence(&store).await, 1);
    assert_eq!(verify(&store, &[], None).await.faults, []);
}

pub(crate) async fn what_was_done_to_the_table_is_named(database: &Database) {
    let edited = |seq| vec![Fault::Edited { seq }];
    let swap = "UPDATE audit_log SET seq = -1 WHERE seq = 4; UPDATE audit_log SET seq = 4 WHERE seq = 5; \
        UPDATE audit_log SET seq = 5 WHERE seq = -1";
    let insert = "UPDATE audit_log SET seq = seq + 100 WHERE seq > 4; \
        INSERT INTO audit_log (id, seq, prev_hash, hash, created_at_us, event, event_type, dango_version, actor, \
        permission, request_id) SELECT '00000000-0000-7000-8000-000000000000', 5, prev_hash, hash, created_at_us, \
        event, event_type, dango_version, actor, permission, request_id FROM audit_log WHERE seq = 4; \
        UPDATE audit_log SET seq = seq - 99 WHERE seq > 100";
    let store = database.open().await;
    record(&store, 8).await;
    sequence(&store).await;
    database
        .tamper("CREATE TABLE kept AS SELECT * FROM audit_log")
        .await;
    let cases = [
        (
            "UPDATE audit_log SET target = 'other' WHERE seq = 3",
            edited(3),
        ),
        (
            "UPDATE audit_log SET actor = 'operator:eve' WHERE seq = 8",
            edited(8),
        ),
        (
            "UPDATE audit_log SET created_at_us = created_at_us + 1 WHERE seq = 1",
            edited(1),
        ),
        (
            "UPDATE audit_log SET event_data = NULL WHERE seq = 2",
            edited(2),
        ),
        (
            "UPDATE audit_log SET email = 'eve@example.com' WHERE seq = 2",
            edited(2),
        ),
        (
            "DELETE FROM audit_log WHERE seq = 1",
            vec![Fault::Missing { seq: 1, until: 1 }],
        ),
        (
            "DELETE FROM audit_log WHERE seq IN (4, 5, 7)",
            vec![
                Fault::Missing { seq: 4, until: 5 },
                Fault::Missing { seq: 7, until: 7 },
            ],
        ),
        (swap, [4, 5, 6].map(|seq| Fault::Moved { seq }).to_vec()),
        (insert, vec![Fault::Edited { seq: 5 }]),
        (
            "UPDATE audit_log SET seq = NULL, hash = NULL WHERE seq = 6",
            vec![Fault::Missing { seq: 6, until: 6 }],
        ),
    ];
    for (sql, expect) in cases {
        database.tamper(sql).await;
        assert_eq!(verify(&store, &[], None).await.faults, expect, "{sql}");
        database
            .tamper("DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM kept")
            .await;
        assert_eq!(verify(&store, &[], None).await.faults, [], "undone");
    }
}

pub(crate) async fn a_log_below_a_checkpoint_cannot_be_rewritten_or_cut(database: &Database) {
    let store = database.open().await;
    let entropy = Counting::default();
    let keys: Vec<_> = (0..3).map(|_| AuditKey::generate(&entropy)).collect();
    record(&store, 3).await;
    sequence(&store).await;
    let first = checkpoint(&store, 1, &keys[0], &keys[1]).await;
    record(&store, 3).await;
    sequence(&store).await;
    let second = checkpoint(&store, 2, &keys[1], &keys[2]).await;
    let last = store.find_last_checkpoint().await.expect("it reads");
    assert_eq!(last.as_ref(), Some(&second));
    let own = Some(keys[2].public());
    let anchor = Anchor::parse_all(&second.to_line()).expect("an anchor");
    assert_eq!(verify(&store, &anchor, own).await.faults, []);
    // Cut below the checkpoint.
    database.tamper("DELETE FROM audit_log WHERE seq > 4").await;
    let cut = Fault::Cut {
        seq: 6,
        number: 2,
        last: 4,
    };
    assert_eq!(
        verify(&store, &[], own).await.faults,
        std::slice::from_ref(&cut)
    );
    // The checkpoint too: only the key of this machine, or what was kept elsewhere, tells.
    database
        .tamper("DELETE FROM audit_checkpoints WHERE number = 2")
        .await;
    let lost = Fault::KeyLost { number: 1 };
    assert_eq!(verify(&store, &[], own).await.faults, [lost]);
    assert_eq!(
        verify(&store, &anchor, Some(first.next_key)).await.faults,
        [cut]
    );
    // Rewritten by our own sequencer, as somebody would who may do everything.
    database
        .tamper("UPDATE audit_log SET target = 'other', seq = NULL WHERE seq = 2")
        .await;
    database
        .tamper("UPDATE audit_log SET seq = NULL, salts = NULL, commitments = NULL")
        .await;
    assert_eq!(sequence(&store).await, 4);
    let rewritten = Fault::Rewritten {
        after: 0,
        until: 3,
        number: 1,
    };
    let found = verify(&store, &[], Some(first.next_key)).await.faults;
    assert_eq!(found, [rewritten]);
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

async fn user(store: &Store, address: &str) -> User {
    let new = NewUser {
        email: email(address),
        role: security::Role::Admin,
        // One without could not sign in, and would be no admin who remains.
        password: Some(PasswordHash::from_stored("a hash".to_owned())),
        must_change_password: false,
        is_verified: true,
    };
    let act = Act::new(Event::UserCreated).personal("invited", address);
    store
        .run_tx(&allow::<UsersManage>(), act, async |tx| {
            users::create(&tx, &new).await
        })
        .await
        .map_err(|error: StoreError| error.to_string())
        .expect("created")
}

fn client() -> Client {
    Client {
        ip: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some("a browser".into()),
        ..Client::default()
    }
}

fn signed_in(user: &User) -> Actor {
    Actor::User(SignedIn {
        id: user.id,
        email: user.email.clone(),
        role: user.role,
        via: Via::Session(domain::SessionId::new(uuid::Uuid::nil())),
        client: client(),
        step: None,
        is_fresh: true,
    })
}

pub(crate) async fn an_erased_person_leaves_a_chain_that_holds(database: &Database) {
    let store = database.open().await;
    let (ada, bob) = (
        user(&store, "ada@example.com").await,
        user(&store, "bob@example.com").await,
    );
    for person in [&ada, &bob] {
        let witness = authorize::<QueryExecute>(&signed_in(person), request());
        let act = Act::new(Event::QueryExecuted).personal("note", "as Bob@example.com asked");
        let recorded = store.record(&witness.expect("an admin"), act).await;
        recorded.expect("it commits");
    }
    let failed = Act::new(Event::LoginFailure).personal("email", "bob@example.com");
    let recorded = store
        .record(&admit::<SignIn>(client(), request()), failed)
        .await;
    recorded.expect("it commits");
    sequence(&store).await;
    let erased: Result<(), StoreError> = store
        .run_tx(&allow::<UsersManage>(), Event::UserErased, async |tx| {
            users::erase(&tx, bob.id).await
        })
        .await;
    erased.expect("it commits");
    sequence(&store).await;
    let proof = verify(&store, &[], None).await;
    assert_eq!((proof.faults.as_slice(), proof.erased), (&[][..], 4));
    let rows = audit_rows(&store).await;
    let text = format!("{rows:?}").to_lowercase();
    assert!(!text.contains("bob@"), "{text}");
    assert_eq!(text.matches("ada@example.com").count(), 2, "{text}");
    assert_eq!(text.matches("192.0.2.7").count(), 1, "{text}");
    let erased = rows.iter().find(|row| row.event == "user_erased");
    assert_eq!(erased.expect("a row").details["audit_rows_erased"], 4);
    // A value cannot be put back, and a kept one cannot be taken for erased.
    database
        .tamper("UPDATE audit_log SET email = 'eve@example.com' WHERE seq = 4")
        .await;
    let faults = verify(&store, &[], None).await.faults;
    assert_eq!(faults, [Fault::Edited { seq: 4 }]);
    by_person(&store, ada.id, bob.id).await;
}

async fn by_person(store: &Store, ada: UserId, bob: UserId) {
    let total = async |filter: AuditFilter| {
        let listed: Result<_, StoreError> = store
            .run_read(&allow::<AuditView>(), async |tx| {
                audit::list(&tx, &filter, Paging::default()).await
            })
            .await;
        listed.expect("it reads").total
    };
    for (id, expect) in [(ada, 1), (bob, 1)] {
        let user = Some(id);
        let filter = AuditFilter {
            user,
            ..AuditFilter::default()
        };
        assert_eq!(total(filter).await, expect);
    }
    for (address, expect) in [("ada@example.com", 1), ("bob@example.com", 0)] {
        let email = Some(email(address));
        let filter = AuditFilter {
            email,
            ..AuditFilter::default()
        };
        assert_eq!(total(filter).await, expect, "{address}");
    }
}

pub(crate) async fn a_checkpoint_of_a_number_is_written_once(database: &Database) {
    let store = database.open().await;
    record(&store, 1).await;
    sequence(&store).await;
    let entropy = Counting::default();
    let (key, next) = (AuditKey::generate(&entropy), AuditKey::generate(&entropy));
    let made = checkpoint(&store, 1, &key, &next).await;
    let again = database.open().await.add_checkpoint(&made).await;
    assert!(matches!(again, Err(StoreError::Database(_))), "{again:?}");
}
