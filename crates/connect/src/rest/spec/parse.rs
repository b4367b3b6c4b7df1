//! Reading a description: a connector file with line and column, or a block of `sources.yml` with the endpoint's name.

use super::{Api, Endpoint};
use crate::catalog::suggest::{closest, unknown_word};
use crate::failure::{Failure, FailureKind};
use domain::say::Quoted;
use domain::{Say, SourceName, say};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads a connector file. `file` is what messages call it.
pub(crate) fn connector_file(file: &str, text: &str) -> Result<Api, Failure> {
    let limits = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! { max_events: 100_000, max_nodes: 50_000, max_depth: 32 },
    };
    serde_saphyr::from_str_with_options::<Api>(text, limits).map_err(|error| {
        let mut place = say!("", name Quoted(file));
        if let Some(at) = error.location().filter(|at| at.line() > 0) {
            place = say!("", place, " line ", at.line(), " column ", at.column());
        }
        let rendered = error.without_snippet().render();
        // The rendered text ends with the place, which is shown by us.
        let problem = rendered.split(" at line ").next().unwrap_or_default();
        let problem = problem
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        invalid(&place, problem)
    })
}

/// Reads the `rest_api` block of `source`.
pub(crate) fn rest_block(source: &SourceName, block: &Value) -> Result<Api, Failure> {
    let place = say!("source ", name source);
    let Value::Object(block) = block else {
        return Err(invalid(
            &place,
            "the block `rest_api` is missing or no map of keys and values",
        ));
    };
    let keys = ["endpoints", "resources", "streams"];
    let rest: Map<String, Value> = block
        .iter()
        .filter(|(key, value)| !keys.contains(&key.as_str()) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut api: Api = read(&place, Value::Object(rest))?;
    for key in ["name", "fields", "hosts"] {
        if block.contains_key(key) {
            return Err(invalid(
                &place,
                "`name`, `fields` and `hosts` belong into a connector file",
            ));
        }
    }
    let Some(endpoints) = keys.iter().find_map(|key| block.get(*key)) else {
        return Ok(api);
    };
    let endpoints = match endpoints {
        Value::Array(endpoints) => endpoints.clone(),
        // What the wizard writes: `orders, customers`.
        Value::String(paths) => paths.split(',').map(|path| path.trim().into()).collect(),
        _ => return Err(invalid(&place, "`endpoints` must be a list")),
    };
    for (index, endpoint) in endpoints.iter().enumerate() {
        let called = ["name", "path"]
            .iter()
            .find_map(|key| endpoint.get(key)?.as_str());
        let place = match called {
            Some(called) => say!("", place, ", endpoint ", name Quoted(called)),
            None => say!("", place, ", endpoint ", index + 1),
        };
        api.endpoints
            .push(read::<Endpoint>(&place, endpoint.clone())?);
    }
    Ok(api)
}

fn read<T: DeserializeOwned>(place: &Say, value: Value) -> Result<T, Failure> {
    serde_json::from_value(value).map_err(|error| invalid(place, &error.to_string()))
}

/// Returns the failure of a description; an unknown word gets a suggestion. Serde's words name keys and types; a text value
/// is cut out, because a block may hold a credential that was filled in.
fn invalid(place: &Say, problem: &str) -> Failure {
    if let Some((unknown, expected)) = unknown_word(problem) {
        let kind = if problem.contains("unknown field") {
            "key"
        } else {
            "word"
        };
        let failure = Failure::new(
            FailureKind::ConfigInvalid,
            say!("", *place, ": unknown ", Quoted(kind), " ", name Quoted(unknown)),
        );
        return match closest(unknown, expected.iter().copied()) {
            Some(meant) => failure.hint(say!("did you mean ", name Quoted(meant), "?")),
            None => failure.hint(say!("known here: ", Quoted(&expected.join(", ")))),
        };
    }
    Failure::new(
        FailureKind::ConfigInvalid,
        say!("", *place, ": ", Quoted(&without_values(problem))),
    )
}

/// Cuts what serde quotes of the value: `invalid type: string "hunter2", expected …`.
fn without_values(problem: &str) -> String {
    match (problem.find('"'), problem.rfind('"')) {
        (Some(start), Some(end)) if start < end => {
            let (head, tail) = (problem.get(..start), problem.get(end + 1..));
            format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default())
        }
        _ => problem.to_owned(),
    }
}
