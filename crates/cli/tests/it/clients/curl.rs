//! `curl`, as somebody types what `docs/AUTHENTICATION.md` shows.

use super::{PASSWORD, Served, run};
use serde_json::Value;
use std::process::Command;

/// What `curl -i` printed.
#[derive(Debug)]
struct Said {
    status: u16,
    head: String,
    body: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

#[track_caller]
fn curl(words: &[&str]) -> Said {
    let text = run(Command::new("curl").args(["-s", "-i"]).args(words), "");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Said {
        status: status.expect("a status"),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn form(url: &str, password: &str) -> Said {
    let password = format!("password={password}");
    curl(&[
        "-d",
        "username=ada@example.com",
        "--data-urlencode",
        &password,
        url,
    ])
}

#[test]
fn the_form_gives_a_bearer_that_works_until_it_is_signed_out() {
    let served = Served::start("", &[]);
    let base = format!("http://127.0.0.1:{}", served.dap);
    let said = form(&format!("{base}/auth/jwt/login"), PASSWORD);
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(said.json()["token_type"], "bearer");
    assert_eq!(said.header("set-cookie"), None, "{said:?}");
    let token = said.json()["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let me = format!("{base}/users/me");
    let said = curl(&["-H", &bearer, &me]);
    assert_eq!(
        (said.status, &said.json()["email"]),
        (200, &"ada@example.com".into()),
        "{said:?}"
    );
    let said = curl(&[
        "-X",
        "POST",
        "-H",
        &bearer,
        &format!("{base}/auth/jwt/logout"),
    ]);
    assert_eq!((said.status, said.body.as_str()), (204, ""), "{said:?}");
    assert_eq!(curl(&["-H", &bearer, &me]).status, 401);
    // At DAP's port a cookie is nothing.
    let cookie = served.sign_in();
    assert_eq!(curl(&["-b", &format!("dap-jwt={cookie}"), &me]).status, 401);
}

#[test]
fn a_jar_keeps_the_session_and_a_website_of_somebody_else_cannot_use_it() {
    let served = Served::start("", &[]);
    let base = format!("http://localhost:{}", served.web);
    let jar = served.project.path("jar").display().to_string();
    let origin = format!("Origin: {base}");
    let body = format!(r#"{{"email":"ada@example.com","password":"{PASSWORD}"}}"#);
    let json = ["-H", "Content-Type: application/json", "-d", &body];
    let login = format!("{base}/api/auth/login");
    let said = curl(&[&["-c", &jar, "-H", &origin][..], &json, &[&login]].concat());
    assert_eq!(said.status, 200, "{said:?}");
    let kept = served.project.read("jar");
    assert!(kept.contains("#HttpOnly_localhost"), "{kept}");
    let me = format!("{base}/api/auth/me");
    let said = curl(&["-b", &jar, &me]);
    assert_eq!(
        (said.status, &said.json()["email"]),
        (200, &"ada@example.com".into()),
        "{said:?}"
    );
    let out = format!("{base}/api/auth/logout");
    for header in [
        "Origin: https://evil.example",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "X-Nothing: 1",
    ] {
        let said = curl(&["-b", &jar, "-X", "POST", "-H", header, &out]);
        assert_eq!(said.status, 403, "{header}: {said:?}");
    }
    assert_eq!(curl(&["-b", &jar, &me]).status, 200);
    let said = curl(&["-b", &jar, "-c", &jar, "-X", "POST", "-H", &origin, &out]);
    assert!(said.status < 300, "{said:?}");
    assert_eq!(curl(&["-b", &jar, &me]).status, 401);
}

#[test]
fn a_token_of_the_command_line_is_a_bearer_at_both_ports() {
    let served = Served::start("", &[]);
    let made = served
        .project
        .run(&["token", "create", "nightly", "--json"]);
    let token = made.succeeded().json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let addresses = [
        format!("http://127.0.0.1:{}/users/me", served.dap),
        format!("http://localhost:{}/api/auth/me", served.web),
    ];
    for url in &addresses {
        let said = curl(&["-H", &bearer, url]);
        assert_eq!(
            (said.status, &said.json()["email"]),
            (200, &"ada@example.com".into()),
            "{said:?}"
        );
        // Nowhere else: an address stands in logs.
        assert_eq!(
            curl(&[&format!("{url}?token={token}&access_token={token}")]).status,
            401
        );
        assert_eq!(
            curl(&["-u", &format!("ada@example.com:{token}"), url]).status,
            401
        );
    }
    let listed = served
        .project
        .run(&["token", "list", "--json"])
        .succeeded()
        .json();
    let id = listed["items"][0]["id"].as_str().expect("an id").to_owned();
    served.project.run(&["token", "revoke", &id]).succeeded();
    for url in &addresses {
        assert_eq!(curl(&["-H", &bearer, url]).status, 401);
    }
}

#[test]
fn who_guesses_is_locked_out_and_then_asked_to_wait() {
    let served = Served::start("", &[]);
    let made = served
        .project
        .run(&["token", "create", "nightly", "--json"]);
    let token = made.succeeded().json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let me = format!("http://127.0.0.1:{}/users/me", served.dap);
    let url = format!("http://127.0.0.1:{}/auth/jwt/login", served.dap);
    for number in 1..5 {
        let said = form(&url, "wrong");
        assert_eq!(said.status, 400, "guess {number}: {said:?}");
        assert_eq!(said.json()["detail"], "LOGIN_BAD_CREDENTIALS");
    }
    // The fifth guess is looked at and locks; after it not even the right password is.
    for password in ["wrong", PASSWORD] {
        let said = form(&url, password);
        assert_eq!(said.status, 423, "{said:?}");
        let seconds = said.json()["remaining_seconds"]
            .as_u64()
            .unwrap_or_default();
        assert!((890..=900).contains(&seconds), "{said:?}");
        let header = said
            .header("retry-after")
            .and_then(|text| text.parse::<u64>().ok());
        assert_eq!(header, Some(seconds), "{said:?}");
        assert_eq!(said.json()["code"], "account_locked");
    }
    // Ten tries a minute for an address; the bucket fills while they are made.
    let said = (0..30)
        .map(|_| form(&url, "wrong"))
        .find(|said| said.status != 423);
    let said = said.expect("an address may not go on for ever");
    assert_eq!(
        (said.status, &said.json()["code"]),
        (429, &"rate_limited".into()),
        "{said:?}"
    );
    let seconds = said
        .header("retry-after")
        .and_then(|text| text.parse::<u64>().ok());
    assert!(
        seconds.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{said:?}"
    );
    // Whoever is in goes on.
    let said = curl(&["-H", &format!("Authorization: Bearer {token}"), &me]);
    assert_eq!(said.status, 200, "{said:?}");
}
