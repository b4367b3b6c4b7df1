use super::verifier::Kept;
use super::*;
use crate::entropy::tests::Counting;
use crate::plain::Plain;
use domain::Timestamp;

const AT: Timestamp = Timestamp::from_micros(1_763_795_000_000_000);

/// Returns a log of `count` records; the odd ones are of `ada@example.com`.
fn log(count: i64) -> Vec<Stored> {
    let entropy = Counting::default();
    let mut head = Digest::START;
    (1..=count)
        .map(|seq| {
            let mut kept = BTreeMap::new();
            let mut personal = BTreeMap::new();
            if seq % 2 == 1 {
                let (value, salt) = ("ada@example.com".to_owned(), new_salt(&entropy));
                personal.insert("email".to_owned(), commitment(&salt, &value));
                let (value, salt) = (Some(value), Some(salt));
                kept.insert("email".to_owned(), Kept { value, salt });
            }
            let content = content(&format!("target{seq}"), personal);
            let hash = content.hash(head);
            let stored = Stored {
                seq,
                previous: Some(head),
                hash: Some(hash),
                content,
                kept,
            };
            head = hash;
            stored
        })
        .collect()
}

fn content(target: &str, personal: BTreeMap<String, Digest>) -> Content {
    Content {
        id: "0198".into(),
        at_us: AT.as_micros(),
        event: "secret_set".into(),
        event_type: "secret.set".into(),
        dango_version: "0.1.0".into(),
        actor: "operator:ada".into(),
        user_id: None,
        permission: "config.manage".into(),
        target: Some(target.into()),
        request_id: "7".into(),
        effect_id: None,
        phase: None,
        details: Some(serde_json::json!({"b": 1.50, "a": {"d": "é", "c": null}})),
        personal,
    }
}

/// Signs the records at `seqs`, one after another; returns the checkpoints and the key that comes next.
fn sign(log: &[Stored], seqs: &[usize]) -> (Vec<Checkpoint>, AuditKey) {
    let entropy = Counting::default();
    let mut key = AuditKey::generate(&entropy);
    let mut made = Vec::new();
    for (number, seq) in (1..).zip(seqs) {
        let next = AuditKey::generate(&entropy);
        let record = &log[*seq - 1];
        let hash = record.hash.expect("a hash");
        made.push(key.sign(number, record.seq, hash, AT, next.public()));
        key = next;
    }
    (made, key)
}

fn verify(
    log: &[Stored],
    checkpoints: &[Checkpoint],
    anchors: &[Anchor],
    key: Option<PublicKey>,
) -> Proof {
    let mut verifier = Verifier::new(checkpoints.to_vec(), anchors.to_vec(), key);
    for record in log {
        verifier.record(record);
    }
    verifier.finish()
}

/// Checks what is found when `change` was done to a log of nine records with checkpoints at 3 and 6.
#[track_caller]
fn check(change: impl Fn(&mut Vec<Stored>), expect: &[Fault]) {
    let mut records = log(9);
    let (checkpoints, key) = sign(&records, &[3, 6]);
    change(&mut records);
    let proof = verify(&records, &checkpoints, &[], Some(key.public()));
    assert_eq!(proof.faults, expect);
}

/// Hangs every record after the `from`-th on the one before it, as somebody who knows the format would.
fn rechain(records: &mut [Stored], from: usize) {
    for index in from..records.len() {
        let head = index.checked_sub(1).map_or(Digest::START, |before| {
            records[before].hash.expect("a hash")
        });
        records[index].seq = i64::try_from(index).expect("small") + 1;
        records[index].previous = Some(head);
        records[index].hash = Some(records[index].content.hash(head));
    }
}

#[test]
fn a_whole_log_holds_and_says_how_far() {
    let records = log(9);
    let (checkpoints, key) = sign(&records, &[3, 6]);
    let proof = verify(&records, &checkpoints, &[], Some(key.public()));
    assert_eq!(proof.faults, []);
    assert_eq!(
        (
            proof.records,
            proof.last,
            proof.checkpoints,
            proof.signed_until
        ),
        (9, 9, 2, 6)
    );
    check(|_| {}, &[]);
}

