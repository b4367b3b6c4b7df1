//! Letting a program in that has no browser, from its first question to its token's end.

use crate::project::{Answer, Served, Shows};
use security::Role;
use serde_json::{Value, json};
use server::Door;
use std::net::IpAddr;

const SETTINGS: &str =
    "auth: {rate_limit: {enabled: false}}\nserver: {public_url: 'https://dango.example.com'}";

impl Served {
    /// Lets a program ask.
    async fn ask(&self, wish: Value) -> Answer {
        let request = Self::request(
            "POST",
            "/auth/device/code",
            &Shows::Nothing,
            &wish.to_string(),
        );
        let ip = IpAddr::from([192, 0, 2, 77]);
        self.send_from(Door::Dap, ip, request).await
    }

    /// Lets it come back.
    async fn come_back(&self, begun: &Value) -> Answer {
        let body = json!({"device_code": begun["device_code"]}).to_string();
        self.post("/api/auth/device/token", &Shows::Nothing, &body)
            .await
    }

    /// Types a short code.
    async fn code(&self, act: &str, shows: &Shows, code: &str) -> Answer {
        let body = json!({ "user_code": code }).to_string();
        self.post(&format!("/api/auth/device/{act}"), shows, &body)
            .await
    }

    /// Returns the names of the events of one kind, with their address and details.
    async fn events_of(&self, kind: &str) -> Vec<Value> {
        let path = format!("/audit/events?event={kind}");
        let request = Self::request("GET", &path, &Shows::Nothing, "");
        let listed = self.send(Door::Socket, request).await.json();
        listed["items"].as_array().expect("items").clone()
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("text")
}

#[tokio::test]
async fn a_program_is_let_in_by_whoever_types_its_code() {
    let served = Served::with(SETTINGS, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Editor, false).await);
    let begun = served
        .ask(json!({"name": "dango on \u{202e}laptop\n"}))
        .await;
    assert_eq!(begun.status.as_u16(), 200, "{}", begun.text);
    let begun = begun.json();
    let code = text(&begun, "user_code").to_owned();
    assert_eq!(
        begun["verification_uri_complete"],
        format!("https://dango.example.com/device?code={code}")
    );
    assert_eq!(
        (&begun["expires_in"], &begun["interval"]),
        (&json!(600), &json!(5))
    );
    served
        .come_back(&begun)
        .await
        .is_problem(400, "authorization_pending");
    served.come_back(&begun).await.is_problem(400, "slow_down");

    let typed = code.to_lowercase().replace('-', " ");
    let seen = served.code("look", &ada, &typed).await.json();
    assert_eq!(seen["name"], "dango on laptop");
    assert_eq!(seen["ip_address"], "192.0.2.77");
    let scopes = [
        "account.view",
        "health.view",
        "source.view",
        "query.execute",
    ];
    assert_eq!(seen["scopes"], json!(scopes));
    let approved = served.code("approve", &ada, &code).await;
    assert_eq!(approved.status.as_u16(), 200, "{}", approved.text);
    served
        .code("approve", &ada, &code)
        .await
        .is_problem(404, "device_code_wrong");

    served.clock.move_on(5);
    let token = served.come_back(&begun).await;
    assert_eq!(token.status.as_u16(), 200, "{}", token.text);
    let token = token.json();
    assert_eq!(token["email"], "ada@example.com");
    assert_eq!(token["scope"], scopes.join(" "));
    served.clock.move_on(5);
    served
        .come_back(&begun)
        .await
        .is_problem(400, "expired_token");

