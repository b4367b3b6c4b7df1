//! The audit log at the command line: shown, exported, verified, and whole after a death at any point.

use crate::project::Project;
use serde_json::Value;
use std::process::{Command, Stdio};

/// Makes a project; returns it with its anchor.
fn project() -> (Project, String) {
    let project = Project::empty();
    let made = project.run(&["init", "--json"]).succeeded().json();
    let anchor = made["audit_anchor"].as_str().expect("an anchor").to_owned();
    (project, anchor)
}

fn set(project: &Project, name: &str, variables: &[(&str, &str)]) -> Option<i32> {
    let words = ["secrets", "set", name, "--stdin"];
    project.run_with(&words, "value", variables).code
}

/// Does to the database what somebody would who has its file.
fn tamper(project: &Project, sql: &str) {
    let database = project.path(".dango/metadata.db");
    let done = Command::new("sqlite3").arg(database).arg(sql).status();
    assert!(done.expect("sqlite3 runs").success(), "{sql}");
}

/// Checks that the log is whole, and returns what is said about it.
#[track_caller]
fn holds(project: &Project, anchor: &str) -> Value {
    let found = project.run(&["audit", "verify", "--anchor", anchor, "--json"]);
    let json = found.json();
    assert_eq!(
        (found.code, &json["holds"]),
        (Some(0), &true.into()),
        "{json:#}"
    );
    json
}

#[test]
fn init_prints_the_anchor_once_and_the_log_is_verified_with_it() {
    let (project, anchor) = project();
    assert!(anchor.starts_with("dango-audit-key:"), "{anchor}");
    let again = project.run(&["init"]).succeeded();
    assert!(
        again.stderr.contains(&anchor),
        "nothing was logged yet: {again:#?}"
    );
    assert_eq!(set(&project, "sources.shop.api_key", &[]), Some(0));
    let later = project.run(&["init", "--json"]).succeeded().json();
    assert_eq!(later["audit_anchor"], Value::Null);
    let json = holds(&project, &anchor);
    assert_eq!(json["database"]["records"], 2);
    assert_eq!(json["database"]["signed_until"], 2);
    project.write("anchor.txt", &format!("# our anchor\n{anchor}\n"));
    let text = project
        .run(&["audit", "verify", "--anchor", "anchor.txt"])
        .succeeded();
    assert!(text.stdout.ends_with("nothing is wrong\n"), "{text:#?}");
    let without = project.run(&["audit", "verify"]).succeeded();
    assert!(
        without
            .stdout
            .contains("not proven  that the log as a whole"),
        "{without:#?}"
    );
    project.write("anchor.txt", "hello\n");
    project
        .run(&["audit", "verify", "--anchor", "anchor.txt"])
        .failed(1, "anchor_invalid");
    project
        .run(&["audit", "verify", "--anchor", "none.txt"])
        .failed(4, "file_access");
}

#[test]
fn what_was_changed_is_named_and_is_exit_code_1() {
    let (project, anchor) = project();
    for name in ["sources.a.key", "sources.b.key", "sources.c.key"] {
        assert_eq!(set(&project, name, &[]), Some(0));
    }
    let (_, other) = self::project();
    let check = |anchor: Option<&str>, said: &str| {
        let mut words = vec!["audit", "verify"];
        words.extend(anchor.into_iter().flat_map(|anchor| ["--anchor", anchor]));
        let found = project.run(&words);
        assert_eq!(found.code, Some(1), "{found:#?}");
        assert!(found.stdout.contains(said), "{said}: {found:#?}");
    };
    check(Some(&other), "it is another log");
    tamper(&project, "CREATE TABLE kept AS SELECT * FROM audit_log");
    for (sql, said) in [
        (
            "UPDATE audit_log SET target = 'sources.z.key' WHERE seq = 3",
            "wrong       database: record 3 was edited",
        ),
        ("DELETE FROM audit_log WHERE seq = 2", "record 2 is missing"),
        (
            "DELETE FROM audit_log WHERE seq > 4",
            "the log ends with record 4, and checkpoint 3 signed record 6: it was cut",
        ),
    ] {
        tamper(&project, sql);
        check(None, said);
        check(Some(&anchor), said);
        tamper(
            &project,
            "DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM kept",
        );
    }
    let file = project.read(".dango/logs/audit.jsonl");
    project.write(
        ".dango/logs/audit.jsonl",
        &file.replace("sources.b.key", "sources.z.key"),
    );
    check(None, "wrong       audit.jsonl: record 3 was edited");
    project.write(".dango/logs/audit.jsonl", &file);
    holds(&project, &anchor);
    fs_err::remove_file(project.path(".dango/keys/audit.key")).expect("removed");
    check(
        None,
        "the key that checkpoint 3 names is not on this machine",
    );
}

