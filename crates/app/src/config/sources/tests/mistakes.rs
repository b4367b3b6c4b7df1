//! Every mistake there is to make in a `sources.yml`.

use super::*;

/// Checks the one finding about `text`: code, line, column, and a part of what is said or hinted.
fn check(text: &str, code: Code, place: (u32, u32), part: &str) {
    let (_, findings) = sources(text);
    let [finding] = findings.as_slice() else {
        panic!("{text}: {findings:#?}")
    };
    let at = finding.place.map(|place| (place.line, place.column));
    assert_eq!(
        (finding.code, at),
        (code, Some(place)),
        "{text}: {}",
        finding.located()
    );
    let said = format!("{}\n{}", finding.located(), finding.hint);
    assert!(said.contains(part), "{text}: {said}");
}

#[test]
fn every_mistake_has_its_place_and_a_next_step() {
    use Code::{
        ConfigInvalid, ConfigUnreadable, SourceNameInvalid, SourceTypeUnknown, VariableMissing,
    };
    let with = |rest: &str| format!("sources:\n- name: a\n  type: postgres\n{rest}");
    check(
        "sources: [",
        ConfigUnreadable,
        (1, 10),
        "cannot be read as YAML",
    );
    check(
        "sources:\n- name: a\n   type: b\n",
        ConfigUnreadable,
        (3, 8),
        "cannot be read as YAML",
    );
    check(
        "sources:\n\t- name: a\n",
        ConfigUnreadable,
        (2, 2),
        "cannot be read as YAML",
    );
    check(
        "sources:\n- name: \"a\n",
        ConfigUnreadable,
        (3, 1),
        "cannot be read as YAML",
    );
    check(
        "sources: *x\n",
        ConfigUnreadable,
        (1, 10),
        "cannot be read as YAML",
    );
    check(
        "sources:\n---\nsources:\n",
        ConfigUnreadable,
        (3, 1),
        "second document",
    );
    check(
        "souces: []\n",
        ConfigInvalid,
        (1, 1),
        "did you mean `sources`?",
    );
    check(
        "version: \"2.0\"\n",
        ConfigInvalid,
        (1, 10),
        "version: \"1.0\"",
    );
    check("- name: a\n", ConfigInvalid, (1, 1), "expected a map");
    check(
        "sources: {a: 1}\n",
        ConfigInvalid,
        (1, 10),
        "must be a list, not a map",
    );
    check(
        "sources: text\n",
        ConfigInvalid,
        (1, 10),
        "must be a list, not text",
    );
    check(
        "sources:\n- just text\n",
        ConfigInvalid,
        (2, 3),
        "expected a map",
    );
    check(
        "sources:\n- type: csv\n",
        ConfigInvalid,
        (2, 3),
        "no `name`",
    );
    check("sources:\n- name: a\n", ConfigInvalid, (2, 3), "no `type`");
    check(
        "sources:\n- name: 5\n  type: csv\n",
        ConfigInvalid,
        (2, 9),
        "put it in quotes",
    );
    check(
        "sources:\n- name: ../a\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "character '.'",
    );
    check(
        "sources:\n- name: a/b\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "character '/'",
    );
    check(
        "sources:\n- name: a-b\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "letters, digits and `_`",
    );
    check(
        "sources:\n- name: 1a\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "starts with a digit",
    );
    check(
        "sources:\n- name: status\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "reserved",
    );
    check(
        "sources:\n- name: \"\"\n  type: csv\n",
        SourceNameInvalid,
        (2, 9),
        "empty",
    );
    check(
        "sources:\n- name: a\n  type: strype\n",
        SourceTypeUnknown,
        (3, 9),
        "did you mean `stripe`?",
    );
    check(
        "sources:\n- name: a\n  type: postgresql\n",
        SourceTypeUnknown,
        (3, 9),
        "did you mean `postgres`?",
    );
    check(
        "sources:\n- name: a\n  type: zzz\n",
        SourceTypeUnknown,
        (3, 9),
        "connectors/",
    );
    check(
        "sources:\n- name: a\n  type: google_sheets\n  google_sheets: {range_names: x}\n",
        SourceTypeUnknown,
        (3, 9),
        "not known",
    );
    check(
        &with("  enabeld: false\n"),
        ConfigInvalid,
        (4, 3),
        "did you mean `enabled`?",
    );
    check(
        &with("  enabled: maybe\n"),
        ConfigInvalid,
        (4, 12),
        "true or false",
    );
    check(
        &with("  enabled: [x]\n"),
        ConfigInvalid,
        (4, 12),
        "not a list",
    );
    check(
        &with("  description: 5\n"),
        ConfigInvalid,
        (4, 16),
        "put it in quotes",
    );
    check(
        &with("  tags: {a: 1}\n"),
        ConfigInvalid,
        (4, 9),
        "a list of texts",
    );
    check(
        &with("  tags: [a, true]\n"),
        ConfigInvalid,
        (4, 13),
        "must be text",
    );
    check(
        &with("  tables: [a]\n"),
        ConfigInvalid,
        (4, 3),
        "settings of the connector stand below `postgres:`",
    );
    check(
        &with("  lookback_days: soon\n"),
        ConfigInvalid,
        (4, 18),
        "whole number",
    );
    check(
        &with("  lookback_days: -1\n"),
        ConfigInvalid,
        (4, 18),
        "whole number",
    );
    check(
        &with("  shrink_limit_percent: 101\n"),
        ConfigInvalid,
        (4, 25),
        "from 0 to 100",
    );
    check(
        &with("  contract: strict\n"),
        ConfigInvalid,
        (4, 13),
        "one of `evolve`, `freeze`, `discard`",
    );
    check(
        &with("  host: localhost\n"),
        ConfigInvalid,
        (4, 3),
        "below `postgres:`",
    );
    check(
        &with("  postgre:\n    host: x\n"),
        ConfigInvalid,
        (4, 3),
        "did you mean `postgres`?",
    );
    check(
        &with("  mysql:\n    host: x\n"),
        ConfigInvalid,
        (4, 3),
        "does not belong to a source of type `postgres`",
    );
    check(
        &with("  postgres: text\n"),
        ConfigInvalid,
        (4, 13),
        "must be a map",
    );
    check(
        &with("  postgres: {a: 1}\n  generic_config: {b: 1}\n"),
        ConfigInvalid,
        (5, 19),
        "two blocks",
    );
    check(
        &with("  postgres:\n    host: a\n    host: b\n"),
        ConfigInvalid,
        (6, 5),
        "stands twice",
    );
    check(&with("  name: b\n"), ConfigInvalid, (4, 3), "stands twice");
    check(
        &with("  postgres:\n    host: ${NOPE}\n"),
        VariableMissing,
        (5, 11),
        "`postgres.host` needs the variable `NOPE`",
    );
    check(
        &with("  postgres:\n    hosts: [a, \"${NOPE}\"]\n"),
        VariableMissing,
        (5, 16),
        "`postgres.hosts[1]`",
    );
    check(
        &with("  postgres:\n    host: ${NO PE}\n"),
        ConfigInvalid,
        (5, 11),
        "the forms are `${NAME}`",
    );
    check(
        &with("  postgres:\n    host: ${NOPE\n"),
        ConfigInvalid,
        (5, 11),
        "without its `}`",
    );
    check(
        &with("- name: A\n  type: csv\n"),
        ConfigInvalid,
        (4, 3),
        "taken by the source in line 2",
    );
}
