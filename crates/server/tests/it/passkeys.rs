//! Passkeys at the doors, with a device in software.

use crate::people::{code_at, cookie};
use crate::project::{Answer, PASSWORD, Served, Shows};
use security::Role;
use serde_json::{Value, json};
use server::Door;
use testkit::authenticator::Device;

const SETTINGS: &str =
    "{auth: {rate_limit: {enabled: false}}, server: {public_url: 'http://localhost:8800'}}";
const HERE: &str = "http://localhost:8800";

impl Served {
    /// Asks at `begin` and returns the question with what the device shows.
    async fn shown(&self, begin: &str, shows: &Shows, device: &mut Device) -> Value {
        let asked = self.post(begin, shows, "").await;
        assert_eq!(asked.status.as_u16(), 200, "{}", asked.text);
        let asked = asked.json();
        let answer = device.get(HERE, &asked["options"]).await.expect("shown");
        answered(&asked, &answer)
    }

    pub(crate) async fn add_passkey(&self, shows: &Shows, device: &mut Device) -> Answer {
        let asked = self
            .post("/api/auth/passkeys/register/begin", shows, "")
            .await
            .json();
        let answer = device.create(HERE, &asked["options"]).await.expect("made");
        let mut body = answered(&asked, &answer);
        body["name"] = " laptop ".into();
        let path = "/api/auth/passkeys/register/finish";
        self.post(path, shows, &body.to_string()).await
    }

    /// Asks whoever is there for a passkey; returns the question and what binds it.
    async fn ask_anybody(&self) -> (Value, String) {
        let path = "/api/auth/passkeys/sign-in/begin";
        let asked = self.post(path, &Shows::Nothing, "").await;
        let set = asked.header("set-cookie").to_owned();
        assert!(
            set.contains("; HttpOnly; SameSite=Lax; Path=/api/auth/passkeys;"),
            "{set}"
        );
        (
            asked.json(),
            set.split(';').next().expect("a pair").to_owned(),
        )
    }

    async fn enter_by_passkey(&self, body: &Value, binding: &str) -> Answer {
        let path = "/api/auth/passkeys/sign-in/finish";
        let mut request = Self::request("POST", path, &Shows::Nothing, &body.to_string());
        let headers = request.headers_mut();
        headers.insert("cookie", binding.parse().expect("a header"));
        headers.insert("sec-fetch-site", "same-origin".parse().expect("a header"));
        self.send(Door::Web, request).await
    }
}

fn answered(asked: &Value, answer: &str) -> Value {
    let answer: Value = serde_json::from_str(answer).expect("JSON");
    json!({"key": asked["key"], "answer": answer})
}

