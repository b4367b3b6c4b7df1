//! The first admin where nobody sits at a terminal: `DANGO_ADMIN_EMAIL` and `DANGO_ADMIN_PASSWORD_FILE` of a server that starts.

use crate::project::{Project, Ran};
use crate::server::Served;
use std::os::unix::fs::PermissionsExt as _;

const SECRET: &str = "8f1d0c9b7a6e5f4d3c2b1a0918273645a7c3e9d1f0b2846c5e7a9d3b1f60c284";

fn with_password(password: &str) -> Project {
    let project = Project::new();
    project.write("password", password);
    chmod(&project, 0o600);
    project
}

fn chmod(project: &Project, mode: u32) {
    let mode = std::fs::Permissions::from_mode(mode);
    fs_err::set_permissions(project.path("password"), mode).expect("changed");
}

fn variables(project: &Project, email: &str) -> Vec<(&'static str, String)> {
    let file = project.path("password").display().to_string();
    vec![
        ("DANGO_CONTAINER", "1".to_owned()),
        ("DAP_AUTH_JWT_SECRET", SECRET.to_owned()),
        ("DAP_ENGINE_PORT", "0".to_owned()),
        ("DANGO_ADMIN_EMAIL", email.to_owned()),
        ("DANGO_ADMIN_PASSWORD_FILE", file),
    ]
}

fn run(project: &Project, words: &[&str], variables: &[(&str, String)]) -> Ran {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    project.run_with(words, "", &variables)
}

const START: [&str; 4] = ["start", "--port", "0", "--no-browser"];

fn admins(project: &Project) -> Vec<(String, String)> {
    let listed = project.run(&["user", "list", "--json"]).succeeded().json();
    let items = listed["items"].as_array().expect("items").iter();
    items
        .map(|user| (user["email"].to_string(), user["state"].to_string()))
        .collect()
}

#[test]
fn a_container_has_its_first_admin_before_anybody_can_reach_it_and_only_once() {
    let project = with_password("correct horse battery staple\n");
    // Beyond loopback a server without an admin does not listen.
    project.write(
        ".dango/project.yml",
        "server: {public_url: 'https://dango.example.com', trusted_proxies: ['192.0.2.1']}\n",
    );
    let mut words = START.to_vec();
    words.extend(["--host", "0.0.0.0", "--behind-proxy"]);
    let named = variables(&project, "ada@example.com");
    let without = named.get(..3).expect("three");
    run(&project, &words, without).failed(3, "listen_refused");
    run(&project, &words, &named).succeeded();
    let served = Served(project);
    let ada = ("\"ada@example.com\"".to_owned(), "\"active\"".to_owned());
    assert_eq!(admins(&served.0), std::slice::from_ref(&ada));
    served.0.run(&["stop"]).succeeded();
    // From then on both are ignored, even when they could not be used.
    fs_err::remove_file(served.0.path("password")).expect("removed");
    let again = variables(&served.0, "eve@example.com");
    run(&served.0, &START, &again).succeeded();
    assert_eq!(admins(&served.0), [ada]);
    let log = served.0.read(".dango/logs/dango.jsonl");
    let lines = log.matches("DANGO_ADMIN_EMAIL is ignored").count();
    assert_eq!(lines, 1, "{log}");
    for text in [&log, &served.0.read(".dango/logs/audit.jsonl")] {
        assert!(!text.contains("battery"), "{text}");
    }
}

#[test]
fn a_variable_that_makes_no_admin_ends_the_start_and_is_named() {
    let serve = ["serve", "--port", "0"];
    let check = |project: &Project, email: &str, code: &str, part: &str| {
        let ran = run(project, &serve, &variables(project, email));
        let ran = ran.failed(1, code);
        assert!(ran.stderr.contains(part), "{part}: {ran:#?}");
        assert!(admins(project).is_empty());
    };
    let weak = with_password("password1\n");
    let part = "hint: correct `DANGO_ADMIN_PASSWORD_FILE`";
    check(&weak, "ada@example.com", "password_weak", part);
    check(
        &weak,
        "ada",
        "config_invalid",
        "correct `DANGO_ADMIN_EMAIL`",
    );
    fs_err::remove_file(weak.path("password")).expect("removed");
    let ran = run(&weak, &serve, &variables(&weak, "ada@example.com"));
    assert!(
        ran.stderr.contains("`DANGO_ADMIN_PASSWORD_FILE`"),
        "{ran:#?}"
    );
    assert_eq!(ran.code, Some(4), "{ran:#?}");
}

#[test]
fn a_password_that_others_can_read_is_told() {
    let project = with_password("correct horse battery staple\n");
    let init = |project: &Project| {
        let ran = run(project, &["init"], &variables(project, "ada@example.com"));
        ran.succeeded().stderr
    };
    assert!(!init(&project).contains("other users"));
    chmod(&project, 0o644);
    let told = init(&project);
    assert!(
        told.contains("can be read by other users of this machine (mode 0644)"),
        "{told}"
    );
}
