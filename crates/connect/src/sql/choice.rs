//! Which tables of a database are read, and how each: `table_names` and `tables` of a source's block.

use super::block::Block;
use crate::failure::{Failure, invalid};
use domain::say::{Quoted, Say};
use domain::{Disposition, say};
use serde_json::Value;

/// The entry that stands for every table.
const EVERY: &str = "*";

/// How far below the remembered cursor value a sync reads again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lookback {
    /// A bare number: seconds of a time, units of a number.
    Amount(u64),
    /// A span such as `3d`.
    Seconds(u64),
}

/// What the block says about one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// `table` or `schema.table`, as the database writes it.
    pub(super) name: String,
    pub(super) cursor: Option<String>,
    pub(super) primary_key: Vec<String>,
    pub(super) disposition: Option<Disposition>,
    pub(super) lookback: Option<Lookback>,
}

impl Choice {
    /// Returns whether this is what is said about every table that is not named.
    pub(super) fn is_every(&self) -> bool {
        self.name.is_empty() || self.name == EVERY
    }
}

/// What the block says about all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choices {
    /// The tables that are read, in the block's order; empty together with `every`.
    pub(super) named: Vec<Choice>,
    /// How tables that are not named are read; `None` when they are not.
    pub(super) every: Option<Choice>,
    /// getdango's `lookback_days`: for every merged table whose cursor is a time and that has no `lookback` of its own.
    pub(super) lookback: Option<Lookback>,
}

impl Choices {
    /// Reads `table_names`, `tables` and `lookback_days` of `block`.
    pub(super) fn read(place: &Say, block: &mut Block<'_>) -> Result<Self, Failure> {
        let mut choices = Self::default();
        let names = match block.value("table_names") {
            Some(Value::String(all)) if all == "all" => Some(vec![EVERY.to_owned()]),
            _ => block.texts(&["table_names"])?,
        };
        for name in names.iter().flatten() {
            choices.add(Choice {
                name: name.clone(),
                ..Choice::default()
            });
        }
        let listed = block.value("tables");
        match listed {
            None => {}
            Some(Value::Array(entries)) => {
                for entry in entries {
                    choices.add(read_entry(place, entry)?);
                }
            }
            Some(_) => return Err(block.wrong("tables", "a list of tables")),
        }
        if names.is_none() && listed.is_none() {
            choices.every = Some(Choice::default());
        }
        if let Some(days) = block.text(&["lookback_days"])? {
            let days: u64 = days
                .parse()
                .map_err(|_| block.wrong("lookback_days", "a number of days"))?;
            choices.lookback = Some(Lookback::Seconds(days.saturating_mul(86_400)));
        }
        Ok(choices)
    }

    /// Takes an entry in; one that was named before keeps its place and gets the later entry's settings.
    fn add(&mut self, choice: Choice) {
        if choice.name == EVERY {
            self.every = Some(choice);
        } else if let Some(earlier) = self
            .named
            .iter_mut()
            .find(|known| known.name == choice.name)
        {
            *earlier = choice;
        } else {
            self.named.push(choice);
        }
    }
}

fn read_entry(place: &Say, entry: &Value) -> Result<Choice, Failure> {
    if let Value::String(name) = entry {
        return Ok(Choice {
            name: name.clone(),
            ..Choice::default()
        });
    }
    let mut block = Block::new(say!("an entry of `tables` of ", *place), entry)?;
    let name = block
        .text(&["name"])?
        .ok_or_else(|| block.wrong("name", "a table's name"))?;
    let disposition = match block
        .text(&["disposition", "write_disposition"])?
        .as_deref()
    {
        None => None,
        Some("replace") => Some(Disposition::Replace),
        Some("append") => Some(Disposition::Append),
        Some("merge") => Some(Disposition::Merge),
        Some(_) => return Err(block.wrong("disposition", "replace, append or merge")),
    };
    let lookback = match block.text(&["lookback"])? {
        None => None,
        Some(text) => Some(read_lookback(&text).ok_or_else(|| {
            invalid(say!("table ", name Quoted(&name), " of ", *place, " has no valid `lookback`"))
                .hint("write a span such as `90m`, `12h` or `3d`, or a whole number")
        })?),
    };
    let choice = Choice {
        cursor: block.text(&["cursor", "cursor_column", "incremental"])?,
        primary_key: block.texts(&["primary_key"])?.unwrap_or_default(),
        name,
        disposition,
        lookback,
    };
    block.finish()?;
    Ok(choice)
}

fn read_lookback(text: &str) -> Option<Lookback> {
    let text = text.trim();
    if let Ok(amount) = text.parse() {
        return Some(Lookback::Amount(amount));
    }
    let unit = text.chars().next_back()?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    count.checked_mul(seconds).map(Lookback::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<Choices, Failure> {
        let place = say!("source `shop`");
        let mut block = Block::new(place.clone(), value)?;
        let choices = Choices::read(&place, &mut block)?;
        block.finish()?;
        Ok(choices)
    }

    #[test]
    fn tables_are_chosen_by_name_with_or_without_settings() {
        let check = |value: Value, named: &[&str], every: bool| {
            let choices = read(&value).expect("valid");
            let names: Vec<_> = choices
                .named
                .iter()
                .map(|choice| choice.name.as_str())
                .collect();
            assert_eq!(
                (names.as_slice(), choices.every.is_some()),
                (named, every),
                "{value}"
            );
        };
        check(json!({}), &[], true);
        check(json!({"table_names": ["a", "s.b"]}), &["a", "s.b"], false);
        check(json!({"table_names": "all"}), &[], true);
        check(json!({"table_names": []}), &[], false);
        check(
            json!({"table_names": ["*"], "tables": [{"name": "a"}]}),
            &["a"],
            true,
        );
        check(
            json!({"table_names": ["a"], "tables": [{"name": "a", "cursor": "c"}, "b"]}),
            &["a", "b"],
            false,
        );
    }

    #[test]
    fn settings_of_a_table_are_read() {
        let choices = read(
            &json!({"tables": [{"name": "a", "cursor": "updated_at", "lookback": "3d",
            "primary_key": "id", "disposition": "merge"}]}),
        );
        let expect = Choice {
            name: "a".into(),
            cursor: Some("updated_at".into()),
            primary_key: vec!["id".into()],
            disposition: Some(Disposition::Merge),
            lookback: Some(Lookback::Seconds(259_200)),
        };
        assert_eq!(choices.expect("valid").named, [expect]);
    }

    #[test]
    fn an_invalid_entry_is_named() {
        let check = |value: Value, expect: &str| {
            let failure = read(&value).expect_err("invalid");
            assert_eq!(failure.say.as_str(), expect);
        };
        check(
            json!({"tables": {"a": 1}}),
            "source `shop`: `tables` must be a list of tables",
        );
        check(
            json!({"tables": [{"cursor": "c"}]}),
            "an entry of `tables` of source `shop`: `name` must be a table's name",
        );
        check(
            json!({"tables": [{"name": "a", "curser": "c"}]}),
            "an entry of `tables` of source `shop` has an unknown key `curser`",
        );
        check(
            json!({"tables": [{"name": "a", "lookback": "soon"}]}),
            "table `a` of source `shop` has no valid `lookback`",
        );
        check(
            json!({"tables": [{"name": "a", "disposition": "swap"}]}),
            "an entry of `tables` of source `shop`: `disposition` must be replace, append or merge",
        );
        check(
            json!({"lookback_days": "many"}),
            "source `shop`: `lookback_days` must be a number of days",
        );
    }
}
