//! A source's block in `sources.yml`, read key by key so that an unknown one is named with what it may have meant.

use crate::catalog::suggest::closest;
use crate::failure::{Failure, invalid};
use domain::say;
use domain::say::{Quoted, Say};
use serde_json::{Map, Value};

/// A block that is being read; [`Block::finish`] refuses what was not asked for.
pub(super) struct Block<'a> {
    /// What messages call it: "source `shop`".
    place: Say,
    /// `None` for a key that stands there without a value.
    values: Option<&'a Map<String, Value>>,
    asked: Vec<&'static str>,
}

impl<'a> Block<'a> {
    /// Returns a reader of `value`, which must be a map.
    pub(super) fn new(place: Say, value: &'a Value) -> Result<Self, Failure> {
        match value {
            Value::Null => Ok(Self {
                place,
                values: None,
                asked: Vec::new(),
            }),
            Value::Object(values) => Ok(Self {
                place,
                values: Some(values),
                asked: Vec::new(),
            }),
            _ => Err(invalid(say!("", place, " is not a map of keys and values"))),
        }
    }

    /// Returns the value of `key`, `None` when it is absent or null.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.values?.get(key).filter(|value| !value.is_null())
    }

    /// Returns the text of the first of `keys` that is there; a number counts as its digits.
    pub(super) fn text(&mut self, keys: &[&'static str]) -> Result<Option<String>, Failure> {
        let mut found = None;
        for key in keys {
            let text = match self.value(key) {
                None => continue,
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(_) => return Err(self.wrong(key, "a text")),
            };
            found = found.or(Some(text).filter(|text| !text.is_empty()));
        }
        Ok(found)
    }

    /// Returns the texts of the first of `keys` that is there; a single text counts as a list of one.
    pub(super) fn texts(&mut self, keys: &[&'static str]) -> Result<Option<Vec<String>>, Failure> {
        let mut found = None;
        for key in keys {
            let texts = match self.value(key) {
                None => continue,
                Some(Value::String(text)) => vec![text.clone()],
                Some(Value::Array(items)) => items
                    .iter()
                    .map(|item| item.as_str().map(str::to_owned))
                    .collect::<Option<Vec<_>>>()
                    .ok_or_else(|| self.wrong(key, "a list of texts"))?,
                Some(_) => return Err(self.wrong(key, "a list of texts")),
            };
            found = found.or(Some(texts));
        }
        Ok(found)
    }

    /// Returns the failure of a key whose value is not `expected`.
    pub(super) fn wrong(&self, key: &str, expected: &'static str) -> Failure {
        invalid(say!("", self.place, ": ", name Quoted(key), " must be ").text(expected))
    }

    /// Refuses keys that nobody asked for.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let keys = self.values.into_iter().flat_map(Map::keys);
        let Some(unknown) = keys
            .into_iter()
            .find(|key| !self.asked.contains(&key.as_str()))
        else {
            return Ok(());
        };
        let failure = invalid(say!("", self.place, " has an unknown key ", name Quoted(unknown)));
        Err(match closest(unknown, self.asked.iter().copied()) {
            Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
            None => failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_key_is_refused_with_a_suggestion() {
        let value = json!({"schema": "public", "tabel_names": ["a"], "port": 5432});
        let mut block = Block::new(say!("source `shop`"), &value).expect("a map");
        assert_eq!(
            block.text(&["schema"]).expect("text"),
            Some("public".into())
        );
        assert_eq!(block.text(&["port"]).expect("number"), Some("5432".into()));
        assert_eq!(block.texts(&["table_names"]).expect("absent"), None);
        let failure = block.finish().expect_err("unknown");
        assert_eq!(
            failure.say.as_str(),
            "source `shop` has an unknown key `tabel_names`"
        );
        assert_eq!(failure.hint.as_str(), "did you mean `table_names`?");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_without_being_shown() {
        let value = json!({"schema": {"password": "hunter2"}});
        let mut block = Block::new(say!("source `shop`"), &value).expect("a map");
        let failure = block.text(&["schema"]).expect_err("a map is no text");
        assert_eq!(
            failure.say.as_str(),
            "source `shop`: `schema` must be a text"
        );
    }
}
