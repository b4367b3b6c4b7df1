//! getdango, as it was seen from outside.

use super::FREE;
use crate::people::code_at;
use crate::project::{PASSWORD, Served, Shows};
use security::Role;
use server::Door;
use std::path::Path;

#[tokio::test]
async fn f_strangers_do_not_lock_an_admin_out() {
    let served = Served::with(FREE, &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    for _ in 0..6 {
        served
            .login_from([192, 0, 2, 1], "ada@example.com", "wrong")
            .await;
    }
    let there = served
        .login_from([192, 0, 2, 1], "ada@example.com", PASSWORD)
        .await;
    there.is_problem(423, "account_locked");
    let elsewhere = served
        .login_from([192, 0, 2, 2], "ada@example.com", PASSWORD)
        .await;
    assert_eq!(elsewhere.status.as_u16(), 200, "{}", elsewhere.text);
}

#[tokio::test]
async fn f_this_machine_has_ten_tries_a_minute_like_everybody() {
    let served = Served::new().await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for number in 0..11 {
        // Another address each time, for the account must not be in the way.
        let email = format!("nobody{number}@example.com");
        let answer = served.login_from([127, 0, 0, 1], &email, "wrong").await;
        let expect = if number < 10 { 400 } else { 429 };
        assert_eq!(answer.status.as_u16(), expect, "{number}: {}", answer.text);
    }
    let events = served.events(&ada).await;
    let hits = events.iter().filter(|event| *event == "rate_limit_hit");
    assert_eq!(hits.count(), 1, "{events:?}");
}

#[tokio::test]
async fn f_long_and_poor_passwords_are_refused_in_words() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for length in [73, 129, 5_000] {
        let long = "p".repeat(length);
        let answer = served
            .login_from([192, 0, 2, 3], "eve@example.com", &long)
            .await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 423),
            "{}",
            answer.text
        );
    }
    for poor in [
        "aaaaaaaaa",
        "password",
        "12345678",
        "ada@example.com",
        &"x".repeat(129),
    ] {
        let body = serde_json::json!({"current_password": PASSWORD, "new_password": poor});
        let answer = served
            .post("/api/auth/change-password", &ada, &body.to_string())
            .await;
        answer.is_problem(400, "password_weak");
    }
}

#[tokio::test]
async fn f_a_factor_protects_itself() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let other = Shows::Cookie(served.enter("ada").await);
    let secret = served.enrol(&ada).await;
    // Open: until there is a master key to seal it with, an app's secret is in the clear in a file for its owner alone.
    let files = ["metadata.db", "metadata.db-wal"]
        .map(|name| fs_err::read(served.folder.path().join(".dango").join(name)).expect("there"));
    let has = |bytes: &Vec<u8>| {
        bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
    };
    assert!(files.iter().any(has), "sealed now: turn this around");
    served
        .get("/api/auth/me", &other)
        .await
        .is_problem(401, "unauthenticated");
    // The password alone takes the factor away neither now nor after a while.
    served.clock.move_on(600);
    let body = serde_json::json!({"password": PASSWORD}).to_string();
    let answer = served.post("/api/auth/2fa/disable", &ada, &body).await;
    answer.is_problem(403, "reauthentication_required");
    let proof = served.post("/api/auth/reauthenticate", &ada, &body).await;
    proof.is_problem(400, "proof_incomplete");
}

