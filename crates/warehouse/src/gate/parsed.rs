//! What the engine's own parser makes of a text, without running or binding anything.

use super::{GateError, Refusal};
use crate::duck::{Connection, EngineError};
use serde_json::Value;

/// Nesting of the tree in JSON. The engine's own limit on expressions (1,000) makes about twice as many levels.
const DEPTH_MAX: usize = 4_000;

/// What the parser made of a text.
pub(super) enum Parsed {
    /// One SELECT: its tree.
    Select(Value),
    /// Something that is not a SELECT.
    Other,
    /// Nothing: its complaint.
    Broken(String),
}

/// Parses `sql` without running or binding anything.
pub(super) fn parse(connection: &Connection, sql: &str) -> Result<Parsed, GateError> {
    // With its full name: a macro of the same name in the warehouse must not stand in for it.
    const CALL: &str = "SELECT system.main.json_serialize_sql($1::VARCHAR)::VARCHAR";
    let json = connection.text(CALL, &[sql])?.unwrap_or_default();
    if depth_of(&json) > DEPTH_MAX {
        return Err(Refusal::TooDeep.into());
    }
    let mut reader = serde_json::Deserializer::from_str(&json);
    // The depth was just limited, and statement threads have the stack for it.
    reader.disable_recursion_limit();
    let tree: Value = serde::Deserialize::deserialize(&mut reader).map_err(|error| {
        EngineError::invalid(format!("the query's tree cannot be read: {error}"))
    })?;
    let field = |name: &str| tree.get(name).and_then(Value::as_str).unwrap_or_default();
    if tree.get("error").and_then(Value::as_bool) != Some(false) {
        return Ok(match field("error_type") {
            "not implemented" => Parsed::Other,
            _ => Parsed::Broken(field("error_message").to_owned()),
        });
    }
    match tree
        .get("statements")
        .and_then(Value::as_array)
        .map(Vec::len)
    {
        Some(1) => Ok(Parsed::Select(tree)),
        Some(0) | None => Err(Refusal::Empty.into()),
        Some(_) => Err(Refusal::Several.into()),
    }
}

/// Returns how deep the JSON text is nested.
fn depth_of(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_of_texts() {
        assert_eq!(depth_of(r#"{"a":[{"b":"{{[["}]}"#), 3);
        assert_eq!(depth_of(r#"["\"[["]"#), 1);
    }
}
