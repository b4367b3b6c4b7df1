//! What holds for every request, whatever its route: hosts, origins, headers, which door takes what.

use crate::project::{Served, Shows};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;

fn bare(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).expect("a request")
}

#[tokio::test]
async fn another_host_is_misdirected_at_every_port() {
    let served = Served::new().await;
    for door in [Door::Web, Door::Dap] {
        for host in ["evil.example", "localhost.evil.example", "10.0.0.7"] {
            let answer = served
                .send(door, bare("GET", "/health", &[("host", host)]))
                .await;
            answer.is_problem(421, "host_unknown");
        }
        let answer = served.send(door, bare("GET", "/health", &[])).await;
        answer.is_problem(421, "host_unknown");
    }
}

#[tokio::test]
async fn answers_carry_what_keeps_them_from_other_uses() {
    let served = Served::with("server:\n  public_url: https://dango.example.com\n", &[]).await;
    for path in ["/api/health", "/api/nothing", "/api/sources", "/"] {
        let answer = served.get(path, &Shows::Nothing).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path} {name}");
        }
        assert!(
            answer
                .header("strict-transport-security")
                .starts_with("max-age=")
        );
        assert!(!answer.header("permissions-policy").is_empty());
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
    }
    let one = served.get("/", &Shows::Nothing).await;
    let other = served.get("/", &Shows::Nothing).await;
    let policy = one.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"),
        "{policy}"
    );
    assert_ne!(
        policy,
        other.header("content-security-policy"),
        "a nonce is used once"
    );
}

#[tokio::test]
async fn a_request_id_is_ours() {
    let served = Served::new().await;
    let headers = [("host", "localhost"), ("x-request-id", "mine")];
    let answer = served
        .send(Door::Web, bare("GET", "/api/version", &headers))
        .await;
    let id = answer.header("x-request-id");
    assert!(id.len() == 36 && id != "mine", "{id}");
}

#[tokio::test]
async fn plain_http_promises_no_encryption() {
    let served = Served::new().await;
    let answer = served.get("/api/health", &Shows::Nothing).await;
    assert_eq!(answer.header("strict-transport-security"), "");
}

#[tokio::test]
async fn pages_move_to_the_name_that_passkeys_need() {
    let served = Served::new().await;
    let page = [("host", "127.0.0.1:8800"), ("accept", "text/html")];
    let moved = served.send(Door::Web, bare("GET", "/x?y=1", &page)).await;
    assert_eq!(moved.status.as_u16(), 307);
    let to = moved.header("location");
    assert!(
        to.starts_with("http://localhost:") && to.ends_with("/x?y=1"),
        "{to}"
    );
    let api = served
        .send(Door::Web, bare("GET", "/api/health", &page))
        .await;
    assert_eq!(api.status.as_u16(), 200);
}

#[tokio::test]
async fn a_cookie_changes_nothing_for_another_website() {
    let served = Served::new().await;
    let cookie = served.sign_in("ada", Role::Admin, false).await;
    let pair = format!("dap-jwt={cookie}");
    let post = |extra: &[(&str, &str)]| {
        let mut headers = vec![
            ("host", "localhost:8800"),
            ("cookie", pair.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend(extra);
        bare("POST", "/api/sync/trigger", &headers)
    };
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://localhost:3000")],
        &[("origin", "null")],
        &[],
    ] {
        let answer = served.send(Door::Web, post(foreign)).await;
        let body = answer.is_problem(403, "origin_foreign");
        assert_eq!(body["error_code"], "DANGO-S002");
    }
    let ours = served
        .send(Door::Web, post(&[("sec-fetch-site", "same-origin")]))
        .await;
    assert_eq!(
        ours.status.as_u16(),
        422,
        "past the check, and the body is empty: {}",
        ours.text
    );
    let token = format!("Bearer {}", served.token("ada", None).await);
    let program = [
        ("host", "localhost:8800"),
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    let answer = served
        .send(Door::Web, bare("POST", "/api/sync/trigger", &program))
        .await;
    assert_eq!(answer.status.as_u16(), 422, "{}", answer.text);
}

#[tokio::test]
async fn a_cookie_opens_nothing_at_the_port_of_daps_clients() {
    let served = Served::new().await;
    let cookie = served.sign_in("ada", Role::Admin, false).await;
    let with = |shows: &Shows| Served::request("GET", "/sources", shows, "");
    let refused = served
        .send(Door::Dap, with(&Shows::Cookie(cookie.clone())))
        .await;
    assert_eq!(
        refused.is_problem(401, "unauthenticated")["error_code"],
        "DANGO-S001"
    );
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let answer = served.send(Door::Dap, with(&Shows::Bearer(cookie))).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn only_named_websites_may_read_at_the_port_of_daps_clients() {
    let served = Served::with("", &[("DAP_CORS_ORIGINS", "https://app.example")]).await;
    let ask = |origin: &'static str| {
        bare(
            "OPTIONS",
            "/sources",
            &[
                ("host", "127.0.0.1:7333"),
                ("origin", origin),
                ("access-control-request-method", "GET"),
            ],
        )
    };
    let good = served.send(Door::Dap, ask("https://app.example")).await;
    assert_eq!(good.status.as_u16(), 204);
    assert_eq!(
        good.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert_eq!(good.header("access-control-allow-credentials"), "");
    let other = served.send(Door::Dap, ask("https://evil.example")).await;
    assert_eq!(other.header("access-control-allow-origin"), "");
    // The browser's port never says so to anybody.
    let web = served.send(Door::Web, ask("https://app.example")).await;
    assert_eq!(web.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_session_that_ended_opens_nothing_at_the_next_request() {
    let served = Served::new().await;
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    assert_eq!(
        served.get("/api/sources", &shows).await.status.as_u16(),
        200
    );
    served.clock.move_on(31 * 24 * 3_600);
    served
        .get("/api/sources", &shows)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn an_old_cookie_is_answered_with_a_new_one() {
    let served = Served::new().await;
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    served.clock.move_on(600);
    let answer = served.get("/api/sources", &shows).await;
    assert_eq!(answer.status.as_u16(), 200);
    let set = answer.header("set-cookie");
    assert!(
        set.starts_with("dap-jwt=") && set.contains("HttpOnly; SameSite=Lax; Path=/"),
        "{set}"
    );
    assert!(!set.contains("Domain"), "{set}");
}