#[test]
fn an_edited_record_is_named() {
    let edited = |seq| [Fault::Edited { seq }];
    check(
        |log| log[4].content.target = Some("other".into()),
        &edited(5),
    );
    check(|log| log[0].content.at_us += 1, &edited(1));
    check(|log| log[8].content.details = None, &edited(9));
    check(
        |log| log[3].hash = None,
        &[Fault::Edited { seq: 4 }, Fault::Moved { seq: 5 }],
    );
    let email = |log: &mut Vec<Stored>, value: Option<&str>| {
        let kept = log[4].kept.get_mut("email").expect("it has one");
        kept.value = value.map(str::to_owned);
    };
    check(|log| email(log, Some("eve@example.com")), &edited(5));
    check(|log| email(log, None), &edited(5));
}

#[test]
fn a_record_that_was_taken_out_inserted_or_moved_is_named() {
    check(
        |log| drop(log.remove(4)),
        &[Fault::Missing { seq: 5, until: 5 }],
    );
    check(
        |log| drop(log.drain(3..5)),
        &[Fault::Missing { seq: 4, until: 5 }],
    );
    let swapped = |log: &mut Vec<Stored>| {
        log.swap(6, 7);
        (log[6].seq, log[7].seq) = (7, 8);
    };
    check(swapped, &[7, 8, 9].map(|seq| Fault::Moved { seq }));
    let inserted = |log: &mut Vec<Stored>| {
        let mut made = log[6].clone();
        made.content.target = Some("invented".into());
        log.insert(7, made);
        let end = log.len() - 1;
        log[end].seq = 10;
        log[8].seq = 9;
        rechain(&mut log[..8], 7);
    };
    check(inserted, &[Fault::Moved { seq: 9 }]);
}

#[test]
fn a_log_that_was_chained_anew_does_not_fit_its_checkpoint() {
    let rewritten = |log: &mut Vec<Stored>| {
        log[4].content.target = Some("other".into());
        rechain(log, 4);
    };
    let expect = Fault::Rewritten {
        after: 3,
        until: 6,
        number: 2,
    };
    check(rewritten, &[expect]);
    let cut = Fault::Cut {
        seq: 6,
        number: 2,
        last: 5,
    };
    check(|log| log.truncate(5), &[cut]);
}

#[test]
fn erased_values_leave_the_chain_whole() {
    let mut records = log(9);
    for record in &mut records {
        record
            .kept
            .values_mut()
            .for_each(|kept| *kept = Kept::default());
    }
    let (checkpoints, key) = sign(&records, &[3, 6]);
    let proof = verify(&records, &checkpoints, &[], Some(key.public()));
    assert_eq!((proof.faults.len(), proof.erased), (0, 5));
    assert_eq!(records[0].erased(), ["email"]);
}

#[test]
fn checkpoints_that_were_forged_removed_or_signed_by_another_key_are_named() {
    let records = log(9);
    let (checkpoints, key) = sign(&records, &[2, 4, 6]);
    let (own, next) = (Some(key.public()), key.public());
    let faults = |checkpoints: &[Checkpoint], key| verify(&records, checkpoints, &[], key).faults;
    assert_eq!(faults(&checkpoints, own), []);
    let mut forged = checkpoints.clone();
    forged[1].at = AT.plus_seconds(1);
    assert_eq!(faults(&forged, own), [Fault::Forged { number: 2 }]);
    let without = [checkpoints[0].clone(), checkpoints[2].clone()];
    assert_eq!(
        faults(&without, own),
        [Fault::CheckpointMissing { number: 2 }]
    );
    assert_eq!(
        faults(&checkpoints[..2], own),
        [Fault::KeyLost { number: 2 }]
    );
    assert_eq!(faults(&checkpoints, None), [Fault::KeyLost { number: 3 }]);
    let eve = AuditKey::generate(&Counting::default());
    let mut other = checkpoints;
    other[2] = eve.sign(3, 6, records[5].hash.expect("a hash"), AT, next);
    assert_eq!(faults(&other, own), [Fault::KeyChanged { number: 3 }]);
}

