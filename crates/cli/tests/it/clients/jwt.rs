//! `PyJWT`, another implementation of RFC 7519: it reads what we sign with what the documents say, and what it forges opens
//! nothing.

use super::{Served, run};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use testkit::http::Connection;

const SECRET: &str = "vMq8w3ZrT1xLkQy7hN5bJdXcFgS2aPoE";

/// Reads a session and forges others; prints everything as JSON.
const PROGRAM: &str = r#"
import json, sys, time, uuid, jwt
given = json.load(sys.stdin)
token, secret = given["token"], given["secret"]
header = jwt.get_unverified_header(token)
claims = jwt.decode(token, secret, algorithms=["HS256"], audience="fastapi-users:auth")
def sign(changes={}, key=secret, algorithm="HS256", head={}, without=()):
    body = {name: value for name, value in {**claims, **changes}.items() if name not in without}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": header["kid"], **head})
parts = token.split(".")
forged = {
    "alg none": sign(key=None, algorithm="none"),
    "alg none, no signature's dot": sign(key=None, algorithm="none").rstrip("."),
    "another key": sign(key="another key, which is long enough too"),
    "an empty key": sign(key="\0" * 32),
    "HS384": sign(key=secret * 2, algorithm="HS384"),
    "HS512 with the right key": sign(key=secret, algorithm="HS512"),
    "another key's name": sign(head={"kid": "000000000000"}),
    "somebody else's sub": sign({"sub": str(uuid.uuid4())}),
    "a session that is none": sign({"sid": str(uuid.uuid4())}),
    "a generation to come": sign({"gen": claims["gen"] + 5}),
    "another audience": sign({"aud": ["dango:device"]}),
    "no audience": sign(without=["aud"]),
    "no end": sign(without=["exp"]),
    "nobody": sign(without=["sub"]),
    "claims of another under this signature": ".".join(
        [parts[0], sign({"gen": 2}).split(".")[1], parts[2]]),
}
over = sign({"iat": int(time.time()) - 2000, "exp": int(time.time()) - 1000})
print(json.dumps({"header": header, "claims": claims, "forged": forged, "again": sign(), "over": over}))
"#;

/// Returns the wheel of `PyJWT`.
fn wheel() -> PathBuf {
    let named = std::env::var_os("DANGO_TEST_PYJWT").map(PathBuf::from);
    let cache = std::env::var_os("DANGO_BUILD_CACHE").map(PathBuf::from);
    let home = std::env::home_dir().map(|home| home.join(".cache/dango-build"));
    let wheel = named
        .or_else(|| Some(cache.or(home)?.join("python/pyjwt-2.15.1-py3-none-any.whl")))
        .unwrap_or_default();
    assert!(
        wheel.is_file(),
        "PyJWT is not at {}: run `scripts/pyjwt.sh ~/.cache/dango-build` and set DANGO_TEST_PYJWT to what it prints",
        wheel.display()
    );
    wheel
}

fn python(token: &str) -> Value {
    let mut command = Command::new("python3");
    command.args(["-c", PROGRAM]).env("PYTHONPATH", wheel());
    let given = json!({"token": token, "secret": SECRET}).to_string();
    serde_json::from_str(&run(&mut command, &given)).expect("JSON")
}

fn as_cookie(served: &Served, token: &str) -> u16 {
    let cookie = format!("dap-jwt={token}");
    let answer = served
        .connect()
        .ask("GET", "/api/auth/me", &[("Cookie", &cookie)], None);
    answer.expect("an answer").status
}

fn as_bearer(served: &Served, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let mut connection = Connection::open(served.dap).expect("it listens");
    let answer = connection.ask("GET", "/users/me", &[("Authorization", &bearer)], None);
    answer.expect("an answer").status
}

#[test]
fn pyjwt_reads_a_session_and_what_it_forges_opens_nothing() {
    let settings = "auth: {rate_limit: {enabled: false}}";
    let served = Served::start(settings, &[("DAP_AUTH_JWT_SECRET", SECRET)]);
    let token = served.sign_in();
    let read = python(&token);
    let (header, claims) = (&read["header"], &read["claims"]);
    assert_eq!(header["alg"], "HS256");
    assert!(header["kid"].is_string(), "{header}");
    let mut names: Vec<_> = claims.as_object().expect("claims").keys().collect();
    names.sort();
    assert_eq!(names, ["aud", "exp", "gen", "iat", "sid", "sub"]);
    assert_eq!(
        (&claims["aud"], &claims["gen"]),
        (&json!(["fastapi-users:auth"]), &json!(1))
    );
    let seconds = |name: &str| claims[name].as_i64().expect("a number");
    assert_eq!(seconds("exp") - seconds("iat"), 900);
    let user = served
        .project
        .run(&["user", "show", "ada@example.com", "--json"]);
    assert_eq!(user.succeeded().json()["user"]["id"], claims["sub"]);
    // Whoever has the key can sign, so what PyJWT signs right is taken: the refusals below are about what is wrong.
    let again = read["again"].as_str().expect("a token");
    assert_eq!(
        (as_cookie(&served, &token), as_cookie(&served, again)),
        (200, 200)
    );
    assert_eq!(as_bearer(&served, again), 200);
    let forged = read["forged"].as_object().expect("forged ones");
    assert!(forged.len() >= 14, "{forged:?}");
    for (what, token) in forged {
        let token = token.as_str().expect("a token");
        let statuses = (as_cookie(&served, token), as_bearer(&served, token));
        assert_eq!(statuses, (401, 401), "{what}");
    }
    // A bearer that is over is nothing; the session itself was not touched by any of this.
    assert_eq!(
        as_bearer(&served, read["over"].as_str().expect("a token")),
        401
    );
    assert_eq!(as_cookie(&served, &token), 200);
}
