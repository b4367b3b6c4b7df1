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

#[test]
fn a_warehouse_in_the_projects_own_folder_is_refused_everywhere() {
    let project = Project::new();
    project.write(
        ".dango/project.yml",
        "platform:\n  duckdb_path: ./w.duckdb\n",
    );
    for words in [
        &["config", "validate"][..],
        &["doctor"],
        &["query", "SELECT 1"],
        &["sync"],
        &["db", "status"],
    ] {
        let ran = project.run(words);
        assert_eq!(ran.code, Some(1), "{words:?}: {ran:#?}");
        let text = format!("{}{}", ran.stdout, ran.stderr);
        for part in [
            "project.yml` line 2",
            "the whole project with its secrets",
            "give it one of its own",
        ] {
            assert!(text.contains(part), "{words:?}: {text}");
        }
        assert!(!project.path("w.duckdb").exists(), "{words:?}");
    }
}

#[test]
fn the_doctor_looks_at_the_warehouse_and_its_folder() {
    let project = Project::synced_shop();
    let set = |name: &str, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        fs_err::set_permissions(project.path(name), mode).expect("changed");
    };
    set("data", 0o755);
    set("data/warehouse.duckdb", 0o600);
    let ran = project.run(&["doctor"]).succeeded();
    assert!(ran.stdout.contains("`chmod 700 data`"), "{ran:#?}");
    set("data/warehouse.duckdb", 0o644);
    let ran = project.run(&["doctor"]);
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    assert!(
        ran.stdout.contains("`chmod 600 data/warehouse.duckdb`"),
        "{ran:#?}"
    );
}

#[test]
fn a_warehouse_may_be_a_link_to_another_disk() {
    let project = Project::shop();
    let disk = Project::empty();
    let (file, link) = (
        disk.path("shop.duckdb"),
        project.path("data/warehouse.duckdb"),
    );
    std::os::unix::fs::symlink(&file, &link).expect("linked");
    // Before there is a file, and after.
    for _ in 0..2 {
        project.run(&["sync"]).succeeded();
        project.run(&["query", "FROM raw_shop.orders"]).succeeded();
    }
    project.run(&["db", "compact"]).succeeded();
    assert!(file.is_file() && link.is_symlink());
    let status = project.run(&["db", "status", "--json"]).succeeded().json();
    let real = fs_err::canonicalize(&file).expect("there");
    assert_eq!(status["path"], real.display().to_string());
}

#[test]
fn paths_are_shown_without_detours() {
    let project = Project::synced_shop();
    let status = project.run(&["db", "status"]).succeeded();
    assert!(!status.stdout.contains("/./"), "{status:#?}");
    assert!(
        status
            .stdout
            .lines()
            .next()
            .is_some_and(|line| line.ends_with("/data/warehouse.duckdb")),
        "{status:#?}"
    );
}

#[test]
fn the_blocks_of_every_type_are_checked() {
    let project = Project::new();
    for (kind, block, part) in [
        (
            "local_files",
            "directory: x, file_patern: y",
            "`file_patern`",
        ),
        ("postgres", "host: x, databse: y", "`databse`"),
        (
            "rest_api",
            "base_url: 'https://x/', endpoins: [a]",
            "`endpoins`",
        ),
    ] {
        let source = format!("sources:\n  - {{name: x, type: {kind}, {kind}: {{{block}}}}}\n");
        project.write(".dango/sources.yml", &source);
        for words in [&["config", "validate"][..], &["doctor"]] {
            let ran = project.run(words);
            assert_eq!(ran.code, Some(1), "{kind} {words:?}: {ran:#?}");
            assert!(ran.stdout.contains(part), "{kind} {words:?}: {ran:#?}");
        }
    }
}

#[test]
fn settings_are_shown_and_secrets_are_masked() {
    let project = Project::new();
    project.write(
        ".dango/project.yml",
        "auth:\n  password_max_age_days: 90\n  lockout: {max_attempts: 7}\n  \
         oauth_providers: {github: {client_id: Iv1.abc, client_secret: hunter2hunter2}}\n",
    );
    let shown = project.run(&["config", "show", "--json"]).succeeded();
    assert!(!shown.stdout.contains("hunter2"), "{shown:#?}");
    let json = shown.json();
    let settings = json["settings"].as_array().expect("a list");
    let value = |key: &str| {
        let found = settings.iter().find(|setting| setting["key"] == key);
        found.expect(key)["value"].clone()
    };
    for (key, expect) in [
        ("auth.password_min_without_second_factor", 8),
        ("auth.password_max_age_days", 90),
        ("auth.lockout.max_attempts", 7),
        ("auth.lockout.lockout_minutes", 15),
    ] {
        assert_eq!(value(key), expect, "{key}");
    }
    assert_eq!(
        value("auth.oauth_providers.github.client_secret"),
        "***************"
    );
    // What nobody has set is shown as well.
    let shown = Project::new().run(&["config", "show"]).succeeded();
    assert!(shown.stdout.contains("auth.lockout.max_attempts"));
}
