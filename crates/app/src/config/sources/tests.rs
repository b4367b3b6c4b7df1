mod mistakes;

use super::file::parse;
use super::*;

fn types() -> Vec<ConnectorName> {
    [
        "csv",
        "local_files",
        "postgres",
        "mysql",
        "rest_api",
        "stripe",
    ]
    .map(|name| ConnectorName::parse(name).expect("a type"))
    .to_vec()
}

fn environment() -> Environment {
    Environment::from_pairs([
        ("HOST", "db"),
        ("ON", "yes"),
        ("DAYS", "7"),
        ("MY_TOKEN", "tok-123456"),
    ])
}

fn sources(text: &str) -> (Sources, Vec<Finding>) {
    parse(text, &environment(), &types())
}

const WHOLE: &str = "\
version: \"1.0\"
sources:
  - name: Shop
    type: stripe
    enabled: ${ON}
    description: the shop
    tags: [a, b]
    lookback_days: ${DAYS}
    contract: freeze
    shrink_limit_percent: 20
    stripe:
      start_date: 2024-01-01
      host: ${HOST}
      token: x-${MY_TOKEN}
      list: [\"${HOST}\", 5]
  - name: files
    type: csv
    local_files:
      directory: data/uploads
  - name: old
    type: postgres
    enabled: no
    generic_config: {host: \"${NOT_SET_AND_NOT_NEEDED}\"}
";

#[test]
fn a_whole_file_is_read() {
    let (sources, findings) = sources(WHOLE);
    assert_eq!(findings, []);
    let shop = sources.get("shop").expect("usable");
    assert_eq!(
        (shop.name.as_str(), shop.kind.as_str(), shop.enabled),
        ("shop", "stripe", true)
    );
    assert_eq!(
        (
            shop.tags.len(),
            shop.lookback_days,
            shop.shrink_limit_percent
        ),
        (2, Some(7), 20)
    );
    assert_eq!(shop.contract, Contract::Freeze);
    assert_eq!((shop.place.line, shop.place.column), (3, 5));
    let files = sources.get("FILES").expect("usable");
    assert_eq!(files.block_as_written["directory"], "data/uploads");
    assert_eq!(
        (files.contract, files.shrink_limit_percent),
        (Contract::Evolve, 50)
    );
    assert!(!sources.get("old").expect("usable").enabled);
    assert_eq!(sources.usable().count(), 3);
}

#[test]
fn variables_are_filled_in_on_use_and_secrets_are_learned() {
    let (sources, _) = sources(WHOLE);
    let shop = sources.get("shop").expect("usable");
    assert_eq!(shop.block_as_written["host"], "${HOST}");
    let redactor = Redactor::new();
    let block = shop.block(&environment(), &redactor).expect("filled in");
    assert_eq!(
        (block["host"].as_str(), block["list"][0].as_str()),
        (Some("db"), Some("db"))
    );
    assert_eq!(
        (block["token"].as_str(), block["list"][1].as_u64()),
        (Some("x-tok-123456"), Some(5))
    );
    assert!(!redactor.redact("x-tok-123456").contains("tok-123456"));
    let error = shop
        .block(&Environment::default(), &redactor)
        .expect_err("no variables");
    assert_eq!(error.code, Code::VariableMissing);
    assert!(
        error
            .say
            .as_str()
            .contains("`stripe.host` needs the variable `HOST`"),
        "{error}"
    );
}

#[test]
fn a_broken_source_spoils_no_other() {
    let text = "sources:\n- name: good\n  type: csv\n- name: bad\n  type: nonsense\n- name: worse\n  type: csv\n  zzz: 1\n\
        - type: csv\n- name: fine\n  type: stripe\n";
    let (sources, findings) = sources(text);
    assert!(
        findings.iter().all(|finding| finding.source.is_some()),
        "{findings:?}"
    );
    let usable: Vec<_> = sources
        .usable()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(usable, ["good", "fine"]);
    assert_eq!(sources.broken().count(), 3);
    assert_eq!(
        sources.get("bad").expect_err("broken").code,
        Code::SourceTypeUnknown
    );
    assert_eq!(
        sources.get("worse").expect_err("broken").code,
        Code::ConfigInvalid
    );
    let error = sources.get("goood").expect_err("missing");
    assert_eq!(
        (error.code, error.hint.as_str()),
        (Code::SourceNotFound, "did you mean `good`?")
    );
}

#[test]
fn a_mistake_of_the_whole_file_stops_everything() {
    use crate::project::tests::bare_project;
    let (_folder, project) = bare_project();
    let actor = security::Actor::Operator {
        os_user: "ada".into(),
    };
    let request = security::RequestId::new(uuid::Uuid::nil());
    let allow = security::authorize(&actor, request).expect("the operator may");
    let load = || Sources::load(&allow, &project, &environment(), &types());
    assert_eq!(load().expect("no file has no sources").entries().len(), 0);
    fs_err::write(project.sources_file(), WHOLE.replace("sources:", "souces:")).expect("written");
    assert_eq!(
        load().expect_err("a misspelt key").code,
        Code::ConfigInvalid
    );
    fs_err::write(
        project.sources_file(),
        WHOLE.replace("type: csv", "type: nope"),
    )
    .expect("written");
    assert_eq!(load().expect("one is broken").usable().count(), 2);
}

#[test]
fn merges_and_aliases_are_understood() {
    let text = "sources:\n- &base\n  name: a\n  type: csv\n  enabled: no\n- <<: *base\n  name: b\n";
    let (sources, findings) = sources(text);
    assert_eq!(findings, []);
    let b = sources.get("b").expect("usable");
    assert_eq!((b.kind.as_str(), b.enabled), ("csv", false));
}

#[test]
fn names_of_variables_are_for_the_credentials_only() {
    let text = "sources:\n- name: a\n  type: postgres\n  postgres:\n    host: h\n    password_env: MY_PASSWORD\n    some_env: {x: 1}\n";
    let (sources, findings) = sources(text);
    assert_eq!(findings, []);
    let source = sources.get("a").expect("usable");
    let block = source
        .block(&environment(), &Redactor::new())
        .expect("filled in");
    assert_eq!(block.to_string(), r#"{"host":"h","some_env":{"x":1}}"#);
}
