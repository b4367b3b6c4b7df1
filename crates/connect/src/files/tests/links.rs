//! Links, and what stands in the place of a file.

use super::folders::{paths, plan_of};
use super::*;
use crate::failure::FailureKind;
use serde_json::{Value, json};
use std::os::unix::fs::symlink;

#[test]
fn links_are_followed_only_within_the_directory() {
    let folder = Folder::new();
    folder.write("d/a.csv", "a\n1\n");
    folder.write("secret.csv", "a\n1\n");
    let root = folder.0.path();
    symlink("a.csv", root.join("d/inside.csv")).unwrap();
    symlink(root.join("d"), root.join("d/loop")).unwrap();
    symlink("nothing", root.join("d/dangling.csv")).unwrap();
    let block = json!({"directory": "d", "file_pattern": "**/*.csv"});
    let plan = plan_of(&folder, &block).unwrap();
    assert_eq!(paths(&plan), [("shop", vec!["a.csv", "inside.csv"])]);
    assert_eq!(plan.warnings.len(), 2, "{:?}", plan.warnings);
    symlink("../secret.csv", root.join("d/out.csv")).unwrap();
    let failure = plan_of(&folder, &block).expect_err("leaves the directory");
    assert!(
        failure
            .say
            .as_str()
            .contains("`out.csv` is a link that leads out"),
        "{failure}"
    );
}

/// Makes a link in a folder.
fn link(folder: &Folder, target: &str, name: &str) {
    symlink(target, folder.0.path().join(name)).unwrap();
}

#[test]
fn a_link_to_what_is_hidden_or_the_projects_own_is_refused() {
    let check = |prepare: &dyn Fn(&Folder), block: &Value| {
        let folder = Folder::with("data/a.csv", "a\n1\n");
        folder.write(".dlt/secrets.toml", "password = 1\n");
        folder.write(".env", "KEY=1\n");
        folder.write("data/.cache/b.csv", "a\n1\n");
        prepare(&folder);
        let failure = plan_of(&folder, block).expect_err("refused");
        assert_eq!(failure.kind, FailureKind::FileInvalid, "{failure}");
        assert!(
            failure
                .say
                .as_str()
                .contains("`x.csv` leads to a hidden file"),
            "{failure}"
        );
        assert!(!failure.hint.is_empty());
    };
    let here = json!({"directory": ".", "file_pattern": "*.csv"});
    let data = json!({"directory": "data", "file_pattern": "*.csv"});
    check(&|folder| link(folder, ".dlt/secrets.toml", "x.csv"), &here);
    check(&|folder| link(folder, ".env", "x.csv"), &here);
    check(&|folder| link(folder, "data/.cache/b.csv", "x.csv"), &here);
    check(&|folder| link(folder, ".cache/b.csv", "data/x.csv"), &data);
    // A link to a link.
    check(
        &|folder| {
            link(folder, ".dlt/secrets.toml", "y");
            link(folder, "y", "x.csv");
        },
        &here,
    );
    // The folder of the secrets, or the file, lies elsewhere under a plain name.
    check(
        &|folder| {
            folder.write("kept/secrets.toml", "password = 1\n");
            fs_err::remove_dir_all(folder.0.path().join(".dlt")).unwrap();
            link(folder, "kept", ".dlt");
            link(folder, "kept/secrets.toml", "x.csv");
        },
        &here,
    );
    check(
        &|folder| {
            fs_err::remove_file(folder.0.path().join(".env")).unwrap();
            folder.write("x.csv", "KEY=1\n");
            link(folder, "x.csv", ".env");
        },
        &here,
    );
    // Where no pattern asks for it, it is none of the source's business.
    let folder = Folder::with("a.csv", "a\n1\n");
    folder.write(".env", "KEY=1\n");
    link(&folder, ".env", "x.txt");
    assert_eq!(
        paths(&plan_of(&folder, &here).unwrap()),
        [("shop", vec!["a.csv"])]
    );
}

#[test]
fn a_file_is_opened_as_what_the_walk_saw() {
    let folder = Folder::with("data/a.csv", "a\n1\n");
    folder.write("data/.b.csv", "a\n2\n");
    folder.write("out.csv", "a\n3\n");
    let options = FileOptions::default();
    let data = folder.0.path().join("data");
    let file = SourceFile {
        directory: &data,
        ..folder.file("a.csv", &options, 100)
    };
    assert_eq!(file.inspect("t", &[]).unwrap().rows(), 1);
    let check = |kind: FailureKind, say: &str, swap: &dyn Fn(&std::path::Path)| {
        fs_err::remove_file(data.join("a.csv")).unwrap();
        swap(&data.join("a.csv"));
        for failure in [file.hash().err(), file.inspect("t", &[]).err()] {
            let failure = failure.expect("refused");
            assert_eq!(failure.kind, kind, "{failure}");
            assert!(failure.say.as_str().contains(say), "{failure}");
        }
    };
    let outside = "`a.csv` lies outside its source's directory";
    check(FailureKind::ConfigInvalid, outside, &|path| {
        symlink("../out.csv", path).unwrap();
    });
    check(FailureKind::ConfigInvalid, outside, &|path| {
        symlink(".b.csv", path).unwrap();
    });
    // Nobody ever writes into it, so whoever waited for that would wait for ever.
    check(
        FailureKind::FileInvalid,
        "`a.csv` is a named pipe, not a file",
        &pipe,
    );
    fs_err::remove_file(data.join("a.csv")).unwrap();
    fs_err::create_dir(data.join("a.csv")).unwrap();
    let failure = file.hash().expect_err("a folder");
    assert!(
        failure.say.as_str().contains("is a folder, not a file"),
        "{failure}"
    );
}

fn pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[test]
fn what_is_no_file_is_told_where_a_pattern_asks_for_it() {
    let folder = Folder::with("a.csv", "a\n1\n");
    pipe(&folder.0.path().join("pipe.csv"));
    pipe(&folder.0.path().join("other"));
    link(&folder, "pipe.csv", "linked.csv");
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.path().join("s.csv")).unwrap();
    let plan = plan_of(&folder, &json!({"directory": ".", "file_pattern": "*.csv"})).unwrap();
    assert_eq!(paths(&plan), [("shop", vec!["a.csv"])]);
    assert_eq!(
        plan.warnings,
        [
            "`linked.csv` is a named pipe, not a file, and is skipped",
            "`pipe.csv` is a named pipe, not a file, and is skipped",
            "`s.csv` is a socket, not a file, and is skipped",
        ]
    );
}
