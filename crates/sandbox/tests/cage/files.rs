//! Which files a child reaches.

use crate::child::{Reply, Task};
use crate::{ask, cage, launcher, spawn};
use sandbox::{Cage, Child, SandboxError};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A project folder: a warehouse folder the child may write, a drop folder it may read, and what it must not see.
struct Project {
    dir: TempDir,
}

impl Project {
    fn new() -> Self {
        let project = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for (path, text) in [
            (".dlt/secrets.toml", "key = 'canary'"),
            (".env", "KEY=canary"),
            ("data/warehouse.duckdb", "rows"),
            ("uploads/a.csv", "a,b"),
            ("export.csv", ""),
            ("dataother", "canary"),
        ] {
            let path = project.path(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn cage(&self) -> Cage {
        Cage {
            read: vec![self.path("uploads")],
            write: vec![self.path("data"), self.path("export.csv")],
            ..cage()
        }
    }

    fn text(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).unwrap()
    }
}

fn write(path: impl AsRef<Path>, text: &str) -> Task {
    Task::Write(path.as_ref().to_owned(), text.to_owned())
}

fn check_denied(child: &Child, task: &Task) {
    let shown = format!("{task:?}");
    let reply = ask(child, task);
    let denied =
        ["EPERM", "PermissionDenied", "CrossesDevices"].map(|kind| Reply::Denied(kind.to_owned()));
    assert!(denied.contains(&reply), "{shown}: {reply:?}");
}

#[test]
fn a_child_works_in_its_directories() {
    let project = Project::new();
    let child = spawn(&project.cage());
    let data = |name: &str| project.path("data").join(name);
    let text = |text: &str| Reply::Text(text.to_owned());

    assert_eq!(
        ask(&child, &Task::Read(data("warehouse.duckdb"))),
        text("rows")
    );
    assert_eq!(
        ask(&child, &Task::Read(project.path("uploads/a.csv"))),
        text("a,b")
    );
    assert_eq!(
        ask(&child, &Task::List(project.path("uploads"))),
        text("a.csv")
    );
    assert_eq!(ask(&child, &write(data("new"), "1")), Reply::Done);
    assert_eq!(
        ask(&child, &Task::Rename(data("new"), data("newer"))),
        Reply::Done
    );
    assert_eq!(ask(&child, &write(data("newer"), "shorter")), Reply::Done);
    assert_eq!(
        ask(&child, &Task::Remove(data("warehouse.duckdb"))),
        Reply::Done
    );
    assert_eq!(
        ask(&child, &write(project.path("export.csv"), "x,y")),
        Reply::Done
    );
    assert_eq!(
        ask(&child, &Task::List(project.path("data"))),
        text("newer")
    );
    assert_eq!(project.text("export.csv"), "x,y");
}

#[test]
fn what_a_child_makes_is_its_owners_alone() {
    let project = Project::new();
    let child = spawn(&project.cage());
    let made = project.path("data/new");
    assert_eq!(ask(&child, &write(&made, "1")), Reply::Done);
    let mode = fs_err::metadata(made).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_link_may_stand_for_a_directory_but_for_no_file() {
    let project = Project::new();
    let link = |to: &str| {
        let link = project.path("link");
        let _ = fs_err::remove_file(&link);
        std::os::unix::fs::symlink(project.path(to), &link).unwrap();
        Cage {
            write: vec![link],
            ..cage()
        }
    };
    let child = spawn(&link("data"));
    assert_eq!(
        ask(&child, &write(project.path("data/new"), "1")),
        Reply::Done
    );
    let refused = launcher().spawn(&link("export.csv"));
    let Err(SandboxError::Refused { why, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(why.contains("symbolic links"), "{why}");
    assert_eq!(project.text("export.csv"), "");
}

#[test]
fn a_child_reaches_nothing_beside_its_directories() {
    let project = Project::new();
    std::os::unix::fs::symlink(
        project.path(".dlt/secrets.toml"),
        project.path("data/innocent"),
    )
    .unwrap();
    let child = spawn(&project.cage());
    let beside = project.path(".dlt/secrets.toml");

    for path in [
        beside.clone(),
        project.path("data/../.dlt/secrets.toml"),
        project.path("data/innocent"),
        project.path(".env"),
        project.path("dataother"),
        "/etc/passwd".into(),
        "/proc/self/environ".into(),
        "/proc/self/mem".into(),
        "/proc/1/environ".into(),
        "/proc/self/fd/0".into(),
        "/proc/self/exe".into(),
        "/dev/null".into(),
    ] {
        check_denied(&child, &Task::Read(path));
    }
    for path in [
        project.dir.path().to_owned(),
        project.path(".dlt"),
        "/".into(),
        "/proc".into(),
        "/tmp".into(),
    ] {
        check_denied(&child, &Task::List(path));
    }
    check_denied(&child, &write(&beside, "x"));
    check_denied(&child, &write(project.path("beside"), "x"));
    check_denied(&child, &write(project.path("uploads/a.csv"), "x"));
    check_denied(&child, &write(project.path("uploads/b.csv"), "x"));
    check_denied(&child, &write("/tmp/dango-cage-probe", "x"));
    check_denied(&child, &Task::Remove(project.path("uploads/a.csv")));
    check_denied(&child, &Task::Remove(project.path("export.csv")));
    check_denied(&child, &Task::Truncate(project.path("uploads/a.csv")));
    check_denied(
        &child,
        &Task::Truncate(project.path("data/warehouse.duckdb")),
    );
    check_denied(
        &child,
        &Task::Rename(project.path("uploads/a.csv"), project.path("data/a.csv")),
    );
    check_denied(
        &child,
        &Task::Rename(project.path("data/warehouse.duckdb"), project.path("w")),
    );

    drop(child);
    assert_eq!(project.text("uploads/a.csv"), "a,b");
    assert_eq!(project.text("data/warehouse.duckdb"), "rows");
    assert_eq!(project.text(".dlt/secrets.toml"), "key = 'canary'");
}

#[test]
fn what_the_engine_asks_about_the_machine_is_readable() {
    let child = spawn(&cage());
    for path in ["/proc/self/cgroup", "/proc/sys/vm/overcommit_memory"] {
        if Path::new(path).exists() {
            assert!(
                matches!(ask(&child, &Task::Read(path.into())), Reply::Text(_)),
                "{path}"
            );
            check_denied(&child, &write(path, "0"));
        }
    }
    if Path::new("/sys/fs/cgroup").exists() {
        assert!(matches!(
            ask(&child, &Task::List("/sys/fs/cgroup".into())),
            Reply::Text(_)
        ));
    }
}

#[test]
fn a_path_that_does_not_exist_is_an_error_that_names_it() {
    let project = Project::new();
    let missing = project.path("missing");
    for cage in [
        Cage {
            read: vec![missing.clone()],
            ..cage()
        },
        Cage {
            write: vec![missing.clone()],
            ..cage()
        },
    ] {
        let error = launcher().spawn(&cage).unwrap_err();
        let expect = format!(
            "the probe process cannot enter its cage: `{}` cannot be opened for the cage: No such file or directory (os error 2)",
            missing.display()
        );
        assert_eq!(error.to_string(), expect);
    }
}

#[test]
fn a_path_that_is_not_text_is_refused_before_anything_starts() {
    use std::os::unix::ffi::OsStrExt;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"/tmp/\xff"));
    let error = launcher()
        .spawn(&Cage {
            read: vec![path],
            ..cage()
        })
        .unwrap_err();
    assert!(matches!(error, SandboxError::PathNotText { .. }));
}

#[test]
fn a_file_that_meets_its_limit_is_an_error_and_not_a_death() {
    let project = Project::new();
    let mut cage = project.cage();
    cage.limits.file_bytes = Some(10);
    let child = spawn(&cage);
    assert_eq!(
        ask(&child, &write(project.path("data/small"), "0123456789")),
        Reply::Done
    );
    let reply = ask(&child, &write(project.path("data/big"), "0123456789+"));
    assert_eq!(reply, Reply::Denied("FileTooLarge".to_owned()));
}
