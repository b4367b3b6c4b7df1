//! Secrets: where they may come from, and that they never come out again.

use crate::api::{Answer, Api};
use crate::project::Project;
use std::os::unix::fs::PermissionsExt as _;

const CANARY: &str = "sk_live_c4n4ry0123456789";

#[test]
fn a_secret_comes_from_stdin_or_a_file_and_is_listed_masked() {
    let project = Project::new();
    project
        .run_with(
            &["secrets", "set", "sources.pay.api_key"],
            &format!("{CANARY}\n"),
            &[],
        )
        .succeeded();
    project.write("key.txt", "another-secret-value\n");
    project
        .run(&["secrets", "set", "sources.pay.other", "--file", "key.txt"])
        .succeeded();
    let file = project.read(".dlt/secrets.toml");
    assert!(file.contains(&format!("api_key = \"{CANARY}\"")), "{file}");
    assert!(file.contains("other = \"another-secret-value\""), "{file}");
    assert!(file.starts_with("# Credentials"), "comments stay: {file}");
    let mode = fs_err::metadata(project.path(".dlt/secrets.toml"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let listed = project.run(&["secrets", "list"]).succeeded();
    assert!(listed.stdout.contains("sources.pay.api_key"), "{listed:#?}");
    assert!(
        listed.stdout.contains("sk_live_***************"),
        "{listed:#?}"
    );
    let json = project.run(&["secrets", "list", "--json"]).succeeded();
    assert!(!json.stdout.contains("c4n4ry") && !listed.stdout.contains("c4n4ry"));
    project
        .run(&["secrets", "unset", "sources.pay.other", "--yes"])
        .succeeded();
    assert!(
        !project
            .read(".dlt/secrets.toml")
            .contains("another-secret-value")
    );
    project
        .run(&["secrets", "unset", "sources.pay.other", "--yes"])
        .failed(4, "secret_not_found");
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let project = Project::new();
    let key = format!("api_key={CANARY}");
    let flag = format!("--api-key={CANARY}");
    for words in [
        &["secrets", "set", "sources.pay.api_key", CANARY][..],
        &["secrets", "set", &key],
        &["secrets", "list", CANARY],
        &["source", "add", "stripe", "--name", "pay", "--set", &key],
        &["source", "add", "stripe", "--name", "pay", "--set", CANARY],
        &[
            "source",
            "add",
            "stripe",
            "--name",
            "pay",
            "--secret-env",
            &key,
        ],
        &["source", "add", "stripe", "--name", "pay", &flag],
        &["source", "add", "stripe", CANARY],
    ] {
        let ran = project.run(words);
        assert_eq!(ran.code, Some(2), "{words:?}: {ran:#?}");
        assert!(
            !ran.stderr.contains("c4n4ry") && !ran.stdout.contains("c4n4ry"),
            "{words:?}: {ran:#?}"
        );
    }
    assert!(!project.read(".dlt/secrets.toml").contains("c4n4ry"));
}

#[test]
fn without_a_terminal_a_missing_secret_names_its_flag() {
    let project = Project::new();
    for words in [
        &["secrets", "set", "sources.pay.api_key"][..],
        &["secrets", "set", "sources.pay.api_key", "--no-input"],
    ] {
        let ran = project.run(words).failed(2, "input_needed");
        assert!(
            ran.stderr.contains("`--stdin` or `--file PATH`"),
            "{ran:#?}"
        );
    }
    project
        .run_with(
            &[
                "secrets",
                "set",
                "sources.pay.api_key",
                "--stdin",
                "--no-input",
            ],
            "x1y2z3",
            &[],
        )
        .succeeded();
    let ran = project
        .run(&["secrets", "unset", "sources.pay.api_key"])
        .failed(2, "input_needed");
    assert!(ran.stderr.contains("`--yes`"), "{ran:#?}");
}

#[test]
fn a_loaded_secret_never_comes_out() {
    let api = Api::start(Answer::EchoAsUnauthorized);
    let project = Project::new();
    project.write(".dango/sources.yml", &api.sources());
    project.write(
        ".dlt/secrets.toml",
        &format!("[sources.pay]\nauth_token = \"{CANARY}\"\n"),
    );
    for words in [
        &["sync"][..],
        &["sync", "-vv"],
        &["sync", "--json"],
        &["source", "test", "pay"],
        &["source", "test", "pay", "--json"],
        &["source", "show", "pay"],
        &["source", "show", "pay", "--json"],
        &["secrets", "list"],
        &["config", "show", "--origin"],
        &["config", "validate"],
        &["doctor"],
    ] {
        let ran = project.run_with(words, "", &[("DANGO_LOG", "trace")]);
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains("c4n4ry"), "{words:?}: {text}");
        }
    }
    let failed = project
        .run(&["source", "test", "pay"])
        .failed(1, "source_unauthorized");
    assert!(failed.stderr.contains("dango secrets set"), "{failed:#?}");
    for name in [
        ".dango/logs/dango.jsonl",
        ".dango/metadata.db",
        ".dango/sources.yml",
    ] {
        let bytes = fs_err::read(project.path(name)).unwrap_or_default();
        assert!(
            !String::from_utf8_lossy(&bytes).contains("c4n4ry"),
            "{name}"
        );
    }
}