#[test]
fn the_log_is_listed_newest_first_and_filtered() {
    let (project, _) = project();
    for name in ["sources.a.key", "sources.b.key"] {
        assert_eq!(set(&project, name, &[]), Some(0));
    }
    let list = |more: &[&str]| {
        let words: Vec<_> = ["audit", "--json"].iter().chain(more).copied().collect();
        let json = project.run(&words).succeeded().json();
        let count = json["items"].as_array().map_or(0, Vec::len);
        (count, json["total"].as_u64())
    };
    assert_eq!(list(&[]), (4, Some(4)));
    assert_eq!(list(&["--limit", "1"]), (1, Some(4)));
    assert_eq!(list(&["--type", "secret_set"]), (4, Some(4)));
    assert_eq!(list(&["--type", "secret.set"]), (4, Some(4)));
    assert_eq!(list(&["--type", "login_failure"]), (0, Some(0)));
    assert_eq!(list(&["--since", "1h"]), (4, Some(4)));
    assert_eq!(list(&["--since", "2099-01-01"]), (0, Some(0)));
    assert_eq!(list(&["--user", "ada@example.com"]), (0, Some(0)));
    let text = project.run(&["audit"]).succeeded().stdout;
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("TIME"), "{text}");
    assert!(lines[1].contains("sources.b.key"), "{text}");
    let unknown = project
        .run(&["audit", "--type", "secret_sets"])
        .failed(2, "usage_invalid");
    assert!(
        unknown.stderr.contains("perhaps `secret_set`"),
        "{unknown:#?}"
    );
    project
        .run(&["audit", "--user", "ada"])
        .failed(2, "usage_invalid");
    let exported = project.run(&["audit", "export"]).succeeded().stdout;
    assert_eq!(
        exported.lines().count(),
        5,
        "its own record too: {exported}"
    );
    project
        .run(&["audit", "export", "-o", "log.jsonl"])
        .succeeded();
    project
        .run(&["audit", "export", "-o", "log.jsonl"])
        .failed(5, "output_exists");
}

#[test]
fn new_records_are_followed() {
    use std::io::{BufRead as _, BufReader};
    let (project, _) = project();
    assert_eq!(set(&project, "sources.a.key", &[]), Some(0));
    let mut followed = Command::new(env!("CARGO_BIN_EXE_dango"))
        .args(["audit", "--follow", "--since", "1h", "--json"])
        .current_dir(project.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = followed.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line").expect("UTF-8");
        serde_json::from_str(&line).expect("JSON")
    };
    assert_eq!(
        (next()["seq"].as_i64(), next()["seq"].as_i64()),
        (Some(1), Some(2))
    );
    assert_eq!(set(&project, "sources.b.key", &[]), Some(0));
    let third = next();
    assert_eq!(third["details"]["context"]["target"], "sources.b.key");
    let id = followed.id().to_string();
    let asked = Command::new("kill").args(["-INT", &id]).status();
    assert!(asked.expect("kill runs").success());
    assert!(followed.wait().expect("it ends").success());
}

#[test]
fn commands_at_once_share_one_chain() {
    let (project, anchor) = project();
    assert_eq!(set(&project, "sources.a.key", &[]), Some(0));
    let running: Vec<_> = (0..6)
        .map(|_| {
            Command::new(env!("CARGO_BIN_EXE_dango"))
                .args(["audit", "export"])
                .current_dir(project.path(""))
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts")
        })
        .collect();
    for one in running {
        let output = one.wait_with_output().expect("it ends");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && told.is_empty(), "{told}");
    }
    let json = holds(&project, &anchor);
    assert_eq!(json["database"]["records"], 8);
    assert_eq!(json["file"]["last"], 8);
}

