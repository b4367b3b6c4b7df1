//! Usage: help, versions, mistakes on the command line.

use crate::project::Project;

#[test]
fn the_version_is_printed_without_a_project() {
    let folder = Project::empty();
    for words in [&["--version"][..], &["-V"], &["version"]] {
        let ran = folder.run(words).succeeded();
        assert_eq!(ran.stdout, format!("dango {}\n", env!("CARGO_PKG_VERSION")));
    }
    assert_eq!(
        folder.run(&["version", "--json"]).succeeded().json()["name"],
        "dango"
    );
}

#[test]
fn no_command_shows_the_help_and_is_a_usage_error() {
    let ran = Project::empty().run(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("First steps:"), "{ran:#?}");
}

#[test]
fn mistakes_on_the_command_line_are_named_with_a_way_out() {
    let folder = Project::empty();
    for (words, expect) in [
        (&["snyc"][..], "did you mean `dango sync`?"),
        (&["source", "ad"], "did you mean `dango source add`?"),
        (&["sync", "--dryrun"], "did you mean `--dry-run`?"),
        (
            &["query", "SELECT 1", "--format", "cvs"],
            "did you mean `csv`?",
        ),
        (&["query"], "`<SQL>` is missing"),
        (
            &["query", "SELECT 1", "--limit", "many"],
            "`many` does not fit `--limit <ROWS>`",
        ),
        (
            &["query", "SELECT 1", "--format", "parquet"],
            "`--output FILE`",
        ),
        (
            &["query", "SELECT 1", "--output", "a.txt"],
            "tells no format",
        ),
        (&["query", "SELECT 1", "--force"], "--output"),
        (&["sync", "--since", "soon"], "2026-01-31"),
        (
            &["sync", "--since", "7d", "--backfill", "7d"],
            "cannot be used with",
        ),
        (
            &["sync", "--since", "1d", "--until", "2d"],
            "not before `--until`",
        ),
        (&["sync", "a/b"], "cannot be a source's name"),
        (&["sync", ".."], "cannot be a source's name"),
        (&["source", "show", "status"], "reserved"),
        (&["completions", "tcsh"], "does not fit"),
        (&["doctor", "extra"], "an argument too many"),
        (
            &["--wait", "never", "doctor"],
            "`never` does not fit `--wait <SECONDS>`",
        ),
    ] {
        let ran = folder.run(words).failed(2, "usage_invalid");
        assert!(ran.stderr.contains(expect), "{words:?}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{words:?}");
    }
}

