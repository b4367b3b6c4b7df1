//! getdango, as it was read: the numbers are those of its inventory.

use super::{CANARY, FREE, readable};
use crate::project::{HandClock, Served, Shows, folder};
use axum::body::Body;
use axum::http::Request;
use security::Role;
use server::{Door, Guard, Reach, table};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

#[tokio::test]
async fn hole_1_streams_ask_who_is_there() {
    let served = Served::new().await;
    let stream = "/api/sync/00000000-0000-7000-8000-000000000000/events";
    for path in [stream, "/api/internal/scheduler/status", "/api/ws"] {
        let answer = served.get(path, &Shows::Nothing).await;
        let status = answer.status.as_u16();
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
    let mut socket = Served::request("GET", "/ws", &Shows::Nothing, "");
    for (name, value) in [("connection", "upgrade"), ("upgrade", "websocket")] {
        socket
            .headers_mut()
            .insert(name, value.parse().expect("a header"));
    }
    let answer = served.send(Door::Web, socket).await;
    assert_ne!(answer.status.as_u16(), 101, "there are no web sockets");
}

#[tokio::test]
async fn hole_2_a_viewer_syncs_nothing_and_the_try_is_written_down() {
    let served = Served::new().await;
    let admin = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let viewer = Shows::Cookie(served.sign_in("vera", Role::Viewer, false).await);
    let body = r#"{"full_refresh": true, "allow_empty_replace": true}"#;
    let refused = served.post("/api/sources/shop/sync", &viewer, body).await;
    refused.is_problem(403, "permission_denied");
    let events = served.events(&admin).await;
    assert!(
        events.iter().any(|event| event == "permission_denied"),
        "{events:?}"
    );
}

#[tokio::test]
async fn holes_4_5_and_10_no_answer_shows_a_secret_or_what_a_role_may_not_see() {
    let settings = format!(
        "auth: {{rate_limit: {{enabled: false}}, oauth_providers: {{github: {{client_secret: {CANARY}}}}}}}"
    );
    let served = Served::with(&settings, &[]).await;
    let admin = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let body = format!(r#"{{"key": "slack.webhook", "value": "{CANARY}"}}"#);
    let stored = served.post("/api/secrets", &admin, &body).await;
    assert_eq!(stored.status.as_u16(), 200, "{}", stored.text);
    let viewer = Shows::Cookie(served.sign_in("vera", Role::Viewer, false).await);
    let editor = Shows::Cookie(served.sign_in("eddi", Role::Editor, false).await);
    for shows in [&viewer, &editor, &admin, &Shows::Nothing] {
        for path in readable() {
            let answer = served.get(&path, shows).await;
            assert!(!answer.text.contains(CANARY), "{path}: {}", answer.text);
            assert!(answer.status.as_u16() < 500, "{path}: {}", answer.text);
        }
    }
    for path in ["/api/config", "/api/secrets"] {
        served
            .get(path, &viewer)
            .await
            .is_problem(403, "permission_denied");
    }
}

#[tokio::test]
async fn hole_6_a_key_or_value_of_several_lines_adds_no_other_secret() {
    let served = Served::with(FREE, &[]).await;
    let admin = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for key in ["a.b\nEVIL", "a\n[evil]\nb", "a.b = 1\nc", "", "..", "a..b"] {
        let body = serde_json::json!({"key": key, "value": "x"}).to_string();
        let answer = served.post("/api/secrets", &admin, &body).await;
        assert!(answer.status.is_client_error(), "{key:?}: {}", answer.text);
    }
    let body = serde_json::json!({"key": "shop.token", "value": "x\"\nevil = \"y\n[other]\nz = 1"});
    served.post("/api/secrets", &admin, &body.to_string()).await;
    let listed = served.get("/api/secrets", &admin).await;
    assert!(
        !listed.text.contains("evil") && !listed.text.contains("other"),
        "{}",
        listed.text
    );
}

#[tokio::test]
async fn hole_9_links_are_not_made_of_what_a_request_says_its_host_is() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let invite = |host: &str, forwarded: &str| {
        let body = r#"{"email": "bob@example.com", "role": "viewer"}"#;
        let mut request = Served::request("POST", "/api/admin/users", &ada, body);
        let headers = request.headers_mut();
        headers.insert("host", host.parse().expect("a header"));
        headers.insert("x-forwarded-host", forwarded.parse().expect("a header"));
        request
    };
    let foreign = served.send(Door::Web, invite("evil.example", "x")).await;
    foreign.is_problem(421, "host_unknown");
    let made = served
        .send(Door::Web, invite("localhost:1", "evil.example"))
        .await;
    let link = made.json()["invite_url"]
        .as_str()
        .expect("a link")
        .to_owned();
    let port = served.listening.url();
    assert!(link.starts_with(&port), "{link} {port}");
}

#[tokio::test]
async fn hole_11_what_we_write_is_for_its_owner_alone() {
    let served = Served::new().await;
    let admin = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let body = r#"{"key": "shop.password", "value": "x"}"#;
    served.post("/api/secrets", &admin, body).await;
    served.app().sequence_audit(app::audit::Sign::Now).await;
    let root = served.folder.path();
    let mut looked = 0;
    let mut folders = vec![root.join(".dlt"), root.join(".dango")];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            // Configuration is committed, and the test wrote this one.
            if path.ends_with("project.yml") || path.ends_with("lock") {
                continue;
            }
            let mode = fs_err::metadata(&path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{} {mode:o}", path.display());
            looked += 1;
        }
    }
    assert!(looked >= 5, "{looked}");
}

