use super::*;
use proptest::prelude::*;
use serde_json::json;

fn name(text: &str) -> SourceName {
    SourceName::parse(text).expect("a name")
}

fn source(text: &str) -> NewSource {
    NewSource {
        name: name(text),
        kind: ConnectorName::parse("stripe").expect("a type"),
        enabled: true,
        description: None,
        block: Map::from_iter([("start_date".to_owned(), json!("2024-01-01"))]),
    }
}

const ADDED: &str = "  - name: new\n    type: stripe\n    enabled: true\n    stripe:\n      start_date: \"2024-01-01\"\n";

const FILE_TEXT: &str = "\
# top
version: \"1.0\"   # the version

sources:   # all of them
  # the shop
  - name: shop      # its name
    type: stripe
    enabled: true   # for now
    # why so
    stripe:
      start_date: 2024-01-01   # a year
      note: |
        # no comment
        text

  # the books
  - type: postgres
    name: books
    postgres:
        host: \"db # 1\"   # where
        tables:
        - a
        - b
    # end of books

# the end
";

fn check(text: &str, change: &Change<'_>, expect: &str) {
    let edited = rewrite(text, change).map_err(|error| format!("{error}\n{}", error.hint));
    assert_eq!(edited.as_deref(), Ok(expect));
}

#[test]
fn a_source_is_added_behind_the_last_and_nothing_else_changes() {
    let new = source("new");
    let expect = FILE_TEXT.replace(
        "    # end of books\n",
        &format!("    # end of books\n\n{ADDED}"),
    );
    check(FILE_TEXT, &Change::Add(&new), &expect);
}

#[test]
fn a_first_source_is_added_to_every_kind_of_empty_file() {
    let new = source("new");
    let change = Change::Add(&new);
    check("", &change, &format!("version: \"1.0\"\nsources:\n{ADDED}"));
    check(
        "# mine\n",
        &change,
        &format!("# mine\nversion: \"1.0\"\nsources:\n{ADDED}"),
    );
    check(
        "version: '1.0'",
        &change,
        &format!("version: '1.0'\nsources:\n{ADDED}"),
    );
    check("sources: []\n", &change, &format!("sources:\n{ADDED}"));
    check(
        "sources: [ ] # none\nversion: \"1\"\n",
        &change,
        &format!("sources: # none\n{ADDED}version: \"1\"\n"),
    );
    check(
        "sources:\n\n# end\n",
        &change,
        &format!("sources:\n{ADDED}\n# end\n"),
    );
    check("sources: # x\n", &change, &format!("sources: # x\n{ADDED}"));
}

#[test]
fn the_style_of_the_file_is_taken_over() {
    let new = source("new");
    let change = Change::Add(&new);
    let flat = ADDED.replace("\n  ", "\n");
    let flat = flat.strip_prefix("  ").expect("indented");
    check(
        "sources:\n- name: a\n  type: csv\n",
        &change,
        &format!("sources:\n- name: a\n  type: csv\n{flat}"),
    );
    check(
        "sources:\n- name: a\nversion: '1'\n",
        &change,
        &format!("sources:\n- name: a\n{flat}version: '1'\n"),
    );
    check(
        "sources:\r\n- name: a\r\n",
        &change,
        &format!("sources:\r\n- name: a\r\n{}", flat.replace('\n', "\r\n")),
    );
    check(
        "sources:\n  -\n    name: a",
        &change,
        &format!("sources:\n  -\n    name: a\n{ADDED}"),
    );
    check(
        "sources:\n  - {name: a, type: csv}\n",
        &change,
        &format!("sources:\n  - {{name: a, type: csv}}\n{ADDED}"),
    );
}

#[test]
fn a_source_is_removed_with_its_own_comments_only() {
    let shop = "  - name: shop      # its name\n    type: stripe\n    enabled: true   # for now\n    # why so\n    stripe:\n      \
        start_date: 2024-01-01   # a year\n      note: |\n        # no comment\n        text\n";
    check(
        FILE_TEXT,
        &Change::Remove(&name("shop")),
        &FILE_TEXT.replace(shop, ""),
    );
    let (before, after) = FILE_TEXT.split_once("  - type: postgres").expect("there");
    let (_, after) = after.split_once("    # end of books\n").expect("there");
    check(
        FILE_TEXT,
        &Change::Remove(&name("books")),
        &format!("{before}{after}"),
    );
    check(
        "sources:\n  - name: a\n# x\n",
        &Change::Remove(&name("a")),
        "sources:\n# x\n",
    );
}

