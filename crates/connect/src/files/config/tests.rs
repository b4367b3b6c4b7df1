use super::*;
use crate::failure::FailureKind;
use serde_json::json;

fn parse(block: &Value) -> Result<FilesConfig, Failure> {
    FilesConfig::parse(&SourceName::parse("shop").unwrap(), block)
}

#[test]
fn tables_are_named_after_source_pattern_or_configuration() {
    let check = |block: Value, expect: &[(&str, &str)]| {
        let config = parse(&block).unwrap();
        let tables: Vec<_> = config
            .tables
            .iter()
            .map(|t| (t.name.as_str(), t.pattern.as_str()))
            .collect();
        assert_eq!(tables, expect, "{block}");
    };
    check(json!({"directory": "d"}), &[("shop", "*")]);
    check(
        json!({"directory": "d", "file_pattern": "*.csv", "notes": "x"}),
        &[("shop", "*.csv")],
    );
    check(
        json!({"directory": "d", "file_pattern": ["orders_*.csv", "Items/**/*.json", "*.tsv"]}),
        &[
            ("orders", "orders_*.csv"),
            ("items", "Items/**/*.json"),
            ("shop", "*.tsv"),
        ],
    );
    check(
        json!({"directory": "d", "tables": [{"name": "A b", "pattern": "a/*"}], "file_patterns": {"c": "c*"}}),
        &[("a_b", "a/*"), ("c", "c*")],
    );
}

#[test]
fn options_of_a_table_override_those_of_the_source() {
    let config = parse(&json!({
        "directory": "d", "delimiter": ";", "header": false, "removed_files": "keep",
        "tables": [{"name": "a", "pattern": "a*"}, {"name": "b", "pattern": "b*", "delimiter": "tab"}],
    }))
    .unwrap();
    assert_eq!(config.removed_files, RemovedFiles::Keep);
    let delimiters: Vec<_> = config
        .tables
        .iter()
        .map(|t| t.options.delimiter.clone())
        .collect();
    assert_eq!(delimiters, [Some(";".into()), Some("tab".into())]);
    assert_eq!(config.tables[1].options.header, Some(false));
}

#[test]
fn a_block_that_cannot_be_meant_is_refused() {
    let check = |block: Value, expect: &str| {
        let failure = parse(&block).expect_err("refused");
        assert_eq!(failure.kind, FailureKind::ConfigInvalid);
        assert!(
            failure.say.as_str().contains(expect),
            "{block}: {}",
            failure.say
        );
    };
    check(json!("d"), "mapping");
    check(json!({}), "`directory` is missing");
    check(json!({"directory": " "}), "`directory` is empty");
    check(json!({"directory": 3}), "`directory` cannot be read");
    check(
        json!({"directory": "d", "file_pattern": []}),
        "`file_pattern` is an empty list",
    );
    check(
        json!({"directory": "d", "file_pattern": 3}),
        "pattern of table `shop` must be a text",
    );
    check(
        json!({"directory": "d", "tables": {"a": "*"}}),
        "`tables` cannot be read",
    );
    check(
        json!({"directory": "d", "file_pattern": "[a"}),
        "`[a` cannot be read",
    );
    check(
        json!({"directory": "d", "file_pattern": "../*"}),
        "leaves the directory",
    );
    check(
        json!({"directory": "d", "file_pattern": "/etc/*"}),
        "leaves the directory",
    );
    check(
        json!({"directory": "d", "delimiter": "ab"}),
        "`delimiter` must be one ASCII sign",
    );
    check(
        json!({"directory": "d", "delimiter": "\""}),
        "must be different",
    );
    check(
        json!({"directory": "d", "encoding": "klingon"}),
        "`klingon` is not known",
    );
    check(
        json!({"directory": "d", "ragged": "maybe"}),
        "`ragged` cannot be read: unknown variant `maybe`",
    );
    check(
        json!({"directory": "d", "header": "yes"}),
        "`header` cannot be read",
    );
    check(
        json!({"directory": "d", "removed_files": 7}),
        "`removed_files` cannot be read",
    );
    check(
        json!({"directory": "d", "file_pattern": ["a*.csv", "a*.tsv"]}),
        "two patterns fill",
    );
    check(
        json!({"directory": "d", "tables": [{"pattern": "*"}]}),
        "no `name`",
    );
    check(
        json!({"directory": "d", "tables": [{"name": "a"}]}),
        "no `pattern`",
    );
}

#[test]
fn a_key_that_is_not_known_is_refused_with_what_it_may_have_meant() {
    let check = |block: Value, unknown: &str, hint: &str| {
        let failure = parse(&block).expect_err("refused");
        let expect = format!("source `shop`: unknown key `{unknown}`");
        assert_eq!(failure.say.as_str(), expect, "{block}");
        assert!(failure.hint.as_str().contains(hint), "{}", failure.hint);
    };
    let meant = |word: &str| format!("did you mean `{word}`?");
    check(
        json!({"directory": "d", "file_patern": "*"}),
        "file_patern",
        &meant("file_pattern"),
    );
    check(
        json!({"directory": "d", "delimeter": ";"}),
        "delimeter",
        &meant("delimiter"),
    );
    check(
        json!({"directory": "d", "null_value": ["NA"], "tables": []}),
        "null_value",
        &meant("null_values"),
    );
    check(
        json!({"directory": "d", "tables": [{"name": "a", "pattern": "*", "haeder": true}]}),
        "haeder",
        &meant("header"),
    );
    check(
        json!({"directory": "d", "tables": [{"name": "a", "pattern": "*", "patern": "x"}]}),
        "patern",
        &meant("pattern"),
    );
    // Each key is named where it may stand.
    check(
        json!({"directory": "d", "pattern": "*"}),
        "pattern",
        &meant("file_pattern"),
    );
    check(
        json!({"directory": "d", "tables": [{"name": "a", "pattern": "*", "directory": "x"}]}),
        "directory",
        "known keys: name, pattern, format",
    );
    check(
        json!({"directory": "d", "zzz": 1}),
        "zzz",
        "known keys: directory",
    );
    let listless = parse(&json!({"directory": "d", "null_values": "NA"})).expect_err("a text");
    assert_eq!(listless.hint.as_str(), "write a list: `null_values: [...]`");
    assert!(parse(&json!({"directory": "d", "header": null, "ragged": null})).is_ok());
}
