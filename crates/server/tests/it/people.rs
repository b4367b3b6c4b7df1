//! People at the doors: what they send, what they get, and what nobody gets.

use crate::project::{Answer, PASSWORD, Served, Shows};
use security::Role;
use server::Door;
use std::net::IpAddr;

const NEW: &str = "quite another long secret";

impl Served {
    async fn login(&self, email: &str, password: &str) -> Answer {
        let body = serde_json::json!({"email": email, "password": password}).to_string();
        self.post("/api/auth/login", &Shows::Nothing, &body).await
    }
}

/// Returns what the answer sets the session's cookie to.
pub(crate) fn cookie(answer: &Answer) -> Shows {
    let set = answer.headers.get_all("set-cookie").iter();
    let value = set
        .filter_map(|value| value.to_str().ok())
        .find_map(|text| text.strip_prefix("dap-jwt="))
        .and_then(|text| text.split(';').next());
    Shows::Cookie(value.expect("a cookie").to_owned())
}

/// Returns what an app shows that holds this secret.
pub(crate) fn code_at(secret: &str, unix_seconds: u64) -> String {
    let secret = data_encoding::BASE32_NOPAD.decode(secret.as_bytes());
    let app = totp_rs::Builder::new().with_secret(secret.expect("base32"));
    app.build_noncompliant().generate(unix_seconds).to_string()
}

#[tokio::test]
async fn a_sign_in_has_the_form_of_dangos_pages() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    let answer = served.login("ada@example.com", PASSWORD).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["user"]["role"], "admin");
    assert_eq!(body["must_change_password"], false);
    assert_eq!(body["requires_2fa_setup"], false);
    assert_eq!(body["user"]["has_password"], true);
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let session = set[0].to_str().expect("text");
    assert!(session.contains("; HttpOnly; SameSite=Lax; Path=/;") && !session.contains("Domain"));
    let shows = cookie(&answer);
    assert_eq!(
        served.get("/api/auth/me", &shows).await.json()["email"],
        "ada@example.com"
    );
    let left = served.post("/api/auth/logout", &shows, "").await;
    assert_eq!(left.json()["success"], true);
    served
        .get("/api/auth/me", &shows)
        .await
        .is_problem(401, "unauthenticated");

    for (email, password) in [
        ("ada@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
    ] {
        let refused = served.login(email, password).await;
        assert_eq!(
            refused.is_problem(400, "credentials_wrong")["message"],
            "the e-mail address or the password is wrong"
        );
    }
    for _ in 0..4 {
        served.login("nobody@example.com", PASSWORD).await;
    }
    let locked = served.login("nobody@example.com", PASSWORD).await;
    assert_eq!(
        locked.is_problem(423, "account_locked")["remaining_seconds"],
        900
    );
    assert_eq!(locked.header("retry-after"), "900");
}

