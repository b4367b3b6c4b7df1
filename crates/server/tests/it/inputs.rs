//! What is wrong with a request is said in one form, and never in the words of a library.

use crate::project::{Served, Shows};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;

#[tokio::test]
async fn what_is_not_there_and_what_is_not_done_there() {
    let served = Served::new().await;
    let body = served.get("/api/nothing", &Shows::Nothing).await;
    body.is_problem(404, "route_not_found");
    let answer = served.post("/api/version", &Shows::Nothing, "{}").await;
    answer.is_problem(405, "method_not_allowed");
    assert!(
        answer.header("allow").contains("GET"),
        "{}",
        answer.header("allow")
    );
}

#[tokio::test]
async fn a_body_that_does_not_hold_is_named_place_by_place() {
    let served = Served::new().await;
    let admin = Shows::Bearer(served.sign_in("ada", Role::Admin, false).await);
    for (body, kind) in [
        ("{", "json_invalid"),
        ("{} {}", "json_invalid"),
        ("[]", "value_error"),
        ("{\"sources\": 7}", "value_error"),
        ("{\"unknown\": 7}", "value_error"),
        ("{\"sources\": [\"no name\"]}", "value_error"),
        ("{\"backfill\": \"7 days\"}", "value_error"),
    ] {
        let answer = served.post("/api/sync/trigger", &admin, body).await;
        let problem = answer.is_problem(422, "request_invalid");
        assert_eq!(problem["detail"][0]["type"], kind, "{body}: {problem}");
        assert_eq!(problem["detail"][0]["loc"][0], "body", "{body}: {problem}");
    }
    let deep = format!("{{\"sources\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    served
        .post("/api/sync/trigger", &admin, &deep)
        .await
        .is_problem(422, "request_invalid");
    let answer = served.get("/api/sources?limit=many", &admin).await;
    assert_eq!(
        answer.is_problem(422, "request_invalid")["detail"][0]["loc"][0],
        "query"
    );
    served
        .get("/api/sources?unknown=1", &admin)
        .await
        .is_problem(422, "request_invalid");
    served
        .get("/api/sources/no%20name/details", &admin)
        .await
        .is_problem(422, "request_invalid");
    served
        .get("/api/sources/%ff/details", &admin)
        .await
        .is_problem(422, "request_invalid");
    served
        .get("/api/sync/status/7", &admin)
        .await
        .is_problem(404, "route_not_found");
    let missing = served.get("/api/sources/nothing/details", &admin).await;
    missing.is_problem(404, "source_not_found");
}

#[tokio::test]
async fn bodies_have_a_type_and_a_size() {
    let served = Served::new().await;
    let token = served.sign_in("ada", Role::Admin, false).await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = Request::builder()
            .method("POST")
            .uri("/api/query")
            .header("host", "localhost")
            .header("authorization", format!("Bearer {token}"));
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        served
            .send(
                Door::Web,
                request.body(Body::from(body)).expect("a request"),
            )
            .await
    };
    let sql = b"{\"sql\": \"SELECT 1\"}".to_vec();
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        send(kind, sql.clone())
            .await
            .is_problem(415, "request_invalid");
    }
    let json = Some("application/json; charset=utf-8");
    send(json, vec![b' '; (1 << 20) + 1])
        .await
        .is_problem(413, "request_too_large");
    send(json, b"{\"sql\": \"\xff\"}".to_vec())
        .await
        .is_problem(422, "request_invalid");
    let long = format!("{{\"sql\": \"{}\"}}", "x".repeat(102_401)).into_bytes();
    send(json, long).await.is_problem(422, "request_invalid");
    send(json, b"{\"sql\": \" \"}".to_vec())
        .await
        .is_problem(400, "query_invalid");
}

#[tokio::test]
async fn who_asks_is_decided_before_the_body_is_read() {
    let served = Served::new().await;
    let answer = served.post("/api/query", &Shows::Nothing, "{").await;
    answer.is_problem(401, "unauthenticated");
    let viewer = Shows::Bearer(served.sign_in("vera", Role::Viewer, false).await);
    served
        .post("/api/query", &viewer, "{")
        .await
        .is_problem(403, "permission_denied");
}

#[tokio::test]
async fn odd_credentials_are_nobodys() {
    let served = Served::new().await;
    for value in [
        "Bearer",
        "Bearer ",
        "bearer x",
        "Basic YTpi",
        "Bearer a b",
        "Bearer \u{e9}",
        "dap_x",
    ] {
        let request = Request::builder()
            .uri("/api/sources")
            .header("host", "localhost")
            .header("authorization", value.as_bytes());
        let request = request.body(Body::empty()).expect("a request");
        served
            .send(Door::Web, request)
            .await
            .is_problem(401, "unauthenticated");
    }
    let cookie = Request::builder()
        .uri("/api/sources")
        .header("host", "localhost")
        .header("cookie", &b"dap-jwt=\xff\xfe; ="[..]);
    let request = cookie.body(Body::empty()).expect("a request");
    served
        .send(Door::Web, request)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_secret_comes_in_and_never_goes_out() {
    const CANARY: &str = "canary-s3cr3t-value-77";
    let served = Served::new().await;
    let admin = Shows::Bearer(served.sign_in("ada", Role::Admin, false).await);
    let body = format!("{{\"key\": \"shop.password\", \"value\": \"{CANARY}\"}}");
    let stored = served.post("/api/secrets", &admin, &body).await;
    assert_eq!(stored.status.as_u16(), 200, "{}", stored.text);
    let listed = served.get("/api/secrets", &admin).await;
    assert!(
        listed.text.contains("sources.shop.password"),
        "{}",
        listed.text
    );
    for path in ["/api/secrets", "/api/config", "/api/logs", "/api/status"] {
        let answer = served.get(path, &admin).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
        assert!(!answer.text.contains(CANARY), "{path}");
    }
    let file = fs_err::read_to_string(served.folder.path().join(".dlt/secrets.toml"));
    assert!(file.expect("written").contains(CANARY));
    let remove = Served::request("DELETE", "/api/secrets/shop.password", &admin, "");
    assert_eq!(served.send(Door::Web, remove).await.status.as_u16(), 200);
    let again = Served::request("DELETE", "/api/secrets/shop.password", &admin, "");
    served
        .send(Door::Web, again)
        .await
        .is_problem(404, "secret_not_found");
}