#[test]
fn verbs_of_getdango_are_answered_with_one_honest_line() {
    let folder = Project::empty();
    for (words, expect) in [
        (&["web"][..], "dango serve"),
        (&["dashboard", "provision"], "not part of this version"),
        (&["metabase", "save", "--all"], "not part of this version"),
        (&["notebook", "new"], "not part of this version"),
        (&["remote", "push"], "not part of this version"),
        (&["deploy"], "not part of this version"),
        (&["schedule", "list"], "not part of this version"),
        (&["auth", "google_sheets"], "dango secrets set"),
        (&["validate"], "dango config validate"),
        (&["db", "clean"], "--drop-data"),
    ] {
        let ran = folder.run(words).failed(2, "usage_invalid");
        assert!(
            ran.stderr.contains("in getdango") && ran.stderr.contains(expect),
            "{words:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn errors_are_json_on_stderr_when_json_is_asked_for() {
    let folder = Project::empty();
    let error = folder
        .run(&["--json", "snyc"])
        .json_error(2, "usage_invalid");
    assert_eq!(error["error"]["hint"], "did you mean `dango sync`?");
    let ran = folder.run(&["sync", "--json"]);
    ran.json_error(4, "project_not_found");
    assert_eq!(ran.stdout, "");
}

#[test]
fn a_code_is_explained_and_an_unknown_one_gets_a_suggestion() {
    let folder = Project::empty();
    let ran = folder.run(&["explain", "replace_empty"]).succeeded();
    assert!(
        ran.stdout.starts_with("replace_empty: ") && ran.stdout.contains("--allow-empty-replace")
    );
    assert!(folder.run(&["explain"]).succeeded().stdout.lines().count() > 40);
    let codes = folder.run(&["explain", "--json"]).succeeded().json();
    assert!(
        codes["codes"]
            .as_array()
            .is_some_and(|codes| codes.len() > 40)
    );
    let ran = folder
        .run(&["explain", "source_notfound"])
        .failed(4, "code_unknown");
    assert!(
        ran.stderr.contains("did you mean `source_not_found`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn completions_name_every_command() {
    let folder = Project::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).succeeded().stdout;
        assert!(
            script.contains("secrets") && !script.contains("__child"),
            "{shell}"
        );
    }
}

#[test]
fn colour_is_used_only_where_it_was_asked_for() {
    let folder = Project::empty();
    let has_colour = |words: &[&str], variables: &[(&str, &str)]| {
        let ran = folder.run_with(words, "", variables);
        ran.stderr.contains('\u{1b}') || ran.stdout.contains('\u{1b}')
    };
    assert!(!has_colour(&["sync"], &[]));
    assert!(has_colour(&["sync", "--color", "always"], &[]));
    assert!(!has_colour(&["sync", "--color", "never"], &[]));
    assert!(!has_colour(&["sync"], &[("NO_COLOR", "1")]));
    assert!(!has_colour(&["--help"], &[]));
    assert!(!has_colour(&["explain"], &[("TERM", "dumb")]));
}

#[test]
fn outside_a_project_every_command_that_needs_one_says_how_to_make_one() {
    let folder = Project::empty();
    for words in [
        &["sync"][..],
        &["query", "SELECT 1"],
        &["db", "status"],
        &["db", "compact"],
        &["config", "show"],
        &["config", "validate"],
        &["secrets", "list"],
        &["secrets", "set", "a.b"],
        &["source", "list"],
        &["source", "show", "shop"],
        &["source", "test", "shop"],
        &["source", "add", "postgres", "--name", "x"],
        &["source", "edit", "shop", "--enable"],
        &["source", "remove", "shop", "--yes"],
    ] {
        let ran = folder.run(words).failed(4, "project_not_found");
        assert!(
            ran.stderr.contains("dango init"),
            "{words:?}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_closed_stdout_ends_quietly() {
    use std::process::{Command, Stdio};
    let project = Project::new();
    for words in [&["explain"][..], &["audit", "export"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dango"));
        command
            .args(words)
            .current_dir(project.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        // The reader is gone before the first byte.
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{words:?}: {output:?}");
    }
}

#[test]
fn help_is_a_command_too() {
    let folder = Project::empty();
    for (words, flag) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "query"], &["query", "--help"]),
        (&["help", "source", "add"], &["source", "add", "--help"]),
    ] {
        let (asked, expect) = (folder.run(words).succeeded(), folder.run(flag).succeeded());
        assert_eq!(asked.stdout, expect.stdout, "{words:?}");
    }
}

#[test]
fn output_that_goes_nowhere_is_a_failure() {
    let folder = Project::empty();
    for words in [
        &["--version"][..],
        &["version"],
        &["version", "--json"],
        &["--help"],
        &["help", "query"],
        &["explain"],
    ] {
        let full = fs_err::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("a full disk");
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_dango"))
            .args(words)
            .current_dir(folder.path(""))
            .stdout(full.into_parts().0)
            .stderr(std::process::Stdio::piped())
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains("output_failed"), "{words:?}: {said}");
    }
}

#[test]
fn the_version_is_json_when_json_is_asked_for() {
    let folder = Project::empty();
    for words in [
        &["--json", "--version"][..],
        &["--version", "--json"],
        &["version", "--json"],
    ] {
        let json = folder.run(words).succeeded().json();
        assert_eq!(json["version"], env!("CARGO_PKG_VERSION"), "{words:?}");
    }
}

#[test]
fn numbers_that_do_not_fit_are_answered_with_those_that_do() {
    let folder = Project::empty();
    for (words, expect) in [
        (&["query", "SELECT 1", "--limit", "-1"][..], "or 0 for all"),
        (&["query", "SELECT 1", "--timeout", "0"], "from 1 to 86400"),
        (
            &["query", "SELECT 1", "--timeout", "18446744073709551615"],
            "from 1 to 86400",
        ),
        (
            &["doctor", "--wait", "18446744073709551615"],
            "from 0 (not at all) to 86400",
        ),
        (&["sync", "--limit", "0"], "from 1 on"),
        (
            &["query", "--formt", "csv", "select 1"],
            "did you mean `--format`?",
        ),
        (&["query", "--jsn"], "did you mean `--json`?"),
    ] {
        let ran = folder.run(words).failed(2, "usage_invalid");
        assert!(ran.stderr.contains(expect), "{words:?}: {}", ran.stderr);
    }
}
