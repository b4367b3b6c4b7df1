use super::*;
use domain::Timestamp;
use security::{RequestId, authorize};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
}

fn allow() -> Allow<ConfigManage> {
    let actor = Actor::Operator {
        os_user: "ada \"l\"".into(),
    };
    authorize(&actor, RequestId::new(uuid::Uuid::nil())).expect("the operator may")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("exists").permissions().mode() & 0o777
}

/// Returns every path below `folder` with the content of the files.
fn tree(folder: &Path) -> Vec<(PathBuf, Option<String>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path.clone());
                found.push((path, None));
            } else {
                found.push((path.clone(), Some(fs::read_to_string(&path).expect("text"))));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_new_project_is_private_and_complete() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = folder(parent.path(), Some("my shop")).expect("a name");
    let done = create(&allow(), &folder, &Noon).expect("created");
    assert!(!done.existed && done.completed.is_empty() && done.warnings.is_empty());
    for (path, expect) in [
        (".dlt/secrets.toml", 0o600),
        (".dlt", 0o700),
        (".dango", 0o700),
        (".dango/run", 0o700),
        (".dango/logs", 0o700),
        ("data", 0o700),
        ("data/uploads", 0o700),
    ] {
        assert_eq!(mode(&folder.join(path)), expect, "{path}");
    }
    assert!(
        done.created.iter().all(|path| path.is_relative()),
        "{:?}",
        done.created
    );
    let text = fs::read_to_string(done.project.project_file()).expect("written");
    assert!(text.contains("name: \"my shop\"\n"), "{text}");
    assert!(text.contains("created_by: \"ada \\\"l\\\"\"\n"), "{text}");
    assert!(text.contains("created: \"2023-11-14\"\n"), "{text}");
    assert!(
        done.created.contains(&PathBuf::from(".dango/project.yml")),
        "{:?}",
        done.created
    );
    assert!(
        done.created.contains(&PathBuf::from(".gitignore")),
        "{:?}",
        done.created
    );
}

#[test]
fn a_second_init_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    create(&allow(), folder.path(), &Noon).expect("created");
    let before = tree(folder.path());
    let again = create(&allow(), folder.path(), &Noon).expect("completed");
    assert!(again.existed && again.created.is_empty() && again.completed.is_empty());
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn what_is_there_is_kept_and_completed() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".gitignore"), "*.swp\n").expect("written");
    fs::create_dir(folder.path().join(".dlt")).expect("created");
    fs::write(folder.path().join(".dlt/secrets.toml"), "# mine\n").expect("written");
    let done = create(&allow(), folder.path(), &Noon).expect("created");
    assert_eq!(done.completed, [PathBuf::from(".gitignore")]);
    let secrets = fs::read_to_string(done.project.secrets_file()).expect("read");
    assert_eq!(secrets, "# mine\n");
    let ignored = fs::read_to_string(folder.path().join(".gitignore")).expect("read");
    assert!(ignored.starts_with("*.swp\n\n# Dango"), "{ignored}");
}

#[test]
fn a_failure_takes_back_what_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(".gitignore"), "*.swp\n").expect("written");
    // A file where a folder must be: the last folder fails.
    fs::write(folder.path().join("data"), "mine").expect("written");
    let before = tree(folder.path());
    let error = create(&allow(), folder.path(), &Noon).expect_err("no folder");
    assert_eq!(error.code, Code::FileAccess);
    assert_eq!(tree(folder.path()), before);

    let parent = tempfile::tempdir().expect("a folder");
    fs::write(parent.path().join("shop"), "mine").expect("written");
    create(&allow(), &parent.path().join("shop"), &Noon).expect_err("a file is in the way");
    assert_eq!(tree(parent.path()).len(), 1);
}

#[test]
fn a_project_inside_another_is_mentioned() {
    let folder = tempfile::tempdir().expect("a folder");
    create(&allow(), folder.path(), &Noon).expect("created");
    let inner = create(&allow(), &folder.path().join("inner"), &Noon).expect("created");
    assert_eq!(inner.warnings.len(), 1);
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let here = Path::new("/home/ada");
    for name in [
        "..", "../x", "a/b", "/etc", "", "-x", "a\nb", "./..", "a/..",
    ] {
        let error = folder(here, Some(name)).expect_err(name);
        assert_eq!(error.code, Code::UsageInvalid, "{name}");
    }
    for (name, expect) in [
        (None, "/home/ada"),
        (Some("."), "/home/ada"),
        (Some("b/"), "/home/ada/b"),
    ] {
        assert_eq!(folder(here, name).expect("a folder"), Path::new(expect));
    }
}

#[test]
fn git_sees_no_secret_key_database_log_or_backup() {
    let folder = tempfile::tempdir().expect("a folder");
    create(&allow(), folder.path(), &Noon).expect("created");
    let git = |arguments: &[&str]| {
        Command::new("git")
            .args(arguments)
            .current_dir(folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", folder.path())
            .output()
            .expect("git is installed")
    };
    assert!(git(&["init", "-q"]).status.success());
    let hidden = [
        ".env",
        ".env.local",
        ".env.production",
        "sub/.env",
        ".dlt/secrets.toml",
        ".dlt/dev.secrets.toml",
        ".dlt/secrets.toml.bak",
        ".dlt/.encryption_key",
        ".dango/keys/jwt",
        ".dango/run/lock",
        ".dango/run/dango.sock",
        ".dango/logs/audit.jsonl",
        ".dango/logs/dango.jsonl",
        ".dango/metadata.db",
        ".dango/metadata.db-wal",
        ".dango/metadata.db-shm",
        ".dango/auth.db",
        ".dango/backups/x.tar",
        ".dango/workspaces/a/b",
        ".dango/auth.yml",
        ".dango/metabase.yml",
        ".dango/cloud.yml",
        ".dango/credentials",
        ".dango/cloud_key",
        ".dango/cloud_key.pub",
        "data/warehouse.duckdb",
        "data/uploads/a.csv",
        "elsewhere/w.duckdb",
        "elsewhere/w.duckdb.wal",
        ".dlt/.dango-x.tmp",
        "server.pem",
        "dbt/profiles.yml",
    ];
    let seen = [
        ".env.example",
        ".env.local.example",
        ".dango/project.yml",
        ".dango/sources.yml",
        ".dango/schedules.yml",
        ".dlt/config.toml",
        ".gitignore",
        "connectors/shop.yml",
        "dbt/models/a.sql",
        "dbt/models/uploads/a.sql",
    ];
    for (paths, expect) in [(&hidden[..], Some(0)), (&seen[..], Some(1))] {
        for path in paths {
            let code = git(&["check-ignore", "-q", path]).status.code();
            assert_eq!(code, expect, "{path}");
        }
    }
}
