//! DAP: the numbers are those of its inventory's list of weaknesses.

use super::FREE;
use crate::project::{Served, Shows};
use security::Role;
use server::Door;

#[tokio::test]
async fn weakness_13_a_bearer_is_good_for_nothing_once_he_has_left() {
    let served = Served::with(FREE, &[]).await;
    let bearer = Shows::Bearer(served.sign_in("ada", Role::Admin, false).await);
    let send = async |method: &str, path: &str| {
        served
            .send(Door::Dap, Served::request(method, path, &bearer, ""))
            .await
    };
    assert_eq!(send("GET", "/users/me").await.status.as_u16(), 200);
    assert_eq!(send("POST", "/auth/jwt/logout").await.status.as_u16(), 204);
    for path in ["/users/me", "/sources"] {
        send("GET", path).await.is_problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn weakness_17_settings_ask_who_is_there_and_tell_no_path() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Bearer(served.sign_in("ada", Role::Admin, false).await);
    let eve = Shows::Bearer(served.sign_in("eve", Role::Editor, false).await);
    let get = async |path: &str, shows: &Shows| {
        served
            .send(Door::Dap, Served::request("GET", path, shows, ""))
            .await
    };
    get("/settings", &Shows::Nothing)
        .await
        .is_problem(401, "unauthenticated");
    get("/settings/admin", &eve)
        .await
        .is_problem(404, "route_not_found");
    let shown = get("/settings", &eve).await;
    assert_eq!(shown.json()["engine"]["db_path"], serde_json::Value::Null);
    let admin = get("/settings/admin", &ada).await;
    assert_eq!(
        admin.json()["auth"]["access_ttl_seconds"],
        900,
        "{}",
        admin.text
    );
    assert_eq!(admin.json()["cors"]["using_default"], true);
    assert_eq!(admin.json()["storage"]["backend"], "sqlite");
    let root = served.folder.path().to_str().expect("a path");
    assert!(!admin.text.contains(root) && !shown.text.contains(root));
}

#[tokio::test]
async fn weaknesses_14_and_19_what_becomes_of_people_is_written_down() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    served.sign_in("eve", Role::Viewer, false).await;
    let id = served.id_of("eve").await;
    served
        .login_from([192, 0, 2, 1], "eve@example.com", "wrong")
        .await;
    let role = Served::request(
        "PUT",
        &format!("/api/admin/users/{id}/role"),
        &ada,
        r#"{"role": "editor"}"#,
    );
    served.send(Door::Web, role).await;
    for step in ["deactivate", "reactivate"] {
        let path = format!("/api/admin/users/{id}/{step}");
        assert_eq!(served.post(&path, &ada, "").await.status.as_u16(), 200);
    }
    served.post("/api/auth/logout", &ada, "").await;
    let ada = Shows::Cookie(served.enter("ada").await);
    let events = served.events(&ada).await;
    for event in [
        "logout",
        "user_reactivated",
        "user_deactivated",
        "role_changed",
        "login_failure",
        "login_success",
    ] {
        assert!(
            events.iter().any(|found| found == event),
            "{event}: {events:?}"
        );
    }
}

#[tokio::test]
async fn weakness_20_nothing_listens_beyond_this_machine_unasked() {
    let served = Served::new().await;
    for address in served.listening.addresses() {
        let at: std::net::SocketAddr = address.parse().expect("an address");
        assert!(at.ip().is_loopback(), "{address}");
    }
}