#[tokio::test]
async fn dap_clients_sign_in_with_a_form_and_never_get_a_cookie() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    served.sign_in("ada", Role::Admin, false).await;
    let form = async |text: &str| {
        let mut request = Served::request("POST", "/auth/jwt/login", &Shows::Nothing, text);
        let kind = "application/x-www-form-urlencoded"
            .parse()
            .expect("a header");
        request.headers_mut().insert("content-type", kind);
        served.send(Door::Dap, request).await
    };
    let right = format!(
        "username=ada%40example.com&password={}",
        PASSWORD.replace(' ', "+")
    );
    let answer = form(&right).await;
    assert_eq!(answer.json()["token_type"], "bearer", "{}", answer.text);
    assert!(answer.headers.get("set-cookie").is_none());
    let token = answer.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let get = Served::request("GET", "/users/me", &Shows::Bearer(token), "");
    let me = served.send(Door::Dap, get).await.json();
    assert_eq!(
        (&me["is_superuser"], &me["is_active"]),
        (&true.into(), &true.into())
    );
    let wrong = form("username=ada%40example.com&password=no").await;
    assert_eq!(
        wrong.is_problem(400, "credentials_wrong")["detail"],
        "LOGIN_BAD_CREDENTIALS"
    );
    form("username=ada%40example.com")
        .await
        .is_problem(422, "request_invalid");
    let closed = served
        .send(Door::Dap, Served::request("POST", "/auth/register", &Shows::Nothing,
            r#"{"email": "eve@example.com", "password": "quite another long secret", "is_superuser": true}"#))
        .await;
    closed.is_problem(403, "registration_closed");
}

#[tokio::test]
async fn an_open_team_lets_people_register_as_viewers() {
    let served = Served::with("auth: {open_registration: true}", &[]).await;
    let register = async |password: &str| {
        let body = serde_json::json!({"email": "eve@example.com", "password": password, "is_superuser": true, "role": "admin"});
        let request = Served::request("POST", "/auth/register", &Shows::Nothing, &body.to_string());
        served.send(Door::Dap, request).await
    };
    let short = register("short").await.is_problem(400, "password_weak");
    assert_eq!(short["detail"]["code"], "REGISTER_INVALID_PASSWORD");
    assert_eq!(
        short["detail"]["reason"],
        "Password must be at least 8 characters"
    );
    let made = register(NEW).await;
    assert_eq!(made.status.as_u16(), 201);
    assert_eq!(
        (&made.json()["is_superuser"], &made.json()["role"]),
        (&false.into(), &"viewer".into())
    );
    let again = register(NEW).await.is_problem(400, "user_exists");
    assert_eq!(again["detail"], "REGISTER_USER_ALREADY_EXISTS");
}

#[tokio::test]
async fn an_authenticator_app_is_set_up_and_asked_for_from_then_on() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let other = Shows::Cookie(served.enter("ada").await);
    let password = serde_json::json!({"password": PASSWORD}).to_string();
    let set_up = served
        .post("/api/auth/2fa/setup", &shows, &password)
        .await
        .json();
    assert_eq!(set_up["recovery_codes"].as_array().map(Vec::len), Some(8));
    let secret = set_up["secret"].as_str().expect("base32").to_owned();
    let code = |seconds: u64| code_at(&secret, 1_800_000_000 + seconds);
    let show = |code: &str| serde_json::json!({"code": code}).to_string();
    served
        .post("/api/auth/2fa/verify-setup", &shows, &show("000000"))
        .await
        .is_problem(400, "second_factor_wrong");
    let first = code(0);
    let enabled = served
        .post("/api/auth/2fa/verify-setup", &shows, &show(&first))
        .await;
    assert_eq!(enabled.json()["success"], true, "{}", enabled.text);
    served
        .get("/api/auth/me", &other)
        .await
        .is_problem(401, "unauthenticated");

    let asked = served.login("ada@example.com", PASSWORD).await;
    assert_eq!(asked.json(), serde_json::json!({"requires_2fa": true}));
    let waiting = cookie(&asked);
    for path in ["/api/auth/me", "/api/sources", "/api/auth/sessions"] {
        let refused = served.get(path, &waiting).await;
        assert_eq!(refused.status.as_u16(), 401, "{path}");
    }
    served
        .post("/api/auth/2fa/verify", &waiting, &show(&first))
        .await
        .is_problem(400, "second_factor_wrong");
    served.clock.move_on(30);
    let second = code(30);
    let tries = (0..16).map(|_| {
        served.post(
            "/api/auth/2fa/verify",
            &waiting,
            r#"{"code": "CODE"}"#.replace("CODE", &second).leak(),
        )
    });
    let ended = futures_util::future::join_all(tries).await;
    let entered: Vec<_> = ended
        .iter()
        .filter(|answer| answer.status.as_u16() == 200)
        .collect();
    assert_eq!(entered.len(), 1, "the code counts once");
    assert_eq!(entered[0].json()["must_change_password"], false);
    let inside = cookie(entered[0]);
    assert_eq!(
        served.get("/api/auth/me", &inside).await.json()["totp_enabled"],
        true
    );
    assert_eq!(
        served.get("/api/auth/2fa", &inside).await.json()["recovery_codes_left"],
        8
    );
}

