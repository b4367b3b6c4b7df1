//! Where in an answer the records are, and other places in it.

use crate::normalise::find;
use serde_json::Value;

/// A place in a JSON value: `data.items`, `$.data[*]`, `pages[0].rows`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Path(Vec<String>);

/// Where APIs usually keep their records, tried in this order.
const USUAL_KEYS: [&str; 12] = [
    "data", "items", "results", "records", "rows", "value", "values", "entries", "objects",
    "content", "list", "hits",
];

impl Path {
    /// Parses the dotted form; a leading `$` and the `[*]` of `JSONPath` mean nothing here.
    pub(super) fn parse(text: &str) -> Self {
        let text = text
            .trim()
            .trim_start_matches('$')
            .replace("[*]", "")
            .replace('[', ".");
        let segments = text
            .split('.')
            .map(|segment| segment.trim_end_matches(']').trim_matches('\''));
        Self(
            segments
                .filter(|segment| !segment.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Returns the place of these keys; a dot in a key is part of it.
    pub(super) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(ToString::to_string).collect())
    }

    /// Returns the keys.
    pub(super) fn keys(&self) -> &[String] {
        &self.0
    }

    /// Returns what is there.
    pub(super) fn get<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(value, |value, key| match value {
            Value::Array(items) => items.get(key.parse::<usize>().ok()?),
            other => other.get(key),
        })
    }

    /// Returns what is there, for changing it.
    pub(super) fn get_mut<'a>(&self, value: &'a mut Value) -> Option<&'a mut Value> {
        self.0.iter().try_fold(value, |value, key| match value {
            Value::Array(items) => items.get_mut(key.parse::<usize>().ok()?),
            other => other.get_mut(key),
        })
    }

    /// Takes the records that are there: a list's items, or one record. `None` when there is no such place.
    pub(super) fn take(&self, answer: &mut Value) -> Option<Vec<Value>> {
        Some(match self.get_mut(answer)?.take() {
            Value::Array(items) => items,
            Value::Null => Vec::new(),
            record => vec![record],
        })
    }
}

/// Returns where `answer` seems to have its records, which `key` identifies; the whole answer when nothing in it looks like a
/// list of them.
pub(super) fn detect(answer: &Value, key: &[String]) -> Path {
    let Value::Object(entries) = answer else {
        return Path::default();
    };
    let is_list = |key: &&str| entries.get(*key).is_some_and(Value::is_array);
    if let Some(key) = USUAL_KEYS.iter().find(|key| is_list(key)) {
        return Path::of(&[key]);
    }
    let lists = || {
        let lists = entries.iter();
        lists.filter_map(|(key, value)| Some((key.as_str(), value.as_array()?)))
    };
    let holds_records = |items: &[Value]| items.first().is_some_and(Value::is_object);
    let found = only(lists().filter(|(_, items)| holds_records(items))).or_else(|| {
        // A list without records looks like any other, and like a field of a record: it must be alone, and the answer no record.
        let has_key = !key.is_empty() && key.iter().all(|part| has(answer, part));
        only(lists()).filter(|(_, items)| items.is_empty() && !has_key)
    });
    found.map_or_else(Path::default, |(key, _)| Path::of(&[key]))
}

/// Returns the one thing that `things` has.
fn only<T>(mut things: impl Iterator<Item = T>) -> Option<T> {
    let first = things.next()?;
    things.next().is_none().then_some(first)
}

fn has(answer: &Value, part: &str) -> bool {
    find(answer, part, &mut Vec::new()).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_are_found_by_path() {
        let check = |path: &str, answer: Value, expect: Option<usize>| {
            let got = Path::parse(path)
                .take(&mut answer.clone())
                .map(|records| records.len());
            assert_eq!(got, expect, "{path} {answer}");
        };
        check("data", json!({"data": [1, 2]}), Some(2));
        check("$.data[*]", json!({"data": [1, 2]}), Some(2));
        check("a.b", json!({"a": {"b": {"id": 1}}}), Some(1));
        check(
            "pages[0].rows",
            json!({"pages": [{"rows": [1, 2, 3]}]}),
            Some(3),
        );
        check("$", json!([1]), Some(1));
        check("data", json!({"data": null}), Some(0));
        check("data", json!({"error": "x"}), None);
        check("data", json!([1]), None);
    }

    #[test]
    fn records_are_found_in_the_usual_places() {
        let check = |answer: Value, expect: &[&str]| {
            assert_eq!(
                detect(&answer, &["id".into()]),
                Path::of(expect),
                "{answer}"
            );
        };
        check(json!([{"id": 1}]), &[]);
        check(json!({"total": 1, "results": []}), &["results"]);
        check(json!({"orders": [{"id": 1}], "tags": ["a"]}), &["orders"]);
        check(json!({"a": [{"id": 1}], "b": [{"id": 1}]}), &[]);
        check(json!({"id": 1}), &[]);
        check(json!({"orders": [], "total": 0}), &["orders"]);
        check(json!({"orders": [], "tags": []}), &[]);
        check(json!({"orders": ["a"], "total": 1}), &[]);
        check(json!({"id": 1, "tags": []}), &[]);
        check(json!({"id": null, "orders": []}), &["orders"]);
        let without_key = detect(&json!({"id": 1, "tags": []}), &[]);
        assert_eq!(without_key, Path::of(&["tags"]));
    }
}
