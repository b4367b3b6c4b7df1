//! `init`, `config`, `doctor`.

use crate::project::{Project, SHOP};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn init_creates_a_project_and_completes_it_the_second_time() {
    let folder = Project::empty();
    let ran = folder.run(&["init"]).succeeded();
    assert!(
        ran.stderr.contains(".dango/project.yml") && ran.stderr.contains("dango source add"),
        "{ran:#?}"
    );
    for name in [
        ".dango/project.yml",
        ".dango/sources.yml",
        ".dlt/secrets.toml",
        ".gitignore",
    ] {
        assert!(folder.path(name).is_file(), "{name}");
    }
    let mode = fs_err::metadata(folder.path(".dlt/secrets.toml"))
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = folder.read(".dango/project.yml");
    fs_err::remove_file(folder.path(".dango/sources.yml")).expect("removed");
    let again = folder.run(&["init", "--json"]).succeeded().json();
    assert_eq!(
        (again["existed"].as_bool(), again["created"][0].as_str()),
        (Some(true), Some(".dango/sources.yml"))
    );
    assert_eq!(folder.read(".dango/project.yml"), before);
}

#[test]
fn init_takes_a_name_but_no_path_that_leads_away() {
    let folder = Project::empty();
    let ran = folder.run(&["init", "my shop"]).succeeded();
    assert!(ran.stdout.trim_end().ends_with("my shop"), "{ran:#?}");
    assert!(folder.path("my shop/.dango/project.yml").is_file());
    for name in ["../up", "a/b", ".."] {
        folder.run(&["init", name]).failed(2, "usage_invalid");
    }
}

#[test]
fn the_settings_are_shown_with_their_origin() {
    let project = Project::new();
    let ran = project.run(&["config", "show", "--origin"]).succeeded();
    assert!(
        ran.stdout.contains("platform.duckdb_path") && ran.stdout.contains(".dango/project.yml:"),
        "{ran:#?}"
    );
    assert!(ran.stdout.contains("default"), "{ran:#?}");
    let json = project
        .run(&["config", "show", "--json"])
        .succeeded()
        .json();
    assert!(
        json["settings"]
            .as_array()
            .is_some_and(|list| list.iter().all(|entry| entry["key"].is_string()))
    );
}

#[test]
fn every_mistake_of_the_configuration_is_found_at_once() {
    let project = Project::new();
    project.run(&["config", "validate"]).succeeded();
    project.write(
        ".dango/sources.yml",
        "version: \"1.0\"\nsources:\n  - name: a\n    tpye: csv\n  - name: a/b\n    type: csv\n  - name: c\n    type: postgress\n",
    );
    let ran = project.run(&["config", "validate"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    for part in [
        "line 4",
        "did you mean `type`?",
        "line 5",
        "did you mean `postgres`?",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {ran:#?}");
    }
    let json = project.run(&["config", "validate", "--json"]).json();
    assert_eq!(json["valid"], false);
    assert!(
        json["findings"]
            .as_array()
            .is_some_and(|list| list.len() >= 3),
        "{json}"
    );
}

#[test]
fn a_file_that_is_no_yaml_is_named_with_line_and_column() {
    let project = Project::new();
    project.write(
        ".dango/sources.yml",
        "version: \"1.0\"\nsources:\n  - name: a\n   type: csv\n",
    );
    for words in [&["config", "validate"][..], &["sync"], &["source", "list"]] {
        let ran = project.run(words);
        assert_eq!(ran.code, Some(1), "{words:?}: {ran:#?}");
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            text.contains("sources.yml` line ") && text.contains("column"),
            "{words:?}: {text}"
        );
    }
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_how_to_mend_it() {
    let project = Project::shop();
    let healthy = project.run(&["doctor", "--json"]).succeeded().json();
    assert_eq!(healthy["healthy"], true, "{healthy}");
    let secrets = project.path(".dlt/secrets.toml");
    fs_err::set_permissions(&secrets, std::fs::Permissions::from_mode(0o644)).expect("changed");
    let ran = project.run(&["doctor"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(ran.stdout.contains("chmod 600"), "{ran:#?}");
}

#[test]
fn the_project_is_found_from_below_and_by_flag_and_variable() {
    let project = Project::shop();
    let elsewhere = Project::empty();
    let root = project.path("").display().to_string();
    for (words, variables) in [
        (vec!["source", "list", "--json", "--project", &root], vec![]),
        (
            vec!["source", "list", "--json"],
            vec![("DANGO_PROJECT_ROOT", root.as_str())],
        ),
    ] {
        let json = elsewhere
            .run_with(&words, "", &variables)
            .succeeded()
            .json();
        assert_eq!(json["sources"][0]["name"], "shop");
    }
    let below = project.path("data/uploads");
    let output = project
        .command(&["source", "list"])
        .current_dir(below)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(project.read(".dango/sources.yml"), SHOP);
}