#[tokio::test]
async fn hole_12_sign_in_is_not_off_because_a_file_is_gone_or_broken() {
    for text in [None, Some("enabled: perhaps"), Some("{"), Some("")] {
        let folder = folder("");
        if let Some(text) = text {
            fs_err::write(folder.path().join(".dango/auth.yml"), text).expect("written");
        }
        let served = Served::in_folder(folder, &[]).await;
        for shows in [Shows::Nothing, Shows::Page] {
            let answer = served.get("/api/sources", &shows).await;
            answer.is_problem(401, "unauthenticated");
        }
    }
    // Switched off while it runs, it goes on asking.
    let served = Served::new().await;
    fs_err::write(
        served.folder.path().join(".dango/auth.yml"),
        "enabled: false",
    )
    .expect("written");
    let answer = served.get("/api/sources", &Shows::Page).await;
    answer.is_problem(401, "unauthenticated");
    // Without its database there is no server.
    let broken = folder("");
    fs_err::write(
        broken.path().join(".dango/metadata.db"),
        "no database at all, certainly not one",
    )
    .expect("written");
    let options = app::OpenOptions {
        project: Some(broken.path().to_path_buf()),
        environment: app::Environment::from_pairs([("USER", "ada")]),
        command: "serve".into(),
        wait_seconds: 0,
        launcher: app::launcher().expect("this program"),
        clock: Arc::new(HandClock(AtomicI64::new(0))),
    };
    assert!(app::App::open(options, &mut |_| {}).await.is_err());
}

#[tokio::test]
async fn sign_in_that_is_off_is_off_on_this_machine_alone_and_on_again_at_once() {
    let served = Served::without_sign_in(FREE, &[]).await;
    let me = served.get("/api/auth/me", &Shows::Page).await;
    assert_eq!(me.json(), serde_json::json!({"auth_enabled": false}));
    let ways = served.get("/api/auth/providers", &Shows::Page).await;
    assert_eq!(ways.json()["auth_enabled"], false);
    let token = fs_err::read_to_string(served.folder.path().join(".dango/run/local.token"));
    let token = token.expect("made at the start");
    let with = |pairs: &[(&str, &str)]| {
        let mut request = Request::builder().method("GET").uri("/api/sources");
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).expect("a request")
    };
    let bearer = format!("Bearer {token}");
    for (pairs, expect) in [
        (
            &[("host", "localhost"), ("sec-fetch-site", "same-origin")][..],
            200,
        ),
        (&[("host", "localhost"), ("authorization", &bearer)], 200),
        (&[("host", "localhost")], 401),
        (
            &[("host", "localhost"), ("sec-fetch-site", "same-site")],
            401,
        ),
        (
            &[("host", "localhost"), ("sec-fetch-site", "cross-site")],
            401,
        ),
        (&[("host", "localhost"), ("sec-fetch-site", "none")], 401),
        (
            &[
                ("host", "localhost"),
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://localhost:3000"),
            ],
            401,
        ),
        (
            &[
                ("host", "localhost"),
                ("authorization", "Bearer x"),
                ("sec-fetch-site", "same-origin"),
            ],
            401,
        ),
        (
            &[
                ("host", "localhost"),
                ("authorization", &bearer),
                ("x-forwarded-for", "127.0.0.1"),
            ],
            401,
        ),
        (
            &[
                ("host", "rebound.example"),
                ("sec-fetch-site", "same-origin"),
            ],
            421,
        ),
    ] {
        let answer = served.send(Door::Web, with(pairs)).await;
        assert_eq!(answer.status.as_u16(), expect, "{pairs:?}: {}", answer.text);
    }
    let page = with(&[("host", "localhost"), ("sec-fetch-site", "same-origin")]);
    let dap = served.send(Door::Dap, page).await;
    dap.is_problem(404, "route_not_found");
    fs_err::write(
        served.folder.path().join(".dango/auth.yml"),
        "enabled: true",
    )
    .expect("written");
    let answer = served.get("/api/auth/me", &Shows::Page).await;
    answer.is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn hole_13_no_open_route_that_writes_is_outside_the_check_of_websites() {
    let served = Served::with(FREE, &[]).await;
    for route in table().routes() {
        let is_open = matches!(route.guard, Guard::Public { .. });
        if !is_open || route.method == "GET" || route.reach != Reach::Everywhere {
            continue;
        }
        let path = format!("/api{}", route.path.replace("{kind}", "invite"));
        let mut request = Served::request(route.method, &path, &Shows::Nothing, "{}");
        let site = "cross-site".parse().expect("a header");
        request.headers_mut().insert("sec-fetch-site", site);
        let answer = served.send(Door::Web, request).await;
        answer.is_problem(403, "origin_foreign");
    }
    for path in ["/api/initial-sync/start", "/api/sources/x/csv-files"] {
        let answer = served.post(path, &Shows::Nothing, "{}").await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
}
