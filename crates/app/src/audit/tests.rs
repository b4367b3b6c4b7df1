use super::*;
use crate::project::tests::bare_project;
use crate::{Environment, OpenOptions};
use domain::Email;
use fs_err as fs;
use security::Role;
use security::audit_chain::Fault;
use security::permissions::{SourceManage, UsersManage};
use std::os::unix::fs::PermissionsExt as _;
use store::Act;
use store::users::{self, NewUser};
use tempfile::TempDir;

struct Place {
    _folder: TempDir,
    project: Project,
}

impl Place {
    fn new() -> Self {
        let (folder, project) = bare_project();
        Self {
            _folder: folder,
            project,
        }
    }

    async fn open(&self) -> App {
        let options = OpenOptions {
            clock: std::sync::Arc::new(crate::SystemClock),
            project: Some(self.project.root().to_path_buf()),
            environment: Environment::from_pairs([("USER", "ada")]),
            command: "test".into(),
            wait_seconds: 0,
            launcher: crate::launcher().expect("this program"),
        };
        App::open_read(options).await.expect("a project")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("logs/audit.jsonl")).unwrap_or_default()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.project.config_dir().join(name)
    }
}

async fn act(app: &App, target: &str) {
    let allow = app.allow::<SourceManage>().await.expect("the operator may");
    let act = Act::new(Event::SourceTested).target(target);
    app.store.record(&allow, act).await.expect("it commits");
}

async fn check(app: &App, anchors: Option<&str>) -> Verification {
    let allow = app.allow::<AuditView>().await.expect("the operator may");
    verify(app, &allow, anchors).await.expect("it reads")
}

fn faults(found: &Verification) -> (&[Fault], &[Fault]) {
    (&found.database.faults, &found.file.faults)
}

#[tokio::test]
async fn what_was_done_is_in_the_file_when_the_command_ends() {
    let place = Place::new();
    for number in 1..=3 {
        let app = place.open().await;
        act(&app, &format!("source{number}")).await;
        app.close().await;
    }
    let text = place.log();
    let lines: Vec<Map<String, Value>> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let keys: Vec<_> = lines[0].keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "timestamp",
            "event",
            "event_type",
            "dango_version",
            "details",
            "request_id",
            "seq",
            "prev_hash",
            "hash"
        ]
    );
    assert_eq!(lines[2]["details"]["context"]["target"], "source3");
    assert_eq!(lines[2]["prev_hash"], lines[1]["hash"]);
    let mode = |name: &str| {
        let metadata = fs::metadata(place.path(name)).expect("there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(
        (
            mode("logs/audit.jsonl"),
            mode("keys"),
            mode("keys/audit.key")
        ),
        (0o600, 0o700, 0o600)
    );
    let app = place.open().await;
    let found = check(&app, None).await;
    assert_eq!(faults(&found), (&[][..], &[][..]));
    assert_eq!((found.database.signed_until, found.file.last), (3, 3));
    assert_eq!(found.unproven.len(), 1, "it was not compared with anything");
    app.close().await;
    assert_eq!(place.log(), text, "nothing was done, nothing is written");
}

#[tokio::test]
async fn what_was_done_to_the_file_is_named_and_what_is_torn_is_repaired() {
    let place = Place::new();
    let app = place.open().await;
    for number in 1..=5 {
        act(&app, &format!("source{number}")).await;
    }
    app.sequence_audit(Sign::Now).await;
    let whole = place.log();
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    let path = place.path("logs/audit.jsonl");
    let named = async |text: String| {
        fs::write(&path, text).expect("written");
        check(&app, None).await.file.faults
    };
    let edited = whole.replace("source2", "other");
    assert_eq!(named(edited).await, [Fault::Edited { seq: 2 }]);
    let without = lines[..1].concat() + &lines[3..].concat();
    assert_eq!(named(without).await, [Fault::Missing { seq: 2, until: 3 }]);
    let swapped = [lines[0], lines[2], lines[1], lines[3], lines[4]].concat();
    let found = named(swapped).await;
    assert_eq!(
        found,
        [Fault::Missing { seq: 2, until: 2 }, Fault::Moved { seq: 2 }]
    );
    let more = format!("{whole}{}", lines[4].replace("\"seq\":5", "\"seq\":6"));
    fs::write(&path, more).expect("written");
    let found = check(&app, None).await;
    assert_eq!(
        found.database.faults,
        [Fault::Missing { seq: 6, until: 6 }],
        "what the table lost"
    );
    fs::write(&path, &whole).expect("written");
    // Its end is written anew, whatever took it away.
    for torn in [
        whole[..whole.len() - 30].to_owned(),
        lines[..2].concat(),
        String::new(),
    ] {
        fs::write(&path, torn).expect("written");
        app.sequence_audit(Sign::WhenDue).await;
        assert_eq!(place.log(), whole);
    }
    fs::remove_file(&path).expect("removed");
    app.sequence_audit(Sign::WhenDue).await;
    assert_eq!(place.log(), whole);
    app.close().await;
}

