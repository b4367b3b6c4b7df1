//! The block of a source whose API a connector file describes: its fields, and what may be said about any API.

use super::plan::Overrides;
use super::values::scalar;
use crate::catalog::Connector;
use crate::catalog::suggest::closest;
use crate::failure::{Failure, invalid};
use domain::say::Quoted;
use domain::{Say, SourceName, say};
use serde_json::{Map, Value};

/// The keys of every such block.
const KEYS: [&str; 9] = [
    "base_url",
    "rate_limit",
    "timeout_seconds",
    "start_date",
    "end_date",
    "lookback_days",
    "endpoints",
    "resources",
    "streams",
];

/// Reads the block of `source`; a missing one says nothing.
pub(super) fn read(
    source: &SourceName,
    connector: &Connector,
    block: &Value,
) -> Result<Overrides, Failure> {
    let place = say!("source ", name source);
    let block = match block {
        Value::Null => return Ok(Overrides::default()),
        Value::Object(block) => block,
        _ => {
            return Err(invalid(say!(
                "",
                place,
                ": the block must be a map of keys and values"
            )));
        }
    };
    if let Some(unknown) = block.keys().find(|key| !is_known(connector, key)) {
        let failure = invalid(say!("", place, ": unknown key ", name Quoted(unknown)));
        let fields = connector
            .fields
            .iter()
            .flat_map(|f| std::iter::once(&f.name).chain(&f.aliases));
        return Err(
            match closest(unknown, fields.map(String::as_str).chain(KEYS)) {
                Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
                None => failure,
            },
        );
    }
    Ok(Overrides {
        base_url: text(block, "base_url", &place)?,
        rate_limit: text(block, "rate_limit", &place)?,
        timeout_seconds: number(block, "timeout_seconds", &place)?,
        start_date: text(block, "start_date", &place)?,
        end_date: text(block, "end_date", &place)?,
        lookback_days: number(block, "lookback_days", &place)?,
        endpoints: endpoints(block, &place)?,
    })
}

/// A field may also be given as `<field>_env`, getdango's name of a variable; whoever resolves credentials follows it.
fn is_known(connector: &Connector, key: &str) -> bool {
    KEYS.contains(&key)
        || connector.field(key).is_some()
        || key
            .strip_suffix("_env")
            .is_some_and(|field| connector.field(field).is_some())
}

fn text(block: &Map<String, Value>, key: &str, place: &Say) -> Result<Option<String>, Failure> {
    match block.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match scalar(value) {
            Some(text) => Ok(Some(text)),
            None => Err(invalid(
                say!("", *place, ": ", name Quoted(key), " must be a text"),
            )),
        },
    }
}

fn number<T: std::str::FromStr>(
    block: &Map<String, Value>,
    key: &str,
    place: &Say,
) -> Result<Option<T>, Failure> {
    let wrong = || invalid(say!("", *place, ": ", name Quoted(key), " must be a whole number"));
    text(block, key, place)?
        .map(|text| text.trim().parse().map_err(|_| wrong()))
        .transpose()
}

fn endpoints(block: &Map<String, Value>, place: &Say) -> Result<Option<Vec<String>>, Failure> {
    let found = ["endpoints", "resources", "streams"]
        .iter()
        .find_map(|key| block.get(*key));
    match found {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(names)) => Ok(Some(
            names
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
        )),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(Some)
            .ok_or_else(|| invalid(say!("", *place, ": `endpoints` must be a list of names"))),
        Some(_) => Err(invalid(say!(
            "",
            *place,
            ": `endpoints` must be a list of names"
        ))),
    }
}