#[test]
fn a_death_at_any_point_leaves_a_log_that_holds() {
    let (project, anchor) = project();
    let mut records = 0;
    for at in 1..200 {
        let number = at.to_string();
        let code = set(&project, "sources.a.key", &[("DANGO_FAULT_AT", &number)]);
        // Whatever was cut off is taken up by whoever comes next.
        assert_eq!(set(&project, "sources.b.key", &[]), Some(0));
        let json = holds(&project, &anchor);
        let database = &json["database"];
        assert_eq!(
            database["last"], database["signed_until"],
            "at {at}: {json:#}"
        );
        assert_eq!(database["last"], json["file"]["last"], "at {at}: {json:#}");
        let now = database["records"].as_u64().unwrap_or_default();
        assert!(now >= records + 2, "at {at}: {json:#}");
        records = now;
        if code == Some(0) {
            assert!(at > 12, "only {at} points");
            return;
        }
    }
    panic!("it never came to its end");
}

#[test]
fn the_operator_is_who_the_kernel_says_and_not_who_a_variable_says() {
    let project = Project::new();
    let claims = [
        ("USER", "eve"),
        ("LOGNAME", "eve"),
        ("SUDO_USER", "eve"),
        ("SUDO_UID", "1"),
    ];
    project.write(".env", "USER=eve\nSUDO_UID=1\n");
    let add = ["user", "add", "bob@example.com"];
    project.run_with(&add, "", &claims).succeeded();
    project.run(&["user", "add", "ben@example.com"]).succeeded();
    let listed = project.run(&["audit", "--json", "--type", "user_created"]);
    let listed = listed.succeeded().json();
    let id = |flag| {
        let output = Command::new("id").arg(flag).output();
        String::from_utf8(output.expect("id runs").stdout).expect("UTF-8")
    };
    let own = format!("operator:{}", id("-un").trim());
    // Root may say for whom; whoever else does is not heard.
    let is_root = id("-u").trim() == "0";
    let claimed = if is_root {
        format!("{own} (sudo: daemon)")
    } else {
        own.clone()
    };
    let actor = |item: usize| &listed["items"][item]["details"]["context"]["actor"];
    assert_eq!(
        (actor(0), actor(1)),
        (&own.into(), &claimed.into()),
        "{listed}"
    );
}

#[test]
fn an_export_that_its_disk_cannot_take_says_so_and_leaves_no_half_file() {
    // A mount namespace of its own, so that the small disk goes with the process: one page, for the file that is there.
    const SCRIPT: &str = r#"set -u; mkdir small; mount -t tmpfs -o size=8k dango-test small || exit 99
printf old > small/kept.jsonl
"$1" audit export --output small/kept.jsonl --force 2> told; echo $? > code
ls -A small > left; cat small/kept.jsonl > kept"#;
    let (project, _) = project();
    for number in 0..16 {
        let address = format!("person-{number}@example.com");
        project.run(&["user", "add", &address]).succeeded();
    }
    let mut words = vec!["--mount"];
    if !rustix::process::geteuid().is_root() {
        words.extend(["--user", "--map-root-user"]);
    }
    words.extend(["sh", "-c", SCRIPT, "sh", env!("CARGO_BIN_EXE_dango")]);
    let mut command = Command::new("unshare");
    let ran = command.args(words).current_dir(project.path("")).output();
    let ran = ran.expect("it runs");
    assert!(ran.status.success(), "{ran:?}");
    let told = project.read("told");
    assert_eq!(project.read("code"), "75\n", "{told}");
    assert!(
        told.contains("kept.jsonl") && told.contains("code: disk_full\n"),
        "{told}"
    );
    assert_eq!(project.read("left"), "kept.jsonl\n");
    assert_eq!(project.read("kept"), "old");
    // What goes elsewhere cannot be taken back; that it is not whole is said.
    let full = fs_err::OpenOptions::new().write(true).open("/dev/full");
    let ran = Command::new(env!("CARGO_BIN_EXE_dango"))
        .args(["audit", "export"])
        .current_dir(project.path(""))
        .stdout(Stdio::from(full.expect("it is there").into_file()))
        .stderr(Stdio::piped())
        .output();
    let ran = ran.expect("it runs");
    let told = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(75), "{told}");
    assert!(told.contains("the export is not whole"), "{told}");
}
