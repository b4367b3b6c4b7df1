mod logins;

use super::*;
use crate::project::tests::bare_project;
use domain::{Code, limits};

fn config(text: &str) -> (ProjectConfig, Vec<Finding>) {
    let (_folder, project) = bare_project();
    fs_err::write(project.project_file(), text).expect("written");
    let environment = Environment::from_pairs([("MEMORY", "512")]);
    read(&project, &environment).expect("readable")
}

/// Checks the one finding about `text`: line, column, and a part of what is said or hinted.
fn check(text: &str, severity: Severity, place: (u32, u32), part: &str) {
    let (_, findings) = config(text);
    let [finding] = findings.as_slice() else {
        panic!("{text}: {findings:?}")
    };
    let at = finding.place.map(|place| (place.line, place.column));
    assert_eq!(
        (finding.severity, at),
        (severity, Some(place)),
        "{text}: {}",
        finding.located()
    );
    let said = format!("{}\n{}", finding.located(), finding.hint);
    assert!(said.contains(part), "{text}: {said}");
}

#[test]
fn an_empty_file_is_all_defaults() {
    for text in ["", "# nothing\n", "platform:\n", "platform: {}\napi: ~\n"] {
        let (config, findings) = config(text);
        assert_eq!(findings, [], "{text}");
        assert_eq!(
            config.platform.memory_limit_mb,
            limits::WORKER_MEMORY_MB_DEFAULT
        );
        assert!(
            config
                .platform
                .warehouse_file
                .ends_with("data/warehouse.duckdb")
        );
        assert!(config.platform.warehouse_file.is_absolute());
        assert_eq!(
            (config.api.query_rows_max, config.api.query_timeout_seconds),
            (10_000, 30)
        );
        assert!(
            config
                .settings
                .iter()
                .all(|setting| setting.origin == SettingOrigin::Default)
        );
    }
}

#[test]
fn settings_are_read_with_their_origin() {
    let (config, findings) = config(
        "project:\n  name: shop\n  created_by: ada\n  purpose: p\n  stakeholders: [{name: a, role: b, contact: c}]\n\
         platform:\n  duckdb_path: ./w/w.duckdb\n  memory_limit_mb: ${MEMORY}\n  threads: 2\n\
         egress:\n  allow_private: [db.internal, 10.0.0.5]\n\
         api:\n  query_max_rows: 5\n  query_timeout_seconds: 60\nsandbox:\n  required: yes\n",
    );
    assert_eq!(findings, []);
    assert_eq!(
        (config.name.as_str(), config.created_by.as_str()),
        ("shop", "ada")
    );
    assert!(config.platform.warehouse_file.ends_with("w/w.duckdb"));
    assert_eq!(
        (config.platform.memory_limit_mb, config.platform.threads),
        (512, 2)
    );
    assert_eq!(config.egress.allow_private, ["db.internal", "10.0.0.5"]);
    assert_eq!(
        (config.api.query_rows_max, config.api.query_timeout_seconds),
        (5, 60)
    );
    assert!(config.sandbox.required);
    let threads = config
        .settings
        .iter()
        .find(|setting| setting.key == "platform.threads");
    assert_eq!(
        threads
            .map(|setting| setting.origin.say().to_string())
            .as_deref(),
        Some(".dango/project.yml:9")
    );
}

#[test]
fn every_mistake_has_its_place_and_a_next_step() {
    use Severity::{Error, Notice};
    check(
        "platfrom:\n  port: 1\n",
        Error,
        (1, 1),
        "did you mean `platform`?",
    );
    check(
        "platform:\n  memory_limit: 5\n",
        Error,
        (2, 3),
        "did you mean `memory_limit_mb`?",
    );
    check(
        "platform:\n  zzz: 5\n",
        Error,
        (2, 3),
        "known keys: `auto_dbt`",
    );
    check(
        "platform:\n  port: high\n",
        Error,
        (2, 9),
        "`platform.port` must be a whole number from 1 to 65535",
    );
    check("platform:\n  port: 0\n", Error, (2, 9), "from 1 to 65535");
    check("platform:\n  port: 1.5\n", Error, (2, 9), "whole number");
    check("platform:\n  threads: -1\n", Error, (2, 12), "whole number");
    check(
        "platform: 5\n",
        Error,
        (1, 11),
        "`platform` must be a map of keys and values, not a number",
    );
    check(
        "- a\n",
        Error,
        (1, 1),
        "expected a map of keys and values, found a list",
    );
    check(
        "platform:\n  duckdb_path: 5\n",
        Error,
        (2, 16),
        "put it in quotes",
    );
    check(
        "platform:\n  port: 1\n  duckdb_path: ./w.duckdb\n",
        Error,
        (3, 16),
        "the whole project with its secrets",
    );
    check(
        "platform:\n  duckdb_path: [a]\n",
        Error,
        (2, 16),
        "must be text, not a list",
    );
    check(
        "platform:\n  port: 1\n  port: 2\n",
        Error,
        (3, 3),
        "stands twice",
    );
    check(
        "egress:\n  allow_private: 5\n",
        Error,
        (2, 18),
        "a list of texts",
    );
    check(
        "egress:\n  allow_private: [a, 5]\n",
        Error,
        (2, 22),
        "put it in quotes",
    );
    check(
        "sandbox:\n  required: maybe\n",
        Error,
        (2, 13),
        "true or false",
    );
    check(
        "project:\n  name: ${NOPE}\n",
        Error,
        (2, 9),
        "`project.name` needs the variable `NOPE`",
    );
    check(
        "project:\n  name: \"${\"\n",
        Error,
        (2, 9),
        "without its `}`",
    );
    check(
        "platform:\n  metabase_port: 3000\n",
        Notice,
        (2, 18),
        "has no effect",
    );
    check("api: [\n", Error, (1, 6), "cannot be read as YAML");
    check("a: b: c\n", Error, (1, 5), "cannot be read as YAML");
}

#[test]
fn an_error_stops_whoever_needs_the_settings() {
    let (_folder, project) = bare_project();
    fs_err::write(project.project_file(), "platform:\n  port: x\n").expect("written");
    let error = ProjectConfig::load(&project, &Environment::default()).expect_err("a mistake");
    assert_eq!(error.code, Code::ConfigInvalid);
    assert!(
        error
            .say
            .as_str()
            .starts_with("`.dango/project.yml` line 2, column 9: "),
        "{error}"
    );
}

#[test]
fn where_checkpoints_go_is_read() {
    let (config, findings) = config(
        "audit:\n  checkpoint_file: /mnt/elsewhere/log\n  checkpoint_url: https://hooks.example.com/a\n",
    );
    assert_eq!(findings, []);
    let file = config.audit.checkpoint_file.expect("a file");
    assert!(file.ends_with("elsewhere/log"), "{}", file.display());
    let url = config.audit.checkpoint_url.expect("an address");
    assert_eq!(url.host_str(), Some("hooks.example.com"));
    check(
        "audit:\n  checkpoint_url: somewhere\n",
        Severity::Error,
        (2, 19),
        "is no address",
    );
}