#[test]
fn one_key_is_set_and_its_comment_stays() {
    let (shop, books) = (name("shop"), name("books"));
    let set = |name, path, value| Change::Set { name, path, value };
    let swap = |from: &str, to: &str| {
        assert!(FILE_TEXT.contains(from));
        FILE_TEXT.replacen(from, to, 1)
    };
    check(
        FILE_TEXT,
        &set(&shop, &["enabled"], json!(false)),
        &swap("enabled: true   # for now", "enabled: false   # for now"),
    );
    check(
        FILE_TEXT,
        &set(&shop, &["name"], json!("store")),
        &swap("- name: shop      # its", "- name: store      # its"),
    );
    check(
        FILE_TEXT,
        &set(&shop, &["stripe", "start_date"], json!("2025-01-01")),
        &swap("2024-01-01   #", "\"2025-01-01\"   #"),
    );
    check(
        FILE_TEXT,
        &set(&books, &["postgres", "host"], json!("x")),
        &swap("\"db # 1\"   # where", "x   # where"),
    );
    check(
        FILE_TEXT,
        &set(&books, &["postgres", "tables"], json!(["c"])),
        &swap(
            "tables:\n        - a\n        - b\n",
            "tables:\n          - c\n",
        ),
    );
    check(
        FILE_TEXT,
        &set(&books, &["postgres", "port"], json!(1)),
        &swap("        - b\n", "        - b\n        port: 1\n"),
    );
    check(
        FILE_TEXT,
        &set(&shop, &["tags"], json!(["x", "z"])),
        &swap(
            "        text\n",
            "        text\n    tags:\n      - x\n      - z\n",
        ),
    );
    check(
        FILE_TEXT,
        &set(&books, &["description"], json!("it: is")),
        &swap(
            "    # end of books\n",
            "    # end of books\n    description: \"it: is\"\n",
        ),
    );
    check(
        FILE_TEXT,
        &Change::Unset {
            name: &shop,
            path: &["enabled"],
        },
        &swap("    enabled: true   # for now\n", ""),
    );
    check(
        FILE_TEXT,
        &Change::Unset {
            name: &shop,
            path: &["stripe", "start_date"],
        },
        &swap("      start_date: 2024-01-01   # a year\n", ""),
    );
}

#[test]
fn a_setting_goes_into_the_block_that_is_there() {
    let a = name("a");
    for block in ["local_files", "generic_config", "csv"] {
        let text = format!("sources:\n- name: a\n  type: csv\n  {block}:\n    directory: d\n");
        let change = Change::Set {
            name: &a,
            path: &["csv", "directory"],
            value: json!("e"),
        };
        check(&text, &change, &text.replace(": d", ": e"));
    }
}

#[test]
fn what_cannot_be_changed_safely_is_refused_with_the_lines_to_write() {
    let new = source("new");
    for text in [
        "sources: [{name: a, type: csv}]\n",
        "{version: '1.0', sources: []}\n",
        "sources:\n  [\n  ]\n",
        "sources: &none []\nother: *none\n",
    ] {
        let error = rewrite(text, &Change::Add(&new)).expect_err(text);
        assert_eq!(error.code, Code::ConfigInvalid, "{text}");
        assert!(
            error.hint.as_str().ends_with(ADDED.trim_end()),
            "{}",
            error.hint
        );
    }
    let a = name("a");
    for (text, change) in [
        ("sources: [{name: a}]\n", Change::Remove(&a)),
        (
            "sources:\n  - {name: a}\n",
            Change::Set {
                name: &a,
                path: &["enabled"],
                value: json!(true),
            },
        ),
        (
            "sources:\n  - &x\n    name: a\n  - <<: *x\n    name: b\n",
            Change::Remove(&a),
        ),
        (
            "sources:\n  - name: a\n    enabled: yes\n",
            Change::Unset {
                name: &a,
                path: &["name"],
            },
        ),
    ] {
        assert_eq!(
            rewrite(text, &change).expect_err(text).code,
            Code::ConfigInvalid,
            "{text}"
        );
    }
}