#[test]
fn an_anchor_shows_that_a_log_was_replaced_or_cut() {
    let records = log(9);
    let (checkpoints, key) = sign(&records, &[3, 6]);
    let genesis = Anchor::Key(checkpoints[0].key);
    let kept = Anchor::parse_all(&checkpoints[1].to_line()).expect("an anchor");
    let own = Some(key.public());
    assert_eq!(
        verify(&records, &checkpoints, std::slice::from_ref(&genesis), own).faults,
        []
    );
    assert_eq!(verify(&records, &checkpoints, &kept, own).faults, []);

    // Replaced as a whole, with a key of its own: consistent in itself.
    let mut other = records.clone();
    other[1].content.target = Some("other".into());
    rechain(&mut other, 1);
    let entropy = Counting::default();
    let _ = AuditKey::generate(&entropy);
    let mut own_key = AuditKey::generate(&entropy);
    let mut resigned = Vec::new();
    for (number, seq) in [(1, 3), (2, 6)] {
        let next = AuditKey::generate(&entropy);
        let hash = other[seq - 1].hash.expect("a hash");
        let seq = i64::try_from(seq).expect("small");
        resigned.push(own_key.sign(number, seq, hash, AT, next.public()));
        own_key = next;
    }
    let anchor_faults =
        |anchors: &[Anchor]| verify(&other, &resigned, anchors, Some(own_key.public())).faults;
    assert_eq!(anchor_faults(&[]), []);
    assert_eq!(
        anchor_faults(&kept),
        [Fault::Rewritten {
            after: 6,
            until: 6,
            number: 2
        }]
    );
    let fresh = AuditKey::generate(&Counting::default()).public();
    assert_eq!(fresh, checkpoints[0].key, "the first key of the first log");

    // Cut, checkpoints too.
    let faults = verify(
        &records[..4],
        &checkpoints[..1],
        &kept,
        Some(checkpoints[0].next_key),
    )
    .faults;
    assert_eq!(
        faults,
        [Fault::Cut {
            seq: 6,
            number: 2,
            last: 4
        }]
    );
    let foreign = Anchor::Key(own_key.public());
    assert_eq!(
        verify(&records, &checkpoints, &[foreign], own).faults,
        [Fault::Foreign]
    );
}

#[test]
fn anchors_are_keys_or_checkpoints_one_a_line() {
    let (checkpoints, key) = sign(&log(3), &[3]);
    let line = checkpoints[0].to_line();
    let text = format!("# kept by Ada\n\n{}\n{line}\n", key.public());
    assert_eq!(Anchor::parse_all(&text).expect("two").len(), 2);
    let forged = line.replace("\"seq\":3", "\"seq\":4");
    for (text, bad) in [("", 1), ("\nhello", 2), (forged.as_str(), 1), ("{}", 1)] {
        assert_eq!(
            Anchor::parse_all(text),
            Err(BadAnchor { line: bad }),
            "{text}"
        );
    }
}

#[test]
fn a_key_is_read_back_and_never_shown() {
    let key = AuditKey::generate(&Counting::default());
    let stored = key.to_stored();
    let again = AuditKey::from_stored(&stored).expect("it reads");
    assert_eq!(again.public(), key.public());
    for torn in ["", "dango-audit-private-key:", "dango-audit-private-key:00"] {
        assert!(AuditKey::from_stored(&Plain::new(torn.to_owned())).is_none());
    }
    assert!(PublicKey::parse(&key.public().to_string()).is_some());
}

#[test]
fn the_hash_is_what_the_documentation_says() {
    // Computed by hand with Python: sha256(b"dango audit record 1\n" + 32 * b"\0" + json.dumps(…, sort_keys=True)).
    let content = content("shop", BTreeMap::new());
    assert_eq!(
        content.canonical(),
        r#"{"actor":"operator:ada","at_us":1763795000000000,"dango_version":"0.1.0","details":{"a":{"c":null,"d":"é"},"b":1.5},"effect_id":null,"event":"secret_set","event_type":"secret.set","id":"0198","permission":"config.manage","personal":{},"phase":null,"request_id":"7","target":"shop","user_id":null}"#
    );
    assert_eq!(
        content.hash(Digest::START).to_string(),
        "efb9ad27355224a419186052b2a8910b78fd209e4518e4ecbfe40f00e881ed28"
    );
}
