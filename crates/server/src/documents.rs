//! What is written from the table of routes: the `OpenAPI` document and the page for people.

use crate::table::{Rate, Reach, Route, SchemaParts, Table};
use crate::witness::Guard;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Returns the `OpenAPI` 3.1 document of everything but the operator's routes and the pages.
pub fn openapi(table: &Table) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
    for route in table
        .routes()
        .filter(|route| route.reach == Reach::Everywhere)
    {
        let operation = operation(route, &mut schemas);
        paths
            .entry(route.path)
            .or_default()
            .insert(route.method.to_ascii_lowercase(), operation);
    }
    schemas.insert("Problem".to_owned(), problem());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Dango",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The data platform and the agent-pipeline engine. `docs/API.md` says what holds for every route.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {"url": "/api", "description": "http://localhost:8800"},
            {"url": "/", "description": "http://127.0.0.1:7333, for DAP's clients"},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": crate::cookies::SESSION},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    })
}

fn operation(route: &Route, schemas: &mut BTreeMap<String, Value>) -> Value {
    let mut keep = |(name, schema, others): &SchemaParts| {
        for (name, schema) in others {
            schemas.insert(name.clone(), json!(schema));
        }
        // Every list has the same name, so none stands under it.
        if name == "Vec" {
            return json!({"application/json": {"schema": schema}});
        }
        schemas.insert(name.clone(), json!(schema));
        json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}})
    };
    let mut operation = Map::new();
    operation.insert("operationId".into(), id(route).into());
    operation.insert("tags".into(), json!([route.tag]));
    operation.insert("summary".into(), route.summary.into());
    let (security, who) = match route.guard {
        Guard::Public { reason, .. } => (json!([]), format!("Open to everybody: {reason}.")),
        Guard::Permission(line) => (
            json!([{"session": []}, {"token": []}]),
            format!("Takes the permission `{}`.", line.name),
        ),
    };
    operation.insert("description".into(), who.into());
    operation.insert("security".into(), security);
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation.insert("parameters".into(), parameters.into());
    }
    if let Some(parts) = &route.takes {
        operation.insert(
            "requestBody".into(),
            json!({"required": true, "content": keep(parts)}),
        );
    }
    let mut answers = Map::new();
    if let Some((status, parts)) = &route.gives {
        let mut answer = json!({"description": "It was done."});
        if let (Some(parts), Some(map)) = (parts, answer.as_object_mut()) {
            map.insert("content".into(), keep(parts));
        }
        answers.insert(status.to_string(), answer);
    }
    answers.insert("default".into(), json!({
        "description": "What went wrong, and what to do next.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }));
    operation.insert("responses".into(), answers.into());
    operation.into()
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = variables(route.path).map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let in_query = route.parameters.iter().map(|(name, about)| {
        json!({"name": name, "in": "query", "required": false, "description": about, "schema": {"type": "string"}})
    });
    in_path.chain(in_query).collect()
}

/// Returns the names of the variable parts of a path.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// Returns the name of an operation: `post_sources_name_sync`.
fn id(route: &Route) -> String {
    let words = route
        .path
        .split(['/', '{', '}', '.', '-', '_'])
        .filter(|word| !word.is_empty());
    words.fold(route.method.to_ascii_lowercase(), |id, word| {
        id + "_" + word
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "message", "code", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"description": "The message, or a list of {loc, msg, type} when parts of the request do not hold."},
            "message": {"type": "string"},
            "error_code": {"type": ["string", "null"], "description": "getdango's code, where it has one."},
            "code": {"type": "string", "description": "`dango explain CODE` explains it."},
            "hint": {"type": ["string", "null"]},
            "issues": {"type": "array", "items": {"type": "string"}, "description": "What is wrong with a password, or with a file."},
            "remaining_seconds": {"type": "integer", "description": "How long an account stays locked, with 423."},
            "request_id": {"type": "string", "format": "uuid"},
        },
    })
}

/// Returns the page that lists every route.
pub fn routes_markdown(table: &Table) -> String {
    let mut text = String::from(
        "<!-- made from the table of routes; do not edit: change the table, then run `make fix` -->\n\n# Routes\n\n\
         Paths are those of DAP's port; at the browser's they stand below `/api`, but for pages. Operator's routes exist at the unix\n\
         socket alone, for the command line. Every refusal for want of a permission is `permission_denied` in the audit log.\n\n\
         | route | who | audit events | what |\n|---|---|---|---|\n",
    );
    for route in table.routes() {
        let who = match route.guard {
            Guard::Permission(line) => format!("`{}`", line.name),
            Guard::Public { name, reason } => format!("`{name}`: {reason}"),
        };
        let events: Vec<_> = route
            .events
            .iter()
            .map(|event| format!("`{event}`"))
            .collect();
        let place = match route.reach {
            Reach::Everywhere => "",
            Reach::Pages => " (page)",
            Reach::Operator => " (operator)",
        };
        let rate = if route.rate == Rate::Login {
            " (limit of signing in)"
        } else {
            ""
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| `{} {}`{place} | {who}{rate} | {} | {} |",
            route.method,
            route.path,
            events.join(", "),
            route.summary
        );
    }
    text
}
