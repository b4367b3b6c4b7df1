//! A record as one line of `audit.jsonl`: the keys of the heritage, in its order, and those of the chain.

use domain::Timestamp;
use serde_json::{Map, Value, json};
use store::audit::{AuditRow, Phase};

/// Returns the record as an object. Who, with which permission, on what: under `details.context`, because the heritage's lines
/// have no keys for it.
pub(super) fn object(row: &AuditRow) -> Map<String, Value> {
    let mut line = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            line.insert(key.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::from);
    set("timestamp", Some(row.created_at.to_rfc3339().into()));
    set("event", Some(row.event.clone().into()));
    set("event_type", Some(row.event_type.clone().into()));
    set("dango_version", Some(row.dango_version.clone().into()));
    set("user_id", row.user.map(|user| user.to_string().into()));
    set("email", text(&row.email));
    set("ip", text(&row.ip));
    set("details", Some(details(row)));
    set("request_id", Some(row.request.to_string().into()));
    set("seq", row.seq.map(Value::from));
    set("prev_hash", text(&row.previous));
    set("hash", text(&row.hash));
    line
}

/// Returns the record as a line, with its line end.
pub(super) fn text(row: &AuditRow) -> String {
    format!("{}\n", Value::Object(object(row)))
}

fn details(row: &AuditRow) -> Value {
    let mut context = Map::new();
    context.insert("actor".into(), row.actor.clone().into());
    context.insert("permission".into(), row.permission.clone().into());
    if let Some(target) = &row.target {
        context.insert("target".into(), target.clone().into());
    }
    if let Some((id, phase)) = row.effect {
        let phase = match phase {
            Phase::Intent => "intent",
            Phase::Outcome => "outcome",
        };
        context.insert(
            "effect".into(),
            json!({"id": id.to_string(), "phase": phase}),
        );
    }
    if let Some(agent) = &row.user_agent {
        context.insert("user_agent".into(), agent.clone().into());
    }
    if !row.personal.is_empty() {
        context.insert("personal".into(), Value::Object(row.personal.clone()));
    }
    if !row.erased.is_empty() {
        context.insert("erased".into(), row.erased.clone().into());
    }
    let mut details = row.details.clone();
    details.insert("context".into(), Value::Object(context));
    Value::Object(details)
}

/// What a line says about its place.
pub(super) struct Place {
    pub(super) seq: i64,
    pub(super) hash: String,
}

/// Reads the place of a line of ours, `None` for what is none.
pub(super) fn place(line: &str) -> Option<Place> {
    let value: Value = serde_json::from_str(line).ok()?;
    Some(Place {
        seq: value.get("seq")?.as_i64()?,
        hash: value.get("hash")?.as_str()?.to_owned(),
    })
}

/// Returns the day as archives are named: `20260131`.
pub(super) fn day(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    text.split('T').next().unwrap_or_default().replace('-', "")
}