#[tokio::test]
async fn a_passkey_is_added_with_recovery_codes_and_asked_for_from_then_on() {
    let (served, mut device) = (Served::with(SETTINGS, &[]).await, Device::default());
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let added = served.add_passkey(&shows, &mut device).await;
    assert_eq!(added.status.as_u16(), 201, "{}", added.text);
    let added = added.json();
    assert_eq!(added["passkey"]["name"], "laptop");
    assert_eq!(added["recovery_codes"].as_array().map(Vec::len), Some(8));
    let factors = served.get("/api/auth/2fa", &shows).await.json();
    assert_eq!(
        (&factors["passkeys"], &factors["recovery_codes_left"]),
        (&1.into(), &8.into())
    );
    let more = served
        .add_passkey(&shows, &mut Device::default())
        .await
        .json();
    assert_eq!(
        more["recovery_codes"],
        json!([]),
        "only the first brings codes"
    );

    let typed = json!({"email": "ada@example.com", "password": PASSWORD}).to_string();
    let asked = served
        .post("/api/auth/login", &Shows::Nothing, &typed)
        .await;
    assert_eq!(asked.json(), json!({"requires_2fa": true}));
    let waiting = cookie(&asked);
    let body = served
        .shown("/api/auth/passkeys/verify/begin", &waiting, &mut device)
        .await;
    let finish = "/api/auth/passkeys/verify/finish";
    served
        .post(finish, &shows, &body.to_string())
        .await
        .is_problem(400, "usage_invalid");
    let entered = served.post(finish, &waiting, &body.to_string()).await;
    assert_eq!(
        entered.json()["user"]["email"],
        "ada@example.com",
        "{}",
        entered.text
    );
    let inside = cookie(&entered);
    served
        .post(finish, &inside, &body.to_string())
        .await
        .is_problem(400, "usage_invalid");

    let listed = served.get("/api/auth/passkeys", &inside).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    let id = added["passkey"]["id"].as_str().expect("an id");
    let path = format!("/api/auth/passkeys/{id}");
    let send = async |method: &str, body: &str| {
        let request = Served::request(method, &path, &inside, body);
        served.send(Door::Web, request).await
    };
    assert_eq!(
        send("PATCH", r#"{"name": "work"}"#).await.json()["name"],
        "work"
    );
    send("PATCH", r#"{"name": " "}"#)
        .await
        .is_problem(422, "request_invalid");
    served.clock.move_on(301);
    send("DELETE", "")
        .await
        .is_problem(403, "reauthentication_required");
    let again = "/api/auth/passkeys/reauthenticate/begin";
    let body = served.shown(again, &inside, &mut device).await;
    let again = "/api/auth/passkeys/reauthenticate/finish";
    let proven = served.post(again, &inside, &body.to_string()).await;
    assert!(proven.json()["proven_at"].is_string(), "{}", proven.text);
    assert_eq!(send("DELETE", "").await.json()["success"], true);
    send("DELETE", "")
        .await
        .is_problem(404, "passkey_not_found");
}

#[tokio::test]
async fn recovery_codes_stay_good_until_the_app_that_replaces_them_has_shown_a_code() {
    let (served, mut device) = (Served::with(SETTINGS, &[]).await, Device::default());
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    let old = served.add_passkey(&shows, &mut device).await.json();
    let prove = async |codes: &Value, index: usize| {
        let body = json!({"password": PASSWORD, "code": codes["recovery_codes"][index]});
        let path = "/api/auth/reauthenticate";
        served.post(path, &shows, &body.to_string()).await
    };
    let begin = async || {
        served
            .post("/api/auth/2fa/setup", &shows, "{}")
            .await
            .json()
    };
    let given_up = begin().await;
    let new = begin().await;
    let proven = prove(&old, 0).await;
    assert!(proven.json()["proven_at"].is_string(), "{}", proven.text);
    for codes in [&given_up, &new] {
        prove(codes, 0).await.is_problem(400, "second_factor_wrong");
    }
    let factors = served.get("/api/auth/2fa", &shows).await.json();
    assert_eq!(factors["recovery_codes_left"], 7);

    let code = code_at(new["secret"].as_str().expect("base32"), 1_800_000_000);
    let body = json!({ "code": code }).to_string();
    let enabled = served
        .post("/api/auth/2fa/verify-setup", &shows, &body)
        .await;
    assert_eq!(enabled.json()["success"], true, "{}", enabled.text);
    let proven = prove(&new, 0).await;
    assert!(proven.json()["proven_at"].is_string(), "{}", proven.text);
    for codes in [&given_up, &old] {
        prove(codes, 1).await.is_problem(400, "second_factor_wrong");
    }
    let factors = served.get("/api/auth/2fa", &shows).await.json();
    assert_eq!(factors["recovery_codes_left"], 7);
}

#[tokio::test]
async fn a_passkey_alone_signs_in_once_and_in_the_browser_that_was_asked() {
    let (served, mut device) = (Served::with(SETTINGS, &[]).await, Device::default());
    let shows = Shows::Cookie(served.sign_in("ada", Role::Admin, false).await);
    served.add_passkey(&shows, &mut device).await;
    let (asked, binding) = served.ask_anybody().await;
    let (_, other) = served.ask_anybody().await;
    let answer = device.get(HERE, &asked["options"]).await.expect("shown");
    let body = answered(&asked, &answer);
    for wrong in [other.as_str(), "dango-passkey=", "a=b"] {
        let refused = served.enter_by_passkey(&body, wrong).await;
        refused.is_problem(400, "ceremony_over");
    }
    let tries = (0..16).map(|_| served.enter_by_passkey(&body, &binding));
    let ended = futures_util::future::join_all(tries).await;
    let entered: Vec<_> = ended
        .iter()
        .filter(|one| one.status.as_u16() == 200)
        .collect();
    assert_eq!(entered.len(), 1, "the answer counts once");
    assert_eq!(entered[0].json()["must_change_password"], false);
    let me = served.get("/api/auth/me", &cookie(entered[0])).await.json();
    assert_eq!(me["email"], "ada@example.com");

    let (asked, binding) = served.ask_anybody().await;
    let body = json!({"key": asked["key"], "answer": {"id": "x"}});
    served
        .enter_by_passkey(&body, &binding)
        .await
        .is_problem(400, "passkey_refused");
}
