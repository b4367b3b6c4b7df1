//! A server elsewhere: another machine signs in there, asks it, and signs out. What opens it is never shown.

use crate::project::{Project, Ran};
use crate::server::Served;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

const PASSWORD: &str = "correct horse battery staple\n";

/// A server with an admin and a synced source, and where it is.
fn serve() -> (Served, String) {
    let project = Project::shop();
    let words = [
        "init",
        "--admin-email",
        "ada@example.com",
        "--admin-password-stdin",
    ];
    project.run_with(&words, PASSWORD, &[]).succeeded();
    project.run(&["sync"]).succeeded();
    let served = Served::start(project);
    let url = served.status()["url"].as_str().expect("a URL").to_owned();
    (served, url)
}

fn token(served: &Served, words: &[&str]) -> String {
    let mut all = vec!["token", "create", "laptop", "--json"];
    all.extend(words);
    let made = served.0.run(&all).succeeded().json();
    made["token"].as_str().expect("shown once").to_owned()
}

/// Checks that none of these outputs has the token.
#[track_caller]
fn hide(token: &str, all: &[Ran]) {
    let secret = token.get(12..).expect("43 characters");
    for ran in all {
        assert!(!ran.stdout.contains(secret), "{ran:#?}");
        assert!(!ran.stderr.contains(secret), "{ran:#?}");
    }
}

#[test]
fn a_machine_asks_a_server_elsewhere_with_a_token() {
    let (served, url) = serve();
    let raw = token(&served, &[]);
    let machine = Project::empty();
    machine
        .run(&["status", "--remote"])
        .failed(4, "server_unknown");
    let login = machine.run_with(&["login", &url, "--token-stdin", "-v"], &raw, &[]);
    let login = login.succeeded();
    assert!(login.stderr.contains("as ada@example.com"), "{login:#?}");
    let folder = machine.path(".config/dango/servers");
    let file = fs_err::read_dir(&folder).expect("made").next();
    let file = file.expect("one").expect("read").path();
    let mode = fs_err::metadata(&file).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let status = machine.run(&["login", "--status", "--json"]).succeeded();
    assert_eq!(status.json()["items"][0]["state"], "good");
    let state = machine.run(&["status", "--remote", "--json"]).succeeded();
    assert_eq!(state.json()["sources"][0]["name"], "shop");
    let text = machine.run(&["status", "--remote"]).succeeded();
    assert!(text.stdout.contains(&format!("runs at {url}")), "{text:#?}");
    let here = served.0.run(&["source", "list"]).succeeded();
    let there = machine.run(&["source", "list", "--remote"]).succeeded();
    assert_eq!(here.stdout, there.stdout);
    let sql = "SELECT order_id, amount, 1 AS n, 2 AS n FROM raw_shop.orders ORDER BY 1 LIMIT 2";
    let rows = machine.run(&["query", "--remote", "--json", sql]);
    let rows = rows.succeeded();
    assert_eq!(rows.json()[0]["amount"].to_string(), "10.75");
    assert_eq!(
        rows.json()[1].as_object().map(serde_json::Map::len),
        Some(4)
    );
    let table = machine.run(&["query", "--remote", sql]).succeeded();
    assert!(table.stdout.contains("10.75"), "{table:#?}");
    let one = machine.run(&["query", "--remote", "--limit", "1", sql]);
    assert!(one.succeeded().stderr.contains("first 1 row only"));
    let bad = machine.run(&["query", "--remote", "DROP TABLE raw_shop.orders"]);
    bad.failed(1, "query_refused");
    let audit = machine.run(&["audit", "--remote", "--type", "api_key_created", "--json"]);
    let audit = audit.succeeded();
    assert_eq!(audit.json()["total"], 1);
    machine
        .run(&["audit", "--remote", "--follow"])
        .failed(2, "usage_invalid");

    let out = machine.run(&["logout"]).succeeded();
    assert!(out.stderr.contains("was made elsewhere"), "{out:#?}");
    assert!(!file.exists());
    let variables = [("DAP_ENGINE_URL", url.as_str()), ("DAP_AUTH_TOKEN", &raw)];
    let given = machine.run_with(&["status", "--remote", "-vv"], "", &variables);
    let given = given.succeeded();
    let elsewhere = [
        ("DAP_ENGINE_URL", "https://dango.invalid"),
        ("DAP_AUTH_TOKEN", &raw),
    ];
    let asked = format!("--remote={url}");
    let kept_back = machine.run_with(&["status", &asked], "", &elsewhere);
    let kept_back = kept_back.failed(3, "server_unknown");
    hide(&raw, &[login, status, state, text, given, kept_back, audit]);
}

