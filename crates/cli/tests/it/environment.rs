//! Variables that are wrong: each is named, and no file is blamed for it.

use crate::project::{Project, Ran};

#[track_caller]
fn fails(project: &Project, words: &[&str], variables: &[(&str, &str)], parts: &[&str]) -> Ran {
    let ran = project.run_with(words, "", variables);
    assert_eq!(ran.code, Some(1), "{variables:?}: {ran:#?}");
    for part in parts {
        assert!(ran.stderr.contains(part), "{part}: {ran:#?}");
    }
    for blamed in ["project.yml", "--port", "--host", "panicked"] {
        assert!(!ran.stderr.contains(blamed), "{blamed}: {ran:#?}");
    }
    ran
}

#[test]
fn a_level_that_is_none_ends_the_start_and_the_levels_are_named() {
    let project = Project::new();
    let serve = ["serve", "--port=0"];
    for name in ["DAP_LOG_LEVEL", "DANGO_LOG_LEVEL", "DANGO_LOG"] {
        for words in [&serve[..], &["start", "--no-browser"], &["source", "list"]] {
            let says = format!("`{name}` is `loud`");
            let parts = [
                says.as_str(),
                "levels are `error`, `warn`, `info`, `debug` and `trace`",
                "code: config_invalid",
            ];
            fails(&project, words, &[(name, "loud")], &parts);
        }
    }
    project.run(&["source", "list"]).succeeded();
    let lines = |variables: &[(&str, &str)]| {
        let before = project.read(".dango/logs/dango.jsonl").lines().count();
        project.run_with(&["source", "show", "x"], "", variables);
        project.read(".dango/logs/dango.jsonl").lines().count() - before
    };
    // That there is no such source is worth a line only to whoever looks closely.
    assert_eq!(lines(&[("DAP_LOG_LEVEL", "error")]), 0);
    assert!(lines(&[("DAP_LOG_LEVEL", "DEBUG")]) > 0);
    assert!(lines(&[("DANGO_LOG_LEVEL", "debug"), ("DAP_LOG_LEVEL", "ERROR")]) > 0);
}

#[test]
fn a_variable_that_is_wrong_is_named_and_not_the_settings() {
    let project = Project::new();
    let ttl = "DAP_AUTH_ACCESS_TTL_SECONDS";
    let list = ["user", "list"];
    for wrong in ["0", "fifteen", "86401"] {
        let named = format!("error: environment variable `{ttl}` must be");
        fails(
            &project,
            &list,
            &[(ttl, wrong)],
            &[&named, "config_invalid"],
        );
    }
    let database = "DAP_DATABASE_URL";
    for (wrong, part) in [
        ("mysql://ada@host/db", "does not name a Postgres database"),
        ("postgresql://ada@127.0.0.1:1/db", "cannot be reached"),
    ] {
        let ran = fails(&project, &list, &[(database, wrong)], &[part, database]);
        assert!(!ran.stderr.contains("DANGO_DATABASE_URL"), "{ran:#?}");
    }
    project.write(
        "notes.db",
        "this is no database, and nobody has said that it is one",
    );
    let path = [("DAP_DB_PATH", "notes.db")];
    fails(&project, &list, &path, &["variable `DAP_DB_PATH`"]);
    let serve = ["serve", "--port=0"];
    for (name, wrong) in [
        ("DAP_ENGINE_PORT", "70000"),
        ("DAP_ENGINE_HOST", "nonsense"),
        ("DAP_CORS_ORIGINS", "example.com"),
    ] {
        let mut variables = vec![("DAP_ENGINE_PORT", "0")];
        variables.push((name, wrong));
        fails(
            &project,
            &serve,
            &variables,
            &[name, wrong, "config_invalid"],
        );
    }
    let outside = [("DAP_ENGINE_HOST", "0.0.0.0"), ("DAP_ENGINE_PORT", "0")];
    let refused = project.run_with(&serve, "", &outside);
    let refused = refused.failed(3, "listen_refused");
    assert!(refused.stderr.contains("let DAP_ENGINE_HOST be 127.0.0.1"));
    // In `.env` it is named with its line, and `config validate` finds it.
    project.write(".env", "\nDAP_AUTH_ACCESS_TTL_SECONDS=soon\n");
    fails(
        &project,
        &list,
        &[],
        &["error: `.env` line 2 (`DAP_AUTH_ACCESS_TTL_SECONDS`)"],
    );
    let found = project.run(&["config", "validate", "--json"]).json();
    assert_eq!(found["findings"][0]["file"], "environment", "{found}");
    assert!(found["findings"][0]["line"].is_null(), "{found}");
}
