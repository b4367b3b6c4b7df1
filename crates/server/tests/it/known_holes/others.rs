//! Holes of other systems, by their numbers in `docs/KNOWN-HOLES.md`.

use super::FREE;
use crate::project::{PASSWORD, Served, Shows};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::Door;

#[tokio::test]
async fn case_1_set_up_is_gone_once_there_is_an_admin() {
    let served = Served::with(FREE, &[]).await;
    assert_eq!(
        served
            .get("/api/auth/setup", &Shows::Nothing)
            .await
            .status
            .as_u16(),
        200
    );
    let link = served
        .listening
        .set_up_link()
        .await
        .expect("asked")
        .expect("a link");
    let token = link
        .expose()
        .rsplit('/')
        .next()
        .expect("a token")
        .to_owned();
    served.sign_in("ada", Role::Admin, false).await;
    served
        .get("/api/auth/setup", &Shows::Nothing)
        .await
        .is_problem(404, "route_not_found");
    let body =
        serde_json::json!({"token": token, "email": "eve@example.com", "password": PASSWORD});
    let late = served
        .post("/api/auth/setup", &Shows::Nothing, &body.to_string())
        .await;
    late.is_problem(404, "route_not_found");
}

#[tokio::test]
async fn cases_15_16_and_19_a_name_in_the_path_is_no_path() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for name in [
        "..",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "a%00b",
        ".",
        "%2Fetc",
        "x%5c..",
        "\u{202e}",
    ] {
        let name: String = url::form_urlencoded::byte_serialize(name.as_bytes())
            .collect::<String>()
            .replace("%25", "%");
        for path in [
            format!("/api/sources/{name}/details"),
            format!("/api/secrets/{name}"),
            format!("/api/users/{name}"),
            format!("/api/auth/sessions/{name}"),
            format!("/api/auth/links/{name}"),
            format!("/api/sync/{name}/events"),
        ] {
            for method in ["GET", "DELETE"] {
                let answer = served
                    .send(Door::Web, Served::request(method, &path, &ada, ""))
                    .await;
                let status = answer.status.as_u16();
                assert!(
                    (400..500).contains(&status),
                    "{method} {path}: {status} {}",
                    answer.text
                );
            }
        }
    }
}

#[tokio::test]
async fn cases_28_and_33_a_copied_cookie_and_a_token_in_the_address_open_nothing() {
    let served = Served::with(FREE, &[]).await;
    let cookie = served.sign_in("ada", Role::Admin, false).await;
    let token = served.token("ada", None).await;
    for name in ["token", "access_token", "api_key", "auth_token", "jwt"] {
        for value in [&cookie, &token] {
            let path = format!("/api/auth/me?{name}={value}");
            let answer = served.get(&path, &Shows::Nothing).await;
            answer.is_problem(401, "unauthenticated");
        }
    }
    let shows = Shows::Cookie(cookie);
    served.post("/api/auth/logout", &shows, "").await;
    served
        .get("/api/auth/me", &shows)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn cases_38_and_42_nobody_raises_himself_by_what_he_sends_along() {
    let served = Served::with(FREE, &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    let eve = Shows::Cookie(served.sign_in("eve", Role::Viewer, false).await);
    let id = served.id_of("eve").await;
    let body = r#"{"role": "admin", "is_superuser": true, "is_verified": true, "is_active": true, "must_change_password": false, "deleted_at": null, "totp_enabled": true}"#;
    let send = async |method: &str, path: &str, body: &str| {
        served
            .send(Door::Web, Served::request(method, path, &eve, body))
            .await
    };
    let before = served.get("/api/auth/me", &eve).await.json();
    let sent = send("PATCH", "/api/users/me", body).await;
    assert!(
        sent.status.as_u16() == 200 || sent.status.is_client_error(),
        "{}",
        sent.text
    );
    let after = served.get("/api/auth/me", &eve).await.json();
    for field in ["role", "is_superuser", "is_verified", "totp_enabled"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    send("PATCH", &format!("/api/users/{id}"), body)
        .await
        .is_problem(403, "permission_denied");
    send(
        "PUT",
        &format!("/api/admin/users/{id}/role"),
        r#"{"role": "admin"}"#,
    )
    .await
    .is_problem(403, "permission_denied");
    let wide = send(
        "POST",
        "/api/auth/api-tokens",
        r#"{"name": "x", "scopes": ["users.manage"]}"#,
    )
    .await;
    assert!(wide.status.is_client_error(), "{}", wide.text);
}

#[tokio::test]
async fn case_39_a_token_is_the_same_by_every_way_or_nothing() {
    let served = Served::with(FREE, &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    let token = served.token("ada", Some(&["source.view"])).await;
    let basic = |text: &str| format!("Basic {}", data_encoding::BASE64.encode(text.as_bytes()));
    let ways = [
        ("authorization", basic(&format!("ada@example.com:{token}"))),
        ("authorization", basic(&format!("{token}:"))),
        ("authorization", format!("Token {token}")),
        ("cookie", format!("dap-jwt={token}")),
        ("cookie", format!("dango_session={token}")),
        ("x-api-key", token.clone()),
        ("x-auth-token", token.clone()),
    ];
    for (name, value) in ways {
        for path in ["/api/sources", "/api/config"] {
            let request = Request::builder().uri(path).header("host", "localhost");
            let request = request
                .header(name, &value)
                .body(Body::empty())
                .expect("a request");
            let answer = served.send(Door::Web, request).await;
            answer.is_problem(401, "unauthenticated");
        }
    }
    for door in [Door::Web, Door::Dap] {
        let prefix = if door == Door::Web { "/api" } else { "" };
        let get = |path: &str| {
            Served::request(
                "GET",
                &format!("{prefix}{path}"),
                &Shows::Bearer(token.clone()),
                "",
            )
        };
        assert_eq!(
            served.send(door, get("/sources")).await.status.as_u16(),
            200
        );
        served
            .send(door, get("/config"))
            .await
            .is_problem(403, "permission_denied");
    }
}

#[tokio::test]
async fn case_44_pages_have_an_end_and_nothing_panics() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for query in [
        "limit=0",
        "limit=-1",
        "limit=18446744073709551615",
        "limit=501",
        "offset=18446744073709551615",
        "offset=-1",
        "limit=1e3",
        "limit=",
        "limit=%00",
    ] {
        for path in [
            "/api/users",
            "/api/audit/events",
            "/api/sources",
            "/api/auth/api-tokens/admin",
        ] {
            let answer = served.get(&format!("{path}?{query}"), &ada).await;
            let status = answer.status.as_u16();
            assert!(
                matches!(status, 200 | 422),
                "{path}?{query}: {status} {}",
                answer.text
            );
            if status == 200 {
                let limit = answer.json()["limit"].as_u64().expect("a number");
                assert!((1..=500).contains(&limit), "{path}?{query}: {limit}");
            }
        }
    }
}
