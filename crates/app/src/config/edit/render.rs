//! Values as block-style YAML, written the way a person would.

use serde_json::Value;
use std::fmt::Write as _;

/// Appends `key: value` to `out`, indented by `indent` blanks.
pub(super) fn entry(out: &mut String, indent: usize, key: &str, value: &Value) {
    pad(out, indent);
    out.push_str(&text(key));
    out.push(':');
    below(out, indent, value);
}

/// Appends `value` after a `key:`.
fn below(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            out.push('\n');
            for (key, value) in entries {
                entry(out, indent + 2, key, value);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            for value in items {
                item(out, indent + 2, value);
            }
        }
        simple => {
            out.push(' ');
            out.push_str(&scalar(simple));
            out.push('\n');
        }
    }
}

/// Appends `- value` to `out`, indented by `indent` blanks.
pub(super) fn item(out: &mut String, indent: usize, value: &Value) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let mut lines = String::new();
            for (key, value) in entries {
                entry(&mut lines, indent + 2, key, value);
            }
            pad(out, indent);
            out.push_str("- ");
            out.push_str(lines.get(indent + 2..).unwrap_or_default());
        }
        Value::Array(items) if !items.is_empty() => {
            // A list in a list is rare enough for flow style.
            pad(out, indent);
            let items: Vec<String> = items.iter().map(flow).collect();
            out.push_str("- [");
            out.push_str(&items.join(", "));
            out.push_str("]\n");
        }
        simple => {
            pad(out, indent);
            out.push_str("- ");
            out.push_str(&scalar(simple));
            out.push('\n');
        }
    }
}

/// Returns a value on one line.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        other => flow(other),
    }
}

/// JSON is YAML, but for the characters that YAML wants escaped and JSON does not.
fn flow(value: &Value) -> String {
    let mut out = String::new();
    for character in value.to_string().chars() {
        let is_printable = !character.is_control()
            && !matches!(
                character,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            );
        if is_printable {
            out.push(character);
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
    }
    out
}

/// Returns `value` bare where every YAML reader takes it for that text, else in double quotes.
fn text(value: &str) -> String {
    const WORDS: [&str; 10] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan",
    ];
    let is_letter_first =
        value.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/');
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_-./@+ ".contains(c);
    let is_bare = is_letter_first
        && value.chars().all(is_safe)
        && !value.ends_with(' ')
        && !WORDS.contains(&value.to_ascii_lowercase().as_str());
    if is_bare {
        value.to_owned()
    } else {
        flow(&value.into())
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests {
    use super::super::super::{read, tree};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn values_are_written_in_block_style() {
        let value = json!({"host": "localhost", "port": 5432, "tables": ["a", "b: c"], "empty": {}, "none": [],
            "deep": {"list": [{"x": "1", "z": true}]}, "word": "yes", "text": "two words", "path": "*.csv"});
        let mut out = String::new();
        entry(&mut out, 2, "postgres", &value);
        let expect = "  postgres:\n    host: localhost\n    port: 5432\n    tables:\n      - a\n      - \"b: c\"\n    \
            empty: {}\n    none: []\n    deep:\n      list:\n        - x: \"1\"\n          z: true\n    \
            word: \"yes\"\n    text: two words\n    path: \"*.csv\"\n";
        assert_eq!(out, expect);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[a-z0-9:#'\" -]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{1,8}|.{1,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(crate::seeded::cases())]

        #[test]
        fn whatever_is_written_is_read_back(value in values()) {
            let mut out = String::new();
            entry(&mut out, 0, "key", &value);
            let node = tree::parse(&out).map_err(|broken| TestCaseError::fail(format!("{broken:?}\n{out}")))?;
            let back = read::to_json(node.get("key").expect("there"));
            prop_assert_eq!(back, value, "{}", out);
        }
    }
}
