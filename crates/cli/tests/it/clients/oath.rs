//! `oathtool`, another implementation of RFC 6238, as the authenticator app.

use super::{PASSWORD, Served, run};
use serde_json::{Value, json};
use std::process::Command;
use testkit::http::{Answer, Connection};

/// Returns the app's code at a moment that `date` understands.
fn code(secret: &str, moment: &str) -> String {
    let printed = run(
        Command::new("oathtool").args(["--totp", "--base32", "--now", moment, "-"]),
        &format!("{secret}\n"),
    );
    printed.trim().to_owned()
}

fn post(connection: &mut Connection, path: &str, cookie: &str, body: &Value) -> Answer {
    let cookie = format!("dap-jwt={cookie}");
    let headers = [("Cookie", cookie.as_str())];
    connection
        .ask("POST", path, &headers, Some(body))
        .expect("an answer")
}

/// Sets the app up with this step's code; the next one's is good already, so that nobody has to wait.
fn enrol(served: &Served) -> String {
    let cookie = served.sign_in();
    let mut connection = served.connect();
    let made = post(
        &mut connection,
        "/api/auth/2fa/setup",
        &cookie,
        &json!({"password": PASSWORD}),
    );
    assert_eq!(made.status, 200, "{made:?}");
    let secret = made.json()["secret"].as_str().expect("a secret").to_owned();
    let uri = made.json()["provisioning_uri"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert!(
        uri.contains(&format!("secret={secret}&")),
        "what is typed is what is scanned"
    );
    let wrong = json!({"code": code("JBSWY3DPEHPK3PXP", "now")});
    let refused = post(
        &mut connection,
        "/api/auth/2fa/verify-setup",
        &cookie,
        &wrong,
    );
    assert_eq!(refused.status, 400, "a code of another app: {refused:?}");
    let right = json!({"code": code(&secret, "now")});
    let enabled = post(
        &mut connection,
        "/api/auth/2fa/verify-setup",
        &cookie,
        &right,
    );
    assert_eq!(enabled.status, 200, "{enabled:?}");
    secret
}

#[test]
fn codes_of_oathtool_sign_in_each_once() {
    let served = Served::start("", &[]);
    let secret = enrol(&served);
    let waiting = served.sign_in();
    let mut connection = served.connect();
    let verify = "/api/auth/2fa/verify";
    let used = json!({"code": code(&secret, "now")});
    let next = json!({"code": code(&secret, "now + 30 seconds")});
    let too_early = json!({"code": code(&secret, "now + 90 seconds")});
    for body in [&used, &too_early] {
        let refused = post(&mut connection, verify, &waiting, body);
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    let entered = post(&mut connection, verify, &waiting, &next);
    assert_eq!(entered.status, 200, "{entered:?}");
    let cookie = entered.cookie("dap-jwt").expect("a session").to_owned();
    let cookie = format!("dap-jwt={cookie}");
    let me = connection.ask("GET", "/api/auth/me", &[("Cookie", &cookie)], None);
    assert_eq!(me.expect("an answer").json()["email"], "ada@example.com");
    // A second browser with the same code comes too late.
    let waiting = served.sign_in();
    let refused = post(&mut connection, verify, &waiting, &next);
    assert_eq!(refused.status, 400, "{refused:?}");
}

#[test]
fn the_form_takes_a_code_of_oathtool_as_otp() {
    let served = Served::start("", &[]);
    let secret = enrol(&served);
    let form = |otp: &[&str]| {
        let url = format!("http://127.0.0.1:{}/auth/jwt/login", served.dap);
        let password = format!("password={PASSWORD}");
        let mut command = Command::new("curl");
        command.args([
            "-s",
            "-d",
            "username=ada@example.com",
            "--data-urlencode",
            &password,
        ]);
        let said = run(command.args(otp).arg(url), "");
        serde_json::from_str::<Value>(&said).expect("JSON")
    };
    assert_eq!(form(&[])["detail"], "LOGIN_2FA_REQUIRED");
    assert_eq!(
        form(&["-d", "otp=000000"])["detail"],
        "LOGIN_BAD_CREDENTIALS"
    );
    let otp = format!("otp={}", code(&secret, "now + 30 seconds"));
    assert_eq!(form(&["-d", &otp])["token_type"], "bearer");
    assert!(form(&["-d", &otp])["access_token"].is_null(), "once");
}