#[test]
fn names_are_checked_before_lines_are_touched() {
    let shop = source("shop");
    let error = rewrite(FILE_TEXT, &Change::Add(&shop)).expect_err("taken");
    assert_eq!(error.code, Code::SourceExists);
    let unset = |path| Change::Unset {
        name: &shop.name,
        path,
    };
    for path in [&["nope"][..], &["stripe", "nope"], &["nope", "nope"]] {
        let error = rewrite(FILE_TEXT, &unset(path)).expect_err("not there");
        assert!(
            error.say.as_str().starts_with("`nope` is not set"),
            "{error}"
        );
    }
    let error = rewrite(FILE_TEXT, &Change::Remove(&name("none"))).expect_err("missing");
    assert_eq!(error.code, Code::SourceNotFound);
    let error = rewrite("a: [", &Change::Remove(&name("none"))).expect_err("broken");
    assert_eq!(error.code, Code::ConfigUnreadable);
}

#[test]
fn the_file_is_written_whole_and_by_whoever_may() {
    use crate::project::tests::bare_project;
    let (_folder, project) = bare_project();
    let actor = security::Actor::Operator {
        os_user: "ada".into(),
    };
    let request = security::RequestId::new(uuid::Uuid::nil());
    let allow = security::authorize(&actor, request).expect("the operator may");
    let new = name("new");
    let draft = |changes: &[Change<'_>]| Draft::new(&allow, &project, changes);
    let added = draft(&[Change::Add(&source("new"))]).expect("added");
    assert!(
        !project.sources_file().exists(),
        "written before it was said"
    );
    added.save().expect("written");
    let text = fs_err::read_to_string(project.sources_file()).expect("written");
    assert_eq!(text, format!("version: \"1.0\"\nsources:\n{ADDED}"));
    let error = added.save().expect_err("the file is another now");
    assert_eq!(error.code, Code::ProjectLocked);
    draft(&[Change::Remove(&new), Change::Remove(&new)]).expect_err("the second fails");
    assert_eq!(
        fs_err::read_to_string(project.sources_file()).expect("there"),
        text
    );
    let removed = draft(&[Change::Remove(&new)]).expect("removed");
    removed.save().expect("written");
    draft(&[Change::Remove(&new)]).expect_err("gone");
}

/// A piece of a source file: a source called by its index, with noise around it.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    let noise = prop_oneof![
        Just(""),
        Just("\n"),
        Just("  # note\n"),
        Just("\n\n    # deep\n"),
        Just("# top\n")
    ];
    let body = prop_oneof![
        Just("    type: csv\n"),
        Just("    type: csv # x\n    tags: [a, 'b # c']\n"),
        Just("    description: |\n      one\n\n      # two\n"),
        Just(
            "    csv:\n      directory: \"a: b\"\n      # inside\n      list:\n      - 1\n      - 2\n"
        ),
        Just("    description: >-\n      folded\n      text\n    enabled: no\n"),
    ];
    prop::collection::vec((noise, body), 1..5).prop_map(|parts| {
        let piece = |(index, (noise, body)): (usize, (&str, &str))| {
            format!("{noise}  - name: s{index}\n{body}")
        };
        parts.into_iter().enumerate().map(piece).collect()
    })
}

proptest! {
    #![proptest_config(crate::seeded::cases())]

    #[test]
    fn adding_and_removing_gives_the_same_bytes_back(pieces in pieces(), tail in "(\n|# end\n|version: '1'\n){0,3}") {
        let text = format!("sources:\n{}{}", pieces.concat(), tail.replace("version: '1'\nversion: '1'", "# x"));
        prop_assume!(tree::parse(&text).is_ok() && text.matches("version").count() < 2);
        let new = source("new");
        let added = rewrite(&text, &Change::Add(&new)).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        let removed = rewrite(&added, &Change::Remove(&new.name)).map_err(|e| TestCaseError::fail(format!("{e}\n{added}")))?;
        // A blank line that sets the new source apart stays when it goes.
        prop_assert_eq!(removed.replace('\n', ""), text.replace('\n', ""));
    }

    #[test]
    fn a_changed_key_leaves_every_other_line_alone(pieces in pieces(), which in 0_usize..5) {
        let text = format!("sources:\n{}", pieces.concat());
        prop_assume!(tree::parse(&text).is_ok());
        let target = name(&format!("s{}", which % pieces.len()));
        let change = Change::Set { name: &target, path: &["lookback_days"], value: json!(7) };
        let edited = rewrite(&text, &change).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
        prop_assert_eq!(edited.replacen("    lookback_days: 7\n", "", 1), text);
    }
}
