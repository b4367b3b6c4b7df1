//! What is made from the table of routes is what is committed. `make fix` (`DANGO_ACCEPT=1`) writes it anew.

use server::{Rate, Reach, openapi, routes_markdown, table};
use std::collections::BTreeSet;
use std::path::Path;

#[track_caller]
pub(crate) fn check(path: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("DANGO_ACCEPT").is_some() {
        fs_err::write(&path, made).expect("written");
    }
    let committed = fs_err::read_to_string(&path).unwrap_or_default();
    let mut pairs = committed.lines().zip(made.lines());
    let first = pairs.find(|(committed, made)| committed != made);
    assert!(
        committed == made,
        "{} is not what the table makes (first difference: {first:?}); `make fix` writes it",
        path.display()
    );
}

#[test]
fn the_documents_are_made_from_the_table() {
    let table = table();
    check("../../docs/ROUTES.md", &routes_markdown(&table));
    let document = serde_json::to_string_pretty(&openapi(&table)).expect("JSON");
    check("../../openapi.json", &(document + "\n"));
}

#[test]
fn every_route_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for route in table().routes() {
        let name = format!("{} {}", route.method, route.path);
        let place = (name.clone(), route.reach == Reach::Pages);
        assert!(ids.insert(place), "{name} stands twice");
        assert!(
            !route.summary.is_empty() && !route.tag.is_empty(),
            "{name} says nothing"
        );
        assert!(route.summary.ends_with('.'), "{name}");
        let changes = route.method != "GET";
        // They change nothing, or their events are told by what they end.
        let is_quiet = [
            "/operator/stop",
            "/sources/{name}/test",
            "/auth/links/{kind}",
            "/auth/device/code",
        ]
        .contains(&route.path)
            || route.path.starts_with("/auth/passkeys/") && route.path.ends_with("/begin");
        assert!(
            !changes || is_quiet || !route.events.is_empty(),
            "{name} names no audit event"
        );
        assert!(
            route.rate != Rate::Free || route.reach == Reach::Everywhere,
            "{name}"
        );
    }
}

#[test]
fn the_document_refers_to_nothing_that_is_missing() {
    let document = openapi(&table());
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap_or_default();
        assert!(schemas.contains_key(name), "{name} is missing");
    }
    assert_eq!(document["openapi"], "3.1.0");
}
