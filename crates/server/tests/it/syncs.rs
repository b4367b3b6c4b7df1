//! Syncs in the background, and who may watch them.

use crate::project::{Served, Shows, read};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;

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