#[tokio::test]
async fn a_recovery_code_is_good_once_and_dap_clients_send_one_along() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let set_up = served
        .post("/api/auth/2fa/setup", &shows, "{}")
        .await
        .json();
    let recovery = set_up["recovery_codes"][0]
        .as_str()
        .expect("a code")
        .to_lowercase();
    let secret = set_up["secret"].as_str().expect("base32").to_owned();
    let code = code_at(&secret, 1_800_000_000);
    let body = serde_json::json!({"code": code}).to_string();
    served
        .post("/api/auth/2fa/verify-setup", &shows, &body)
        .await;
    let form = async |otp: &str| {
        let text = format!(
            "username=ada%40example.com&password={}{otp}",
            PASSWORD.replace(' ', "+")
        );
        let mut request = Served::request("POST", "/auth/jwt/login", &Shows::Nothing, &text);
        let kind = "application/x-www-form-urlencoded"
            .parse()
            .expect("a header");
        request.headers_mut().insert("content-type", kind);
        served.send(Door::Dap, request).await
    };
    let asked = form("").await.is_problem(403, "second_factor_asked");
    assert_eq!(asked["detail"], "LOGIN_2FA_REQUIRED");
    let entered = form(&format!("&otp={recovery}")).await;
    assert_eq!(entered.json()["token_type"], "bearer", "{}", entered.text);
    let again = form(&format!("&otp={recovery}"))
        .await
        .is_problem(400, "second_factor_wrong");
    assert_eq!(again["detail"], "LOGIN_BAD_CREDENTIALS");
}

