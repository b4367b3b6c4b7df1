//! Syncs in the background, and who may watch them.

use crate::project::{Served, Shows, folder, read};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;
use std::time::Duration;

#[tokio::test]
async fn a_sync_goes_on_in_the_background_and_can_be_watched() {
    let served = Served::new().await;
    let editor = Shows::Bearer(served.sign_in("ed", Role::Editor, false).await);
    let viewer = served.sign_in("vera", Role::Viewer, false).await;
    let answer = served.post("/api/sync/trigger", &editor, "{}").await;
    assert_eq!(answer.status.as_u16(), 202, "{}", answer.text);
    let started = answer.json();
    assert_eq!(started["status"], "started");
    let id = started["job_id"].as_str().expect("an id").to_owned();
    assert_eq!(
        id,
        answer.header("x-request-id"),
        "the audit log tells its jobs by it"
    );
    let watch = |last: &str| {
        Request::builder()
            .uri(format!("/api/sync/{id}/events"))
            .header("host", "localhost")
            .header("authorization", format!("Bearer {viewer}"))
            .header("last-event-id", last)
            .body(Body::empty())
            .expect("a request")
    };
    for last in ["", "0", "nonsense", "99"] {
        let stream = served
            .open_from(Door::Web, [127, 0, 0, 1].into(), watch(last))
            .await;
        let told = read(stream).await;
        assert_eq!(told.header("content-type"), "text/event-stream");
        assert!(
            told.text
                .contains("event: end\ndata: {\"status\":\"succeeded\""),
            "{}",
            told.text
        );
    }
    let status = served
        .get(&format!("/api/sync/status/{id}"), &editor)
        .await
        .json();
    assert_eq!(status["status"], "succeeded", "{status}");
    assert!(
        status["actor"]
            .as_str()
            .is_some_and(|actor| actor.starts_with("user:"))
    );
}

#[tokio::test]
async fn a_sync_of_nothing_is_refused_at_once() {
    let served = Served::new().await;
    let editor = Shows::Bearer(served.sign_in("ed", Role::Editor, false).await);
    let body = "{\"sources\": [\"nothing\"]}";
    let answer = served.post("/api/sync/trigger", &editor, body).await;
    answer.is_problem(404, "source_not_found");
    let missing = "/api/sync/status/00000000-0000-7000-8000-000000000000";
    let body = served
        .get(missing, &editor)
        .await
        .is_problem(404, "sync_not_found");
    assert_eq!(body["error_code"], "SYNC-003");
}

/// A source whose server takes connections and says nothing.
fn silent_source() -> (std::net::TcpListener, String) {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = silent.local_addr().expect("an address");
    let sources = format!(
        "version: '1.0'\nsources:\n  - name: slow\n    type: rest_api\n    rest_api:\n      base_url: http://{place}/\n      \
         auth_type: none\n      endpoints:\n        - {{path: orders, name: orders}}\n"
    );
    (silent, sources)
}

#[tokio::test]
async fn whoever_may_no_longer_look_is_told_nothing_more() {
    let (_silent, sources) = silent_source();
    let folder = folder("egress: {allow_private: ['127.0.0.1']}");
    fs_err::write(folder.path().join(".dango/sources.yml"), sources).expect("written");
    let served = Served::in_folder(folder, &[]).await;
    let editor = Shows::Cookie(served.sign_in("ed", Role::Editor, false).await);
    let viewer = served.sign_in("vera", Role::Viewer, false).await;
    let started = served.post("/api/sync/trigger", &editor, "{}").await.json();
    let id = started["job_id"].as_str().expect("an id").to_owned();
    let events = format!("/api/sync/{id}/events");
    let watch = Served::request("GET", &events, &Shows::Cookie(viewer.clone()), "");
    let stream = served
        .open_from(Door::Web, [127, 0, 0, 1].into(), watch)
        .await;
    assert_eq!(stream.status().as_u16(), 200);
    let left = served
        .post("/api/auth/logout", &Shows::Cookie(viewer), "")
        .await;
    assert_eq!(left.status.as_u16(), 200, "{}", left.text);
    let told = tokio::time::timeout(Duration::from_secs(5), read(stream)).await;
    let told = told.expect("the stream ends with the session");
    assert!(!told.text.contains("event: end"), "{}", told.text);
    let path = format!("/api/sync/{id}/cancel");
    let cancelled = served.post(&path, &editor, "").await;
    assert!(cancelled.status.is_success(), "{}", cancelled.text);
}