    let bearer = Shows::Bearer(text(&token, "access_token").to_owned());
    let me = served.get("/api/auth/me", &bearer).await;
    assert_eq!(me.json()["email"], "ada@example.com");
    let status = served.get("/api/status", &bearer).await;
    assert_eq!(status.status.as_u16(), 200, "{}", status.text);
    served
        .get("/api/logs", &bearer)
        .await
        .is_problem(403, "permission_denied");
    served
        .post("/api/auth/api-tokens", &bearer, r#"{"name": "more"}"#)
        .await
        .is_problem(403, "permission_denied");

    let made = &served.events_of("api_key_created").await[0];
    assert_eq!(made["email"], "ada@example.com");
    let approvals = served.events_of("device_approved").await;
    let told = approvals[0].to_string();
    assert_eq!(approvals[0]["email"], "ada@example.com");
    assert!(told.contains("192.0.2.77"), "{told}");
    served.clock.move_on(90 * 24 * 3_600);
    served
        .get("/api/auth/me", &bearer)
        .await
        .is_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_a_fresh_proof_a_session_and_its_ten_minutes() {
    let served = Served::with(SETTINGS, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let token = Shows::Bearer(served.token("ada", None).await);
    let code = text(&served.ask(json!({})).await.json(), "user_code").to_owned();
    for act in ["look", "approve", "deny"] {
        served
            .code(act, &Shows::Nothing, &code)
            .await
            .is_problem(401, "unauthenticated");
        served
            .code(act, &token, &code)
            .await
            .is_problem(403, "permission_denied");
    }
    served.clock.move_on(301);
    served
        .code("approve", &ada, &code)
        .await
        .is_problem(403, "reauthentication_required");
    served.clock.move_on(300);
    let ada = Shows::Cookie(served.enter("ada").await);
    served
        .code("approve", &ada, &code)
        .await
        .is_problem(404, "device_code_wrong");
}

#[tokio::test]
async fn a_program_that_is_sent_away_learns_so() {
    let served = Served::with(SETTINGS, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let begun = served.ask(json!({})).await.json();
    let denied = served.code("deny", &ada, text(&begun, "user_code")).await;
    assert_eq!(denied.status.as_u16(), 200, "{}", denied.text);
    served
        .come_back(&begun)
        .await
        .is_problem(400, "access_denied");
    assert_eq!(served.events_of("device_denied").await.len(), 1);
}

#[tokio::test]
async fn a_program_gets_no_more_than_its_approver_has() {
    let served = Served::with(SETTINGS, &[]).await;
    let vic = Shows::Cookie(served.sign_in("vic", Role::Viewer, false).await);
    let wish = json!({"scopes": ["source.view", "audit.view", "users.view"], "expires_in_days": 1});
    let begun = served.ask(wish).await.json();
    let code = text(&begun, "user_code");
    let approved = served.code("approve", &vic, code).await.json();
    assert_eq!(approved["scopes"], json!(["source.view"]));
    let token = served.come_back(&begun).await.json();
    assert_eq!(token["scope"], "source.view");
    let begun = served.ask(json!({"scopes": ["audit.view"]})).await.json();
    served
        .code("approve", &vic, text(&begun, "user_code"))
        .await
        .is_problem(403, "permission_denied");
    for wish in [
        json!({"scopes": ["account.secure"]}),
        json!({"scopes": ["everything"]}),
        json!({"expires_in_days": 0}),
        json!({"expires_in_days": 366}),
    ] {
        served.ask(wish).await.is_problem(422, "token_invalid");
    }
}

#[tokio::test]
async fn guesses_at_codes_end_and_leave_the_password_alone() {
    let served = Served::with(SETTINGS, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let begun = served.ask(json!({})).await.json();
    for guess in ["", "BCDF-GHJK", "nonsense", "BCDF-GHJL"] {
        served
            .code("approve", &ada, guess)
            .await
            .is_problem(404, "device_code_wrong");
    }
    served
        .code("look", &ada, "BCDF-GHJM")
        .await
        .is_problem(423, "account_locked");
    served
        .code("approve", &ada, text(&begun, "user_code"))
        .await
        .is_problem(423, "account_locked");
    assert_eq!(served.events_of("device_code_wrong").await.len(), 5);
    served.enter("ada").await;
}

#[tokio::test]
async fn of_many_returns_at_once_one_gets_the_token() {
    let served = Served::with(SETTINGS, &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let begun = served.ask(json!({})).await.json();
    served
        .code("approve", &ada, text(&begun, "user_code"))
        .await;
    let answers = futures_util::future::join_all((0..16).map(|_| served.come_back(&begun))).await;
    let given = answers.iter().filter(|a| a.status.as_u16() == 200).count();
    assert_eq!(given, 1);
    assert_eq!(served.events_of("api_key_created").await.len(), 1);
}

#[tokio::test]
async fn whoever_has_a_token_may_give_it_up() {
    let served = Served::with(SETTINGS, &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    let raw = served.token("ada", Some(&["source.view"])).await;
    let give_back = async |token: &str| {
        let body = json!({ "token": token }).to_string();
        let path = "/api/auth/device/revoke";
        let answer = served.post(path, &Shows::Nothing, &body).await;
        assert_eq!(answer.status.as_u16(), 204, "{}", answer.text);
    };
    give_back("").await;
    give_back(&format!("dap_{}", "x".repeat(43))).await;
    give_back(&raw).await;
    give_back(&raw).await;
    served
        .get("/api/sources", &Shows::Bearer(raw))
        .await
        .is_problem(401, "unauthenticated");
    let revoked = served.events_of("api_key_revoked").await;
    assert_eq!(revoked.len(), 1);
    assert_eq!(revoked[0]["email"], "ada@example.com");
}