#[tokio::test]
async fn an_admin_invites_and_manages_and_others_do_not_learn_of_it() {
    let served = Served::with(
        "{auth: {rate_limit: {enabled: false}}, server: {public_url: 'https://dango.example.com'}}",
        &[],
    )
    .await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let eve = Shows::Cookie(served.sign_in("eve", Role::Viewer, false).await);
    let send = async |method: &str, path: &str, shows: &Shows, body: &str| {
        let mut request = Served::request(method, path, shows, body);
        // A host that is one of ours, and still not the one that links are made of.
        request
            .headers_mut()
            .insert("host", "localhost:8800".parse().expect("a host"));
        served.send(Door::Web, request).await
    };
    let invited = send(
        "POST",
        "/api/admin/users",
        &ada,
        r#"{"email": "bob@example.com", "role": "editor"}"#,
    )
    .await;
    assert_eq!(invited.status.as_u16(), 201, "{}", invited.text);
    let invited = invited.json();
    let link = invited["invite_url"].as_str().expect("a link");
    let token = link
        .strip_prefix("https://dango.example.com/invite/")
        .expect("of the configured address");
    let looked = send(
        "POST",
        "/api/auth/links/invite",
        &Shows::Nothing,
        &serde_json::json!({"token": token}).to_string(),
    )
    .await;
    assert_eq!(looked.json()["email"], "bob@example.com");
    let body = serde_json::json!({"token": token, "password": NEW}).to_string();
    let accepted = send("POST", "/api/auth/accept-invite", &Shows::Nothing, &body).await;
    assert_eq!(accepted.status.as_u16(), 200, "{}", accepted.text);
    send("POST", "/api/auth/accept-invite", &Shows::Nothing, &body)
        .await
        .is_problem(400, "link_invalid");
    let bob = cookie(&served.login("bob@example.com", NEW).await);
    let id = invited["user"]["id"].as_str().expect("an id");

    send("GET", "/api/users", &eve, "")
        .await
        .is_problem(404, "route_not_found");
    send("GET", "/api/admin/users", &eve, "")
        .await
        .is_problem(403, "permission_denied");
    send("GET", &format!("/api/users/{id}"), &eve, "")
        .await
        .is_problem(403, "permission_denied");
    let role = send(
        "PUT",
        &format!("/api/admin/users/{id}/role"),
        &ada,
        r#"{"role": "viewer"}"#,
    )
    .await;
    assert_eq!(role.json()["role"], "viewer");
    send(
        "PUT",
        &format!("/api/admin/users/{id}/role"),
        &ada,
        r#"{"role": "owner"}"#,
    )
    .await
    .is_problem(422, "request_invalid");
    send(
        "PATCH",
        &format!("/api/users/{id}"),
        &ada,
        r#"{"password": "chosen by somebody else"}"#,
    )
    .await
    .is_problem(422, "request_invalid");
    let ended = send(
        "POST",
        &format!("/api/admin/users/{id}/revoke-sessions"),
        &ada,
        "",
    )
    .await;
    assert_eq!(ended.json()["revoked_count"], 1);
    served
        .get("/api/auth/me", &bob)
        .await
        .is_problem(401, "unauthenticated");
    send(
        "DELETE",
        &format!("/api/admin/users/{id}"),
        &ada,
        r#"{"confirm_email": "eve@example.com"}"#,
    )
    .await
    .is_problem(400, "user_invalid");
    let deleted = send(
        "DELETE",
        &format!("/api/admin/users/{id}"),
        &ada,
        r#"{"confirm_email": "Bob@example.com"}"#,
    )
    .await;
    assert_eq!(deleted.json()["success"], true);
    assert_eq!(send("GET", "/api/users", &ada, "").await.json()["total"], 2);
    assert_eq!(
        send("GET", "/api/users?include_deleted=true", &ada, "")
            .await
            .json()["total"],
        3
    );
    let restored = send(
        "PATCH",
        &format!("/api/users/{id}"),
        &ada,
        r#"{"is_active": true}"#,
    )
    .await;
    assert_eq!(
        (
            &restored.json()["is_active"],
            &restored.json()["deleted_at"]
        ),
        (&true.into(), &serde_json::Value::Null)
    );
    let me = served.get("/api/auth/me", &ada).await.json();
    let own = format!("/api/users/{}", me["id"].as_str().expect("an id"));
    send("DELETE", &own, &ada, "")
        .await
        .is_problem(409, "not_oneself");
    send("PATCH", &own, &ada, r#"{"is_superuser": false}"#)
        .await
        .is_problem(409, "last_admin");
}

#[tokio::test]
async fn tokens_are_made_by_sessions_alone_and_shown_once() {
    let served = Served::with("auth: {rate_limit: {enabled: false}}", &[]).await;
    let ada = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let eve = Shows::Cookie(served.sign_in("eve", Role::Viewer, false).await);
    let made = served
        .post(
            "/api/auth/api-tokens",
            &ada,
            r#"{"name": "ci", "expires_in_days": 30}"#,
        )
        .await;
    assert_eq!(made.status.as_u16(), 201);
    let made = made.json();
    let bearer = Shows::Bearer(made["token"].as_str().expect("shown").to_owned());
    assert_eq!(
        made["prefix"].as_str(),
        made["token"].as_str().and_then(|token| token.get(4..12))
    );
    let listed = served.get("/api/auth/api-tokens", &ada).await;
    assert!(!listed.text.contains(made["token"].as_str().expect("shown")));
    let misspelt = r#"{"name": "ci", "scope": ["source.view"]}"#;
    let refused = served.post("/api/auth/api-tokens", &ada, misspelt).await;
    refused.is_problem(422, "request_invalid");
    let invite = r#"{"email": "more@example.com", "role": "admin"}"#;
    let refused = served.post("/api/admin/users", &bearer, invite).await;
    refused.is_problem(403, "permission_denied");
    served
        .post("/api/auth/api-tokens", &bearer, r#"{"name": "more"}"#)
        .await
        .is_problem(403, "permission_denied");
    served
        .post(
            "/api/auth/api-tokens",
            &eve,
            r#"{"name": "more", "scopes": ["users.manage"]}"#,
        )
        .await
        .is_problem(422, "token_invalid");
    let all = served.get("/api/auth/api-tokens/admin", &ada).await.json();
    assert_eq!(all["items"][0]["owner_email"], "ada@example.com");
    served
        .get("/api/auth/api-tokens/admin", &eve)
        .await
        .is_problem(404, "route_not_found");
    let path = format!(
        "/api/auth/api-tokens/{}",
        made["id"].as_str().expect("an id")
    );
    let foreign = served
        .send(Door::Web, Served::request("DELETE", &path, &eve, ""))
        .await;
    assert_eq!(
        foreign.is_problem(404, "token_not_found")["detail"],
        "Token not found"
    );
    for _ in 0..2 {
        let revoked = served
            .send(Door::Web, Served::request("DELETE", &path, &ada, ""))
            .await;
        assert_eq!(revoked.status.as_u16(), 204);
    }
    served
        .get("/api/auth/me", &bearer)
        .await
        .is_problem(401, "unauthenticated");
    let key = served
        .post("/api/auth/api-keys", &ada, r#"{"name": "ci"}"#)
        .await
        .json();
    assert!(
        key["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("dap_"))
            && key.get("token").is_none()
    );
    served.clock.move_on(300);
    served
        .post("/api/auth/api-tokens", &ada, r#"{"name": "late"}"#)
        .await
        .is_problem(403, "reauthentication_required");
    let proof = serde_json::json!({"password": PASSWORD}).to_string();
    let proven = served.post("/api/auth/reauthenticate", &ada, &proof).await;
    assert_eq!(proven.status.as_u16(), 200, "{}", proven.text);
    assert_eq!(
        served
            .post("/api/auth/api-tokens", &ada, r#"{"name": "late"}"#)
            .await
            .status
            .as_u16(),
        201
    );
}

#[tokio::test]
async fn the_first_admin_is_made_at_the_door_once() {
    let served = Served::new().await;
    let open = served.get("/api/auth/setup", &Shows::Nothing).await;
    assert_eq!(open.status.as_u16(), 200);
    let link = served
        .listening
        .set_up_link()
        .await
        .expect("made")
        .expect("there is no admin");
    let token = link
        .expose()
        .rsplit('/')
        .next()
        .expect("a token")
        .to_owned();
    let set_up = async |email: &str, ip: [u8; 4]| {
        let body = serde_json::json!({"token": token, "email": email, "password": NEW}).to_string();
        let request = Served::request("POST", "/api/auth/setup", &Shows::Nothing, &body);
        served.send_from(Door::Web, IpAddr::from(ip), request).await
    };
    let addresses: Vec<_> = (0..8).map(|n| format!("admin{n}@example.com")).collect();
    let tries = addresses
        .iter()
        .zip(1..)
        .map(|(email, n)| set_up(email, [192, 0, 2, n]));
    let made = futures_util::future::join_all(tries).await;
    assert_eq!(
        made.iter()
            .filter(|answer| answer.status.as_u16() == 201)
            .count(),
        1
    );
    set_up("eve@example.com", [203, 0, 113, 1])
        .await
        .is_problem(404, "route_not_found");
    served
        .get("/api/auth/setup", &Shows::Nothing)
        .await
        .is_problem(404, "route_not_found");
}

#[tokio::test]
async fn everybody_learns_what_a_token_of_his_can_be_narrowed_to() {
    let served = Served::new().await;
    for (name, role, count) in [("vera", Role::Viewer, None), ("ada", Role::Admin, Some(29))] {
        let shows = Shows::Cookie(served.sign_in(name, role, false).await);
        let names = served.get("/api/auth/permissions", &shows).await.json();
        let names = names.as_array().expect("a list");
        assert!(names.contains(&"health.view".into()), "{names:?}");
        assert_eq!(names.contains(&"users.manage".into()), count.is_some());
        assert!(count.is_none_or(|count| names.len() == count));
    }
}