#[tokio::test]
async fn f_guesses_at_a_code_lock_whoever_guesses_and_are_written_down() {
    let served = Served::with(FREE, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let eve = Shows::Cookie(served.sign_in("eve", Role::Viewer, false).await);
    let secret = served.enrol(&eve).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        // As often as the password is right, the count goes on.
        let pending = Shows::Cookie(served.enter("eve").await);
        for _ in 0..4 {
            let answer = served
                .post("/api/auth/2fa/verify", &pending, r#"{"code": "000000"}"#)
                .await;
            statuses.push(answer.status.as_u16());
        }
    }
    assert!(
        statuses.iter().filter(|status| **status == 400).count() <= 5,
        "{statuses:?}"
    );
    assert!(statuses.contains(&423), "{statuses:?}");
    served.clock.move_on(30);
    let pending = Shows::Cookie(served.enter("eve").await);
    let body = serde_json::json!({"code": code_at(&secret, served.unix_seconds())}).to_string();
    let right = served.post("/api/auth/2fa/verify", &pending, &body).await;
    right.is_problem(423, "account_locked");
    let events = served.events(&ada).await;
    assert!(
        events.iter().any(|event| event == "two_fa_failure"),
        "{events:?}"
    );
}

#[tokio::test]
async fn f_what_getdango_never_wrote_down_is_written_down() {
    let settings = "auth: {rate_limit: {api: {requests: 60, window_seconds: 60}}}";
    let served = Served::with(settings, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    for _ in 0..5 {
        served
            .login_from([192, 0, 2, 1], "ada@example.com", "wrong")
            .await;
    }
    served
        .login_from([192, 0, 2, 2], "typed@example.com", "wrong")
        .await;
    let forged = Shows::Bearer("dap_".to_owned() + &"x".repeat(43));
    let send = async |last: u8, shows: &Shows| {
        let request = Served::request("GET", "/api/sources", shows, "");
        served
            .send_from(Door::Web, [192, 0, 2, last].into(), request)
            .await
    };
    send(3, &forged).await.is_problem(401, "unauthenticated");
    let (good, id) = served.token_with_id("ada", None).await;
    served.revoke(id).await;
    send(3, &Shows::Bearer(good))
        .await
        .is_problem(401, "unauthenticated");
    for _ in 0..25 {
        send(4, &Shows::Nothing).await;
    }
    for _ in 0..65 {
        let request = Served::request("GET", "/api/version", &Shows::Nothing, "");
        served
            .send_from(Door::Web, [192, 0, 2, 5].into(), request)
            .await;
    }
    let listed = served.get("/api/audit/events?limit=500", &ada).await.json();
    let items = listed["items"].as_array().expect("items").clone();
    let of = |event: &str| -> Vec<serde_json::Value> {
        items
            .iter()
            .filter(|item| item["event"] == event)
            .cloned()
            .collect()
    };
    assert_eq!(of("account_locked")[0]["email"], "ada@example.com");
    let failures = of("login_failure");
    assert_eq!(failures.len(), 6);
    let named = failures
        .iter()
        .filter(|item| item["email"] == "ada@example.com");
    assert_eq!(named.count(), 5);
    let unnamed = failures.iter().filter(|item| item["email"].is_null());
    assert_eq!(unnamed.count(), 1, "nobody has the address that was typed");
    assert!(!listed.to_string().contains("typed@example.com"));
    let rejected = of("api_key_rejected");
    assert_eq!(rejected[0]["event_type"], "api_token.rejected");
    let targets: Vec<_> = rejected
        .iter()
        .map(|item| item["target"].as_str())
        .collect();
    let revoked = id.to_string();
    assert!(
        targets.contains(&None) && targets.contains(&Some(&*revoked)),
        "{targets:?}"
    );
    assert_eq!(of("rate_limit_hit").len(), 1, "the first of a window");
    // One row a request, twenty of an address at most: the rest is counted.
    assert_eq!(of("permission_denied").len(), 22);
    let filtered = served
        .get(
            "/api/audit/events?event_type=user.login_failed&email=ada@example.com",
            &ada,
        )
        .await;
    assert_eq!(filtered.json()["total"], 5);
    let prefixed = served
        .get(
            "/api/audit/events?event_type_prefix=api_token.&limit=1",
            &ada,
        )
        .await;
    assert_eq!(prefixed.json()["items"].as_array().map(Vec::len), Some(1));
    let wrong = served
        .get("/api/audit/events?created_from=yesterday", &ada)
        .await;
    wrong.is_problem(422, "request_invalid");
    let proof = served.folder.path().join(".dango/logs/audit.jsonl");
    served.app().sequence_audit(app::audit::Sign::Now).await;
    assert!(chained(&proof), "every line names the one before");
}

fn chained(path: &Path) -> bool {
    let text = fs_err::read_to_string(path).expect("written");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut pairs = lines.windows(2);
    lines.len() > 5 && pairs.all(|pair| pair[1]["prev_hash"] == pair[0]["hash"])
}