#[test]
fn a_token_that_is_no_good_is_not_kept() {
    let (served, url) = serve();
    let machine = Project::empty();
    let raw = format!("dap_{}", "x".repeat(43));
    let login = |stdin: &str| machine.run_with(&["login", &url, "--token-stdin"], stdin, &[]);
    login(&raw).failed(3, "unauthenticated");
    login("my password").failed(1, "token_invalid");
    login("").failed(2, "usage_invalid");
    machine
        .run(&["login", &url, "--token"])
        .failed(2, "input_needed");
    for address in [
        "http://dango.example.com",
        "https://a:b@dango.example.com",
        "ftp://x",
    ] {
        machine
            .run_with(&["login", address, "--token-stdin"], &raw, &[])
            .failed(1, "server_url_invalid");
    }
    assert!(!machine.path(".config").exists());
    // A narrow one that may not even know whose it is is good.
    let narrow = token(&served, &["--scope", "source.view"]);
    login(&narrow).succeeded();
    machine.run(&["source", "list", "--remote"]).succeeded();
    machine
        .run(&["query", "--remote", "SELECT 1"])
        .failed(3, "permission_denied");
    // A project's own `.env` says neither where a token goes nor which.
    let project = Project::new();
    project.write(
        ".env",
        &format!("DAP_ENGINE_URL={url}\nDAP_AUTH_TOKEN={narrow}\n"),
    );
    project
        .run(&["status", "--remote"])
        .failed(4, "server_unknown");
}

#[test]
fn a_machine_is_let_in_by_its_code_and_signs_out() {
    let (served, url) = serve();
    let machine = Project::empty();
    let mut waiting = Command::new(env!("CARGO_BIN_EXE_dango"))
        .args(["login", &url, "--name", "the laptop", "--json"])
        .current_dir(machine.path(""))
        .env_clear()
        .env("HOME", machine.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut lines = BufReader::new(waiting.stderr.take().expect("piped")).lines();
    let offer = lines.next().expect("a line").expect("UTF-8");
    let offer: Value = serde_json::from_str(&offer).expect("JSON");
    assert_eq!(offer["verification_uri"], format!("{url}/device"));
    let code = offer["user_code"].as_str().expect("a code").to_owned();

    let wrong = served.0.run(&["token", "approve", "BCDF-GHJK", "-y"]);
    wrong.failed(4, "device_code_wrong");
    served
        .0
        .run(&["token", "approve", &code])
        .failed(2, "input_needed");
    let approved = served.0.run(&["token", "approve", &code, "-y"]);
    let approved = approved.succeeded();
    assert!(
        approved.stderr.contains("`the laptop`, from "),
        "{approved:#?}"
    );

    let ended = waiting.wait_with_output().expect("it ends");
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(ended.status.success(), "{rest:?}");
    let told: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!(told["email"], "ada@example.com");
    assert_eq!(told.get("token"), None);
    let file = told["file"].as_str().expect("a path");
    let kept: Value =
        serde_json::from_str(&fs_err::read_to_string(file).expect("kept")).expect("JSON");
    let raw = kept["token"].as_str().expect("a token").to_owned();
    let out = String::from_utf8_lossy(&ended.stdout).into_owned() + &rest.join("\n");
    assert!(!out.contains(&raw[12..]), "{out}");

    machine.run(&["status", "--remote"]).succeeded();
    machine
        .run(&["audit", "--remote"])
        .failed(4, "route_not_found");
    let left = machine.run(&["logout", "--json"]).succeeded().json();
    assert_eq!(left["token_revoked"], true);
    let variables = [("DAP_ENGINE_URL", url.as_str()), ("DAP_AUTH_TOKEN", &raw)];
    machine
        .run_with(&["status", "--remote"], "", &variables)
        .failed(3, "unauthenticated");
}