#[tokio::test]
async fn the_log_of_getdango_is_put_aside_with_its_hash() {
    let place = Place::new();
    fs::create_dir_all(place.path("logs")).expect("created");
    let before = "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"event\":\"login_success\"}\n";
    fs::write(place.path("logs/audit.jsonl"), before).expect("written");
    let app = place.open().await;
    app.sequence_audit(Sign::WhenDue).await;
    act(&app, "shop").await;
    app.close().await;
    let first: Value =
        serde_json::from_str(place.log().lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&first["event"], &first["seq"]),
        (&"audit_legacy_kept".into(), &1.into())
    );
    let digest = security::audit_chain::Digest::of(before.as_bytes()).to_string();
    assert_eq!(first["details"]["sha256"], digest.as_str());
    let kept = fs::read_to_string(place.path("logs/audit.legacy.jsonl")).expect("kept");
    assert_eq!(kept, before);
    assert_eq!(place.log().lines().count(), 2);
}

#[tokio::test]
async fn an_erased_person_is_in_no_file() {
    let place = Place::new();
    let app = place.open().await;
    let manage = app.allow::<UsersManage>().await.expect("the operator may");
    let new = NewUser {
        email: Email::parse("bob@example.com").expect("an address"),
        role: Role::Viewer,
        password: None,
        must_change_password: false,
        is_verified: true,
    };
    let invited = Act::new(Event::UserCreated).personal("invited", "bob@example.com");
    let created: Result<_, StoreError> = app
        .store
        .run_tx(&manage, invited, async |tx| users::create(&tx, &new).await)
        .await;
    let bob = created.expect("created").id;
    act(&app, "shop").await;
    app.sequence_audit(Sign::Now).await;
    assert!(place.log().contains("bob@example.com"));
    let erased: Result<_, StoreError> = app
        .store
        .run_tx(&manage, Event::UserErased, async |tx| {
            users::erase(&tx, bob).await
        })
        .await;
    erased.expect("erased");
    app.sequence_audit(Sign::Now).await;
    let text = place.log();
    assert!(!text.contains("bob@example.com"), "{text}");
    assert!(text.contains("\"erased\":[\"personal.invited\"]"), "{text}");
    let found = check(&app, None).await;
    assert_eq!(faults(&found), (&[][..], &[][..]));
    assert_eq!(found.database.erased, 1);
    let path = place.path("export.jsonl");
    let allow = app.allow::<AuditView>().await.expect("the operator may");
    let count = export_file(&app, &allow, &path, false)
        .await
        .expect("written");
    let exported = fs::read_to_string(&path).expect("read");
    assert_eq!((count, exported.lines().count()), (4, 4));
    assert!(!exported.contains("bob@example.com"));
    let again = export_file(&app, &allow, &path, false)
        .await
        .expect_err("there");
    assert_eq!(again.code, Code::OutputExists);
    app.close().await;
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_told_and_stops_nobody() {
    let place = Place::new();
    let app = place.open().await;
    act(&app, "one").await;
    app.sequence_audit(Sign::Now).await;
    let path = place.path("logs/audit.jsonl");
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("something else");
    let _ = take_warnings();
    act(&app, "two").await;
    app.sequence_audit(Sign::Now).await;
    let told = take_warnings();
    let about = |told: &[domain::Say]| {
        told.iter()
            .any(|say| say.as_str().starts_with("the audit log is behind: `"))
    };
    assert!(about(&told), "{told:?}");
    fs::remove_dir(&path).expect("removed");
    let found = check(&app, None).await;
    assert_eq!(faults(&found), (&[][..], &[][..]));
    assert_eq!(found.database.records, 2);
    app.sequence_audit(Sign::Now).await;
    assert_eq!(place.log().lines().count(), 2, "it catches up");
    app.close().await;
}

#[tokio::test]
async fn checkpoints_are_copied_and_show_a_log_that_was_replaced() {
    let place = Place::new();
    let copy = tempfile::tempdir().expect("a folder");
    let copy = copy.path().join("checkpoints.jsonl");
    let settings = format!("audit:\n  checkpoint_file: {}\n", copy.display());
    fs::write(place.project.project_file(), &settings).expect("written");
    let anchor = create_key(
        &crate::operator(&Environment::default()).expect("may"),
        &place.project,
    );
    let anchor = anchor.expect("made").expect("the first").to_string();
    for target in ["one", "two"] {
        let app = place.open().await;
        act(&app, target).await;
        app.close().await;
    }
    let copied = fs::read_to_string(&copy).expect("copied");
    assert_eq!(copied.lines().count(), 2);
    let app = place.open().await;
    for anchors in [&anchor, &copied] {
        let found = check(&app, Some(anchors)).await;
        assert_eq!(faults(&found), (&[][..], &[][..]), "{anchors}");
    }
    let bad = verify(&app, &app.allow().await.expect("may"), Some("hello")).await;
    assert_eq!(bad.expect_err("no anchor").code, Code::AnchorInvalid);
    app.close().await;
    // Everything is replaced, keys too.
    for name in ["metadata.db", "logs/audit.jsonl", "keys/audit.key"] {
        fs::remove_file(place.path(name)).expect("removed");
    }
    fs::write(place.project.project_file(), "").expect("written");
    let app = place.open().await;
    act(&app, "another").await;
    app.sequence_audit(Sign::Now).await;
    assert!(check(&app, None).await.holds());
    let found = check(&app, Some(&anchor)).await;
    assert_eq!(found.database.faults, [Fault::Foreign]);
    let found = check(&app, Some(&copied)).await;
    assert!(!found.holds(), "{found:?}");
    app.close().await;
}

#[tokio::test]
async fn a_key_that_is_gone_is_replaced_and_that_is_told_for_ever() {
    let place = Place::new();
    let app = place.open().await;
    act(&app, "one").await;
    app.sequence_audit(Sign::Now).await;
    fs::remove_file(place.path("keys/audit.key")).expect("removed");
    let lost = check(&app, None).await;
    assert_eq!(lost.database.faults, [Fault::KeyLost { number: 1 }]);
    act(&app, "two").await;
    app.sequence_audit(Sign::Now).await;
    app.sequence_audit(Sign::WhenDue).await;
    assert!(place.log().contains("audit_key_renewed"));
    let found = check(&app, None).await;
    assert_eq!(found.database.faults, [Fault::KeyChanged { number: 2 }]);
    // Whoever kept a later checkpoint elsewhere knows that everything before it is what it was.
    let later: Result<_, StoreError> = app
        .store
        .run_read(&app.allow::<AuditView>().await.expect("may"), async |tx| {
            audit::list_checkpoints(&tx, 1).await
        })
        .await;
    let kept = later.expect("read")[0].to_line();
    assert!(check(&app, Some(&kept)).await.holds());
    app.close().await;
}

/// Answers every request with `body`; returns where, and what it was sent.
fn elsewhere(body: String) -> (String, std::sync::mpsc::Receiver<String>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (sender, sent) = std::sync::mpsc::sync_channel(16);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut asked, mut part) = (String::new(), [0; 4096]);
            // What we send ends with its JSON document, or without one with its head.
            let is_whole = |asked: &str| {
                let has_document = asked.starts_with("POST");
                asked.ends_with(if has_document { "}" } else { "\r\n\r\n" })
            };
            while !is_whole(&asked) {
                let count = stream.read(&mut part).expect("read");
                asked.push_str(&String::from_utf8_lossy(&part[..count]));
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let answered = stream.write_all((head + &body).as_bytes());
            answered.expect("written");
            let _ = sender.try_send(asked);
        }
    });
    (format!("http://{address}/checkpoints"), sent)
}

#[tokio::test]
async fn checkpoints_are_posted_once_and_read_back() {
    let place = Place::new();
    let (url, sent) = elsewhere(String::new());
    let settings =
        format!("audit: {{checkpoint_url: '{url}'}}\negress: {{allow_private: [127.0.0.1]}}\n");
    fs::write(place.project.project_file(), settings).expect("written");
    let app = place.open().await;
    act(&app, "one").await;
    app.sequence_audit(Sign::Now).await;
    app.sequence_audit(Sign::WhenDue).await;
    let posted = sent.recv().expect("posted");
    let line = posted.split("\r\n\r\n").nth(1).expect("a body").to_owned();
    assert!(posted.starts_with("POST /checkpoints"), "{posted}");
    assert!(sent.try_recv().is_err(), "it was sent once");
    let (url, _asked) = elsewhere(line);
    let allow = app.allow::<AuditView>().await.expect("the operator may");
    let url = url.parse().expect("an address");
    let anchor = fetch_anchor(&app, &allow, &url).await.expect("read");
    let found = check(&app, Some(&anchor)).await;
    assert!(found.holds() && found.is_anchored, "{found:?}");
    app.close().await;
}
